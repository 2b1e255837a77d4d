//! What is shown, read by the rules of the text format.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::*;

fn now() -> Now {
    Now {
        at: Timestamp::now(),
        running: 1,
        waiting: 2,
        memory: 3,
        advisories: Some(Arc::new(cleanbill_advisory::Snapshot::starter().unwrap())),
    }
}

/// A gate that did something of everything.
fn busy() -> Metrics {
    let metrics = Metrics::default();
    for (at, outcome) in Outcome::ALL.into_iter().enumerate() {
        metrics.answered(Api::ImageReview, outcome, Duration::from_millis(7 * at as u64));
        metrics.answered(Api::Mutate, outcome, Duration::from_secs(60));
    }
    metrics.remembered(true);
    metrics.remembered(false);
    metrics.scanned(Duration::from_millis(600));
    BreakGlass::ALL.into_iter().for_each(|how| metrics.broke_glass(how));
    GapKind::ALL.iter().for_each(|kind| metrics.gaps(*kind, 3));
    metrics.certificates([Some(1_900_000_000), Some(2_000_000_000)]);
    metrics.image_changed("denied");
    metrics.looked_again(Timestamp::now(), Duration::from_secs(2));
    for what in crate::serve::reloads::What::ALL {
        metrics.reloads.took(what);
        metrics.reloads.refused(what);
    }
    metrics
}

/// Reads a name: `[a-zA-Z_:][a-zA-Z0-9_:]*`.
fn name(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    let (name, _) = text.split_at(end);
    assert!(name.starts_with(|c: char| c.is_ascii_alphabetic()), "{text}");
    name
}

/// Reads one sample: name, labels, value.
fn read_sample(line: &str) -> (String, BTreeMap<String, String>, f64) {
    let series = name(line);
    let mut rest = &line[series.len()..];
    let mut labels = BTreeMap::new();
    if let Some(inner) = rest.strip_prefix('{') {
        rest = inner;
        loop {
            let key = name(rest);
            rest = rest[key.len()..].strip_prefix("=\"").expect(line);
            let (mut value, mut escaped, mut end) = (String::new(), false, None);
            for (at, c) in rest.char_indices() {
                match (escaped, c) {
                    (true, '\\' | '"') => value.push(c),
                    (true, 'n') => value.push('\n'),
                    (true, _) => panic!("an unknown escape: {line}"),
                    (false, '\\') => {}
                    (false, '"') => {
                        end = Some(at);
                        break;
                    }
                    (false, _) => value.push(c),
                }
                escaped = !escaped && c == '\\';
            }
            assert!(labels.insert(key.to_owned(), value).is_none(), "a label twice: {line}");
            rest = &rest[end.expect(line) + 1..];
            match rest.strip_prefix(',') {
                Some(more) => rest = more,
                None => break,
            }
        }
        rest = rest.strip_prefix('}').expect(line);
    }
    let value = rest.strip_prefix(' ').expect(line).parse().expect(line);
    (series.to_owned(), labels, value)
}

#[test]
fn the_text_keeps_the_rules_of_its_format() {
    let text = busy().text(&now());
    assert!(text.ends_with('\n'));
    let (mut family, mut kind) = (String::new(), String::new());
    let (mut families, mut series) = (BTreeSet::new(), BTreeSet::new());
    type Histograms = BTreeMap<(String, BTreeMap<String, String>), Vec<(f64, f64)>>;
    let mut histograms = Histograms::new();
    let mut counts = BTreeMap::new();
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            family = name(help).to_owned();
            assert!(families.insert(family.clone()), "{family} twice");
            assert!(!help[family.len()..].trim().is_empty() && !help.contains('\\'), "{help}");
            kind.clear();
        } else if let Some(told) = line.strip_prefix("# TYPE ") {
            let (of, told) = told.split_once(' ').unwrap();
            assert_eq!(of, family, "TYPE follows its own HELP");
            kind = told.to_owned();
        } else {
            let (full, mut labels, value) = read_sample(line);
            assert!(value >= 0.0 && value.is_finite(), "{line}");
            assert!(series.insert((full.clone(), labels.clone())), "a series twice: {line}");
            let suffix = full.strip_prefix(&family).expect("within its family");
            match (kind.as_str(), suffix) {
                ("counter", "") => assert!(family.ends_with("_total"), "{family}"),
                ("gauge", "") => assert!(!family.ends_with("_total"), "{family}"),
                ("histogram", "_bucket") => {
                    let le = labels.remove("le").expect(line).replace("+Inf", "inf");
                    let key = (family.clone(), labels);
                    histograms.entry(key).or_default().push((le.parse().unwrap(), value));
                }
                ("histogram", "_count") => {
                    counts.insert((family.clone(), labels), value);
                }
                ("histogram", "_sum") => {}
                _ => panic!("{kind} {line}"),
            }
        }
    }
    assert_eq!(histograms.len(), counts.len());
    for (key, buckets) in &histograms {
        assert!(buckets.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1), "{key:?} {buckets:?}");
        let (bound, all) = buckets.last().unwrap();
        assert!(bound.is_infinite() && Some(all) == counts.get(key), "{key:?}");
    }
    let listed: BTreeSet<String> = FAMILIES.iter().map(|f| f.name.to_owned()).collect();
    assert_eq!(families, listed);
    for family in FAMILIES {
        assert!(
            series.iter().any(|(n, _)| n.starts_with(family.name)),
            "{} shows nothing",
            family.name
        );
    }
}

#[test]
fn what_happened_is_what_is_shown() {
    let text = busy().text(&now());
    for line in [
        "cleanbill_decisions_total{api=\"imagereview\",outcome=\"allowed\"} 1",
        "cleanbill_decisions_total{api=\"validate\",outcome=\"allowed\"} 0",
        "cleanbill_decision_seconds_bucket{outcome=\"denied\",le=\"0.005\"} 0",
        "cleanbill_decision_seconds_bucket{outcome=\"denied\",le=\"0.01\"} 1",
        "cleanbill_decision_seconds_bucket{outcome=\"denied\",le=\"30\"} 1",
        "cleanbill_decision_seconds_bucket{outcome=\"denied\",le=\"+Inf\"} 2",
        "cleanbill_decision_seconds_sum{outcome=\"denied\"} 60.007",
        "cleanbill_evidence_lookups_total{result=\"hit\"} 1",
        "cleanbill_examinations_waiting 2",
        "cleanbill_break_glass_total{kind=\"token\"} 1",
        "cleanbill_reload_failing{what=\"policy\"} 1",
        "cleanbill_certificate_expiry_timestamp_seconds{certificate=\"server\"} 1900000000",
    ] {
        assert!(text.contains(&format!("{line}\n")), "{line} in {text}");
    }
    for kind in GapKind::ALL {
        assert!(text.contains(&format!("gaps_total{{kind=\"{kind}\"}} 3\n")));
    }
    let odd = text::sample("", &[("a", "q\"b\\n\nx")], 1.0);
    let shown = format!("x{}", text::shown(&odd));
    assert_eq!(read_sample(&shown).1["a"], "q\"b\\n\nx");
}

#[test]
fn the_page_lists_what_there_is() {
    let page = include_str!("../../../../../docs/metrics.md");
    let listed: Vec<&str> = page.lines().filter(|l| l.starts_with("| `")).collect();
    let row = |f: &Family| format!("| `{}` | {} | {} |", f.name, f.kind.as_str(), f.help);
    let wanted: Vec<String> = FAMILIES.iter().map(row).collect();
    assert_eq!(listed, wanted, "\n{}", wanted.join("\n"));
}

#[test]
fn promtool_finds_nothing_to_complain_about() {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let mut promtool = Command::new("promtool");
    promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let Ok(mut child) = promtool.spawn() else {
        println!("skipped: promtool (not installed; Debian's package prometheus has it)");
        return;
    };
    child.stdin.take().unwrap().write_all(busy().text(&now()).as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stdout));
}
