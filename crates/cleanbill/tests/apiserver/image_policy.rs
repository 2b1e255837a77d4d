//! The ImagePolicyWebhook plug-in with the files that `cleanbill setup` wrote, and the real gate.

use std::time::Duration;

use serde_json::Value;

use crate::assets::{Assets, assets};
use crate::cluster::{Admission, IMAGE_POLICY, Server, Setup};
use crate::registry::{Image, Registry};
use crate::rig::{Choice, Gate, POLICY};

/// The beginning of every denial.
pub const DENIED: &str = "image policy webhook backend denied one or more images: ";
const FAILED_OPEN: &str = "imagepolicywebhook.image-policy.k8s.io/failed-open";
/// What 1.20 wants to write onto the pod too.
const ON_THE_POD: &str = "alpha.image-policy.k8s.io/failed-open";

/// A gate that may read images of the registry, with nothing remembered by the API server.
pub fn gate(registry: &Registry, more: &[&'static str]) -> Gate {
    gate_that_remembers(registry, "-1", "", more)
}

/// One whose denials the API server remembers for so long, with further keys.
fn gate_that_remembers(
    registry: &Registry,
    deny_ttl: &'static str,
    keys: &str,
    more: &[&'static str],
) -> Gate {
    let mut setup = vec!["--allow-ttl", "-1", "--deny-ttl", deny_ttl, "--retry-backoff", "1"];
    setup.extend(more);
    let keys = registry.key() + keys;
    let policy = format!("{POLICY}allowed: [\"{}/*\"]\n", registry.host());
    Gate::start(Choice { setup, keys, policy, ..Choice::default() })
}

/// An API server that asks it, by the files as they were written.
pub fn server(assets: &Assets, gate: &Gate) -> Server {
    Server::start(assets, &setup(gate)).unwrap_or_else(|said| panic!("it ended:\n{said}"))
}

/// The flags that `kube-apiserver.patch.md` tells.
pub fn setup(gate: &Gate) -> Setup {
    let admission = Admission::File(gate.path("admission-configuration.yaml"));
    Setup { admission, plugins: IMAGE_POLICY, ..Setup::default() }
}

/// What the policy refuses by its name.
fn refused() -> String {
    format!("elsewhere.example/app@sha256:{}", "0123456789abcdef".repeat(4))
}

/// What the registry does not have.
fn lost(registry: &Registry) -> String {
    format!("{}/lost@sha256:{}", registry.host(), "0123456789abcdef".repeat(4))
}

#[test]
fn pods_are_allowed_and_denied_and_asked_about_again() {
    let Some(assets) = assets() else { return };
    let registry = Registry::start();
    let gate = gate(&registry, &[]);
    let flags = assets.ephemeral_containers();
    let server = Server::start(&assets, &Setup { flags, ..setup(&gate) }).unwrap();
    let (good, bad) = (registry.clean("app"), refused());

    let said = server.kubectl(&["run", "good", "--image", &good]);
    assert!(said.done && said.out.contains("pod/good created"), "{said:?}\n{}", gate.log());
    let lost = lost(&registry);
    for (image, words) in [(&lost, "could not be judged"), (&bad, "images may only come from")] {
        let said = server.kubectl(&["run", "bad", "--image", image]);
        let head = format!("Error from server (Forbidden): pods \"bad\" is forbidden: {DENIED}");
        assert!(!said.done && said.err.starts_with(&head), "{said:?}");
        assert!(said.err.contains(image) && said.err.contains(words), "{said:?}");
        // By the id in the words it is found again.
        let id = said.err.rsplit("Decision ").next().unwrap().trim().trim_end_matches('.');
        assert!(gate.recorded(id).is_some(), "{id:?}");
    }
    assert_eq!(server.kubectl(&["get", "pods", "-o", "name"]).out, "pod/good\n");
    // And what is allowed, by the id in the audit log.
    let key = "imagepolicywebhook.image-policy.k8s.io/decision-id";
    let noted = server.annotations("create", "good");
    assert!(gate.recorded(noted[key].as_str().unwrap_or_default()).is_some(), "{noted}");

    // One bad image among good ones, and one in an init container.
    assert_eq!(server.client().create("mixed", &[&good, &bad]).status, 403);
    let mut pod = crate::client::pod("init", &[&good]);
    pod["spec"]["initContainers"] = serde_json::json!([{"name": "i", "image": bad}]);
    assert_eq!(server.client().create_object(&pod).status, 403);

    // A dry run is a question like any other, and so is a label. A status is none.
    let decisions = gate.count(100);
    let said = server.kubectl(&["run", "dry", "--image", &good, "--dry-run=server"]);
    assert!(said.done, "{said:?}");
    let said = server.kubectl(&["label", "pod", "good", "a=b"]);
    assert!(said.done, "{said:?}");
    assert_eq!(gate.count(100), decisions + 2);
    let status = "/api/v1/namespaces/default/pods/good/status";
    let patch = r#"{"status": {"phase": "Running"}}"#;
    let kind = "application/merge-patch+json";
    assert_eq!(server.client().request("PATCH", status, kind, patch).unwrap().status, 200);
    assert_eq!(gate.count(100), decisions + 2);
    // Ephemeral containers were not a question before 1.24.15, 1.25.11, 1.26.6 and 1.27.3
    // (CVE-2023-2727): there only a validating webhook sees them.
    let said = server.kubectl(&["debug", "good", "--image", &bad, "--attach=false"]);
    if assets.version < (1, 24) {
        assert!(said.done, "{said:?}");
    } else if assets.version >= (1, 28) {
        assert!(!said.done && said.err.contains(DENIED), "{said:?}");
    }
    // A policy that became stricter is felt by a pod that runs.
    gate.write("policy.yaml", format!("{}allowed: [elsewhere.example/*]\n", POLICY));
    gate.signal("HUP");
    gate.until("a stricter policy", |_| server.client().label("good", "again").status == 403);
    // But deleting it is not a question.
    let said = server.kubectl(&["delete", "pod", "good", "--grace-period=0", "--force"]);
    assert!(said.done, "{said:?}");
    let name = format!("name=\"{IMAGE_POLICY}\"");
    let admissions = "apiserver_admission_controller_admission_duration_seconds_count";
    for (rejected, least) in [("rejected=\"true\"", 4.0), ("rejected=\"false\"", 3.0)] {
        let count = server.metric(admissions, &[&name, rejected, "type=\"validate\""]);
        assert!(count >= least, "{rejected}: {count}");
    }
}

#[test]
fn what_could_not_be_examined_now_is_remembered_or_asked_again_as_the_operator_wants() {
    let Some(assets) = assets() else { return };
    let mut running: Option<Server> = None;
    for (how, remembered) in [("deny", true), ("fail", false)] {
        let registry = Registry::start();
        let key = format!("when_unexamined: {how}\n");
        let gate = gate_that_remembers(&registry, "1800", &key, &["--when-unexamined", how]);
        let server = match running.take() {
            None => server(&assets, &gate),
            Some(mut server) => {
                server.restart(&setup(&gate)).unwrap();
                server
            }
        };
        let image = Image::clean("late");
        let name = format!("{}/late@{}", registry.host(), image.digest());
        let reply = server.client().create("early", &[&name]);
        let words = format!("{name}: could not be judged");
        assert!(reply.status == 403 && reply.message().contains(&words), "{how}: {reply:?}");
        // Only what was answered is called a denial, and each is asked about once.
        assert_eq!(reply.message().contains(DENIED), remembered, "{how}: {reply:?}");
        assert_eq!(gate.count(10), 1, "{how}");
        registry.push(&image);
        let reply = server.client().create(how, &[&name]);
        assert_eq!(reply.status, if remembered { 403 } else { 201 }, "{how}: {reply:?}");
        running = Some(server);
    }
}

#[test]
fn a_gate_that_cannot_be_asked_closes() {
    without_a_gate(false);
}

#[test]
fn a_gate_that_cannot_be_asked_opens_where_the_operator_wants_that() {
    without_a_gate(true);
}

/// Waits until the API server asks the gate: a connection of before may be tried once more, since
/// Go does not repeat a POST on another.
fn asked_again(server: &Server, gate: &Gate, good: &str, name: &str) {
    let tries = std::cell::Cell::new(0);
    gate.until("the gate is asked again", |_| {
        tries.set(tries.get() + 1);
        let name = format!("{name}-{}", tries.get());
        server.client().create(&name, &[good]).status == 201
            && server.annotations("create", &name).get(FAILED_OPEN).is_none()
    });
}

/// Killed, hung and restarted.
fn without_a_gate(open: bool) {
    let Some(assets) = assets() else { return };
    let registry = Registry::start();
    let value = if open { "true" } else { "false" };
    let mut gate = gate(&registry, &["--default-allow", value]);
    let server = server(&assets, &gate);
    let (good, bad) = (registry.clean("app"), refused());
    let good_then_bad = |when: &str, gate: &Gate| {
        let name = |what: &str| format!("{what}-{when}");
        let reply = server.client().create(&name("good"), &[&good]);
        assert_eq!(reply.status, 201, "{when}: {reply:?}\n{}", gate.log());
        let noted = server.annotations("create", &name("good"));
        assert!(noted.get(FAILED_OPEN).is_none(), "{when}: {noted}");
        let reply = server.client().create(&name("bad"), &[&bad]);
        assert!(reply.status == 403 && reply.message().contains(DENIED), "{when}: {reply:?}");
    };
    // With words of which some must be told where it closes.
    let failed = |name: &str, words: &[&str]| {
        let reply = server.client().create(name, &[&bad]);
        if !open {
            let told = reply.message();
            assert!(words.iter().any(|w| told.contains(w)), "{name}: {reply:?}");
            assert_eq!(reply.status, 403, "{reply:?}");
            return;
        }
        assert_eq!(reply.status, 201, "{name}: {reply:?}");
        let noted = server.annotations("create", name);
        assert_eq!(noted[FAILED_OPEN], "true", "{noted}");
        let path = format!("/api/v1/namespaces/default/pods/{name}");
        let pod = server.client().get(&path).unwrap().body;
        assert_eq!(pod["metadata"]["annotations"][ON_THE_POD], Value::Null, "{pod}");
    };
    good_then_bad("first", &gate);
    gate.kill();
    failed("killed", &["connect: connection refused"]);
    let label = server.client().label("good-first", "killed");
    assert_eq!(label.status, if open { 200 } else { 403 }, "of a running pod: {label:?}");
    gate.open();
    asked_again(&server, &gate, &good, "reopened");
    good_then_bad("restarted", &gate);
    // A connection is there, and nobody answers on it.
    gate.signal("STOP");
    failed("hung", &["deadline exceeded", "Client.Timeout exceeded", "timed out"]);
    gate.signal("CONT");
    std::thread::sleep(Duration::from_millis(200));
    good_then_bad("woken", &gate);
}
