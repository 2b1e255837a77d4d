//! `kill -9` after every step, and at moments nobody chose: the next run ends in one of two states.
//!
//! A run is a process of its own, this very test again, that kills itself where it is told to.

use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use cleanbill::setup::apply::folder::Folder;
use cleanbill::setup::apply::node::Node;
use cleanbill::setup::apply::{Options, Watch, apply, roll_back};

use super::rig::Rig;
use super::{back, is_applied, is_as_before, options, run};

const NODE: &str = "CLEANBILL_TEST_NODE";
const FOLDER: &str = "CLEANBILL_TEST_FOLDER";
const WHAT: &str = "CLEANBILL_TEST_WHAT";
const STEP: &str = "CLEANBILL_TEST_STEP";

/// How many steps there are in an application, and in a way back.
const APPLIES: u32 = 10;
const GOES_BACK: u32 = 5;

/// No test by itself: what [`child`] runs.
#[test]
fn a_run_in_its_own_process() {
    let set = |name: &str| std::env::var(name).ok();
    let (Some(node), Some(folder), Some(step)) = (set(NODE), set(FOLDER), set(STEP)) else {
        return;
    };
    let mut left: u32 = step.parse().unwrap();
    let mut after = |_| {
        left = left.wrapping_sub(1);
        if left == 0 {
            let me = std::process::id().to_string();
            Command::new("kill").args(["-9", &me]).status().unwrap();
            std::thread::sleep(Duration::from_secs(60));
        }
    };
    let mut watch = Watch { say: &mut |_| {}, after: &mut after };
    let node = Node::at(std::path::Path::new(&node));
    let options = Options { ..options() };
    if set(WHAT).as_deref() == Some("apply") {
        let folder = Folder::read(std::path::Path::new(&folder)).unwrap();
        apply(&node, &folder, &options, &mut watch).unwrap();
    } else {
        roll_back(&node, options.wait, &mut watch).unwrap();
    }
}

/// A run that kills itself after so many steps; 0: not at all.
fn child(rig: &Rig, what: &str, step: u32) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "node::killed::a_run_in_its_own_process"])
        .env(NODE, rig.root.path())
        .env(FOLDER, rig.folder.path())
        .env(WHAT, what)
        .env(STEP, step.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}

fn was_killed(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt as _;
    status.signal() == Some(9)
}

#[test]
fn after_a_kill_at_any_step_apply_goes_on() {
    let rig = Rig::new();
    for step in 1..=APPLIES {
        assert!(was_killed(child(&rig, "apply", step).status().unwrap()), "step {step}");
        let (said, ended) = run(&rig, &options(), |_| {});
        ended.unwrap_or_else(|e| panic!("step {step}: {e}\n{said}"));
        is_applied(&rig);
        back(&rig).unwrap();
        is_as_before(&rig);
    }
}

#[test]
fn after_a_kill_at_any_step_rollback_goes_back() {
    let rig = Rig::new();
    for step in 1..=APPLIES {
        assert!(was_killed(child(&rig, "apply", step).status().unwrap()), "step {step}");
        let went = back(&rig);
        // After the first step nothing was written yet.
        assert_eq!(went.is_ok(), step > 1, "step {step}: {went:?}");
        is_as_before(&rig);
    }
}

#[test]
fn after_a_kill_on_the_way_back_both_end_well() {
    let rig = Rig::new();
    for step in 1..=GOES_BACK {
        for next in ["apply", "rollback"] {
            run(&rig, &options(), |_| {}).1.unwrap();
            assert!(was_killed(child(&rig, "rollback", step).status().unwrap()), "step {step}");
            if next == "apply" {
                run(&rig, &options(), |_| {}).1.unwrap();
                is_applied(&rig);
                back(&rig).unwrap();
            } else {
                // The last step leaves nothing to take back.
                assert_eq!(back(&rig).is_ok(), step < GOES_BACK, "step {step}");
            }
            is_as_before(&rig);
        }
    }
}

#[test]
fn a_backup_that_was_cut_off_is_taken_away_and_no_other() {
    let rig = Rig::new();
    let folder = rig.path("etc/kubernetes/cleanbill-backup");
    for (kept, stays) in [(rig.manifest(), false), ("another".to_owned(), true)] {
        std::fs::create_dir_all(folder.join("files")).unwrap();
        std::fs::write(folder.join("kube-apiserver.yaml"), kept).unwrap();
        back(&rig).unwrap_err();
        assert_eq!(folder.exists(), stays);
    }
}

#[test]
fn after_a_kill_at_any_moment_both_end_well() {
    let rig = Rig::new();
    for round in 0_u64..12 {
        let mut child = child(&rig, "apply", 0).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(20 + round * 37));
        _ = child.kill();
        child.wait().unwrap();
        if round % 2 == 0 {
            run(&rig, &options(), |_| {}).1.unwrap();
            is_applied(&rig);
        }
        _ = back(&rig);
        is_as_before(&rig);
    }
}
