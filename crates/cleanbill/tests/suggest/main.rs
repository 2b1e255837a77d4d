//! `cleanbill policy suggest` as a person or a script meets it: on archives, on a registry, on what
//! the gate recorded. What it prints is given back to the other commands.
#![allow(clippy::unwrap_used)] // Helpers of tests, outside of test functions.

mod archives;
mod recorded;
mod registry;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use cleanbill::quickstart::examples;

struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    /// A folder with both examples.
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for example in examples::ALL {
            let path = dir.path().join(format!("{}.tar", example.name));
            std::fs::write(path, example.archive()).unwrap();
        }
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Exit code and both streams of a command, given this on standard input.
    fn run(&self, line: &str, input: &str) -> (i32, String, String) {
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
        // Whoever does not read it may be gone by now.
        _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }
}

/// Command line, standard input, exit code, all of these on standard output, these on standard
/// error.
type Row<'t> = (&'t str, &'t str, i32, &'t [&'t str], &'t [&'t str]);

fn hold(place: &Place, table: &[Row<'_>]) {
    for (line, input, code, out, err) in table {
        let (got, stdout, stderr) = place.run(line, input);
        let all = format!("{line}\n--- stdout\n{stdout}\n--- stderr\n{stderr}");
        assert_eq!(got, *code, "{all}");
        assert!(out.iter().all(|part| stdout.contains(part)), "{all}");
        assert!(err.iter().all(|part| stderr.contains(part)), "{all}");
        assert!(*code != 2 || stdout.is_empty() || line.starts_with("check"), "{all}");
        assert!(!stderr.contains("panicked"), "{all}");
    }
}

fn config(more: &str) -> String {
    format!(
        "listen: 127.0.0.1:1\nstate_dir: state\n\
         tls: {{cert: a, key: b, client_ca: c, client_names: [d]}}\n{more}"
    )
}
