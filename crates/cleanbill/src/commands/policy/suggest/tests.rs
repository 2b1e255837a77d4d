//! Images and what is suggested from them, as people read it; and for any images: each passes, and
//! nothing could be one step stricter.

use std::sync::Arc;

use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use cleanbill_core::ecosystem::{Ecosystem, Stream};
use cleanbill_core::evidence::{
    Evidence, FeedUse, ImageFacts, PlatformEvidence, RunsAs, SnapshotId,
};
use cleanbill_core::finding::{Diagnosis, Finding, Status, Why};
use cleanbill_core::gap::{Gap, GapKind};
use cleanbill_core::package::{Package, PackageKind};
use cleanbill_core::policy::{Condition, FlawFilter, NamePattern, Policy, Rule, Scope};
use cleanbill_core::severity::Severity::{self, Critical, High, Low, Medium, Unknown};
use cleanbill_core::verdict::{Outcome, Registered};
use proptest::prelude::*;

use super::made::{FIX_AVAILABLE, Made, NOT_ROOT, Wishes, make, prove};
use super::rest::AGES;
use super::seen::Sight;
use super::{Basis, NO_OWNER, NotExamined, Seen, suggestion};

const DIGEST: Digest = Digest::Sha256([7; 32]);

/// Something about an image.
#[derive(Clone, Debug)]
enum Part {
    /// Id, severity, the version with a fix, whether it is known to be exploited.
    Flaw(&'static str, Severity, Option<&'static str>, bool),
    Gap(GapKind, &'static str),
    User(RunsAs),
    /// A feed, and its age in days.
    Feed(&'static str, Option<i64>),
    /// The advisories have no list of exploited flaws.
    NoList,
    /// No registry has it.
    Local,
    /// No registry has it, and nobody looked into it.
    Unexamined,
    /// What was found is about nothing.
    Nothing,
}

use Part::*;

fn now() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

fn day(ago: i64) -> Timestamp {
    now() - jiff::SignedDuration::from_hours(24 * ago)
}

/// An image that runs as 1000 and has nothing wrong but these parts.
fn sight(image: &str, parts: &[Part]) -> Sight {
    let image = image.replace("@7", &format!("@{DIGEST}"));
    let list = FeedUse { feed: "kev".into(), as_of: Some(day(1)) };
    let mut platform = PlatformEvidence {
        platform: None,
        digest: DIGEST,
        distribution: None,
        config: ImageFacts { runs_as_root: RunsAs::NotRoot(1000), ..ImageFacts::default() },
        packages: Vec::new(),
        findings: Vec::new(),
        gaps: Vec::new(),
        feeds: vec![FeedUse { feed: "osv:Debian".into(), as_of: Some(day(1)) }],
    };
    let (mut known_exploited, mut local, mut empty, mut examined) =
        (Some(list), false, false, true);
    for part in parts {
        match part.clone() {
            Flaw(id, severity, fix, exploited) => {
                platform.findings.push(flaw(id, severity, fix, exploited));
            }
            Gap(kind, subject) => platform.gaps.push(self::Gap::new(kind, subject, "so")),
            User(user) => platform.config.runs_as_root = user,
            Feed(feed, age) => {
                platform.feeds.push(FeedUse { feed: feed.into(), as_of: age.map(day) });
            }
            NoList => known_exploited = None,
            Local => local = true,
            Unexamined => (local, examined) = (true, false),
            Nothing => empty = true,
        }
    }
    let evidence = Arc::new(Evidence {
        reference: image.parse().unwrap(),
        resolved: DIGEST,
        platforms: if empty { Vec::new() } else { vec![platform] },
        gaps: Vec::new(),
        snapshot: SnapshotId { digest: DIGEST, starter: false, known_exploited, epss: None },
    });
    let outcome = if local {
        let evidence = examined.then_some(evidence);
        Outcome::Registered(vec![Registered { digest: DIGEST, node: "n1".into(), evidence }])
    } else {
        Outcome::Examined(evidence)
    };
    Sight::new(image.clone(), image.parse().unwrap(), outcome, now())
}

fn flaw(id: &str, severity: Severity, fix: Option<&str>, known_exploited: bool) -> Finding {
    let name = format!("lib{}", id.to_ascii_lowercase());
    Finding::new(
        Package {
            kind: PackageKind::Deb,
            name: name.clone(),
            version: "1-1".into(),
            source: None,
            arch: None,
            vendor: None,
            module: None,
            repository: None,
            purl: String::new(),
            layer: None,
            evidence: "var/lib/dpkg/status".into(),
            owner: None,
            changed_from: None,
        },
        Diagnosis {
            id: id.into(),
            aliases: Vec::new(),
            errata: Vec::new(),
            severity,
            cvss: None,
            status: if fix.is_some() { Status::Fixed } else { Status::Affected },
            fixed_versions: fix.iter().map(ToString::to_string).collect(),
            known_exploited,
            rated_by: String::new(),
            ratings: Vec::new(),
            epss: None,
            published: None,
            modified: None,
            why: Why {
                feed: "osv:Debian".into(),
                stream: Stream::release(Ecosystem::Debian, "12"),
                looked_up: name,
                compared: "1-1".into(),
                range: "every version".into(),
            },
        },
    )
}

fn wishes(spared: Option<usize>) -> Wishes {
    Wishes { spared, owner: NO_OWNER.into(), expires: "2026-07-01".parse().unwrap() }
}

fn suggested(spared: Option<usize>, sights: Vec<Sight>) -> (Seen, Result<(String, Made), String>) {
    let basis = Basis { source: "the images of a test".into(), kept_elsewhere: Vec::new() };
    let mut seen = Seen { sights, basis, ..Seen::default() };
    seen.settle();
    let made = suggestion(&seen, &wishes(spared), "2026-06-01".parse().unwrap());
    (seen, made.map_err(|e| e.to_string()))
}

/// A name, how many repositories may need exceptions, and the images with what is in them.
type Row = (&'static str, Option<usize>, Vec<(&'static str, Vec<Part>)>);

fn table() -> Vec<Row> {
    let debian = |id| Flaw(id, Medium, None, false);
    vec![
        ("nothing is wrong", None, vec![("r.example/a@7", vec![]), ("r.example/b:1@7", vec![])]),
        (
            "one image, and so no exception",
            None,
            vec![("nginx:1.27", vec![debian("CVE-1"), Flaw("CVE-2", High, Some("2"), false)])],
        ),
        (
            "one is worse than the rest",
            None,
            vec![
                ("r.example/a@7", vec![debian("CVE-1")]),
                ("r.example/b@7", vec![debian("CVE-1"), Flaw("CVE-2", Low, Some("1-2"), false)]),
                (
                    "r.example/old@7",
                    vec![
                        debian("CVE-1"),
                        Flaw("CVE-3", Critical, Some("1-9"), false),
                        Flaw("CVE-4", Unknown, None, false),
                        self::Gap(GapKind::EndOfLife, "debian 10"),
                        User(RunsAs::Root),
                    ],
                ),
            ],
        ),
        (
            "the same and no exceptions wanted",
            Some(0),
            vec![
                ("r.example/a@7", vec![debian("CVE-1")]),
                ("r.example/old@7", vec![Flaw("CVE-3", Critical, Some("1-9"), false)]),
            ],
        ),
        (
            "everybody has what nobody rated, and what is exploited has an exception",
            Some(0),
            vec![
                ("a@7", vec![Flaw("CVE-5", Unknown, None, false), Flaw("CVE-6", Low, None, true)]),
                ("b@7", vec![Flaw("CVE-5", Unknown, None, false), Flaw("CVE-7", Low, None, false)]),
            ],
        ),
        (
            "images of nodes, by registrations",
            None,
            vec![
                ("morc-api:0.1", vec![Local]),
                ("morc-web:0.1", vec![Unexamined]),
                ("r.example/a:1", vec![Feed("osv:Go", Some(40)), Feed("eol", None)]),
                (
                    "r.example/b@7",
                    vec![NoList, debian("CVE-1"), User(RunsAs::Unknown("so".into()))],
                ),
                ("r.example/gone@7", vec![Nothing]),
            ],
        ),
        ("only images of nodes", None, vec![("morc-api:0.1", vec![Local, User(RunsAs::Root)])]),
        ("nothing was examined", None, vec![("r.example/gone@7", vec![Nothing])]),
        (
            "names that images choose",
            None,
            vec![(
                "r.example/a@7",
                vec![
                    self::Gap(GapKind::UnknownDistribution, "evil: \"*\" # \u{202e}"),
                    self::Gap(GapKind::EndOfLife, "x\": {y: [z], true"),
                ],
            )],
        ),
    ]
}

#[test]
fn what_is_suggested_reads_as_it_should() {
    let mut texts = Vec::new();
    for (name, spared, images) in table() {
        let sights = images.iter().map(|(image, parts)| sight(image, parts)).collect();
        let (seen, made) = suggested(spared, sights);
        texts.push(format!("=== {name}"));
        texts.extend(super::left_out(&seen).into_iter().map(|w| format!("! {w}")));
        match made {
            Ok((text, made)) => {
                texts.push(text);
                texts.extend(super::summary(&made).into_iter().map(|w| format!("! {w}")));
            }
            Err(why) => texts.push(format!("! {why}")),
        }
    }
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn what_an_image_does_not_pass_is_not_printed() {
    let sights = [sight("r.example/a@7", &[Flaw("CVE-1", High, None, false)])];
    let made = make(&sights, &wishes(Some(0)));
    let basis = Basis::default();
    let text = super::write::yaml(&made, &basis, &[], "2026-06-01".parse().unwrap());
    assert_eq!(prove(&text, &made, &sights).map_err(|e| e.to_string()), Ok(()));
    let worse = [sight("r.example/a@7", &[Flaw("CVE-2", Critical, None, false)])];
    let other = text.replace("highest_severity: high", "highest_severity: low");
    let broken = format!("{text}nonsense: 1\n");
    for (text, sights, why) in [
        (&text, &worse, "does not pass the suggested policy (highest_severity)"),
        (&other, &sights, "does not say what it means"),
        (&broken, &sights, "cannot be read: "),
    ] {
        let said = prove(text, &made, sights).unwrap_err().to_string();
        assert!(said.contains(why) && said.contains("mistake in cleanbill"), "{said}");
    }
}

#[test]
fn too_many_exceptions_are_told_with_what_to_do() {
    let ids: Vec<String> = (0..6000).map(|n| format!("CVE-2026-{n}")).collect();
    let mut bad = sight("r.example/bad@7", &[]);
    if let Outcome::Examined(evidence) = &mut bad.outcome {
        let findings = &mut Arc::make_mut(evidence).platforms[0].findings;
        findings.extend(ids.iter().map(|id| flaw(id, Critical, None, false)));
    }
    let (_, made) = suggested(None, vec![sight("r.example/a@7", &[]), bad]);
    let said = made.unwrap_err();
    assert!(
        said.contains("6000 exceptions do not fit") && said.contains("--exceptions 0"),
        "{said}"
    );
}

#[test]
fn what_was_not_examined_is_named_in_the_policy_too() {
    let missing =
        vec![NotExamined { image: "lost\u{1b}:1".into(), why: "its registry is down".into() }];
    let seen = Seen { sights: vec![sight("a@7", &[])], missing, ..Seen::default() };
    let (text, _) = suggestion(&seen, &wishes(None), "2026-06-01".parse().unwrap()).unwrap();
    assert!(text.contains("# NOT COVERED"), "{text}");
    assert!(text.contains("# - lost\\u{1b}:1: its registry is down"), "{text}");
    assert!(super::left_out(&seen)[0].starts_with("not examined: lost"));
}

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
