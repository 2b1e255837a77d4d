//! Doctor and simulator look at the same rows: whatever ends kube-apiserver, doctor finds.

use cleanbill::apiserver::Version;
use cleanbill::doctor::found::Outcome;
use cleanbill::doctor::{Input, Network, examine};

use crate::pki::pki;
use crate::rows::{Listens, Row, all};
use crate::webhook::Webhook;

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

#[test]
fn whatever_keeps_an_api_server_from_an_answer_is_an_error_to_doctor() {
    let newest = Version::NEWEST.minor;
    let lost = ["tls: ", "x509: ", "dial tcp", "proxyconnect", "HTTPS client"];
    let is_lost = |row: &Row| {
        let says = row.steps.first().and_then(|step| step.says.as_ref());
        row.until.is_none_or(|until| until >= newest)
            && says.is_some_and(|says| lost.iter().any(|part| says.contains(part)))
    };
    let rows: Vec<Row> = all().into_iter().filter(is_lost).collect();
    assert!(rows.len() >= 12, "only {} rows", rows.len());
    // A server that is silent after the handshake is waited for, so all at once.
    let missed: Vec<&str> = std::thread::scope(|scope| {
        let each = rows.iter().map(|row| scope.spawn(|| (!is_found(row)).then_some(&*row.name)));
        let all: Vec<_> = each.collect();
        all.into_iter().filter_map(|one| one.join().unwrap()).collect()
    });
    assert!(missed.is_empty(), "missed: {missed:?}");
}

fn is_found(row: &Row) -> bool {
    let dir = tempfile::tempdir().unwrap();
    let hook = Webhook::start(row.listens, &row.replies);
    row.write(dir.path(), hook.port, pki());
    let mut input = Input::nothing(jiff::Timestamp::now());
    input.admission_config = Some(dir.path().join("config.yaml"));
    input.root = Some("/".into());
    input.network = Network::OnNode;
    let report = examine(&input);
    // A proxy in the kubeconfig is warned of, and what is behind it not looked at.
    let proxied = report.with(Outcome::Warning).any(|checked| checked.check == "proxy");
    let mut errors = report.with(Outcome::Error);
    proxied || errors.any(|checked| !checked.check.starts_with("manifest"))
}
