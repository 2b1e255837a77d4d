//! Keys, break-glass tokens and receipts as a person meets them; and openssl, which must agree.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // Helpers of tests, outside of test functions.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output};

use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use cleanbill_trust::breakglass::{self, ANNOTATION, Terms};
use cleanbill_trust::statement::{DECISION, Subject, sign};
use cleanbill_trust::{PublicKey, SigningKey};

struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    /// A folder with the keys `a.key` and `b.key`.
    fn new() -> Self {
        let place = Self { dir: tempfile::tempdir().unwrap() };
        for key in ["a.key", "b.key"] {
            assert_eq!(place.run(&["keygen", "--out", key]).status.code(), Some(0), "{key}");
        }
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    fn run(&self, args: &[&str]) -> Output {
        let program = env!("CARGO_BIN_EXE_cleanbill");
        Command::new(program).args(args).current_dir(self.dir.path()).env_clear().output().unwrap()
    }

    fn check(&self, args: &[&str], code: i32, on_stdout: &str, on_stderr: &str) -> String {
        let Output { status, stdout, stderr } = self.run(args);
        let (stdout, stderr) = (text(stdout), text(stderr));
        let all = format!("{args:?}\n{stdout}\n{stderr}");
        assert_eq!(status.code(), Some(code), "{all}");
        assert!(stdout.contains(on_stdout) && stderr.contains(on_stderr), "{all}");
        stdout
    }

    fn receipt(&self, name: &str, predicate: &serde_json::Value) {
        let key = SigningKey::from_pem(self.read("a.key").as_bytes()).unwrap();
        let digest = Digest::Sha256([7; 32]);
        let subjects = [Subject { name: "registry.example/app:1".into(), digest }];
        let receipt = sign(DECISION, predicate, &subjects, &key).unwrap();
        std::fs::write(self.path(name), receipt).unwrap();
    }

    fn sh(&self, script: &str) -> Output {
        Command::new("sh")
            .args(["-eu", "-c", script])
            .current_dir(self.dir.path())
            .output()
            .unwrap()
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// Whether openssl is there and knows how to verify Ed25519. Says so where it does not, and
/// panics about it where `CLEANBILL_REQUIRE_PARTS` is set.
fn openssl() -> bool {
    let version = Command::new("openssl").arg("version").output();
    let version = version.map(|o| String::from_utf8_lossy(&o.stdout).into_owned());
    let good = version.as_ref().is_ok_and(|v| v.starts_with("OpenSSL 3"));
    if !good {
        let required = std::env::var_os("CLEANBILL_REQUIRE_PARTS").is_some();
        assert!(!required, "required, and not there: openssl 3");
        println!("skipped: openssl agrees (not there, install it: openssl 3; found {version:?})");
    }
    good
}

#[test]
fn keys_are_private_and_never_overwritten() {
    let place = Place::new();
    let mode = |name: &str| place.path(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("a.key"), 0o600);
    assert!(mode("a.key.pub") & 0o400 != 0);
    let (private, public) = (place.read("a.key"), place.read("a.key.pub"));
    assert_ne!(private, place.read("b.key"));

    place.check(&["keygen", "--out", "a.key"], 2, "", "a.key is there already: no key was written");
    std::fs::write(place.path("c.key.pub"), "somebody's").unwrap();
    place.check(&["keygen", "--out", "c.key"], 2, "", "c.key.pub is there already");
    assert!(!place.path("c.key").exists(), "no half of a pair is left behind");
    std::os::unix::fs::symlink("nowhere", place.path("d.key")).unwrap();
    place.check(&["keygen", "--out", "d.key"], 2, "", "d.key is there already");
    place.check(&["keygen", "--out", "no/e.key"], 2, "", "cannot write no/e.key");
    assert_eq!((private, public), (place.read("a.key"), place.read("a.key.pub")));
    assert_eq!(place.read("c.key.pub"), "somebody's");

    let said = place.check(&["keygen", "--out", "f.key"], 0, "wrote f.key.pub\n", "");
    let id = PublicKey::from_pem(place.read("f.key.pub").as_bytes()).unwrap().id();
    assert!(said.contains(&id.to_string()), "{said}");
    let secret = place.read("f.key");
    assert!(!said.contains(secret.lines().nth(1).unwrap()), "{said}");
}

#[test]
fn openssl_and_we_read_each_others_keys() {
    if !openssl() {
        return;
    }
    let place = Place::new();
    let ours = "openssl pkey -in a.key -pubout | cmp - a.key.pub
        openssl pkey -pubin -in a.key.pub -outform DER | sha256sum
        openssl genpkey -algorithm ED25519 -out o.key && openssl pkey -in o.key -pubout -out o.key.pub
        openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out p.key";
    let done = place.sh(ours);
    assert!(done.status.success(), "{done:?}");
    let id = PublicKey::from_pem(place.read("a.key.pub").as_bytes()).unwrap().id();
    assert!(text(done.stdout).starts_with(&id.hex()), "docs/break-glass.md says how to get the id");
    let key = SigningKey::from_pem(place.read("o.key").as_bytes()).unwrap();
    assert_eq!(key.to_pem(), place.read("o.key"));
    assert_eq!(key.public().to_pem(), place.read("o.key.pub"));
    let p256 = SigningKey::from_pem(place.read("p.key").as_bytes()).unwrap_err().to_string();
    assert!(p256.contains("no Ed25519 key"), "{p256}");
}

#[test]
fn a_token_is_issued_as_asked_or_not_at_all() {
    let place = Place::new();
    let image = format!("registry.example/app@sha256:{}", "ab".repeat(32));
    let bare = format!("sha256:{}", "cd".repeat(32));
    let many: Vec<String> = (0..17).map(|i| format!("sha256:{i:064}")).collect();
    let long = "r".repeat(600);
    let asked = |namespace: &str, images: &[&str], reason: &str, more: &[&str]| {
        let mut args = vec!["breakglass", "--key", "a.key", "--namespace", namespace];
        args.extend(["--person", "anna@example.org", "--reason", reason]);
        args.extend(images.iter().flat_map(|i| ["--image", *i]));
        args.extend(more);
        args.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let table = [
        (asked("prod", &[&image, &bare], "INC-7", &[]), 0, "2 images in namespace prod until "),
        (asked("prod", &[&image], "INC-7", &["--for", "168h"]), 0, "1 image in namespace prod"),
        (asked("prod", &[&image], "INC-7", &[]), 0, ANNOTATION),
        (asked("prod", &[&image], "INC-7", &["--for", "168h1s"]), 2, "more than 7 days"),
        (asked("prod", &[&image], "INC-7", &["--for", "0s"]), 2, "is no time"),
        (asked("prod", &["nginx:1"], "INC-7", &[]), 2, "nginx:1 names no digest"),
        (asked("prod", &[], "INC-7", &[]), 2, "--image"),
        (asked("prod", &many, "INC-7", &[]), 2, "17 digests, more than 16"),
        (asked("prod", &[&image], &long, &[]), 2, "the reason has more than 512 bytes"),
        (asked("prod", &[&image], " ", &[]), 2, "the reason is empty"),
        (asked("Prod", &[&image], "INC-7", &[]), 2, "the namespace is no name"),
        (asked("prod", &[&image], "INC-7", &["--show", "x"]), 2, "cannot be used with"),
        (
            asked("prod", &[&image], "INC-7", &["--key-file", "a.key.pub"]),
            2,
            "--key-file is for --show",
        ),
    ];
    for (args, code, on_stderr) in table {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let token = place.check(&args, code, if code == 0 { "cbg1." } else { "" }, on_stderr);
        assert_eq!(token.lines().count(), usize::from(code == 0), "{token}");
    }
    let mut wrong = asked("prod", &[&image], "INC-7", &[]);
    for (key, why) in [("a.key.pub", "it is the public key"), ("none", "cannot read none")] {
        wrong[2] = key.to_owned();
        let args: Vec<&str> = wrong.iter().map(String::as_str).collect();
        place.check(&args, 2, "", why);
    }
}

#[test]
fn a_token_is_shown_with_what_its_signature_is_worth() {
    let place = Place::new();
    let image = format!("sha256:{}", "ab".repeat(32));
    let mut args = vec!["breakglass", "--key", "a.key", "--namespace", "prod", "--image", &image];
    args.extend(["--person", "anna@example.org", "--reason", "a\u{202e}b"]);
    let token = place.check(&args, 0, "cbg1.", "");
    let token = token.trim_end();
    let key = SigningKey::from_pem(place.read("a.key").as_bytes()).unwrap();
    let at = |s| Timestamp::from_second(s).unwrap();
    let digest = Digest::Sha256([1; 32]);
    let old = Terms::new("prod", &[digest], "anna", "INC-1", (at(1_000), at(2_000))).unwrap();
    let old = breakglass::issue(&old, &key).unwrap();
    // The last character has bits to spare, so the one before it.
    let at = token.len() - 2;
    let other = if &token[at..=at] == "A" { "B" } else { "A" };
    let forged = format!("{}{other}{}", &token[..at], &token[at + 1..]);
    let table = [
        (token, None, 0, "signature  not checked", ""),
        (token, None, 0, "reason     a\\u{202e}b\n", ""),
        (token, None, 0, image.as_str(), ""),
        (token, Some("a.key.pub"), 0, "signature  holds, by key sha256:", ""),
        (token, Some("b.key.pub"), 2, "DOES NOT HOLD", "not signed by a key"),
        (token, Some("a.key"), 2, "", "it is the private key"),
        (&old, Some("a.key.pub"), 0, " (over)\n", ""),
        (&forged, None, 0, "not checked", ""),
        (&forged, Some("a.key.pub"), 2, "DOES NOT HOLD", "not signed by a key"),
        ("nonsense", Some("a.key.pub"), 2, "", "no break-glass token"),
        ("-", None, 2, "", "no break-glass token"),
    ];
    for (token, key, code, on_stdout, on_stderr) in table {
        let mut args = vec!["breakglass", "--show", token];
        args.extend(key.iter().flat_map(|k| ["--key-file", *k]));
        place.check(&args, code, on_stdout, on_stderr);
    }
    let piped = place.sh(&format!(
        "echo '{token}' | '{}' breakglass --show - --key-file a.key.pub",
        env!("CARGO_BIN_EXE_cleanbill")
    ));
    assert!(text(piped.stdout).contains("signature  holds"));
}

#[test]
fn a_receipt_says_something_only_when_its_signature_holds() {
    let place = Place::new();
    place.receipt(
        "r.json",
        &serde_json::json!({"id": "x1", "outcome": "deny", "why": "\u{9b}\u{e9}"}),
    );
    let good = place.read("r.json");
    let changed = good.replacen("\"payload\": \"eyJ", "\"payload\": \"eyB", 1);
    assert_ne!(changed, good);
    std::fs::write(place.path("changed.json"), changed).unwrap();
    std::fs::write(place.path("none.json"), "{}").unwrap();
    let table: &[(&[&str], i32, &str, &str)] = &[
        (&["r.json", "--key", "a.key.pub"], 0, "\"outcome\": \"deny\"", "the signature holds"),
        (&["r.json", "--key", "a.key.pub"], 0, "registry.example/app:1", "by key sha256:"),
        (&["r.json", "--key", "a.key.pub"], 0, "\\u009b\\u00e9", ""),
        (&["r.json", "--key", "b.key.pub", "--key", "a.key.pub"], 0, "\"x1\"", ""),
        (&["r.json", "--key", "b.key.pub"], 2, "", "none of the 1 keys made any"),
        (&["changed.json", "--key", "a.key.pub"], 2, "", "changed.json: none of the 1 keys"),
        (&["none.json", "--key", "a.key.pub"], 2, "", "missing field"),
        (&["gone.json", "--key", "a.key.pub"], 2, "", "cannot read gone.json"),
        (&["r.json"], 2, "", "--key"),
    ];
    for (more, code, on_stdout, on_stderr) in table {
        let args = [&["receipt", "verify"], *more].concat();
        let stdout = place.check(&args, *code, on_stdout, on_stderr);
        assert!(*code == 0 || stdout.is_empty(), "{stdout}");
    }
}

/// Runs the commands of docs/receipts.md, as they stand there.
#[test]
fn openssl_alone_verifies_a_receipt() {
    if !openssl() {
        return;
    }
    let docs = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/receipts.md"));
    let script = docs.split("```sh\n# openssl").nth(1).unwrap().split("```").next().unwrap();
    let script = format!("# openssl{script}");
    let place = Place::new();
    std::fs::rename(place.path("a.key.pub"), place.path("receipts.key.pub")).unwrap();
    // Small, and larger than any buffer or line of openssl's base64.
    for size in [1, 300_000] {
        place.receipt("receipt.json", &serde_json::json!({"id": "x1", "why": "é".repeat(size)}));
        let done = place.sh(&script);
        assert!(done.status.success(), "{size}: {done:?}");
        assert!(text(done.stdout).contains("Signature Verified Successfully"), "{size}");
        let statement: serde_json::Value =
            serde_json::from_str(&place.read("statement.json")).unwrap();
        assert_eq!(statement["predicate"]["id"], "x1");

        let receipt = place.read("receipt.json");
        let changed = receipt.replacen("\"payload\": \"eyJ", "\"payload\": \"eyB", 1);
        assert_ne!(changed, receipt);
        std::fs::write(place.path("receipt.json"), changed).unwrap();
        let done = place.sh(&script);
        assert!(!done.status.success(), "{size}: {done:?}");
        assert!(!text(done.stdout).contains("Successfully"), "{size}");
    }
}
