//! A large record to measure with: `record DIR COUNT TOGETHER IMAGES`.
//!
//! Writes COUNT decisions of the last ten days about IMAGES images through the journal, TOGETHER
//! of them at a time: 1 makes each a block of its own, as in a quiet cluster; one in 97 is denied.
#![allow(clippy::print_stdout, clippy::unwrap_used)] // A measurement, for whoever develops.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use cleanbill::serve::id;
use cleanbill::store::{Api, Decision, Entry, Journal, Keep, Owner, Packed, Store};
use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;

const SPAN: i64 = 10 * 86_400_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [dir, count, together, images] = arguments.as_slice() else {
        println!("usage: record DIR COUNT TOGETHER IMAGES");
        return;
    };
    let [count, together, images] = [count, together, images].map(|n| n.parse::<usize>().unwrap());
    let keep = Keep { count: u32::MAX, days: 90 };
    let store = Store::open(dir.as_ref(), Owner::Gate).unwrap().keeping(keep);
    let journal = Arc::new(Journal::start(&store).unwrap());
    let next = Arc::new(AtomicUsize::new(0));
    let now = Timestamp::now().as_millisecond();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let tasks: Vec<_> = (0..together)
        .map(|_| {
            let (journal, next) = (Arc::clone(&journal), Arc::clone(&next));
            runtime.spawn(async move {
                loop {
                    let n = next.fetch_add(1, Relaxed);
                    if n >= count {
                        return;
                    }
                    let ago = SPAN - SPAN / count as i64 * n as i64;
                    let entry = entry(now - ago, n * 7919 % images, n % 97 == 0);
                    journal.record(entry).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        runtime.block_on(task).unwrap();
    }
}

fn entry(time: i64, image: usize, denied: bool) -> Entry {
    let packed = Packed::new(format!("{{\"image\":{image}}}").as_bytes()).unwrap();
    let name = format!("registry.example/team/app-{image}@{}", packed.digest());
    let case = format!("{{\"image\":\"{name}\",\"examined\":\"{}\"}}", packed.digest());
    let id = id::at(u128::try_from(time - 5).unwrap()).unwrap();
    let time = Timestamp::from_millisecond(time).unwrap();
    let decision = Decision {
        reason: if denied { format!("{name}: too bad. Decision {id}.") } else { String::new() },
        id,
        time,
        api: Api::ImageReview,
        question: Some(format!("{{\"images\":[\"{name}\"],\"namespace\":\"shop\"}}")),
        namespace: Some(format!("team-{}", image % 20)),
        images: vec![(name, Some(packed.digest()))],
        outcome: if denied { "denied" } else { "allowed" }.into(),
        warnings: Vec::new(),
        policy: Digest::Sha256([1; 32]),
        snapshot: Some(Digest::Sha256([2; 32])),
        evidence: vec![packed.digest()],
        trace: format!("{{\"cases\":[{case}]}}"),
        engine: "cleanbill 0.1.0 extract 2".into(),
        judged_at: time,
        latency_us: 300,
        enforced: true,
        break_glass: None,
    };
    Entry { decision, evidence: vec![packed], admitted: None }
}
