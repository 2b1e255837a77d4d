//! What is printed about images of a record that two small snapshots say different things of.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use cleanbill_advisory::{Gathered, Snapshot};
use cleanbill_core::Timestamp;
use cleanbill_core::advisory::{Advisory, Feed, Range, RangeEnd, Rating};
use cleanbill_core::digest::Digest;
use cleanbill_core::distribution::Distribution;
use cleanbill_core::evidence::{Evidence, PlatformEvidence, SnapshotId};
use cleanbill_core::image::ImageFacts;
use cleanbill_core::inventory::Inventory;
use cleanbill_core::package::{Package, PackageKind};
use cleanbill_core::severity::Severity;

use super::{ask, exit, json, text};
use crate::assess::{Found, FoundPlatform};
use crate::impact::{Between, Impact, Pace, Record, compare};
use crate::policy_file;
use crate::serve::impacts::Looking;
use crate::serve::live::Rules;
use crate::serve::metrics::{Metrics, Now};
use crate::serve::question::Question;
use crate::serve::trace::{Trace, TracedCase, TracedOutcome};
use crate::store::{Api, Decision, Entry, Journal, Owner, Packed, Store};

const POLICY: &str = "\
name: production
highest_severity: high
max_feed_age: 7d
accept_gaps: [mutable-reference, unknown-end-of-life]
rules:
- {name: no-musl, scope: {namespaces: [bank]}, refuse: {flaws: {packages: [musl]}}}
";

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn snapshot(day: &str, flaws: &[(&str, &str, Severity)]) -> Snapshot {
    let feed = Feed {
        id: "alpine-secdb".into(),
        as_of: Some(time(day)),
        licence: "CC0-1.0".into(),
        advisories: 1,
        not_understood: 0,
        streams: vec!["Alpine:v3.9".parse().unwrap()],
    };
    let mut all = Gathered { feeds: vec![feed], ..Gathered::default() };
    for (id, package, severity) in flaws {
        let range = Range { introduced: None, end: RangeEnd::Fixed("9.0-r0".into()) };
        let advisory = Advisory { id: (*id).into(), ranges: vec![range], ..Advisory::default() };
        all.add(&"Alpine:v3.9".parse().unwrap(), package, advisory);
        let rating = Rating { source: "nvd".into(), severity: *severity, cvss: None };
        all.rate(id, rating);
    }
    all.sort();
    let mut bytes = Vec::new();
    cleanbill_advisory::write(&all, &mut bytes).unwrap();
    Snapshot::from_bytes(bytes).unwrap()
}

fn evidence(image: &str, byte: u8, packages: &[&str]) -> Evidence {
    let resolved = Digest::Sha256([byte; 32]);
    let package = |name: &&str| Package {
        kind: PackageKind::Apk,
        name: (*name).into(),
        version: "1.0-r0".into(),
        source: None,
        arch: None,
        vendor: None,
        module: None,
        repository: None,
        purl: String::new(),
        layer: None,
        evidence: "lib/apk/db/installed".into(),
        owner: None,
        changed_from: None,
    };
    let distribution = Distribution {
        id: "alpine".into(),
        version: "3.9.4".into(),
        release: "3.9".into(),
        pretty_name: "Alpine".into(),
        evidence: "etc/os-release".into(),
        content_sets: Vec::new(),
    };
    let platform = PlatformEvidence {
        platform: None,
        digest: resolved,
        distribution: Some(distribution),
        config: ImageFacts::default(),
        packages: packages.iter().map(package).collect(),
        findings: Vec::new(),
        gaps: Vec::new(),
        feeds: Vec::new(),
    };
    Evidence {
        reference: image.parse().unwrap(),
        resolved,
        platforms: vec![platform],
        gaps: Vec::new(),
        snapshot: SnapshotId {
            digest: resolved,
            starter: false,
            known_exploited: None,
            epss: None,
        },
    }
}

/// One question and its answer; without `found` nothing was.
fn decided(image: &str, namespace: &str, found: Option<&Evidence>) -> (Decision, Option<Packed>) {
    let packed = found.map(|e| Packed::new(&serde_json::to_vec(e).unwrap()).unwrap());
    let outcome = match &packed {
        Some(packed) => TracedOutcome::Examined(packed.digest()),
        None => TracedOutcome::Failed("its registry did not answer".into()),
    };
    let case = TracedCase { image: image.into(), outcome, opinions: Vec::new() };
    let trace = Trace { cases: vec![case], ..Trace::default() };
    let mut question = Question { images: vec![image.into()], ..Question::default() };
    question.asked.namespace = namespace.into();
    let decision = Decision {
        id: format!("{image} {namespace}"),
        time: time("2026-11-20T08:30:00Z"),
        api: Api::ImageReview,
        question: Some(question.recorded().unwrap()),
        namespace: Some(namespace.into()),
        images: vec![(image.into(), found.map(|e| e.resolved))],
        outcome: "allowed".into(),
        reason: String::new(),
        warnings: Vec::new(),
        policy: Digest::Sha256([1; 32]),
        snapshot: None,
        evidence: packed.iter().map(Packed::digest).collect(),
        trace: serde_json::to_string(&trace).unwrap(),
        engine: "cleanbill 0".into(),
        judged_at: time("2026-11-20T08:30:00Z"),
        latency_us: 1,
        enforced: true,
        break_glass: None,
    };
    (decision, packed)
}

fn record(dir: &Path, decisions: Vec<(Decision, Option<Packed>)>) -> Store {
    let store = Store::open(&dir.join("s"), Owner::Gate).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let journal = Journal::start(&store).unwrap();
    for (decision, packed) in decisions {
        let entry = Entry { decision, evidence: packed.into_iter().collect(), admitted: None };
        runtime.block_on(journal.record(entry)).unwrap();
    }
    store
}

fn small(dir: &Path) -> Store {
    let web = evidence("registry.example/web:1", 1, &["openssl", "musl"]);
    let old = evidence("registry.example/old:1", 2, &["zlib"]);
    let tool = evidence("registry.example/tool:1", 3, &["bash"]);
    let same = evidence("registry.example/same:1", 4, &["musl"]);
    let (mut dry, dry_packed) = decided("registry.example/dry:1", "shop", Some(&web));
    dry.enforced = false;
    let (lost, _) = decided("registry.example/lost:1", "shop", Some(&old));
    let lost_evidence = Digest::Sha256([9; 32]);
    let trace = lost.trace.replace(&lost.evidence[0].to_string(), &lost_evidence.to_string());
    let lost = Decision { evidence: vec![lost_evidence], trace, ..lost };
    record(
        dir,
        vec![
            decided("registry.example/web:1", "shop", Some(&web)),
            decided("registry.example/web:1", "blog", Some(&web)),
            decided("registry.example/web:1", "bank", Some(&web)),
            decided("registry.example/old:1", "shop", Some(&old)),
            decided("registry.example/tool:1", "shop", Some(&tool)),
            decided("registry.example/same:1", "shop", Some(&same)),
            decided("registry.example/down:1", "shop", None),
            // Looked for in vain first, and found later: it is known.
            decided("registry.example/tool:1", "blog", None),
            (dry, dry_packed),
            (lost, None),
        ],
    )
}

fn two() -> (Snapshot, Snapshot) {
    let from = [
        ("CVE-2026-1", "zlib", Severity::Critical),
        ("CVE-2026-3", "musl", Severity::Low),
        ("CVE-2026-4", "bash", Severity::Low),
    ];
    let to = [
        ("CVE-2026-2", "openssl", Severity::Critical),
        ("CVE-2026-3", "musl", Severity::Low),
        ("CVE-2026-4", "bash", Severity::Medium),
        ("CVE-2026-5", "bash", Severity::Low),
    ];
    (snapshot("2026-11-19T00:00:00Z", &from), snapshot("2026-11-20T00:00:00Z", &to))
}

fn compared(store: &Store, between: Between<'_>, threads: usize) -> Impact {
    let pace = Pace { threads, gently: false, stop: &AtomicBool::new(false) };
    compare(store, Record::read(store, &|| true).unwrap(), between, pace).unwrap()
}

#[test]
fn what_changed_as_a_person_and_a_program_read_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = small(dir.path());
    let (from, to) = two();
    let policy = policy_file::parse(POLICY, "policy.yaml").unwrap();
    let now = time("2026-11-21T08:30:00Z");
    let between = Between { from: &from, to: &to, policy: &policy, now };
    let impact = ask(&store, between).unwrap();
    let hide = |text: String| {
        text.replace(&from.digest().to_string(), "sha256:from")
            .replace(&to.digest().to_string(), "sha256:to")
    };
    insta::assert_snapshot!("text", hide(text::page(&impact, between)));
    let value = json::value(&impact, between);
    insta::assert_snapshot!("json", hide(serde_json::to_string_pretty(&value).unwrap()));
    for (code, want) in [(None, 0), (Some(0), 0), (Some(7), 7)] {
        assert_eq!(exit(&impact, code).number(), want, "{code:?}");
    }
    // However many threads there are, the answer is the same.
    for threads in [1, 3] {
        let again = json::value(&compared(&store, between, threads), between);
        assert_eq!(again, value, "{threads}");
    }
}

#[test]
fn images_that_nobody_has_asked_for_are_judged_too() {
    let dir = tempfile::tempdir().unwrap();
    let store = small(dir.path());
    let put = |name: &str, byte: u8, engine: u32, package: &str| {
        let of = evidence(&format!("{name}:1"), byte, &[package]);
        let platform = &of.platforms[0];
        let inventory = Inventory {
            distribution: platform.distribution.clone(),
            packages: platform.packages.clone(),
            ..Inventory::default()
        };
        let digest = of.resolved;
        let platform = FoundPlatform { digest, platform: None, gaps: Vec::new(), inventory };
        let found = Found { resolved: digest, platforms: vec![platform], gaps: Vec::new() };
        let key = serde_json::json!({"name": name, "digest": digest, "engine": engine});
        store.put_image(&key, &found).unwrap();
    };
    let engine = cleanbill_extract::ENGINE;
    put("registry.example/ahead", 7, engine, "openssl");
    // Asked for already; and what another version found, which is found anew before it is used.
    put("registry.example/web", 1, engine, "openssl");
    put("registry.example/before", 8, engine - 1, "openssl");
    let (from, to) = two();
    let policy = policy_file::parse(POLICY, "policy.yaml").unwrap();
    let now = time("2026-11-21T08:30:00Z");
    let between = Between { from: &from, to: &to, policy: &policy, now };
    let known = compared(&small(&dir.path().join("other")), between, 1).images.len();
    let impact = compared(&store, between, 2);
    assert_eq!(impact.images.len(), known + 1);
    let page = text::page(&impact, between);
    let digest = Digest::Sha256([7; 32]);
    let want = format!(
        "registry.example/ahead@{digest}\n  digest      {digest}\n  last asked  never\n  \
         outcome     allowed -> denied (in no namespace)\n"
    );
    assert!(page.contains(&want), "{page}");
    let value = json::value(&impact, between);
    let images = value["images"].as_array().unwrap();
    let ahead = images.iter().find(|image| image["lastAsked"].is_null()).unwrap();
    assert_eq!((&ahead["changed"], &ahead["namespaces"]), (&true.into(), &serde_json::json!([""])));
}

#[test]
fn the_same_advisories_change_nothing_and_old_ones_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let store = small(dir.path());
    let (from, to) = two();
    let policy = policy_file::parse(POLICY, "policy.yaml").unwrap();
    // (then, now, when, how many changed, said)
    let table = [
        (&from, &from, "2026-11-21T00:00:00Z", 0, "0 changed outcome"),
        (&to, &to, "2026-11-21T00:00:00Z", 0, "0 changed outcome"),
        // A week and a day: what is not denied by flaws is now by a feed that is too old.
        (&to, &from, "2026-11-27T00:00:00Z", 3, "not examined: stale-feed alpine-secdb"),
        (&from, &to, "2026-11-27T00:00:00Z", 3, "no longer   not examined: stale-feed"),
    ];
    for (from, to, now, want, said) in table {
        let between = Between { from, to, policy: &policy, now: time(now) };
        let impact = compared(&store, between, 2);
        let changed = impact.images.iter().filter_map(|i| i.result.as_ref().ok());
        let page = text::page(&impact, between);
        assert_eq!(changed.filter(|j| j.changed()).count(), want, "{page}");
        assert!(page.contains(said), "{page}");
        // Two could not be judged, whatever the advisories are.
        assert_eq!(exit(&impact, Some(1)).number(), if want == 0 { 3 } else { 1 }, "{page}");
    }
}

#[test]
fn told_to_stop_it_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let store = small(dir.path());
    let (from, to) = two();
    let policy = policy_file::parse(POLICY, "policy.yaml").unwrap();
    let between =
        Between { from: &from, to: &to, policy: &policy, now: time("2026-11-21T00:00:00Z") };
    let pace = Pace { threads: 2, gently: true, stop: &AtomicBool::new(true) };
    let record = Record::read(&store, &|| true).unwrap();
    let impact = compare(&store, record, between, pace).unwrap();
    assert!(impact.stopped && impact.images.is_empty());
}

#[test]
fn the_gate_judges_them_again_by_itself_and_counts_what_changed() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(small(dir.path()));
    let both = || {
        let (from, to) = two();
        (Arc::new(from), Arc::new(to))
    };
    let policy = policy_file::parse(&POLICY.replace("7d", "3650d"), "policy.yaml").unwrap();
    let rules = Arc::new(Rules::new(policy, Timestamp::now()).unwrap());
    let metrics = Arc::new(Metrics::default());
    let text = || {
        let (at, advisories) = (Timestamp::now(), None);
        metrics.text(&Now { at, running: 0, waiting: 0, memory: 0, advisories })
    };
    assert!(!text().contains("\ncleanbill_rejudged_seconds "), "{}", text());
    let begin = |before, both| {
        let (store, rules) = (Arc::clone(&store), Arc::clone(&rules));
        Looking::begin(before, both, store, rules, Arc::clone(&metrics)).unwrap()
    };
    let looking = begin(None, both());
    let began = std::time::Instant::now();
    while !looking.is_done() {
        assert!(began.elapsed() < std::time::Duration::from_secs(60), "{}", text());
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    for line in [
        "cleanbill_images_changed_total{to=\"allowed\"} 1\n",
        "cleanbill_images_changed_total{to=\"denied\"} 1\n",
        "cleanbill_images_changed_total{to=\"undecided\"} 0\n",
        "\ncleanbill_rejudged_seconds ",
    ] {
        assert!(text().contains(line), "{line}\n{}", text());
    }
}

/// Prints figures: `cargo test -p cleanbill --lib impact -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn ten_thousand_images() {
    let dir = tempfile::tempdir().unwrap();
    let mut decisions = Vec::new();
    for n in 0..10_000_u32 {
        let image = format!("registry.example/app-{n}:1");
        let names: Vec<String> = (0..200).map(|p| format!("package-{}", (n + p) % 3_000)).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let byte = u8::try_from(n % 251).unwrap();
        decisions.push(decided(&image, "shop", Some(&evidence(&image, byte, &names))));
    }
    let store = record(dir.path(), decisions);
    let (from, to) = two();
    let policy = policy_file::parse(POLICY, "policy.yaml").unwrap();
    let between =
        Between { from: &from, to: &to, policy: &policy, now: time("2026-11-21T00:00:00Z") };
    for threads in [1, 2] {
        let began = std::time::Instant::now();
        let impact = compared(&store, between, threads);
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let memory = status.lines().find(|l| l.starts_with("VmHWM")).unwrap_or_default();
        let images = impact.images.len();
        assert_eq!(images, 10_000);
        println!("{threads} threads: {images} images in {:?}, {memory}", began.elapsed());
    }
}
