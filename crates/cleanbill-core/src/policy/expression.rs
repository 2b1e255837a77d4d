//! What a rule says in CEL: an expression over what was asked and found, which refuses when it is
//! true. It refuses as well when it has no value, be it that a fact was not told or that it costs
//! too much: neither is an answer.

use std::cell::OnceCell;
use std::fmt;
use std::sync::{Arc, LazyLock};

use cleanbill_cel::{Cost, Environment, Field, Key, Mistake, Program, Stopped, Type, Value};
use serde::{Deserialize, Serialize};

use super::condition::Against;
use crate::finding::{Finding, Status};
use crate::gap::Gap;
use crate::image::RunsAs;
use crate::matching::stale_feed;
use crate::package::Package;
use crate::severity::Severity;

/// What the pod's author chooses: no expression may become false by it.
pub const AUTHORS: [&str; 3] = ["request.labels", "request.annotations", "request.service_account"];

/// What one evaluation may cost: enough for a few passes over thousands of packages.
const COST: Cost = Cost(5_000_000);

/// An expression that was checked.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Expression(Arc<Program>);

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// All mistakes with their places in the source; among them every place where the pod's
    /// author could make it false by what he writes.
    pub fn new(source: &str) -> Result<Self, Vec<Mistake>> {
        let program = Program::compile(source, environment(), &Type::Bool)?;
        let loose = program.loosens_on(&AUTHORS);
        if loose.is_empty() { Ok(Self(Arc::new(program))) } else { Err(loose) }
    }

    /// As it was written.
    pub fn source(&self) -> &str {
        self.0.source()
    }

    /// Whether it is false whatever is asked and found: also where nothing of that is known.
    pub(super) fn is_always_false(&self) -> bool {
        self.0.run(&|_| None, COST) == Ok(Value::Bool(false))
    }

    /// Why it refuses, if it does.
    pub(super) fn refuses(&self, against: &Against<'_>) -> Option<String> {
        let lookup = |name: &str| against.values.value(name, against);
        match self.0.run(&lookup, COST) {
            Ok(Value::Bool(false)) => None,
            Ok(_) => Some("its expression holds".to_owned()),
            Err(stopped @ (Stopped::CostExceeded { .. } | Stopped::Failed(_))) => {
                Some(format!("its expression has no value: {stopped}"))
            }
        }
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.source() == other.source()
    }
}

impl Eq for Expression {}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.source()).finish()
    }
}

impl From<Expression> for String {
    fn from(expression: Expression) -> Self {
        expression.source().to_owned()
    }
}

impl TryFrom<String> for Expression {
    type Error = String;

    fn try_from(source: String) -> Result<Self, Self::Error> {
        Self::new(&source).map_err(|mistakes| {
            let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
            lines.join("; ")
        })
    }
}

/// What an expression may speak of. `docs/policy.md` describes it.
pub fn environment() -> &'static Environment {
    static ENVIRONMENT: LazyLock<Environment> = LazyLock::new(|| {
        let text = || Field::always(Type::String);
        let texts = || Type::list(Type::String);
        let map = || Type::map(Type::String, Type::String);
        Environment::new()
            .variable("image", Type::Record("image"))
            .variable("request", Type::Record("request"))
            .variable("platform", Type::Record("platform"))
            .variable("config", Type::Record("config"))
            .variable("distribution", Type::Record("distribution"))
            .variable("findings", Type::list(Type::Record("finding")))
            .variable("packages", Type::list(Type::Record("package")))
            .variable("gaps", Type::list(Type::Record("gap")))
            .variable("now", Type::Timestamp)
            .record(
                "image",
                [
                    ("name", text()),
                    ("registry", text()),
                    ("repository", text()),
                    ("tag", Field::maybe(Type::String)),
                    ("digest", text()),
                    ("pinned", Field::always(Type::Bool)),
                ],
            )
            .record(
                "request",
                [
                    ("namespace", text()),
                    ("annotations", Field::always(map())),
                    // These four are told by `AdmissionReview` only. Otherwise they are absent,
                    // so that what needs them has no value and refuses.
                    ("user", Field::maybe(Type::String)),
                    ("groups", Field::maybe(texts())),
                    // The author cannot leave these out: declared so, they need no guard.
                    ("service_account", text()),
                    ("labels", Field::always(map())),
                ],
            )
            .record(
                "platform",
                [
                    ("os", Field::maybe(Type::String)),
                    ("arch", Field::maybe(Type::String)),
                    ("variant", Field::maybe(Type::String)),
                ],
            )
            .record(
                "config",
                [
                    ("user", text()),
                    ("runs_as_root", Field::maybe(Type::Bool)),
                    ("created", Field::maybe(Type::Timestamp)),
                ],
            )
            .record(
                "distribution",
                [("id", Field::maybe(Type::String)), ("version", Field::maybe(Type::String))],
            )
            .record(
                "package",
                [
                    ("name", text()),
                    ("version", text()),
                    ("kind", text()),
                    ("purl", text()),
                    ("source", text()),
                ],
            )
            .record(
                "finding",
                [
                    ("id", text()),
                    ("aliases", Field::always(texts())),
                    ("severity", text()),
                    ("severity_rank", Field::always(Type::Int)),
                    ("fixable", Field::always(Type::Bool)),
                    ("fixed_versions", Field::always(texts())),
                    ("known_exploited", Field::maybe(Type::Bool)),
                    ("epss", Field::maybe(Type::Double)),
                    ("epss_percentile", Field::maybe(Type::Double)),
                    ("published", Field::maybe(Type::Timestamp)),
                    ("cvss", Field::maybe(Type::String)),
                    ("package", Field::always(Type::Record("package"))),
                ],
            )
            .record("gap", [("kind", text()), ("subject", text()), ("detail", text())])
    });
    &ENVIRONMENT
}

/// The values of one image's one platform, which all rules share.
#[derive(Default)]
pub(crate) struct Values {
    findings: OnceCell<Value>,
    packages: OnceCell<Value>,
    gaps: OnceCell<Value>,
}

impl Values {
    fn value(&self, name: &str, against: &Against<'_>) -> Option<Value> {
        Some(match name {
            "image" => image(against),
            "request" => request(against),
            "platform" => platform(against),
            "config" => config(against),
            "distribution" => distribution(against),
            "now" => Value::Timestamp(against.clock.now()),
            "findings" => {
                let make = || Value::list(against.findings.iter().map(|f| finding(f, against)));
                self.findings.get_or_init(make).clone()
            }
            "packages" => {
                let make = || Value::list(against.platform.packages.iter().map(package));
                self.packages.get_or_init(make).clone()
            }
            "gaps" => {
                let make = || Value::list(against.gaps.iter().map(|g| gap(g)));
                self.gaps.get_or_init(make).clone()
            }
            _ => return None,
        })
    }
}

/// A record of the fields that are there.
fn record<const N: usize>(name: &'static str, fields: [(&'static str, Option<Value>); N]) -> Value {
    Value::record(name, fields.into_iter().filter_map(|(field, value)| Some((field, value?))))
}

fn text(text: &str) -> Option<Value> {
    Some(Value::text(text))
}

fn texts(texts: &[String]) -> Value {
    Value::list(texts.iter().map(|t| Value::text(t)))
}

fn map<'a>(entries: impl Iterator<Item = (&'a String, &'a String)>) -> Value {
    Value::map(entries.map(|(key, value)| (Key::String(key.as_str().into()), Value::text(value))))
}

fn image(against: &Against<'_>) -> Value {
    let image = against.image;
    let fields = [
        // In one spelling, as rules compare them.
        ("name", text(&format!("{}/{}", image.host(), image.repository()))),
        ("registry", text(&image.host())),
        ("repository", text(image.repository())),
        ("tag", image.tag().and_then(text)),
        ("digest", text(&against.platform.digest.to_string())),
        ("pinned", Some(Value::Bool(image.digest().is_some()))),
    ];
    record("image", fields)
}

fn request(against: &Against<'_>) -> Value {
    let (asked, pod) = (against.asked, against.asked.pod.as_ref());
    let fields = [
        ("namespace", text(&asked.namespace)),
        ("annotations", Some(map(asked.annotations.iter()))),
        ("user", pod.and_then(|p| text(&p.user))),
        ("groups", pod.map(|p| texts(&p.groups))),
        ("service_account", pod.and_then(|p| text(&p.service_account))),
        ("labels", pod.map(|p| map(p.labels.iter()))),
    ];
    record("request", fields)
}

fn platform(against: &Against<'_>) -> Value {
    let platform = against.platform.platform.as_ref();
    let fields = [
        ("os", platform.and_then(|p| text(&p.os))),
        ("arch", platform.and_then(|p| text(&p.architecture))),
        ("variant", platform.and_then(|p| p.variant.as_deref()).and_then(text)),
    ];
    record("platform", fields)
}

fn config(against: &Against<'_>) -> Value {
    let config = &against.platform.config;
    let root = match config.runs_as_root {
        RunsAs::Root => Some(Value::Bool(true)),
        RunsAs::NotRoot(_) => Some(Value::Bool(false)),
        RunsAs::Unknown(_) => None,
    };
    let fields = [
        ("user", text(config.user.as_deref().unwrap_or_default())),
        ("runs_as_root", root),
        ("created", config.created.map(Value::Timestamp)),
    ];
    record("config", fields)
}

fn distribution(against: &Against<'_>) -> Value {
    let distribution = against.platform.distribution.as_ref();
    let fields = [
        ("id", distribution.and_then(|d| text(&d.id))),
        ("version", distribution.and_then(|d| text(&d.version))),
    ];
    record("distribution", fields)
}

fn finding(finding: &Finding, against: &Against<'_>) -> Value {
    let severity = against.policy.counts_as(finding);
    let (word, rank) = match severity {
        Severity::Unknown => ("unknown", 0),
        Severity::Low => ("low", 1),
        Severity::Medium => ("medium", 2),
        Severity::High => ("high", 3),
        Severity::Critical => ("critical", 4),
    };
    let (day, most) = (against.clock.today(), against.policy.max_feed_age_days);
    let fresh = |feed| stale_feed(feed, day, most).is_none();
    // Without a list of exploited flaws of these days nobody knows that one is not.
    let listed = against.snapshot.known_exploited.as_ref().is_some_and(fresh);
    let told = finding.known_exploited || listed;
    // Nor of a score that is too old how likely a flaw is today.
    let score = finding.epss.filter(|_| against.snapshot.epss.as_ref().is_some_and(fresh));
    let share = |hundred_thousandths: u32| Value::Double(f64::from(hundred_thousandths) / 1e5);
    let fields = [
        ("id", text(&finding.id)),
        ("aliases", Some(texts(&finding.aliases))),
        ("severity", text(word)),
        ("severity_rank", Some(Value::Int(rank))),
        ("fixable", Some(Value::Bool(finding.status == Status::Fixed))),
        ("fixed_versions", Some(texts(&finding.fixed_versions))),
        ("known_exploited", told.then_some(Value::Bool(finding.known_exploited))),
        ("epss", score.map(|s| share(s.probability))),
        ("epss_percentile", score.map(|s| share(s.percentile))),
        ("published", finding.published.map(Value::Timestamp)),
        ("cvss", finding.cvss.as_deref().and_then(text)),
        ("package", Some(package(&finding.package))),
    ];
    record("finding", fields)
}

fn package(package: &Package) -> Value {
    let fields = [
        ("name", text(&package.name)),
        ("version", text(&package.version)),
        ("kind", text(package.kind.as_str())),
        ("purl", text(&package.purl)),
        ("source", text(package.source_name())),
    ];
    record("package", fields)
}

fn gap(gap: &Gap) -> Value {
    let fields = [
        ("kind", text(gap.kind.as_str())),
        ("subject", text(&gap.subject)),
        ("detail", text(&gap.detail)),
    ];
    record("gap", fields)
}
