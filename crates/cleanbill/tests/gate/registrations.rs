//! Images that no registry has: what `cleanbill register` writes is what a running gate reads.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use cleanbill::policy_file;
use cleanbill::serve::config_file;
use cleanbill::store::{Owner, Store};
use cleanbill::wiring;
use cleanbill_oci::testing::{ImageBuilder, TarBuilder, sha256};

use crate::rig::{Choice, question, rig};

const CONFIG: &str = "listen: 127.0.0.1:1\npolicy: policy.yaml\nstate_dir: state\n\
    tls: {cert: a, key: b, client_ca: c, client_names: [d]}\n";

const POLICY: &str = "name: p\nlocal_images: [morc-api, team/*]\n\
    accept_gaps: [unexamined-registration]\n";

fn register(dir: &Path, line: &str) -> (Option<i32>, String) {
    run(dir, &format!("register {line}"))
}

fn run(dir: &Path, line: &str) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cleanbill"));
    command.args(line.split_whitespace()).current_dir(dir).env_clear();
    let done = command.output().unwrap();
    let text = [done.stdout, done.stderr].concat();
    (done.status.code(), String::from_utf8(text).unwrap())
}

/// What is registered or removed, exit code and part of the answer; then what the gate says of
/// which image: nothing where it allows it.
type Row<'t> = (&'t str, i32, &'t str, &'t [(&'t str, &'t str)]);

#[test]
fn a_registration_counts_at_once_for_its_name_and_for_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path();
    let config = config_file::parse(CONFIG, &path.join("cleanbill.yaml")).unwrap();
    std::fs::write(path.join("cleanbill.yaml"), CONFIG).unwrap();
    std::fs::write(path.join("policy.yaml"), POLICY).unwrap();
    let image = ImageBuilder::new("linux/amd64")
        .user("1000")
        .layer(TarBuilder::new().file("some/file", "x").build());
    std::fs::write(path.join("api.tar"), image.docker_archive("whatever:1")).unwrap();
    let id = sha256(image.config().as_bytes()).to_string();
    let store = Arc::new(Store::open(&config.state_dir, Owner::Gate).unwrap());
    let policy = policy_file::load(POLICY, "policy.yaml", jiff::Timestamp::now()).unwrap().policy;
    let examiner = wiring::examiner(&config, Some(store)).unwrap();
    let gate = rig(Choice { examiner, policy, ..Choice::default() });

    let other = format!("sha256:{}", "5".repeat(64));
    let by_digest = format!("morc-api:0.1-5 --digest {other} --node worker-1");
    let wrong = format!("morc-api:0.2 --input api.tar --digest {other}");
    let pinned = format!("morc-api@{other} --digest {other} --node n");
    let table: [Row<'_>; 8] = [
        ("--list", 0, "", &[("morc-api:0.1-5", "local_images"), ("team/x:1", "local_images")]),
        (
            &by_digest,
            0,
            "registered  morc-api:0.1-5  sha256:5555",
            &[
                ("morc-api:0.1-5", ""),
                ("docker.io/library/morc-api:0.1-5", ""),
                ("morc-api:0.1-6", "local_images"),
                ("morc-api", "local_images"),
                ("other.example/morc-api:0.1-5", "could not"),
            ],
        ),
        (
            "--remove docker.io/library/morc-api:0.1-5",
            0,
            "removed  morc-api:0.1-5",
            &[("morc-api:0.1-5", "local_images")],
        ),
        (&pinned, 2, "needs no registration", &[]),
        (&wrong, 2, "the image in it has the id", &[("morc-api:0.2", "local_images")]),
        // What is in it is judged now, and nothing in it is known.
        ("morc-api:0.2 --input api.tar", 0, &id, &[("morc-api:0.2", "nothing-recognised")]),
        ("--list morc-api:0.2", 0, "  any  ", &[]),
        ("--remove morc-api:0.2", 0, "removed", &[("morc-api:0.2", "local_images")]),
    ];
    for (line, code, part, asked) in table {
        let (got, text) = register(path, line);
        assert!(got == Some(code) && text.contains(part), "{line}: {got:?}\n{text}");
        for (image, why) in asked {
            let reply = gate.ask(&question(&[image]));
            let said = format!("after {line:?}, {image}: {}", reply.reason());
            assert_eq!(reply.allowed(), why.is_empty(), "{said}");
            assert!(said.contains(why), "{said}");
        }
    }
}

#[test]
fn only_names_that_the_policy_holds_to_be_local_are_registered() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path();
    std::fs::write(path.join("cleanbill.yaml"), CONFIG).unwrap();
    drop(Store::open(&path.join("state"), Owner::Gate).unwrap());
    let digest = format!("--digest sha256:{} --node n", "5".repeat(64));
    let rebuilt = format!("--digest sha256:{} --node n", "6".repeat(64));
    let refused = "next: add it there (such as \"other\")";
    let unknown = "warning: nobody knows whether the gate asks a registry for";
    // The policy, if there is one; the name and the rest; exit code; what is said.
    let table = [
        (Some(POLICY), format!("morc-api:1 {digest}"), 0, "registered  morc-api:1"),
        // What the node had under that name is taken back, and told.
        (Some(POLICY), format!("morc-api:1 {rebuilt}"), 0, "removed  morc-api:1"),
        (Some(POLICY), format!("morc-api:1 {rebuilt}"), 0, "registered  morc-api:1"),
        (Some(POLICY), format!("team/x {digest}"), 0, "registered  team/x:latest"),
        (Some(POLICY), format!("other:1 {digest}"), 2, refused),
        (Some(POLICY), "other:1 --input none.tar".into(), 2, refused),
        (Some("name: p\n"), format!("morc-api:2 {digest}"), 2, "under local_images"),
        (Some(POLICY), format!("a:1 {digest} --state-dir state"), 3, unknown),
        (Some("name: [\n"), format!("b:1 {digest}"), 3, unknown),
        (None, format!("c:1 {digest}"), 3, "policy.yaml cannot be read"),
        // Taken back is what was wrongly registered, too.
        (Some(POLICY), "--remove c:1".into(), 0, "removed  c:1"),
    ];
    for (policy, line, code, part) in table {
        match policy {
            Some(policy) => std::fs::write(path.join("policy.yaml"), policy).unwrap(),
            None => std::fs::remove_file(path.join("policy.yaml")).unwrap(),
        }
        let (got, text) = register(path, &line);
        assert!(got == Some(code) && text.contains(part), "{line}: {got:?}\n{text}");
        let name = line.split(' ').next().unwrap();
        let listed = register(path, &format!("--list {name}")).1;
        assert_eq!(listed.contains("registered"), code != 2 && name != "--remove", "{line}");
    }
}

#[test]
fn what_warm_leaves_unknown_is_told_by_its_exit_code() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path();
    std::fs::write(path.join("cleanbill.yaml"), CONFIG).unwrap();
    let policy = format!("{POLICY}allowed: [\"registry.example/*\"]\n");
    std::fs::write(path.join("policy.yaml"), policy).unwrap();
    drop(Store::open(&path.join("state"), Owner::Gate).unwrap());
    let image = ImageBuilder::new("linux/amd64").layer(TarBuilder::new().file("f", "x").build());
    std::fs::write(path.join("api.tar"), image.docker_archive("whatever:1")).unwrap();
    let id = sha256(image.config().as_bytes()).to_string();
    let other = format!("sha256:{}", "5".repeat(64));
    for line in ["morc-api:1 --input api.tar", &format!("team/x:1 --digest {other} --node n1")] {
        assert_eq!(register(path, line).0, Some(0), "{line}");
    }
    let table = [
        ("morc-api:1".to_owned(), 0, "local     morc-api:1\n"),
        (format!("morc-api:1@{id}"), 0, "local     morc-api:1@"),
        (format!("morc-api:1@{other}"), 2, "missing   morc-api:1@"),
        ("morc-api:2".into(), 2, "no image is registered under the name"),
        ("morc-api".into(), 2, "missing   morc-api:"),
        ("team/x:1".into(), 2, "unknown   team/x:1: it was registered for node n1 without"),
        ("nginx:1".into(), 2, "refused   nginx:1: the policy does not allow the name"),
        ("UPPER".into(), 2, "failed    UPPER: "),
        ("morc-api:1 nginx:1".into(), 2, "local     morc-api:1\nrefused   nginx:1"),
    ];
    for (images, code, part) in table {
        let (got, text) = run(path, &format!("warm -q {images}"));
        assert!(got == Some(code) && text.contains(part), "{images}: {got:?}\n{text}");
    }
}
