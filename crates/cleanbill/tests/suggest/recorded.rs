//! On what the gate recorded.

use std::path::Path;

use cleanbill::store::{Api, Decision, Entry, Journal, Owner, Packed, Store};
use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use cleanbill_core::policy::Policy;
use sha2::{Digest as _, Sha256};

use crate::{Place, Row, config, hold};

/// Evidence about an image of `r.example`, with one flaw or none, of advisories a day older than
/// the decision.
fn evidence(image: &str, flaw: Option<&str>, judged: Timestamp) -> Vec<u8> {
    let digest = Digest::Sha256([7; 32]);
    let feed = judged - jiff::SignedDuration::from_hours(24);
    let package = serde_json::json!({
        "kind": "python", "name": "p", "version": "1", "source": null, "arch": null,
        "purl": "pkg:pypi/p@1", "layer": null, "evidence": "p", "owner": null,
    });
    let findings: Vec<_> = flaw
        .iter()
        .map(|id| {
            serde_json::json!({
                "id": id, "aliases": [], "errata": [], "package": package, "severity": "CRITICAL",
                "cvss": null, "status": "fixed", "fixed_versions": ["2"], "known_exploited": false,
                "published": null, "modified": null,
                "why": {"feed": "osv:PyPI", "stream": "PyPI",
                    "looked_up": "p", "compared": "1", "range": "< 2"},
            })
        })
        .collect();
    let value = serde_json::json!({
        "reference": image, "resolved": digest, "gaps": [],
        "platforms": [{
            "platform": null, "digest": digest, "distribution": null, "packages": [package],
            "findings": findings, "gaps": [], "feeds": [{"feed": "osv:PyPI", "as_of": feed}],
            "config": {"user": "7", "runs_as_root": {"not_root": 7}},
        }],
        "snapshot": {"digest": digest, "starter": false,
            "known_exploited": {"feed": "kev", "as_of": feed}},
    });
    let evidence: cleanbill_core::evidence::Evidence = serde_json::from_value(value).unwrap();
    serde_json::to_vec(&evidence).unwrap()
}

/// Records decisions: id, days ago, image, outcome, and how the examination went.
fn record(dir: &Path, policy: &Policy) {
    let store = Store::open(&dir.join("state"), Owner::Gate).unwrap();
    let journal = Journal::start(&store).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let sha = |bytes: &[u8]| Digest::Sha256(Sha256::digest(bytes).into());
    let text = serde_json::to_string(policy).unwrap();
    store.put_policy(&sha(text.as_bytes()), &text).unwrap();
    let pinned = |name: &str| format!("r.example/{name}@{}", Digest::Sha256([7; 32]));
    for (id, days, name, outcome, kept, flaw) in [
        ("a", 3, "web", "allowed", true, Some("CVE-2026-1")),
        // Advisories of later know better.
        ("b", 2, "web", "allowed", true, None),
        ("c", 2, "db", "allowed", true, None),
        ("d", 2, "bad", "allowed", true, Some("CVE-2026-2")),
        ("e", 1, "worse", "denied", true, Some("CVE-2026-3")),
        ("f", 1, "slow", "undecided", false, None),
        ("g", 1, "forgotten", "allowed", false, None),
        // Asked again when it was done.
        ("h", 1, "web", "undecided", false, None),
        ("i", 30, "ancient", "allowed", true, None),
        // A dry run ran nothing; and what was let in by break-glass was never examined.
        ("dry", 5, "dry", "allowed", true, None),
        ("glass", 5, "glass", "allowed", true, None),
    ] {
        let image = pinned(name);
        let then = Timestamp::now() - jiff::SignedDuration::from_hours(24 * days);
        let time = Timestamp::from_millisecond(then.as_millisecond()).unwrap();
        let value = evidence(&image, flaw, time);
        let case = match (outcome, id) {
            ("undecided", _) | (_, "glass") => {
                serde_json::json!({"image": image, "failed": "it is being examined"})
            }
            _ => serde_json::json!({"image": image, "examined": sha(&value)}),
        };
        let decision = Decision {
            id: id.into(),
            time,
            api: Api::ImageReview,
            question: Some(format!("{{\"images\":[\"{image}\"],\"namespace\":\"shop\"}}")),
            namespace: Some("shop".into()),
            images: vec![(image, Some(Digest::Sha256([7; 32])))],
            outcome: outcome.into(),
            reason: String::new(),
            warnings: Vec::new(),
            policy: sha(text.as_bytes()),
            snapshot: Some(Digest::Sha256([2; 32])),
            evidence: if outcome == "undecided" { Vec::new() } else { vec![sha(&value)] },
            trace: serde_json::json!({"cases": [case]}).to_string(),
            engine: "cleanbill 0".into(),
            judged_at: time,
            latency_us: 1,
            enforced: id != "dry",
            break_glass: None,
        };
        let evidence = if kept { vec![Packed::new(&value).unwrap()] } else { Vec::new() };
        runtime.block_on(journal.record(Entry { decision, evidence, admitted: None })).unwrap();
    }
}

#[test]
fn from_what_the_gate_let_run_to_a_policy_that_replay_agrees_with() {
    let place = Place::new();
    let observe = Policy { highest_severity: None, ..Policy::default() };
    record(place.dir.path(), &observe);
    let glass = "policy: {action: audit, break_glass: {users: [anna@example.org]}}\n";
    std::fs::write(place.path("cleanbill.yaml"), config(glass)).unwrap();
    let from = "policy suggest --config cleanbill.yaml --owner anna@example.org";
    let table: &[Row<'_>] = &[
        (
            from,
            "",
            3,
            &[
                "allowed:\n- r.example/bad\n- r.example/db\n- r.example/web\n",
                "digest_required: true",
                "highest_severity: none",
                "exceptions:\n- id: CVE-2026-2\n  package: p\n",
                "# - r.example/bad: 1 flaw",
                "# - r.example/forgotten@",
                "The policy in force also says: break_glass.",
            ],
            &[
                "left out: r.example/worse@",
                "not examined: r.example/slow@sha256:0707070707070707070707070707070707070707070707070707070707070707: it is being examined",
                "not examined: r.example/forgotten@",
                "not examined: r.example/glass@",
                "passing: 3 images of 3 repositories; 1 exception for 1 repository",
            ],
        ),
        (
            &format!("{from} --since 36h"),
            "",
            2,
            &[],
            &["none of the images could be examined", "r.example/slow@", "r.example/forgotten@"],
        ),
        (&format!("{from} --since 1m"), "", 2, &[], &["nothing to suggest a policy from"]),
        (&format!("{from} --platform linux/amd64"), "", 2, &[], &["--platform has no place here"]),
        (&format!("{from} -o suggested.yaml"), "", 3, &[], &["passing: 3"]),
        ("policy check suggested.yaml", "", 0, &["no warnings"], &[]),
        // All that ran would have run, but for what advisories took back since. What never ran, since
        // it was still being examined, is not among its names.
        (
            "replay --policy suggested.yaml --since 60h",
            "",
            1,
            &[
                "undecided -> denied  1x  f ",
                "an image was not examined then",
                "4 the same, 1 changed, 2 could not",
            ],
            &[],
        ),
    ];
    hold(&place, table);
}
