//! Files that nobody would write: what reads them ends, and says something.

use cleanbill::apiserver::yaml;
use cleanbill::doctor::view::manifest::Manifest;
use cleanbill::doctor::view::metrics::Metrics;
use cleanbill::doctor::view::target::Target;
use cleanbill::doctor::view::{audit, http_date};

const AUDIT: &str = "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- {level: None, users: [a], verbs: [create]}\n- level: Metadata\n  resources: [{group: '', resources: [pods]}]\n";
const SERIES: &str = "apiserver_admission_controller_admission_duration_seconds_count{name=\"a\",operation=\"CREATE\"} 5\n";
const POD: &str = "kind: Pod\nspec:\n  hostNetwork: true\n  containers:\n  - name: kube-apiserver\n    command: [kube-apiserver, --a=b, --c, d]\n    volumeMounts: [{name: x, mountPath: /a, subPath: b}]\n    env: [{name: A, value: b}]\n  volumes: [{name: x, hostPath: {path: /b}}]\n";

fn read(text: &str) {
    _ = audit::policy(text);
    _ = audit::log(text.as_bytes());
    _ = Metrics::of(text);
    _ = Target::of(text).map(|target| target.is_exempt(text));
    _ = http_date(text);
    if let Ok(pod) = yaml::first(text) {
        _ = Manifest::of(&pod).map(|m| (m.version(), m.list("a")));
    }
}

proptest::proptest! {
    #[test]
    fn no_file_makes_it_panic(
        bytes: Vec<u8>, of in 0_usize..3, from in 0_usize..100, length in 0_usize..40,
        odd in "[ -~\n]{0,12}", twice: bool,
    ) {
        read(&String::from_utf8_lossy(&bytes));
        let whole = [AUDIT, SERIES, POD][of];
        let from = from.min(whole.len());
        let to = (from + length).min(whole.len());
        let kept = if twice { &whole[from..to] } else { "" };
        read(&[&whole[..from], kept, &odd, kept, &whole[to..]].concat());
        read(&odd);
    }
}
