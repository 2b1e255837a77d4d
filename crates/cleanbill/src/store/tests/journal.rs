//! The journal acknowledges what is written and nothing else, and goes on after a failure.

use std::sync::Arc;

use cleanbill_core::Timestamp;
use sha2::{Digest as _, Sha256};

use super::super::journal::Journal;
use super::super::write::Writer;
use super::super::{Decision, Entry, Keep, Owner, Packed, Store, Wanted};
use super::{decision, digest, layer};

fn entry(id: &str) -> Entry {
    Entry { decision: decision(id, Timestamp::now()), evidence: Vec::new(), admitted: None }
}

fn heavy(id: &str, bytes: usize) -> Entry {
    // Not to be compressed away.
    let mut value = id.as_bytes().to_vec();
    while value.len() < bytes {
        let more: [u8; 32] = Sha256::digest(&value).into();
        value.extend(more);
    }
    Entry { evidence: vec![Packed::new(&value).unwrap()], ..entry(id) }
}

fn many(from: usize, to: usize, record: impl Fn(usize) -> Entry, journal: &Journal) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let entries: Vec<Entry> = (from..to).map(record).collect();
    runtime.block_on(async {
        let tasks: Vec<_> = entries.into_iter().map(|e| Box::pin(journal.record(e))).collect();
        let mut told = Vec::new();
        let mut running = tasks;
        // All are under way before the first is waited for.
        std::future::poll_fn(|context| {
            running.retain_mut(|task| match task.as_mut().poll(context) {
                std::task::Poll::Ready(result) => {
                    told.push(result.err().map_or_else(String::new, |e| e.to_string()));
                    false
                }
                std::task::Poll::Pending => true,
            });
            if running.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
        told
    })
}

#[test]
fn many_at_once_are_all_written_and_one_that_is_wrong_fails_alone() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("s"), Owner::Gate).unwrap();
    let journal = Journal::start(&store).unwrap();
    journal.alive().unwrap();
    // One brings something else than it says: it is refused.
    let wrong = |n: usize| Entry {
        decision: Decision { evidence: vec![digest(9)], ..entry(&n.to_string()).decision },
        evidence: vec![Packed::said_to_be(digest(9), b"{}")],
        admitted: None,
    };
    let record = |n| if n == 300 { wrong(n) } else { entry(&n.to_string()) };
    let told = many(0, 500, record, &journal);
    let refused: Vec<&String> = told.iter().filter(|t| !t.is_empty()).collect();
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert!(refused[0].contains("is something else"), "{refused:?}");
    assert_eq!(store.decisions(&Wanted::default(), 9999).unwrap().len(), 499);
    // An id that was given before is refused, in one transaction and in a later one.
    let twice = many(2000, 2002, |_| entry("twice"), &journal);
    assert_eq!(twice.iter().filter(|t| t.is_empty()).count(), 1, "{twice:?}");
    let again = many(0, 1, |_| entry("7"), &journal);
    assert!(again[0].contains("given to a decision before"), "{again:?}");
    // Other writers of the process have their turn, also while it is busy.
    std::thread::scope(|scope| {
        let busy = scope.spawn(|| many(1000, 3000, |n| entry(&n.to_string()), &journal));
        for n in 0..50 {
            store.put_layer(&layer(n), &vec!["facts"]).unwrap();
        }
        assert!(busy.join().unwrap().iter().all(String::is_empty));
    });
    drop(journal);
    assert_eq!(store.decisions(&Wanted::default(), 9999).unwrap().len(), 2500);
}

#[test]
fn when_the_queue_is_full_recording_fails_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("s"), Owner::Gate).unwrap();
    let journal = Journal::start(&store).unwrap();
    // Nobody else writes as long as this is held.
    let held = store.turn.wait();
    let told = std::thread::scope(|scope| {
        let asked = scope.spawn(|| many(0, 6000, |n| entry(&n.to_string()), &journal));
        let patience = std::time::Instant::now();
        while !journal.is_full() && patience.elapsed().as_secs() < 60 {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        // Some of those that find it full.
        std::thread::sleep(std::time::Duration::from_millis(200));
        drop(held);
        asked.join().unwrap()
    });
    let full = told.iter().filter(|t| t.contains("wait to be recorded")).count();
    let written = told.iter().filter(|t| t.is_empty()).count();
    assert!(full >= 1000 && written >= 4096 && full + written == 6000, "{full} {written}");
    assert_eq!(store.decisions(&Wanted::default(), 9999).unwrap().len(), written);
}

#[test]
fn a_full_disk_fails_what_waits_and_is_over_when_there_is_room() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("s");
    let store = Store::open(&state, Owner::Gate).unwrap();
    let other = rusqlite::Connection::open(state.join("evidence.db")).unwrap();
    other
        .execute("INSERT INTO layers (key, value) VALUES (x'00', randomblob(4000000))", [])
        .unwrap();
    let writer = Writer::open(&store.path, Keep::default()).unwrap();
    writer.no_more_pages();
    let journal = Journal::of(writer, Arc::clone(&store.turn)).unwrap();
    let check = |from, to, fails: bool| {
        let told = many(from, to, |n| heavy(&n.to_string(), 50_000), &journal);
        for said in &told {
            let full = said.contains("full") && said.contains("make room");
            assert!(if fails { full } else { said.is_empty() }, "{said}");
        }
    };
    check(0, 20, true);
    check(20, 21, true);
    assert_eq!(store.decisions(&Wanted::default(), 99).unwrap(), []);
    other.execute("DELETE FROM layers", []).unwrap();
    check(0, 20, false);
    journal.alive().unwrap();
    let written = store.decisions(&Wanted::default(), 99).unwrap();
    assert_eq!(written.len(), 20);
    for digest in written.iter().flat_map(|(_, decision)| &decision.evidence) {
        assert!(store.evidence(digest).unwrap().is_some());
    }
}

#[test]
fn a_file_that_was_taken_away_is_not_written() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("s");
    let store = Store::open(&state, Owner::Gate).unwrap();
    let journal = Journal::start(&store).unwrap();
    assert_eq!(many(0, 1, |_| entry("a"), &journal), [""]);
    let (file, away) = (state.join("evidence.db"), state.join("away.db"));
    std::fs::rename(&file, &away).unwrap();
    assert!(many(0, 1, |_| entry("b"), &journal)[0].contains("No such file"));
    std::fs::copy(&away, &file).unwrap();
    assert!(many(0, 1, |_| entry("c"), &journal)[0].contains("was replaced"));
    std::fs::rename(&away, &file).unwrap();
    assert_eq!(many(0, 1, |_| entry("d"), &journal), [""]);
}

#[test]
fn who_waits_for_the_first_is_written_when_that_one_gives_up() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("s"), Owner::Gate).unwrap();
    let journal = Journal::start(&store).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let mut first = Box::pin(journal.record(entry("first")));
        let mut second = Box::pin(journal.record(entry("second")));
        std::future::poll_fn(|context| {
            assert!(first.as_mut().poll(context).is_pending());
            assert!(second.as_mut().poll(context).is_pending());
            std::task::Poll::Ready(())
        })
        .await;
        drop(first);
        let written = tokio::time::timeout(std::time::Duration::from_secs(30), second).await;
        written.expect("nobody wakes the journal").unwrap();
    });
    let ids: Vec<String> =
        store.decisions(&Wanted::default(), 9).unwrap().into_iter().map(|(_, d)| d.id).collect();
    // The first may have been written before it was taken back.
    assert!(ids.iter().any(|id| id == "second"), "{ids:?}");
}
