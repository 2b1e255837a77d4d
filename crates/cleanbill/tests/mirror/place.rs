//! A machine of a test: its home, its keys, its snapshots, and the program run there.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use cleanbill_advisory::{Gathered, write};
use cleanbill_core::advisory::{Advisory, Feed};
use cleanbill_core::ecosystem::{Ecosystem, Stream};
use cleanbill_oci::hash::sha256;

/// A snapshot of feeds as of days, large enough to be read in several pieces.
pub fn made(feeds: &[(&str, &str)]) -> Vec<u8> {
    let mut gathered = Gathered::default();
    let stream = Stream::of(Ecosystem::Go);
    for (id, day) in feeds {
        gathered.feeds.push(Feed {
            id: (*id).to_owned(),
            as_of: Some(format!("{day}T00:00:00Z").parse().unwrap()),
            licence: "none".to_owned(),
            advisories: 1,
            not_understood: 0,
            streams: vec![stream.clone()],
        });
    }
    for n in 0..2000 {
        let id = format!("CVE-2020-{n:04}");
        gathered.add(&stream, &format!("p{n}"), Advisory { id, ..Advisory::default() });
    }
    gathered.sort();
    let mut bytes = Vec::new();
    write(&gathered, &mut bytes).unwrap();
    bytes
}

/// The snapshot that is in force first, and the one that is to come.
pub fn old() -> Vec<u8> {
    made(&[("osv:Go", "2026-09-01")])
}

pub fn new() -> Vec<u8> {
    made(&[("osv:Go", "2026-09-02")])
}

pub struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    /// With the keys `a.key` and `b.key`, and the two snapshots.
    pub fn new() -> Self {
        let place = Self { dir: tempfile::tempdir().unwrap() };
        for key in ["a.key", "b.key"] {
            place.check(&format!("keygen --out {key}"), 0, &[]);
        }
        std::fs::write(place.path("old.cbdb"), old()).unwrap();
        std::fs::write(place.path("new.cbdb"), new()).unwrap();
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A program in the folder of the place, with nothing of this process's environment.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.dir.path()).env_clear().env("HOME", self.dir.path());
        command
    }

    pub fn run(&self, line: &str) -> Output {
        let program = env!("CARGO_BIN_EXE_cleanbill");
        self.command(program).args(line.split_whitespace()).output().unwrap()
    }

    /// Runs it, compares the exit code and demands these words, in this order.
    pub fn check(&self, line: &str, code: i32, words: &[&str]) -> String {
        let output = self.run(line);
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let all = format!("{line}\n{}\n{}", text(output.stdout), text(output.stderr));
        assert_eq!(output.status.code(), Some(code), "{all}");
        let mut rest = all.as_str();
        for word in words {
            rest = rest.split_once(word).unwrap_or_else(|| panic!("no {word:?} in\n{all}")).1;
        }
        all
    }

    /// The files in the folder of the snapshot in force: it, and the one before.
    pub fn in_force(&self) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
        let read = |name: &str| std::fs::read(self.folder().join(name)).ok();
        // Whatever happened, nothing half-done is left.
        assert_eq!(read("cleanbill.cbdb.new"), None);
        (read("cleanbill.cbdb"), read("cleanbill.cbdb.previous"))
    }

    /// Where what is left of a download of this snapshot lies.
    pub fn left(&self, bytes: &[u8]) -> PathBuf {
        let digest = sha256(bytes).to_string().replace(':', "-");
        self.folder().join(format!("cleanbill.cbdb.{digest}.partial"))
    }

    /// The names of what is left of downloads, wherever it lies.
    pub fn all_left(&self) -> Vec<String> {
        let (mut names, mut folders) = (Vec::new(), vec![self.folder()]);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten() {
                let entry = entry.unwrap();
                let name = entry.file_name().into_string().unwrap();
                if entry.file_type().unwrap().is_dir() {
                    folders.push(entry.path());
                } else if name.ends_with(".partial") {
                    names.push(name);
                }
            }
        }
        names
    }

    pub fn folder(&self) -> PathBuf {
        self.dir.path().join(".cache/cleanbill/db")
    }

    pub fn read(&self, name: impl AsRef<Path>) -> Vec<u8> {
        std::fs::read(self.dir.path().join(name)).unwrap()
    }
}
