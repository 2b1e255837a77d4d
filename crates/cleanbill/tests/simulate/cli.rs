//! The command itself: what a person sees, what a program reads, and the exit code.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::pki::pki;
use crate::rows::{Listens, Reply, Row, all};
use crate::webhook::Webhook;

const PODS: &str = "\
apiVersion: v1
kind: Pod
metadata:
  name: web
  annotations:
    image-policy.k8s.io/near: miss
    x.image-policy.k8s.io/ticket: T-1
spec:
  containers:
  - {name: a, image: \"nginx:1\"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: passed-over}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  template:
    spec:
      containers: [{name: a, image: \"api:2\"}]
      volumes: [{name: v, image: {reference: \"data:1\"}}]
";

/// A folder like that of the first row, whose webhook replies so.
fn folder(policy: &str, replies: &[Reply]) -> (tempfile::TempDir, Webhook) {
    let usual = all().into_iter().find(|row| row.name == "all defaults").unwrap();
    let row = Row { policy: Some(policy.to_owned()), ..usual };
    let dir = tempfile::tempdir().unwrap();
    let hook = Webhook::start(Listens::Well, replies);
    row.write(dir.path(), hook.port, pki());
    std::fs::write(dir.path().join("pods.yaml"), PODS).unwrap();
    (dir, hook)
}

/// The exit code, and what was printed, without what differs from run to run.
fn run(dir: &Path, port: u16, args: &[&str], stdin: &str) -> (Option<i32>, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_cleanbill"))
        .args(["simulate", "--admission-config", "config.yaml"])
        .args(args)
        .current_dir(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let plain = |bytes: &[u8]| {
        String::from_utf8_lossy(bytes)
            .replace(&format!(":{port}"), ":PORT")
            .replace(&dir.display().to_string(), "DIR")
    };
    (output.status.code(), plain(&output.stdout), plain(&output.stderr))
}

/// Times of calls differ: a word that is one becomes `TIME`.
fn without_times(text: &str) -> String {
    let is_time = |word: &str| {
        let word = word.trim_matches(|c| "(),;:".contains(c));
        word.strip_suffix("ms").is_some_and(|n| n.parse::<f64>().is_ok())
    };
    let line = |line: &str| {
        let words = line.split(' ').map(|word| {
            if is_time(word) {
                let core = word.trim_matches(|c| "(),;:".contains(c));
                word.replace(core, "TIME")
            } else {
                word.to_owned()
            }
        });
        words.collect::<Vec<_>>().join(" ")
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn allow() -> Reply {
    Reply { allow: true, ..Reply::default() }
}

fn deny(reason: &str) -> Reply {
    Reply { deny: Some(reason.into()), ..Reply::default() }
}

#[test]
fn a_person_sees_what_kubectl_says_and_why() {
    let (dir, hook) = folder("allowTTL: 60\ndenyTTL: 10", &[allow(), deny("too old"), allow()]);
    let args = ["--pod", "pods.yaml", "--then", "wait 11s", "--then", "update pods.yaml"];
    let (code, out, err) = run(dir.path(), hook.port, &[&args[..], &["--explain"]].concat(), "");
    assert_eq!((code, err.as_str()), (Some(1), ""));
    insta::assert_snapshot!(without_times(&out));
}

#[test]
fn a_program_reads_the_same() {
    let (dir, hook) = folder("defaultAllow: true", &[Reply { status: Some(503), ..allow() }]);
    let (code, out, _) = run(dir.path(), hook.port, &["--then", "create -", "-f", "json"], PODS);
    assert_eq!(code, Some(3));
    let value: Value = serde_json::from_str(&out).unwrap();
    let table = [
        ("/schema", serde_json::json!(1)),
        ("/starts", serde_json::json!(true)),
        ("/overall", serde_json::json!("failed-open")),
        ("/config/defaultAllow", serde_json::json!(true)),
        ("/steps/0/source", serde_json::json!("STDIN")),
        ("/steps/0/kubectl", serde_json::json!("pod/web created")),
        ("/steps/0/course/outcome", serde_json::json!("failed-open")),
        ("/steps/0/course/callCount", serde_json::json!(1)),
        ("/steps/1/madeFor", serde_json::json!("Deployment api")),
        ("/steps/1/namespace", serde_json::json!("shop")),
    ];
    for (path, want) in table {
        assert_eq!(value.pointer(path), Some(&want), "{path} in {out}");
    }
}

#[test]
fn the_exit_code_and_the_words_say_how_it_ended() {
    let table: &[(&str, &[&str], &str, i32, &str)] = &[
        ("", &[], "", 0, "starts, and asks https://localhost:PORT/review"),
        ("allowTTL: 2000", &[], "", 1, "kube-apiserver 1.36.0 does not start:"),
        ("", &["--kube-version", "1.20.2", "--pod", "pods.yaml"], "", 0, "pod/web created"),
        ("", &["--kube-version", "two"], "", 2, "is no version of Kubernetes"),
        ("", &["--then", "delete x"], "", 2, "steps are: create FILE"),
        ("", &["--then", "wait soon"], "", 2, "write it as 31s"),
        ("", &["--pod", "gone.yaml"], "", 2, "pods in gone.yaml: "),
        ("", &["--pod", "-"], "kind: Service\nmetadata: {name: s}\n", 2, "there is only Service s"),
        ("", &["--root", "gone"], "", 2, "there is no such folder"),
        ("", &["--env", "HTTPS_PROXY"], "", 2, "is no NAME=VALUE"),
        (
            "",
            &["--pod", "-"],
            "kind: Pod\nspec: {}\n",
            2,
            "it has no containers, so kube-apiserver",
        ),
        ("defaultAlow: true", &[], "", 0, "note: \"defaultAlow\" (line"),
    ];
    for (policy, args, stdin, code, words) in table {
        let (dir, hook) = folder(policy, &[allow()]);
        let (got, out, err) = run(dir.path(), hook.port, args, stdin);
        assert_eq!(got, Some(*code), "{args:?}: {out}{err}");
        assert!(out.contains(words) || err.contains(words), "{args:?}: {out}{err}");
    }
}
