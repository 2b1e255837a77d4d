//! Made-up policies, images and questions: of what every interface tells, so without labels, users
//! and service accounts.

use std::collections::BTreeMap;

use cleanbill_core::digest::Digest;
use cleanbill_core::evidence::RunsAs;
use cleanbill_core::gap::GapKind;
use cleanbill_core::glob::Glob;
use cleanbill_core::policy::{
    AcceptedGap, Action, Condition, Exception, Expression, FlawFilter, NamePattern, PackageFilter,
    Policy, Rule, Scope,
};
use cleanbill_core::severity::Severity;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::ask;
use crate::rig;
use crate::row::Row;

pub const REPOSITORIES: [&str; 4] =
    ["registry.example/a", "registry.example/b", "quay.example/team/c", "docker.io/library/own"];
/// How an image is named, the usual more often.
const HOW: [&str; 12] = ["@", "@", "@", ":1", ":1", ":1", ":2", "", "", ":1@", ":1@", "bad"];
const NAMESPACES: [&str; 3] = ["prod", "dev-1", "qa"];
const KINDS: [GapKind; 5] = [
    GapKind::EndOfLife,
    GapKind::StaleFeed,
    GapKind::UnreadableDatabase,
    GapKind::UnknownImageFact,
    GapKind::MutableReference,
];
/// Of what both interfaces tell.
const EXPRESSIONS: [&str; 8] = [
    "image.pinned",
    "image.registry == 'quay.example'",
    "request.namespace.startsWith('dev')",
    "'other/x' in request.annotations",
    "request.annotations.exists(k, k == 'image-policy.k8s.io/x')",
    "'a.image-policy.k8s.io/ticket' in request.annotations",
    "findings.exists(f, f.severity_rank > 2)",
    "config.runs_as_root",
];

/// What becomes of a repository's image.
#[derive(Clone, Debug)]
pub enum Fact {
    /// Its registry cannot be asked.
    Lost,
    /// It cannot be read.
    Broken,
    /// What is said about it is about something else.
    Swapped,
    Found(Found),
}

#[derive(Clone, Debug)]
pub struct Found {
    pub flaws: Vec<(&'static str, Severity, bool, bool)>,
    /// About the image as a whole, and about its platform.
    pub gaps: (Vec<GapKind>, Vec<GapKind>),
    pub root: RunsAs,
    pub dated: bool,
    pub fresh: bool,
    pub arm: bool,
}

#[derive(Clone, Debug)]
pub struct Question {
    pub images: Vec<String>,
    pub namespace: &'static str,
    pub annotations: BTreeMap<String, String>,
    /// Break-glass: the repositories that it is for.
    pub token: Option<Vec<&'static str>>,
    pub admitted: bool,
}

#[derive(Clone, Debug)]
pub struct Facts {
    pub by_repository: BTreeMap<&'static str, Fact>,
    pub registered: Vec<(Digest, bool)>,
}

fn globs(values: &'static [&'static str]) -> impl Strategy<Value = Vec<Glob>> {
    subsequence(values, 0..=1).prop_map(|all| all.into_iter().map(Glob::new).collect())
}

fn patterns() -> impl Strategy<Value = Vec<NamePattern>> {
    let all = vec!["registry.example/*", "registry.example/b", "quay.example/team/*"];
    let pattern = |text: &str| NamePattern::try_from(text.to_owned()).unwrap();
    subsequence(all, 0..=1).prop_map(move |all| all.into_iter().map(pattern).collect())
}

/// Of what both interfaces tell.
fn scope() -> impl Strategy<Value = Scope> {
    let platforms = subsequence(vec!["linux/amd64", "linux/arm64"], 0..=1);
    let registries = subsequence(vec!["quay.example", "registry.example"], 0..=1);
    let namespaces = (globs(&["prod", "dev*"]), globs(&["prod", "q*"]));
    (namespaces, patterns(), patterns(), registries, platforms).prop_map(
        |((namespaces, not_namespaces), repositories, not_repositories, registries, platforms)| {
            Scope {
                namespaces,
                not_namespaces,
                repositories,
                not_repositories,
                registries: registries.into_iter().map(str::to_owned).collect(),
                platforms: platforms.into_iter().map(|p| p.parse().unwrap()).collect(),
                ..Scope::default()
            }
        },
    )
}

fn condition() -> impl Strategy<Value = Condition> {
    let flaws = (select(&Severity::ALL[..]), any::<bool>(), 0..2_usize).prop_map(
        |(severity, known_exploited, count)| FlawFilter {
            at_least: Some(severity),
            known_exploited,
            count,
            ..FlawFilter::default()
        },
    );
    let name = |name| PackageFilter { name, kind: None, versions: Vec::new() };
    let packages =
        globs(&["lib*", "bash"]).prop_map(move |all| all.into_iter().map(name).collect());
    let facts = (any::<bool>(), proptest::option::of(1..90_u32), any::<bool>());
    // Not moving names, which are the one thing that the mutating webhook changes.
    let kinds = subsequence(KINDS[..4].to_vec(), 0..=2);
    let expression = proptest::option::of(select(&EXPRESSIONS[..]));
    let flaws = proptest::option::of(flaws);
    (0..8_u8, flaws, packages, facts, kinds, expression).prop_map(
        |(always, flaws, packages, (runs_as_root, older_than_days, end_of_life), gaps, source)| {
            // Each more of them makes it refuse more seldom.
            let lean = always % 2 == 0;
            Condition {
                always: always == 0 && lean,
                flaws,
                packages: if lean { Vec::new() } else { packages },
                runs_as_root: runs_as_root && !lean,
                older_than_days: older_than_days.filter(|_| lean),
                end_of_life: end_of_life && !lean,
                gaps: if lean { Vec::new() } else { gaps },
                expression: source.map(|source| Expression::new(source).unwrap()),
            }
        },
    )
}

/// Where a rule holds, and what it refuses: often one expression, everywhere.
fn rule() -> impl Strategy<Value = (Scope, Condition, Action)> {
    let alone = select(&EXPRESSIONS[..]).prop_map(|source| Condition {
        expression: Some(Expression::new(source).unwrap()),
        ..Condition::default()
    });
    let scope = prop_oneof![Just(Scope::default()), scope()];
    (scope, prop_oneof![alone, condition()], select(&Action::ALL[..]))
}

pub fn policy() -> impl Strategy<Value = Policy> {
    let exception = (scope(), select(&["CVE-1", "CVE-2"][..]), any::<bool>());
    let gap = (scope(), select(&KINDS[..]), proptest::option::of(select(&["x*", "no"][..])));
    let lists = (
        proptest::collection::vec(rule(), 0..3),
        proptest::collection::vec(exception, 0..2),
        proptest::collection::vec(gap, 0..4),
    );
    let keys = (
        proptest::option::weighted(0.4, select(&Severity::ALL[..])),
        any::<[bool; 4]>(),
        prop_oneof![3 => Just(Action::Enforce), 1 => select(&Action::ALL[..])],
        proptest::option::weighted(0.1, patterns()),
        proptest::bool::weighted(0.1),
    );
    (lists, keys).prop_map(|((rules, exceptions, gaps), keys)| {
        let (highest_severity, [only_fixable, all, keep, glass], action, allowed, digest) = keys;
        let named = |(n, (scope, refuse, action)): (usize, _)| Rule {
            name: format!("r{n}"),
            scope,
            refuse,
            action,
            message: None,
        };
        let everything = KINDS[..4].iter().filter(|_| all).copied();
        let accepted = gaps.into_iter().map(|(scope, kind, subject)| AcceptedGap {
            kind,
            subject: subject.map(Glob::new),
            scope,
        });
        let text = format!(
            "local_images: [own]\nalready_admitted: {}\n{}",
            if keep { "keep 12h" } else { "judge" },
            if glass { "break_glass: {keys: [{key}]}" } else { "" },
        );
        let row = Row { policy: text, ..row() };
        Policy {
            highest_severity,
            only_fixable,
            action,
            allowed,
            digest_required: digest,
            rules: rules.into_iter().enumerate().map(named).collect(),
            exceptions: exceptions
                .into_iter()
                .map(|(scope, id, bound)| Exception {
                    id: id.into(),
                    package: bound.then(|| "libssl".into()),
                    reason: "r".into(),
                    owner: "o".into(),
                    expires: "2026-12-31".parse().unwrap(),
                    scope,
                })
                .collect(),
            accepted_gaps: accepted.chain(everything.map(AcceptedGap::everywhere)).collect(),
            ..ask::policy(&row)
        }
    })
}

fn fact() -> impl Strategy<Value = Fact> {
    let ids = select(&["CVE-1", "CVE-2"][..]);
    let flaw = (ids, select(&Severity::ALL[..]), any::<bool>(), any::<bool>());
    let some = || subsequence(KINDS[..3].to_vec(), 1);
    let kinds = || prop_oneof![4 => Just(Vec::new()), 1 => some()];
    let found = (
        proptest::collection::vec(flaw, 0..3),
        (kinds(), kinds()),
        select(vec![RunsAs::Root, RunsAs::NotRoot(7), RunsAs::default()]),
        any::<[bool; 4]>(),
    )
        .prop_map(|(flaws, gaps, root, [dated, fresh, or_so, arm])| {
            Fact::Found(Found { flaws, gaps, root, dated, fresh: fresh || or_so, arm })
        });
    prop_oneof![
        1 => Just(Fact::Lost),
        1 => Just(Fact::Broken),
        1 => Just(Fact::Swapped),
        20 => found,
    ]
}

pub fn facts() -> impl Strategy<Value = Facts> {
    let each = REPOSITORIES.map(|name| fact().prop_map(move |fact| (name, fact)));
    let registered = proptest::collection::vec((select(vec![1_u8, 2]), any::<bool>()), 0..3);
    (each, registered).prop_map(|(all, registered)| Facts {
        by_repository: all.into_iter().collect(),
        registered: registered
            .into_iter()
            .map(|(n, examined)| (Digest::Sha256([n; 32]), examined))
            .collect(),
    })
}

pub fn question() -> impl Strategy<Value = Question> {
    let image =
        (select(&REPOSITORIES[..]), select(&HOW[..])).prop_map(|(repository, how)| match how {
            "bad" => format!("{repository}/UPPER"),
            how if how.ends_with('@') => format!("{repository}{how}{}", digest(repository)),
            how => format!("{repository}{how}"),
        });
    let keys = select(&["a.image-policy.k8s.io/ticket", "image-policy.k8s.io/x", "other/x"][..]);
    let annotations =
        proptest::collection::btree_map(keys.prop_map(String::from), "[a-z]{0,3}", 0..3);
    let token = proptest::option::of(subsequence(REPOSITORIES.to_vec(), 1..=4));
    let images = proptest::collection::vec(image, 1..3);
    (images, select(&NAMESPACES[..]), annotations, token, any::<bool>()).prop_map(
        |(images, namespace, annotations, token, admitted)| Question {
            images,
            namespace,
            annotations,
            token,
            admitted,
        },
    )
}

/// The digest of a repository's image, whatever its tag.
pub fn digest(repository: &str) -> Digest {
    rig::digest_of(repository)
}

/// A row that says nothing.
pub fn row() -> Row {
    serde_saphyr::from_str("row: made up\nwant: {outcome: allowed}\n").unwrap()
}
