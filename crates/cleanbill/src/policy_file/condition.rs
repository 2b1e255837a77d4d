//! The keys of what a rule refuses.

use cleanbill_core::glob::Glob;
use cleanbill_core::package::PackageKind;
use cleanbill_core::policy::{Condition, FlawFilter, PackageFilter, VersionRange};
use cleanbill_core::version::Version;

use super::node::{Node, Placed};
use super::read::{Reader, shown};

/// Every key under `refuse`.
pub(crate) const REFUSE_KEYS: [&str; 8] =
    ["always", "flaws", "packages", "runs_as_root", "older_than", "end_of_life", "gaps", "cel"];

/// Every key under `flaws`.
pub(crate) const FLAW_KEYS: [&str; 10] = [
    "severity",
    "fixable",
    "fix_older_than",
    "kev",
    "epss",
    "epss_percentile",
    "cvss",
    "packages",
    "ids",
    "count",
];

/// Every key of a package that is more than a name.
pub(crate) const PACKAGE_KEYS: [&str; 3] = ["name", "kind", "versions"];

/// The kinds of packages, each with its word.
pub(crate) fn kinds() -> [(&'static str, PackageKind); PackageKind::ALL.len()] {
    PackageKind::ALL.map(|kind| (kind.as_str(), kind))
}

/// The base metrics of CVSS 2, 3 and 4 with all values that one of them knows
/// (<https://www.first.org/cvss/>).
const METRICS: [(&str, &str); 16] = [
    ("AV", "N A L P"),
    ("AC", "L M H"),
    ("AT", "N P"),
    ("Au", "M S N"),
    ("PR", "N L H"),
    ("UI", "N R P A"),
    ("S", "U C"),
    ("C", "H L N P C"),
    ("I", "H L N P C"),
    ("A", "H L N P C"),
    ("VC", "H L N"),
    ("VI", "H L N"),
    ("VA", "H L N"),
    ("SC", "H L N"),
    ("SI", "H L N S"),
    ("SA", "H L N S"),
];

/// The most bounds on one package's version.
const MAX_BOUNDS: usize = 8;

impl Reader<'_> {
    /// Reads what stands under `refuse`: every part that is given has to hold.
    pub(super) fn condition(&mut self, node: &Placed) -> Condition {
        let mut condition = Condition::default();
        let entries = self.entries(node, "\"refuse\"", &REFUSE_KEYS);
        if matches!(&node.value, Node::Map(map) if map.is_empty()) {
            let hint = "say what it refuses; always: true refuses everything in its scope";
            self.problem(node.referenced, "\"refuse\" is empty".into(), hint);
        }
        for (key, value) in entries {
            match key {
                "always" => condition.always = self.only_true(key, value),
                "flaws" => condition.flaws = Some(self.flaws(value)),
                "packages" => {
                    let list = self.some(key, value);
                    condition.packages = list.iter().filter_map(|e| self.package(e)).collect();
                }
                "runs_as_root" => condition.runs_as_root = self.only_true(key, value),
                "older_than" => condition.older_than_days = self.days(key, value),
                "end_of_life" => condition.end_of_life = self.only_true(key, value),
                "cel" => condition.expression = self.expression(key, value),
                // `entries` gives none but the known keys.
                _ => {
                    let list = self.some(key, value);
                    condition.gaps = list.iter().filter_map(|e| self.gap_kind(key, e)).collect();
                }
            }
        }
        condition
    }

    fn flaws(&mut self, node: &Placed) -> FlawFilter {
        let mut filter = FlawFilter::default();
        for (key, value) in self.entries(node, "\"flaws\"", &FLAW_KEYS) {
            match key {
                "severity" => filter.at_least = self.rated(key, value),
                "fixable" => filter.fixable = Some(self.boolean(key, value)),
                "fix_older_than" => filter.fix_older_than_days = self.days(key, value),
                "kev" => filter.known_exploited = self.only_true(key, value),
                "epss" => filter.epss = self.share(key, value),
                "epss_percentile" => filter.epss_percentile = self.share(key, value),
                "cvss" => filter.cvss = self.cvss(key, value),
                "packages" => filter.packages = self.globs(key, value),
                "ids" => {
                    let list = self.some(key, value);
                    filter.ids = list.iter().filter_map(|id| self.flaw_id(key, id)).collect();
                }
                _ => filter.count = self.count(key, value),
            }
        }
        if filter.fixable == Some(false) && filter.fix_older_than_days.is_some() {
            let message = "\"fixable: false\" and \"fix_older_than\" hold for no flaw".to_owned();
            self.problem(node.referenced, message, "remove one of them");
        }
        filter
    }

    fn count(&mut self, key: &str, node: &Placed) -> usize {
        let number = match &node.value {
            Node::Number(number) => number.parse().ok().filter(|n| (1..=100_000).contains(n)),
            Node::Null | Node::Bool(_) | Node::Text(_) | Node::List(_) | Node::Map(_) => None,
        };
        if number.is_none() {
            let message = format!("\"{key}\" is no number within bounds");
            self.problem(node.referenced, message, "from 1 to 100000: so many flaws, or more");
        }
        number.unwrap_or_default()
    }

    /// A share of one in hundred-thousandths: as EPSS is published, and exact.
    pub(crate) fn share(&mut self, key: &str, node: &Placed) -> Option<u32> {
        let share = match &node.value {
            Node::Number(number) => hundred_thousandths(number),
            Node::Null | Node::Bool(_) | Node::Text(_) | Node::List(_) | Node::Map(_) => None,
        };
        if share.is_none() {
            let message = format!("\"{key}\" is no share of one");
            let hint = "from 0.00001 to 1, with at most five decimals: 0.1 is 10 %";
            self.problem(node.referenced, message, hint);
        }
        share
    }

    /// Metrics with one value or several.
    fn cvss(&mut self, key: &str, node: &Placed) -> Vec<(String, Vec<String>)> {
        let mut metrics = Vec::new();
        let known: Vec<&'static str> = METRICS.iter().map(|(name, _)| *name).collect();
        let entries = self.entries(node, &format!("\"{key}\""), &known);
        if matches!(&node.value, Node::Map(map) if map.is_empty()) {
            let hint = "name a metric, such as AV: N, or remove the key";
            self.problem(node.referenced, format!("\"{key}\" is empty"), hint);
        }
        for (metric, value) in entries {
            let list = match &value.value {
                Node::List(_) => self.some(metric, value),
                Node::Null | Node::Bool(_) | Node::Number(_) | Node::Text(_) | Node::Map(_) => {
                    std::slice::from_ref(value)
                }
            };
            let values = METRICS.iter().find(|(name, _)| *name == metric).map_or("", |(_, v)| *v);
            let mut wanted = Vec::new();
            for entry in list {
                let Some(text) = self.text(metric, entry) else { continue };
                if values.split(' ').any(|v| v == text) {
                    wanted.push(text);
                    continue;
                }
                let message = format!("\"{}\" is no value of {metric}", shown(&text));
                let hint = format!("one of {}", values.replace(' ', ", "));
                self.problem(entry.referenced, message, hint);
            }
            metrics.push((metric.to_owned(), wanted));
        }
        metrics
    }

    /// A name, or a mapping with kind and versions.
    fn package(&mut self, node: &Placed) -> Option<PackageFilter> {
        if !matches!(node.value, Node::Map(_)) {
            let name = Glob::new(self.text("packages", node)?);
            return Some(PackageFilter { name, kind: None, versions: Vec::new() });
        }
        let (mut name, mut kind, mut versions) = (None, None, None);
        let entries = self.entries(node, "a package", &PACKAGE_KEYS);
        self.demand("the package", node, &entries, &["name"], "say which, such as name: xz-utils");
        for (key, value) in entries {
            match key {
                "name" => name = self.text(key, value).map(Glob::new),
                "kind" => kind = self.word(key, value, &kinds()),
                _ => versions = Some((key, value)),
            }
        }
        let versions = match versions {
            Some((key, value)) => self.versions(key, value, kind),
            None => Vec::new(),
        };
        Some(PackageFilter { name: name?, kind, versions })
    }

    /// Bounds on a version: `>=5.6.0, <5.6.2`.
    fn versions(
        &mut self,
        key: &str,
        node: &Placed,
        kind: Option<PackageKind>,
    ) -> Vec<VersionRange> {
        let Some(text) = self.text(key, node) else { return Vec::new() };
        let mut ranges = Vec::new();
        for bound in text.split(',').map(str::trim) {
            let Some(range) = range(bound) else {
                let message = format!("\"{}\" is no bound on a version", shown(bound));
                let hint = "write <, <=, =, >= or > and a version, such as \">=5.6.0, <5.6.2\"";
                self.problem(node.referenced, message, hint);
                continue;
            };
            let version = range.bound();
            let readable = |kind: PackageKind| Version::parse(kind.scheme(), version).is_ok();
            let (reads, whose) = match kind {
                Some(kind) => (readable(kind), "packages of this kind"),
                None => (PackageKind::ALL.into_iter().any(readable), "any kind of package"),
            };
            if !reads {
                let message = format!("\"{}\" is no version of {whose}", shown(version));
                self.problem(node.referenced, message, "write it as the package's own tool does");
            }
            ranges.push(range);
        }
        if ranges.len() > MAX_BOUNDS {
            let message = format!("\"{key}\" has {} bounds", ranges.len());
            self.problem(node.referenced, message, format!("at most {MAX_BOUNDS}"));
        }
        ranges
    }
}

/// `0.1`, `1`, `1e-5`: as Rust writes a number that YAML has.
fn hundred_thousandths(number: &str) -> Option<u32> {
    let number: f64 = number.parse().ok().filter(|n| (0.000_01..=1.0).contains(n))?;
    let parts = (number * 1e5).round();
    // What is near a whole number of parts was written with at most five decimals.
    let exact = (number * 1e5 - parts).abs() < 1e-6;
    (1..=100_000_u32).contains(&(parts as u32)).then_some(parts as u32).filter(|_| exact)
}

fn range(bound: &str) -> Option<VersionRange> {
    let sign = ["<=", ">=", "==", "<", ">", "="].into_iter().find(|s| bound.starts_with(s))?;
    let version = bound.strip_prefix(sign)?.trim().to_owned();
    if version.is_empty() {
        return None;
    }
    Some(match sign {
        "<=" => VersionRange::UpTo(version),
        ">=" => VersionRange::From(version),
        "<" => VersionRange::Below(version),
        ">" => VersionRange::Above(version),
        _ => VersionRange::Exactly(version),
    })
}
