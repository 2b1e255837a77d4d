//! The program as a person or a script meets it: words on both streams, and exit codes.
#![allow(clippy::unwrap_used)] // Helpers of tests, outside of test functions.

use std::path::PathBuf;
use std::process::{Command, Output};

use cleanbill::quickstart::examples;

struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    /// A folder with both examples, and a policy that accepts old feeds.
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for example in examples::ALL {
            let path = dir.path().join(format!("{}.tar", example.name));
            std::fs::write(path, example.archive()).unwrap();
        }
        let policy = "highest_severity: MEDIUM\naccept_gaps: [stale-feed, mutable-reference]\n";
        std::fs::write(dir.path().join("policy.yaml"), format!("name: test\n{policy}")).unwrap();
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn run(&self, line: &str) -> Output {
        Command::new(env!("CARGO_BIN_EXE_cleanbill"))
            .args(line.split_whitespace())
            .current_dir(self.dir.path())
            .env_clear()
            .env("HOME", self.dir.path())
            .env("TMPDIR", self.dir.path())
            .output()
            .unwrap()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn exit_codes_and_words() {
    let place = Place::new();
    std::fs::write(place.path("not.tar"), b"no archive").unwrap();
    std::fs::write(place.path("bad.yaml"), "highest_severity: DIRE\n").unwrap();
    // (command line, exit code, on standard output, on standard error)
    let table = [
        ("image --input alpine-3.9.0.tar", 0, "musl\tCVE-2019-14697\t", "starter snapshot"),
        ("image --input alpine-3.9.0.tar", 0, "GAP\tend-of-life\talpine 3.9\t", "End of life"),
        ("image -q --input alpine-3.9.0.tar", 0, "CVE-2019-14697", ""),
        ("image --input alpine-3.9.0.tar --exit-code 1", 1, "CVE", ""),
        ("image --input alpine-3.9.0.tar --exit-code 1 -s HIGH", 3, "GAP\t", ""),
        ("image --input hello-go.tar --exit-code 1", 3, "GAP\tstale-feed\t", ""),
        ("image --input hello-go.tar --exit-code 1 --accept-gaps stale-feed", 0, "GAP", ""),
        ("image --input hello-go.tar --exit-code 1 --max-age 100000", 0, "", ""),
        ("image -f json --input hello-go.tar", 0, "\"SchemaVersion\": 2", ""),
        ("image -f table --input hello-go.tar", 0, "Report Summary", ""),
        ("why CVE-2019-14697 --input alpine-3.9.0.tar", 1, "fixed in 1.1.20-r5", ""),
        ("why CVE-2019-14697 --input alpine-3.9.0.tar -f json", 1, "\"affected\"", ""),
        ("why CVE-1999-0001 --input hello-go.tar", 3, "nothing that was looked into knows", ""),
        ("why CVE-1999-0001 --input absent.tar", 2, "", "absent.tar"),
        ("why a/b --input hello-go.tar", 2, "", "no id of a flaw"),
        ("why CVE-1999-0001", 2, "", "no image was named"),
        ("db status", 0, "osv:Go", ""),
        ("image --input absent.tar", 2, "", "absent.tar"),
        ("image --input not.tar", 2, "", "not.tar"),
        ("image --input hello-go.tar --vex x", 2, "", "x: cannot be read"),
        ("image --input hello-go.tar --vex .", 2, "", ".: cannot be read"),
        ("image --input hello-go.tar --vex oci", 2, "", "--vex oci is not there yet"),
        ("image --input hello-go.tar --vex bad.yaml", 2, "", "bad.yaml: expected value"),
        ("image --input hello-go.tar --ignorefile x", 2, "", "x: cannot be read"),
        ("image --input hello-go.tar --ignorefile bad.yaml", 0, "", "bad.yaml:1: \"highest_sev"),
        (
            "image --input alpine-3.9.0.tar --ignore-status fixed --exit-code 1",
            3,
            "GAP\t",
            "Suppressed: 10",
        ),
        (
            "image --input alpine-3.9.0.tar --ignore-status affected --exit-code 1",
            1,
            "CVE",
            "Suppressed: 0",
        ),
        ("image --input hello-go.tar --db absent.cbdb", 2, "", "absent.cbdb"),
        ("image --input hello-go.tar -o no/such/folder", 2, "", "cannot write the report"),
        ("image", 2, "", "no image was named"),
        ("", 2, "", "Usage"),
        ("--version", 0, "cleanbill 0", ""),
        ("rootfs absent", 2, "", "absent"),
        ("check --policy policy.yaml --input alpine-3.9.0.tar a/b:1", 1, "DENIED", ""),
        ("check --policy policy.yaml --input alpine-3.9.0.tar a/b:1", 1, "end-of-life", ""),
        ("check --policy policy.yaml --input hello-go.tar a/b:1", 0, "ALLOWED", ""),
        ("check --input hello-go.tar a/b:1", 1, "mutable-reference", ""),
        ("check --policy bad.yaml --input hello-go.tar a/b:1", 2, "", "bad.yaml:1:"),
        ("check --policy policy.yaml --input absent.tar a/b:1", 2, "", "absent.tar"),
    ];
    for (line, code, out, err) in table {
        let output = place.run(line);
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        let all = format!("{line}\n--- stdout\n{stdout}\n--- stderr\n{stderr}");
        assert_eq!(output.status.code(), Some(code), "{all}");
        assert!(stdout.contains(out) && stderr.contains(err), "{all}");
        assert!(!stderr.contains("panicked"), "{all}");
        if line.contains("-q") {
            assert!(stderr.is_empty(), "{all}");
        }
    }
}

const EVERYTHING: &str = "--input alpine-3.9.0.tar --exit-code 1";

/// An ignore file in the current folder counts as if it were named, is told of, and can be left
/// out. What it leaves out does not count for the exit code; gaps do as before.
#[test]
fn an_ignore_file_that_nobody_named_is_named() {
    let place = Place::new();
    let found = text(&place.run(&format!("image {EVERYTHING}")).stdout);
    let ids =
        found.lines().filter(|l| !l.starts_with("GAP")).map(|l| l.split('\t').nth(1).unwrap());
    std::fs::write(place.path(".trivyignore"), ids.collect::<Vec<_>>().join("\n")).unwrap();
    let gaps = |text: &str| text.lines().filter(|l| l.starts_with("GAP")).count();
    for (line, code, out, err) in [
        ("", 3, "GAP\t", "Suppressed: 10, by .trivyignore (found in this folder) 10;"),
        (" --show-suppressed", 3, "SUPPRESSED\tmusl\tCVE-2019-14697\t", "Suppressed: 10"),
        (" --ignorefile .trivyignore", 3, "", "Suppressed: 10, by .trivyignore 10;"),
        (" --ignorefile= ", 1, "musl\tCVE-2019-14697", ""),
        (" -f table", 3, "Suppressed: 10, by .trivyignore (found in this folder) 10;", ""),
        (" -f json", 3, "\"FoundByDefault\": true", ""),
        (" -f json --show-suppressed", 3, "\"ExperimentalModifiedFindings\": [", ""),
    ] {
        let output = place.run(&format!("image {EVERYTHING}{line}"));
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{line}: {stdout}{stderr}");
        assert!(stdout.contains(out) && stderr.contains(err), "{line}: {stdout}{stderr}");
        assert!(line.contains("-f ") || gaps(&stdout) == gaps(&found), "{line}: {stdout}");
    }
    std::fs::remove_file(place.path(".trivyignore")).unwrap();
    std::fs::create_dir(place.path(".trivyignore")).unwrap();
    let output = place.run(&format!("image {EVERYTHING}"));
    assert_eq!(output.status.code(), Some(2), "a folder of that name is no reason to say less");
}

/// What leaves findings out of a report never lets an image in.
#[test]
fn the_gate_knows_no_ignore_file() {
    let place = Place::new();
    let line = "check --policy policy.yaml --input alpine-3.9.0.tar a/b:1";
    let before = place.run(line);
    let found = text(&place.run(&format!("image {EVERYTHING}")).stdout);
    let ids = found.lines().filter_map(|l| l.split('\t').nth(1));
    std::fs::write(place.path(".trivyignore"), ids.collect::<Vec<_>>().join("\n")).unwrap();
    let after = place.run(line);
    assert_eq!(after.status.code(), Some(1));
    assert_eq!(text(&after.stdout), text(&before.stdout));
    assert!(text(&after.stdout).contains("CVE-2019-14697"), "{}", text(&after.stdout));
    for flag in ["--vex x", "--ignorefile x", "--ignore-status fixed"] {
        let output = place.run(&format!("{line} {flag}"));
        assert_eq!(output.status.code(), Some(2), "{flag} is no flag of check");
    }
}

#[test]
fn the_tour_ends_well_and_leaves_nothing_behind() {
    let place = Place::new();
    for line in ["quickstart", "quickstart hello-go.tar"] {
        let before = listing(&place);
        let output = place.run(line);
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{stdout}{stderr}");
        assert_eq!(stderr, "", "{line}");
        let mut expected =
            vec!["ALLOWED", "REFUSED in the handshake: TLS alert CertificateRequired"];
        if line == "quickstart" {
            expected.extend(["DENIED", "end-of-life", "CVE-2019-14697", "What to do next"]);
        }
        for part in expected {
            assert!(stdout.contains(part), "{line}: no {part}:\n{stdout}");
        }
        assert_eq!(listing(&place), before, "{line}");
    }
}

fn listing(place: &Place) -> Vec<String> {
    let entries = std::fs::read_dir(place.dir.path()).unwrap();
    let mut names: Vec<_> =
        entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
