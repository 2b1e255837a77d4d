//! How many decisions a second the journal writes: `journal DIR RECORDERS SECONDS IMAGES`.
#![allow(clippy::print_stdout, clippy::unwrap_used)] // A measurement, for whoever develops.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use cleanbill::store::journal::Journal;
use cleanbill::store::{Api, Decision, Entry, Owner, Packed, Store};
use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use sha2::{Digest as _, Sha256};

fn sha(bytes: &[u8]) -> Digest {
    Digest::Sha256(Sha256::digest(bytes).into())
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [dir, recorders, seconds, images] = arguments.as_slice() else {
        println!("usage: journal DIR RECORDERS SECONDS IMAGES");
        return;
    };
    let (recorders, seconds): (usize, u64) = (recorders.parse().unwrap(), seconds.parse().unwrap());
    let images: usize = images.parse().unwrap();
    let store = Store::open(dir.as_ref(), Owner::Gate).unwrap();
    let journal = Arc::new(Journal::start(&store).unwrap());
    let evidence: Arc<Vec<Packed>> = Arc::new(
        (0..images)
            .map(|n| {
                let text = format!("{{\"image\":{n},\"findings\":\"{}\"}}", "CVE ".repeat(5000));
                Packed::new(text.as_bytes()).unwrap()
            })
            .collect(),
    );
    let count = Arc::new(AtomicUsize::new(0));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let end = Instant::now() + Duration::from_secs(seconds);
    let run = Timestamp::now().as_nanosecond();
    let tasks: Vec<_> = (0..recorders)
        .map(|recorder| {
            let (journal, evidence) = (Arc::clone(&journal), Arc::clone(&evidence));
            let count = Arc::clone(&count);
            runtime.spawn(async move {
                let mut slow = Vec::new();
                for n in 0_usize.. {
                    if Instant::now() > end {
                        break;
                    }
                    let seed = sha(format!("{run} {recorder} {n}").as_bytes());
                    let at = (n * recorders + recorder) * 7919 % images;
                    let kept = evidence[at].clone();
                    let now = Timestamp::now();
                    let image = format!("registry.example/team/app-{at}@{}", kept.digest());
                    let decision = Decision {
                        id: seed.hex()[..20].to_owned(),
                        time: now,
                        api: Api::ImageReview,
                        question: Some(format!(
                            "{{\"images\":[\"{image}\"],\"namespace\":\"shop\",\"annotations\":{{}}}}"
                        )),
                        namespace: Some("shop".into()),
                        images: vec![(image, Some(kept.digest()))],
                        outcome: "allowed".into(),
                        reason: String::new(),
                        warnings: Vec::new(),
                        policy: sha(b"policy"),
                        snapshot: Some(sha(b"snapshot")),
                        evidence: vec![kept.digest()],
                        trace: "[{\"rule\":\"severity\",\"met\":true}]".into(),
                        engine: "cleanbill 0.1.0 match 1".into(),
                        judged_at: now,
                        latency_us: 300,
                        enforced: true,
                        break_glass: None,
                    };
                    let began = Instant::now();
                    let admitted = Some(kept.digest());
                    let entry = Entry { decision, evidence: vec![kept], admitted };
                    journal.record(entry).await.unwrap();
                    slow.push(began.elapsed());
                    count.fetch_add(1, Relaxed);
                }
                slow
            })
        })
        .collect();
    let mut waits: Vec<Duration> = Vec::new();
    for task in tasks {
        waits.extend(runtime.block_on(task).unwrap());
    }
    waits.sort();
    let of = |share: f64| waits[((waits.len() - 1) as f64 * share) as usize];
    println!(
        "{} decisions a second; median {:?}, p99 {:?}, p99.9 {:?}, longest {:?}",
        count.load(Relaxed) as u64 / seconds,
        of(0.5),
        of(0.99),
        of(0.999),
        of(1.0)
    );
}
