//! How it looks: for people, for programs, and by exit code.

use std::process::Command;

use cleanbill::doctor::found::Outcome;
use cleanbill::doctor::{Input, Report, examine};

use crate::node::{CONFIG, KUBECONFIG, MANIFEST, Node};

fn at() -> cleanbill_core::Timestamp {
    "2026-08-01T12:00:00Z".parse().unwrap()
}

/// A node with an error, what follows from it, and a warning.
fn broken() -> (Node, Report) {
    let node = Node::good_at(at());
    node.edit(MANIFEST, "ImagePolicyWebhook", "ImagePolicyWebHook");
    node.edit(CONFIG, "defaultAllow: false", "defaultAllow: true");
    node.edit(KUBECONFIG, "current-context: cleanbill\n", "");
    let report = examine(&node.input());
    (node, report)
}

#[test]
fn for_people_and_for_programs() {
    let (node, report) = broken();
    let shown = |text: String| text.replace(&node.root().display().to_string(), "DIR");
    insta::assert_snapshot!("text", shown(report.text(false)));
    insta::assert_snapshot!("json", shown(report.json()));
    assert!(report.text(true).len() > report.text(false).len());
}

#[test]
fn where_nothing_can_be_looked_at_nothing_is_fine() {
    let report = examine(&Input::nothing(at()));
    assert_eq!(report.count(Outcome::NotLooked), report.checked.len(), "{}", report.text(false));
    assert_eq!(report.exit().number(), 3);
    // A machine that is no control-plane node.
    let empty = tempfile::tempdir().unwrap();
    let root = Some(empty.path().to_owned());
    let report = examine(&Input { root, ..Input::nothing(at()) });
    assert_eq!(report.count(Outcome::NotLooked), report.checked.len(), "{}", report.text(false));
}

#[test]
fn the_program_ends_as_the_report_says() {
    let node = Node::good();
    let run = |args: &[&str]| {
        let out = Command::new(env!("CARGO_BIN_EXE_cleanbill"))
            .arg("doctor")
            .args(args)
            .current_dir(node.root())
            .output()
            .unwrap();
        (out.status.code(), String::from_utf8(out.stdout).unwrap())
    };
    let (code, text) = run(&["--root", ".", "--gate-config", "gate/cleanbill.yaml", "--offline"]);
    assert!(code == Some(0) && text.contains("0 errors, 0 warnings"), "{code:?} {text}");
    let (code, json) = run(&["--manifest", MANIFEST, "--offline", "-f", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, &json["errors"]), (Some(0), &0.into()));
    // A copy of the configuration alone is judged by itself.
    let (code, text) = run(&["--admission-config", CONFIG, "--offline"]);
    assert!(code == Some(0) && text.contains("config-decodes"), "{code:?} {text}");
    node.edit(CONFIG, "allowTTL: 60", "allowTTL: 1801");
    let (code, text) = run(&["--admission-config", CONFIG, "--offline"]);
    assert!(code == Some(1) && text.contains("allowTTL: 1801"), "{code:?} {text}");
    assert_eq!(run(&["--admission-config", CONFIG, "--nonsense"]).0, Some(2));
}
