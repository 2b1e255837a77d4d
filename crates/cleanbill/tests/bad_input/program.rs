//! The program, run in a folder of its own on one input, and what it said.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use cleanbill_oci::content::Descriptor;
use cleanbill_oci::testing::{MemoryContent, oci_layout};

/// What has to be said.
pub enum Want {
    /// The command fails with exactly this on standard error, and says nothing else.
    Error(String),
    /// Exactly these gaps (kind, subject, detail) are told, and the exit code is that of gaps.
    Gaps(Vec<[String; 3]>),
    /// No gap, and exactly these findings (package, advisory, installed version).
    Findings(&'static [[&'static str; 3]]),
}

/// A folder with files, in which the program runs.
pub struct Place {
    dir: tempfile::TempDir,
}

/// What it said.
#[derive(Debug, PartialEq, Eq)]
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Place {
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    pub fn run(&self, line: &str, stdin: &[u8]) -> Said {
        self.run_slowly(line, stdin, Duration::ZERO, b"")
    }

    /// The same with a pause within standard input.
    pub fn run_slowly(&self, line: &str, first: &[u8], pause: Duration, rest: &[u8]) -> Said {
        let mut child = Command::new(env!("CARGO_BIN_EXE_cleanbill"))
            .args(line.split_whitespace())
            .current_dir(self.dir.path())
            .env_clear()
            .env("HOME", self.dir.path())
            .env("TMPDIR", self.dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Who fails early does not read it all.
        let mut stdin = child.stdin.take().unwrap();
        _ = stdin.write_all(first);
        std::thread::sleep(pause);
        _ = stdin.write_all(rest);
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// The flags by which age alone is no gap, and what is left decides the exit code.
const FLAGS: &str = "--exit-code 1 --max-age 100000 --accept-gaps end-of-life";

/// Scans `input` (called `x`) with more flags.
pub fn check(name: &str, input: &[u8], flags: &str, want: &Want) {
    let place = Place::new();
    place.write("x", input);
    holds(name, &place.run(&format!("image -q --input x {FLAGS} {flags}"), b""), want);
    let left: Vec<_> = std::fs::read_dir(place.dir.path()).unwrap().flatten().collect();
    assert_eq!(left.len(), 1, "{name}: nothing but the input is left behind");
}

/// Holds what was said against what has to be said.
pub fn holds(name: &str, said: &Said, want: &Want) {
    let fields: Vec<Vec<&str>> = said.out.lines().map(|l| l.split('\t').collect()).collect();
    let gaps: Vec<[String; 3]> = fields
        .iter()
        .filter(|f| f[0] == "GAP" && f[1] != "end-of-life")
        .map(|f| [f[1].to_owned(), f[2].to_owned(), f[3].to_owned()])
        .collect();
    let findings: Vec<[&str; 3]> =
        fields.iter().filter(|f| f[0] != "GAP").map(|f| [f[0], f[1], f[4]]).collect();
    match want {
        Want::Error(message) => {
            let err = format!("error: {message}\n");
            let expected = Said { code: Some(2), out: String::new(), err };
            assert_eq!(*said, expected, "{name}");
        }
        Want::Gaps(expected) => {
            assert_eq!(gaps, *expected, "{name}: {said:?}");
            assert_eq!((said.code, said.err.as_str()), (Some(3), ""), "{name}");
            assert!(findings.is_empty(), "{name}: {findings:?}");
        }
        Want::Findings(expected) => {
            assert_eq!(findings, *expected, "{name}: {said:?}");
            assert!(gaps.is_empty(), "{name}: {gaps:?}");
            let code = if expected.is_empty() { 0 } else { 1 };
            assert_eq!((said.code, said.err.as_str()), (Some(code), ""), "{name}");
        }
    }
}

/// An OCI layout with this root.
pub fn layout(content: &MemoryContent, root: Descriptor) -> Vec<u8> {
    oci_layout(content, &[(root, String::new())]).build()
}
