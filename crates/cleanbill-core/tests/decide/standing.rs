//! What stands for the day: the judge would say the same at any time of it, and never where he
//! looked at the instant.

use std::sync::Arc;

use cleanbill_core::Timestamp;
use cleanbill_core::evidence::{Evidence, FeedUse};
use cleanbill_core::gap::GapKind;
use cleanbill_core::policy::{
    AcceptedGap, Action, Condition, Exception, Expression, FlawFilter, Policy, Rule, Scope,
};
use cleanbill_core::verdict::{Case, Earlier, Judgement, Outcome, Request, Verdict, decide};
use jiff::SignedDuration;
use proptest::prelude::*;
use proptest::sample::select;

use super::monotone::{asked, found, policy};
use super::passing::{asked as by, bad, glass, grant};
use super::support::{DIGEST, OTHER, QUESTION, evidence, now, pinned};
use super::{examined, shown};

const DAY: i64 = 86_400;

fn later(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

fn says(source: &str) -> Policy {
    let refuse =
        Condition { expression: Some(Expression::new(source).unwrap()), ..Condition::default() };
    let rule = Rule {
        name: "r".into(),
        scope: Scope::default(),
        refuse,
        action: Action::Enforce,
        message: None,
    };
    Policy { rules: vec![rule], ..Policy::default() }
}

#[test]
fn what_looked_at_the_instant_does_not_stand() {
    let image = pinned("a");
    let good = || examined(&image, evidence(&image, Vec::new(), Vec::new()));
    let plain = || Request::new(QUESTION, vec![image.clone()]);
    let earlier = Earlier {
        decision: "before".into(),
        at: later(-60),
        images: vec![(image.clone(), DIGEST)],
    };
    let user = |name: &str| by(name, "dev");
    let granted = || Request { asked: user("bob"), grants: vec![grant()], ..plain() };
    let admitted = || Request { earlier: Some(earlier.clone()), ..plain() };
    let keep = || Policy { keep_admitted: Some(600), ..Policy::default() };
    let accepts = |policy: Policy| Policy {
        accepted_gaps: vec![AcceptedGap::everywhere(GapKind::UnknownImageFact)],
        ..policy
    };
    let young = "now - timestamp('2020-01-01T00:00:00Z') < duration('1h')";
    let table: Vec<(&str, Case, Request, Policy, &str)> = vec![
        ("nothing against it", good(), plain(), Policy::default(), "allow, stands"),
        ("refused", bad(&image), plain(), Policy::default(), "deny highest_severity"),
        ("a token that lets it in", bad(&image), granted(), glass(), "allow"),
        ("a token that nobody needed", good(), granted(), glass(), "allow, stands"),
        (
            "a person",
            bad(&image),
            Request { asked: user("eve"), ..plain() },
            glass(),
            "allow, stands",
        ),
        ("an earlier admission", bad(&image), admitted(), keep(), "allow"),
        ("one that nobody needed", good(), admitted(), keep(), "allow, stands"),
        ("the time", good(), plain(), accepts(says(young)), "allow"),
        ("no time", good(), plain(), accepts(says("image.repository == 'x'")), "allow, stands"),
        (
            "a time that was not come to",
            good(),
            plain(),
            accepts(says(&format!("image.repository == 'x' && {young}"))),
            "allow, stands",
        ),
    ];
    for (what, case, request, policy, want) in table {
        let judgement = decide(&request, &[case], &policy, now());
        let stands = if judgement.stands.is_some() { ", stands" } else { "" };
        assert_eq!(format!("{}{stands}", shown(&judgement.verdict)), want, "{what}");
    }
}

#[test]
fn it_is_good_for_its_question_until_midnight() {
    let image = pinned("a");
    let case = examined(&image, evidence(&image, Vec::new(), Vec::new()));
    let judgement =
        decide(&Request::new(QUESTION, vec![image.clone()]), &[case], &Policy::default(), now());
    let stands = judgement.stands.unwrap();
    // It is noon.
    for (seconds, good) in [
        (0, true),
        (DAY / 2 - 1, true),
        (DAY / 2, false),
        (-DAY / 2, true),
        (-DAY / 2 - 1, false),
        (DAY, false),
    ] {
        let at = later(seconds);
        assert_eq!(stands.permit(at).is_some(), good, "{seconds}");
        let Some(permit) = stands.permit(at) else { continue };
        assert_eq!(permit.spend(&QUESTION, at).unwrap().images(), [(image.clone(), DIGEST)]);
        assert!(stands.permit(at).unwrap().spend(&OTHER, at).is_err());
    }
}

/// All that is told of a judgement, but for until when its permit is good.
fn told(judgement: &Judgement) -> String {
    let Judgement { verdict, noted, leaned, stands } = judgement;
    let verdict = match verdict {
        Verdict::Allow(_) => "allow".to_owned(),
        Verdict::Deny(denial) | Verdict::Undecided(denial) => format!("{denial:?}"),
    };
    format!("{verdict} {noted:?} {leaned:?} {}", stands.is_some())
}

/// A policy much of which hangs on the time.
fn timely() -> impl Strategy<Value = Policy> {
    let day = select(&["2026-08-28", "2026-08-29", "2026-08-30", "2026-08-31"][..]);
    let said = select(
        &[
            "now > timestamp('2026-08-30T09:00:00Z')",
            "findings.exists(f, f.known_exploited)",
            "config.runs_as_root",
            "findings.exists(f, now - f.published > duration('48h'))",
        ][..],
    );
    let rule = (proptest::option::of(said), 0..4_u32, 0..4_u32, any::<bool>());
    (policy(), day, 0..4_u32, proptest::option::of(rule)).prop_map(|(policy, day, feeds, rule)| {
        let mut policy = Policy { max_feed_age_days: feeds, ..policy };
        policy.exceptions.push(Exception {
            id: "CVE-1".into(),
            package: None,
            reason: "r".into(),
            owner: "o".into(),
            expires: day.parse().unwrap(),
            scope: Scope::default(),
        });
        if let Some((said, old, fixed, flaws)) = rule {
            let flaws = flaws
                .then(|| FlawFilter { fix_older_than_days: Some(fixed), ..FlawFilter::default() });
            let mut rule = says(said.unwrap_or("true")).rules.remove(0);
            (rule.refuse.older_than_days, rule.refuse.flaws) = (Some(old), flaws);
            if said.is_none() {
                rule.refuse.expression = None;
            }
            policy.rules.push(rule);
        }
        policy
    })
}

/// Evidence whose dates are of these days.
fn dated() -> impl Strategy<Value = Evidence> {
    let hours = || -96..48_i64;
    (found(), hours(), hours(), hours()).prop_map(|(mut evidence, built, feed, published)| {
        let at = |hours: i64| Some(later(hours * 3600));
        let used = FeedUse { feed: "osv:Debian".into(), as_of: at(feed) };
        evidence.snapshot.known_exploited = Some(used.clone());
        for platform in &mut evidence.platforms {
            platform.config.created = at(built);
            platform.feeds = vec![used.clone()];
            platform.findings.iter_mut().for_each(|f| f.published = at(published));
        }
        evidence
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn what_stands_is_said_at_any_time_of_the_day(
        policy in timely(), evidence in dated(), asked in asked(), then in -DAY..DAY,
        other in -DAY..DAY,
    ) {
        let image = pinned("a");
        let request = Request { asked, ..Request::new(QUESTION, vec![image.clone()]) };
        let case = [Case::new(image, Outcome::Examined(Arc::new(evidence)))];
        let judged = |seconds| decide(&request, &case, &policy, later(seconds));
        let (first, second) = (judged(then), judged(other));
        if first.stands.as_ref().is_some_and(|s| s.permit(later(other)).is_some()) {
            prop_assert_eq!(told(&first), told(&second));
        }
    }
}
