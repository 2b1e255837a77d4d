//! `kill -9` in the middle of recording: what was acknowledged is there, and the file is sound.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cleanbill_core::Timestamp;

use super::super::journal::Journal;
use super::super::{Decision, Entry, Owner, Packed, Store, Wanted};
use super::decision;

const STATE: &str = "CLEANBILL_TEST_STATE";
const ROUND: &str = "CLEANBILL_TEST_ROUND";

/// Not a test by itself: the process that is killed. It says each id once it is acknowledged.
#[test]
fn child_that_records_until_it_is_killed() {
    let Some(state) = std::env::var_os(STATE) else { return };
    let round = std::env::var(ROUND).unwrap();
    let store = Store::open(state.as_ref(), Owner::Gate).unwrap();
    let journal = Arc::new(Journal::start(&store).unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    for worker in 0..8 {
        let (journal, round) = (Arc::clone(&journal), round.clone());
        runtime.spawn(async move {
            for n in 0.. {
                let id = format!("{round}-{worker}-{n}");
                let packed = Packed::new(&id.as_bytes().repeat(1 + n % 400)).unwrap();
                let decision =
                    Decision { evidence: vec![packed.digest()], ..decision(&id, Timestamp::now()) };
                let entry = Entry { decision, evidence: vec![packed], admitted: None };
                journal.record(entry).await.unwrap();
                let line = format!("acknowledged {id}\n");
                std::io::stderr().lock().write_all(line.as_bytes()).unwrap();
            }
        });
    }
    std::thread::sleep(Duration::from_secs(60));
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("s");
    let began = Instant::now();
    let mut acknowledged = Vec::new();
    for round in 0..8 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "--nocapture",
                "store::tests::crash::child_that_records_until_it_is_killed",
            ])
            .env(STATE, &state)
            .env(ROUND, round.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let first = lines.next().expect("the child recorded nothing").unwrap();
        // A moment that no two runs have in common.
        let moment = Duration::from_micros(u64::from(began.elapsed().subsec_nanos()) % 120_000);
        std::thread::sleep(moment);
        child.kill().unwrap();
        child.wait().unwrap();
        // The last line may be cut off: then nobody was told.
        let rest = lines.map_while(Result::ok);
        let ids = std::iter::once(first)
            .chain(rest)
            .filter_map(|line| line.strip_prefix("acknowledged ").map(str::to_owned));
        acknowledged.extend(ids);
        let store = Store::open(&state, Owner::Gate).unwrap();
        for id in &acknowledged {
            let decision = store.decision(id).unwrap();
            let decision = decision.unwrap_or_else(|| panic!("round {round}: {id} is lost"));
            for digest in &decision.evidence {
                assert!(store.evidence(digest).unwrap().is_some(), "round {round}: {id}");
            }
        }
        store.record_decision(&decision(&format!("after {round}"), Timestamp::now())).unwrap();
        let all = store.decisions(&Wanted::default(), u32::MAX).unwrap();
        let holes = all.windows(2).filter(|pair| pair[1].0 != pair[0].0 + 1).count();
        assert_eq!(holes, 0, "round {round}");
    }
    assert!(acknowledged.len() > 8, "{}", acknowledged.len());
}
