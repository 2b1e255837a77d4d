//! A disk that is full: nothing is allowed that cannot be recorded, and when there is room again
//! all goes on by itself.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::registry::Registry;
use crate::rig::{Answer, Choice, Gate, PATIENCE};

/// A small file system that is taken away in the end.
struct Small(PathBuf);

impl Small {
    /// `None`, and a line that says so, where this user may not mount one.
    fn mount(at: &Path) -> Option<Self> {
        let skip = |why: &str| {
            let required = std::env::var_os("CLEANBILL_REQUIRE_PARTS").is_some();
            assert!(!required, "required, and not there: a small file system ({why})");
            println!("skipped: a full disk ({why})");
        };
        std::fs::create_dir(at).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=6m,mode=0700", "cleanbill-test"]).arg(at);
        match mount.output() {
            Ok(done) if done.status.success() => Some(Self(at.to_owned())),
            Ok(done) => {
                let why = String::from_utf8_lossy(&done.stderr).into_owned();
                skip(&format!("only root may mount one: {}", why.trim()));
                None
            }
            Err(e) => {
                skip(&format!("mount cannot be run: {e}"));
                None
            }
        }
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// Fills it to the last byte.
fn fill(at: &Path) -> PathBuf {
    let path = at.join("ballast");
    let mut file = File::create(&path).unwrap();
    for size in [1 << 16, 1 << 9, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
    path
}

const UNRECORDED: &str = "the decision could not be recorded";

#[test]
fn on_a_full_disk_nothing_is_allowed_until_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("disk");
    let Some(small) = Small::mount(&at) else { return };
    let registry = Registry::start();
    let state_dir = Some(at.join("state"));
    let mut gate = Gate::start(Choice { keys: registry.key(), state_dir, ..Choice::default() });
    let (known, new) = (registry.clean("known"), registry.clean("new"));
    let mut allowed = vec![gate.ask(&[&known])];
    assert!(allowed[0].allowed, "{allowed:?}");

    let ballast = fill(&at);
    // The log of what is written may have room for a few more, which are then recorded.
    let refused = refused(&gate, &known, &mut allowed);
    assert_eq!(refused.status, 200);
    assert!(gate.recorded(refused.id()).is_none(), "it says that it is not, and it is not");
    let unseen = gate.ask(&[&new]);
    assert!(!unseen.allowed, "{unseen:?}");
    let ready = gate.get("/readyz");
    assert_eq!(ready.status, 503, "{ready:?}");
    assert!(ready.body.contains("store: ") && ready.body.contains("make room"), "{ready:?}");
    assert!(!gate.counted("decisions_unrecorded_total 0"));
    assert_eq!(gate.get("/healthz").status, 200, "starting it anew would not help");

    std::fs::remove_file(&ballast).unwrap();
    gate.until("ready again", |gate| gate.get("/readyz").status == 200);
    for image in [&known, &new] {
        let answer = gate.ask(&[image]);
        assert!(answer.allowed, "{answer:?}\n{}", gate.log());
        allowed.push(answer);
    }
    gate.kill();
    gate.open();
    for answer in &allowed {
        let kept = gate.recorded(answer.id()).unwrap_or_else(|| panic!("lost: {answer:?}"));
        assert_eq!(kept.outcome, "allowed");
    }
    drop(gate);
    drop(small);
}

/// Asks until nothing can be recorded any more.
fn refused(gate: &Gate, image: &str, allowed: &mut Vec<Answer>) -> Answer {
    let end = std::time::Instant::now() + PATIENCE;
    loop {
        let answer = gate.ask(&[image]);
        if !answer.allowed {
            assert!(answer.reason.contains(UNRECORDED), "{answer:?}");
            return answer;
        }
        allowed.push(answer);
        assert!(std::time::Instant::now() < end, "the disk never was full: {}", allowed.len());
    }
}
