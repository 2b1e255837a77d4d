//! A report of Trivy's schema 2 as a set of facts that can be compared.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

/// What a fact is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A package is installed.
    Package,
    /// A flaw is in a package.
    Finding,
}

/// One fact: a package (type, name, version), or a finding (the same and the flaw's id).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fact {
    /// What it is about.
    pub kind: Kind,
    /// The result's type (`alpine`, `debian`, `gobinary`, `python-pkg`, `node-pkg`).
    pub source: String,
    /// The package's name.
    pub name: String,
    /// Its version, with epoch and release.
    pub version: String,
    /// The flaw's id; empty for packages.
    pub id: String,
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} {}", self.source, self.name, self.version, self.id)
    }
}

/// All facts of a report.
pub fn read(report: &Value) -> BTreeSet<Fact> {
    let mut facts = BTreeSet::new();
    for result in list(report, "Results") {
        let source = text(result, "Type");
        for package in list(result, "Packages") {
            facts.insert(Fact {
                kind: Kind::Package,
                source: source.clone(),
                name: text(package, "Name"),
                version: full_version(package),
                id: String::new(),
            });
        }
        for flaw in list(result, "Vulnerabilities") {
            facts.insert(Fact {
                kind: Kind::Finding,
                source: source.clone(),
                name: text(flaw, "PkgName"),
                version: text(flaw, "InstalledVersion"),
                id: text(flaw, "VulnerabilityID"),
            });
        }
    }
    facts
}

/// Trivy splits versions of dpkg and rpm into three fields; we leave them whole.
fn full_version(package: &Value) -> String {
    let mut version = text(package, "Version");
    let release = text(package, "Release");
    if !release.is_empty() {
        version = format!("{version}-{release}");
    }
    match package.get("Epoch").and_then(Value::as_u64) {
        Some(epoch) if epoch > 0 => format!("{epoch}:{version}"),
        Some(_) | None => version,
    }
}

fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn text(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Kind, read};
    use serde_json::json;

    #[test]
    fn split_and_whole_versions_are_the_same_fact() {
        let of = |package| {
            read(&json!({"Results": [{"Type": "debian", "Packages": [package],
                "Vulnerabilities": [{"PkgName": "a", "InstalledVersion": "1", "VulnerabilityID": "CVE-1"}]}]}))
        };
        let split = of(json!({"Name": "a", "Version": "2", "Release": "3", "Epoch": 1}));
        assert_eq!(split, of(json!({"Name": "a", "Version": "1:2-3"})));
        assert_eq!(split.iter().filter(|f| f.kind == Kind::Finding).count(), 1);
        assert_ne!(split, of(json!({"Name": "a", "Version": "2-3"})));
    }
}
