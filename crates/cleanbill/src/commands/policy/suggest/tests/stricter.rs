//! For any images: each passes what is suggested, and nothing could be one step stricter.

use cleanbill_core::evidence::RunsAs;
use cleanbill_core::gap::GapKind;
use cleanbill_core::policy::{Condition, FlawFilter, NamePattern, Policy, Rule, Scope};
use cleanbill_core::severity::Severity::{self, Low, Unknown};
use proptest::prelude::*;

use super::super::made::{FIX_AVAILABLE, NOT_ROOT};
use super::super::rest::AGES;
use super::super::seen::Sight;
use super::images::Part::{self, *};
use super::images::sight;
use super::suggested;

/// Every policy that is one step stricter than this one, and what the step is.
fn stricter(policy: &Policy) -> Vec<(String, Policy)> {
    let mut all: Vec<(String, Policy)> = Vec::new();
    let highest = policy.highest_severity.unwrap();
    if let Some(lower) = below(highest) {
        let next = Policy { highest_severity: Some(lower), ..policy.clone() };
        all.push((format!("highest_severity {lower}"), next));
        let mut next = policy.clone();
        let least = match next.rules.iter_mut().find(|r| r.name == FIX_AVAILABLE) {
            Some(rule) => {
                let flaws = rule.refuse.flaws.as_mut().unwrap();
                let before = flaws.at_least;
                flaws.at_least = before.and_then(below).filter(|s| *s > Unknown);
                before.map(|_| format!("{:?}", flaws.at_least))
            }
            None => {
                let at_least = Some(highest).filter(|s| *s > Low);
                let flaws = FlawFilter { at_least, fixable: Some(true), ..FlawFilter::default() };
                next.rules.push(rule(Condition { flaws: Some(flaws), ..Condition::default() }));
                Some("made".to_owned())
            }
        };
        all.extend(least.map(|least| (format!("{FIX_AVAILABLE} {least}"), next)));
    }
    if let Some(higher) = Severity::ALL.into_iter().find(|s| *s > policy.unrated_as) {
        all.push((format!("unrated_as {higher}"), Policy { unrated_as: higher, ..policy.clone() }));
    }
    if let Some(less) = AGES.into_iter().rev().find(|days| *days < policy.max_feed_age_days) {
        let next = Policy { max_feed_age_days: less, ..policy.clone() };
        all.push((format!("max_feed_age {less}"), next));
    }
    if !policy.digest_required {
        all.push(("digest_required".into(), Policy { digest_required: true, ..policy.clone() }));
    }
    let allowed = policy.allowed.as_ref().unwrap();
    // Where every image is local, the list names what it has no say about.
    let counts = *allowed != policy.local_images;
    for (at, name) in allowed.iter().enumerate().filter(|_| counts) {
        let mut next = policy.clone();
        next.allowed.as_mut().unwrap().remove(at);
        all.push((format!("allowed without {name}"), next));
    }
    let names = |scope: &Scope| scope.repositories.len().max(1);
    let less =
        |list: &mut Vec<NamePattern>, at| (list.len() > 1).then(|| list.remove(at)).is_some();
    for (at, gap) in policy.accepted_gaps.iter().enumerate() {
        for name in 0..names(&gap.scope) {
            let mut next = policy.clone();
            if !less(&mut next.accepted_gaps[at].scope.repositories, name) {
                next.accepted_gaps.remove(at);
            }
            all.push((format!("without {name} of {gap:?}"), next));
        }
    }
    for (at, exception) in policy.exceptions.iter().enumerate() {
        for name in 0..names(&exception.scope) {
            let mut next = policy.clone();
            if !less(&mut next.exceptions[at].scope.repositories, name) {
                next.exceptions.remove(at);
            }
            all.push((format!("without {name} of {exception:?}"), next));
        }
    }
    match policy.rules.iter().position(|r| r.name == NOT_ROOT) {
        Some(at) => {
            for name in 0..policy.rules[at].scope.not_repositories.len() {
                let mut next = policy.clone();
                next.rules[at].scope.not_repositories.remove(name);
                all.push((format!("{NOT_ROOT} for {name}"), next));
            }
        }
        None => {
            let mut next = policy.clone();
            next.rules.push(rule(Condition { runs_as_root: true, ..Condition::default() }));
            all.push((NOT_ROOT.into(), next));
        }
    }
    all
}

fn below(severity: Severity) -> Option<Severity> {
    Severity::ALL.into_iter().rev().find(|lower| *lower < severity)
}

fn rule(refuse: Condition) -> Rule {
    let name = "another".to_owned();
    Rule { name, scope: Scope::default(), refuse, action: Default::default(), message: None }
}

const IDS: [&str; 6] = ["CVE-1", "CVE-2", "CVE-3", "CVE-4", "CVE-5", "CVE-6"];

/// An image: its repository, how it is named, and what is in it. Which flaws are exploited is the
/// flaws' own.
fn image() -> impl Strategy<Value = (String, Vec<Part>)> {
    let severity = prop::sample::select(Severity::ALL.to_vec());
    let flaw = (0..IDS.len(), severity, any::<bool>())
        .prop_map(|(id, severity, fixed)| Flaw(IDS[id], severity, fixed.then_some("2"), id == 5));
    let kinds = [
        GapKind::EndOfLife,
        GapKind::NothingRecognised,
        GapKind::NoAdvisorySource,
        GapKind::UnreadableDatabase,
    ];
    let gap = (prop::sample::select(kinds.to_vec()), prop::sample::select(vec!["x", "y", ""]))
        .prop_map(|(kind, subject)| self::Gap(kind, subject));
    let user =
        prop::sample::select(vec![RunsAs::Root, RunsAs::NotRoot(7), RunsAs::Unknown("so".into())]);
    let age = prop::option::weighted(0.9, 0_i64..500);
    let feed = (prop::sample::select(vec!["osv:Go", "eol"]), age).prop_map(|(f, age)| Feed(f, age));
    let parts = (
        prop::collection::vec(flaw, 0..4),
        prop::collection::vec(gap, 0..2),
        prop::collection::vec(feed, 0..2),
        user.prop_map(User),
    );
    let name = (0..5_usize, prop::sample::select(vec!["@7", ":1", ":2@7"]));
    (name, parts).prop_map(|((repository, how), (flaws, gaps, feeds, user))| {
        let parts = [flaws, gaps, feeds, vec![user]].concat();
        (format!("r.example/{repository}{how}"), parts)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn every_image_passes_and_nothing_could_be_stricter(
        images in prop::collection::vec(image(), 1..8),
        local in prop::collection::vec(any::<bool>(), 5),
        list in any::<bool>(),
        spared in prop::option::of(0_usize..4),
    ) {
        let sights: Vec<Sight> = images
            .iter()
            .map(|(image, parts)| {
                let mut parts = parts.clone();
                let which = image.as_bytes()["r.example/".len()] - b'0';
                // Some repositories are of nodes; the same ones for all their images.
                parts.extend((local[usize::from(which)] && which > 3).then_some(Local));
                parts.extend((!list).then_some(NoList));
                sight(image, &parts)
            })
            .collect();
        // That every image passes is proven within.
        let (seen, made) = suggested(spared, sights);
        prop_assert_eq!(&seen.missing, &Vec::new());
        let (text, made) = made.map_err(TestCaseError::fail)?;
        for sight in &seen.sights {
            prop_assert!(sight.refused(&made.policy).is_none(), "{}\n{}", sight.image, text);
        }
        // Spared are as many as may be: one severity lower, more would need exceptions. (What is
        // exploited needs one in any case.)
        if let (Some(spared), Some(lower), false) = (spared, below(made.bar.highest), list) {
            let (highest_severity, exceptions) = (Some(lower), Vec::new());
            let lower = Policy { highest_severity, exceptions, ..made.policy.clone() };
            let stopped = seen.sights.iter().filter(|s| {
                let denial = s.refused(&lower).unwrap_or_default();
                let rules = denial.refused.iter().flat_map(|(_, all)| all).map(|r| r.rule());
                rules.into_iter().any(|rule| rule == "highest_severity" || rule == FIX_AVAILABLE)
            });
            let stopped: std::collections::BTreeSet<String> =
                stopped.map(Sight::repository).collect();
            prop_assert!(stopped.len() > spared && made.excepted.len() <= spared, "{}", text);
        }
        for (step, policy) in stricter(&made.policy) {
            let refuses = seen.sights.iter().any(|s| s.refused(&policy).is_some());
            prop_assert!(refuses, "{} refuses none\n{}", step, text);
        }
    }
}
