//! Doctor and simulator look at the same rows: whatever ends kube-apiserver, doctor finds.

use cleanbill::apiserver::Version;
use cleanbill::doctor::{Input, Network, examine};

use crate::pki::pki;
use crate::rows::{Listens, all};

#[test]
fn whatever_ends_an_api_server_is_an_error_to_doctor() {
    let mut wrong = Vec::new();
    let newest = Version::NEWEST.minor;
    for row in all().into_iter().filter(|row| row.until.is_none_or(|until| until >= newest)) {
        let dir = tempfile::tempdir().unwrap();
        row.write(dir.path(), 9, pki());
        let mut input = Input::nothing(jiff::Timestamp::now());
        input.admission_config = Some(dir.path().join("config.yaml"));
        // The paths in a row's files are those of this machine.
        input.root = Some("/".into());
        input.network = Network::Untouched;
        let report = examine(&input);
        let first = report.first_error().map(|first| format!("{}: {}", first.check, first.said));
        match (&row.refused, first) {
            (Some(words), None) => wrong.push(format!("{}: missed: {words}", row.name)),
            // What starts has no error in its configuration, unless it opens, is misspelt or rests
            // on an environment that a static pod does not have.
            (None, Some(first))
                if row.listens == Listens::Well
                    && row.change.is_empty()
                    && row.kubeconfig.is_none()
                    && !["default-allow", "policy-keys", "kubeconfig-named", "manifest"]
                        .iter()
                        .any(|check| first.starts_with(check)) =>
            {
                wrong.push(format!("{}: {first}", row.name));
            }
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{} rows:\n{}", wrong.len(), wrong.join("\n"));
}
