//! The command line of `setup`: its folder, its modes, and its commands.

use std::path::Path;
use std::process::Command;

/// Runs it in a folder; its exit code and all that it said.
fn setup(folder: &Path, line: &str) -> (i32, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_cleanbill"))
        .arg("setup")
        .args(line.split_whitespace())
        .current_dir(folder)
        .output()
        .unwrap();
    let said = [out.stdout, out.stderr].concat();
    (out.status.code().unwrap(), String::from_utf8(said).unwrap())
}

#[test]
fn every_way_to_say_it() {
    let image = "--image registry.example/cleanbill:1";
    let table: &[(&str, i32, &[&str])] = &[
        ("./a", 0, &["wrote ./a/ca.crt", "start `cleanbill serve", "follow ./a/kube-apiserver"]),
        ("./a", 2, &["already has", "--force"]),
        ("./a --force --mode node", 0, &["a/cleanbill.service", "note: no static pod manifest"]),
        (&format!("b --mode node {image}"), 0, &["b/cleanbill.pod.yaml"]),
        ("c --mode webhook", 2, &["--mode webhook needs the gate as an image", "next: "]),
        (&format!("c --mode webhook {image}"), 0, &["c/cluster/30-gate.yaml", "read c/cluster/20"]),
        ("d --mode static-webhook --for kubeadm", 0, &["d/kubeadm/patches/kube-apiserver0+json"]),
        ("e --mode nowhere", 2, &["nowhere"]),
        ("e --for docker", 2, &["docker"]),
        ("", 2, &["<DIR>"]),
        // A folder of a command's name.
        ("./renew", 0, &["wrote ./renew/ca.crt"]),
        ("renew ./a", 0, &["holds a new authority and the old one", "--switch", "started anew"]),
        ("renew ./a --finish", 2, &["is not the new one yet", "next: "]),
        ("renew ./a --switch", 0, &["has the new certificates", "5 minutes", "--finish"]),
        ("renew ./a --finish", 0, &["holds the new authority alone"]),
        ("renew ./a --switch --finish", 2, &["cannot be used with"]),
        ("renew ./a --days 0", 2, &["--days 0 is not from 1 to 3650"]),
        ("renew ./nowhere", 2, &["nowhere: No such file", "next: "]),
        ("apply", 2, &["<DIR>"]),
        ("apply ./c --root .", 2, &["for the plug-in ImagePolicyWebhook", "next: "]),
        ("apply ./a --root .", 2, &["manifests: No such file", "next: "]),
        ("--apply ./a --root . --dry-run", 2, &["manifests: No such file", "next: "]),
        ("apply --rollback --root .", 2, &["manifests: No such file", "next: "]),
        ("apply --rollback --dry-run --root .", 2, &["cannot be used with"]),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (line, code, parts) in table {
        let (ended, said) = setup(folder.path(), line);
        assert_eq!(ended, *code, "{line}: {said}");
        for part in *parts {
            assert!(said.contains(part), "{line}: {part} is not in {said}");
        }
    }
}
