//! Every exercise: it is wrong when it is made, right when it is repaired, and graded so.

// Helpers of tests are tests, which clippy.toml cannot know of a whole file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::fs;
use std::path::Path;
use std::process::Command;

use cleanbill::practice::faults::FAULTS;
use cleanbill::practice::folder::{ADMISSION, Folder, KUBECONFIG, MANIFEST};
use cleanbill::practice::grade::{Point, grade};
use cleanbill::practice::{Exercise, Wanted};
use cleanbill_oci::testing::free_port;

/// What is not as it should be.
fn unmet(dir: &Path, exercise: &Exercise) -> Vec<Point> {
    grade(dir, exercise).unwrap().into_iter().filter(|point| !point.met).collect()
}

/// Does what the hints say, whatever was wrong.
fn repair(dir: &Path, port: u16) {
    let good = Folder::good(port, jiff::Timestamp::now()).unwrap();
    for file in [MANIFEST, ADMISSION, KUBECONFIG] {
        fs::create_dir_all(dir.join(file).parent().unwrap()).unwrap();
        fs::write(dir.join(file), good.text(file).unwrap()).unwrap();
    }
    _ = fs::remove_file(dir.join("etc/kubernetes/manifest/kube-apiserver.yaml"));
    _ = fs::remove_file(dir.join("etc/kubernetes/manifests/kube-apiserver.yaml.bak"));
    let policy = dir.join("etc/kubernetes/imagepolicy");
    fs::copy(dir.join("opt/webhook/ca.crt"), policy.join("webhook-ca.crt")).unwrap();
    for (from, to) in [
        ("client-2.crt", "apiserver-client.crt"),
        ("client-2.key", "apiserver-client.key"),
        ("apiserver-client-2.key", "apiserver-client.key"),
    ] {
        if policy.join(from).is_file() {
            fs::rename(policy.join(from), policy.join(to)).unwrap();
        }
    }
}

#[test]
fn there_are_enough_faults_and_each_is_named_once() {
    assert!(FAULTS.len() >= 15, "only {}", FAULTS.len());
    let mut ids: Vec<_> = FAULTS.iter().map(|fault| fault.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), FAULTS.len());
}

#[test]
fn each_fault_is_seen_and_is_gone_after_its_repair() {
    let mut wrong = Vec::new();
    for fault in FAULTS {
        let dir = tempfile::tempdir().unwrap();
        let wanted = Wanted::Fault(fault.id.into());
        let mut exercise = Exercise::begin(dir.path(), &wanted, free_port(), 0).unwrap();
        if unmet(dir.path(), &exercise).is_empty() {
            wrong.push(format!("{} is not seen", fault.id));
        }
        let task = fs::read_to_string(dir.path().join("TASK.md")).unwrap();
        assert!(!task.contains(fault.id), "the task says what is wrong: {}", fault.id);
        for hint in fault.hints {
            assert_eq!(exercise.hint(dir.path()).unwrap(), [hint]);
        }
        repair(dir.path(), exercise.port);
        for point in unmet(dir.path(), &exercise) {
            wrong.push(format!("{} repaired, and yet: {point:?}", fault.id));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_node_without_a_fault_has_all_points() {
    let dir = tempfile::tempdir().unwrap();
    let exercise = Exercise::begin(dir.path(), &Wanted::Random(0), free_port(), 7).unwrap();
    assert_eq!(unmet(dir.path(), &exercise), []);
}

#[test]
fn several_faults_go_together_and_are_dealt_again_by_their_number() {
    for chance in 0..20 {
        let deal = || {
            let dir = tempfile::tempdir().unwrap();
            let exercise = Exercise::begin(dir.path(), &Wanted::Random(4), 1, chance).unwrap();
            let ids: Vec<_> = exercise.faults().iter().map(|fault| fault.id).collect();
            let mut places: Vec<_> = exercise.faults().iter().map(|fault| fault.place).collect();
            places.sort_unstable();
            places.dedup();
            assert_eq!(places.len(), 4, "{ids:?}");
            ids
        };
        assert_eq!(deal(), deal());
    }
    let dir = tempfile::tempdir().unwrap();
    let much = Exercise::begin(dir.path(), &Wanted::Random(99), 1, 0);
    assert!(much.unwrap_err().to_string().contains("do not fit into one node"));
}

#[test]
fn the_command_leads_through_an_exercise() {
    let dir = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_cleanbill"))
            .arg("practice")
            .args(args)
            .current_dir(dir.path())
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout) + &text(&output.stderr))
    };
    let table: &[(&[&str], i32, &str)] = &[
        (&["grade", "node"], 2, "holds no exercise"),
        (&["start", "node", "--fault", "no-such"], 2, "there is no fault"),
        (&["start", "node", "--fault", "ttl-as-text"], 0, "kube-apiserver is to"),
        (&["start", "node"], 2, "is not empty"),
        (&["grade", "node"], 1, "cannot unmarshal string"),
        (&["hint", "node"], 0, "look at the admission configuration"),
        (&["hint", "node"], 0, "times are numbers there"),
        (&["hint", "node"], 0, "write allowTTL: 50"),
        (&["hint", "node"], 0, "write allowTTL: 50"),
        (&["list"], 0, "without-contexts"),
    ];
    for (args, code, words) in table {
        let (got, said) = run(args);
        assert_eq!(got, Some(*code), "{args:?}: {said}");
        assert!(said.contains(words), "{args:?}: {said}");
    }
    let file = dir.path().join("node").join(ADMISSION);
    let text = fs::read_to_string(&file).unwrap().replace("allowTTL: 50s", "allowTTL: 50");
    fs::write(&file, text).unwrap();
    let (code, said) = run(&["grade", "node"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("with 4 hints\nRepaired: ttl-as-text"), "{said}");
}
