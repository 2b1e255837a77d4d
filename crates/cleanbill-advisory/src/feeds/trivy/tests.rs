//! Every kind of bucket, every form of constraint, every way that a database can be given.

use cleanbill_core::advisory::{Advisory, Range, RangeEnd, State};

use super::Limits;
use crate::bbolt::Database;
use crate::bbolt::testing::Tree;
use crate::gather::Gathered;

mod archives;
mod buckets;
mod constraints;
mod counts;
mod hostile;

/// A database with what `tables` says, and the advisories `(platform, package, id, json)`.
fn tree(advisories: &[(&str, &str, &str, &str)]) -> Tree {
    let mut tree = Tree::default();
    let sources = [
        ("alpine 3.19", "alpine", "Alpine Secdb"),
        ("Red Hat", "redhat", "Red Hat"),
        ("npm::GitHub Security Advisory npm", "ghsa", "GitHub Security Advisory npm"),
        ("pip::Open Source Vulnerability", "osv", "Python Packaging Advisory Database"),
        ("rocky 9", "rocky", "Rocky Linux updateinfo"),
    ];
    for (platform, id, name) in sources {
        let json = format!(r#"{{"ID":"{id}","Name":"{name}","URL":"https://example.org"}}"#);
        tree.put(&["data-source", platform], &json);
    }
    let cpes = [
        ("0", "cpe:/a:redhat:enterprise_linux:9::appstream"),
        ("1", "cpe:/o:redhat:enterprise_linux:9::baseos"),
        ("2", "cpe:/a:redhat:openshift:4.14::el9"),
    ];
    for (number, cpe) in cpes {
        tree.put(&["Red Hat CPE", "cpe", number], &format!("\"{cpe}\""));
    }
    tree.put(&["Red Hat CPE", "repository", "rhel-9-baseos"], "[1]");
    let flaws = [
        (
            "CVE-2024-0001",
            r#"{"Title":"t","Description":"d","Severity":"LOW","VendorSeverity":{"nvd":3,"redhat":2,"alpine":1},
               "CVSS":{"nvd":{"V3Vector":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H","V3Score":1.0}},
               "PublishedDate":"2024-01-02T03:04:05Z","LastModifiedDate":"2024-02-03T00:00:00Z"}"#,
        ),
        ("CVE-2024-0002", r#"{"Severity":"MEDIUM"}"#),
        ("GHSA-aaaa", r#"{"Severity":"LOW","VendorSeverity":{"nvd":2,"ghsa":4}}"#),
    ];
    for (id, json) in flaws {
        tree.put(&["vulnerability", id], json);
    }
    for (platform, package, id, json) in advisories {
        tree.put(&[platform, package, id], json);
    }
    tree
}

fn imported(tree: &Tree) -> crate::Result<Gathered> {
    let database = Database::from_bytes(tree.file(1024))?;
    let mut into = Gathered::default();
    let as_of = "2026-08-22T00:00:00Z".parse().ok();
    super::import(&database, as_of, &Limits::default(), &mut into)?;
    into.sort();
    Ok(into)
}

fn range(range: &Range) -> String {
    let from = range.introduced.as_deref().unwrap_or("0");
    match &range.end {
        RangeEnd::Fixed(v) => format!("[{from}, {v})"),
        RangeEnd::LastAffected(v) => format!("[{from}, {v}]"),
        RangeEnd::Before(v) => format!("[{from}, <{v})"),
        RangeEnd::Open => format!("[{from}, …"),
    }
}

/// An advisory in one line.
fn show(a: &Advisory) -> String {
    let mut out = vec![a.id.clone(), a.severity.to_string()];
    out.extend(a.ranges.iter().map(range));
    out.extend(a.versions.iter().map(|v| format!("={v}")));
    out.extend((a.state != State::Affected).then(|| format!("{:?}", a.state)));
    out.extend(a.module.iter().map(|module| format!("module {module}")));
    out.extend(a.arches.iter().map(|arch| format!("on {arch}")));
    out.extend(a.unreadable.iter().map(|why| format!("unreadable: {why}")));
    out.extend(a.aliases.iter().map(|id| format!("alias {id}")));
    out.extend(a.errata.iter().map(|id| format!("erratum {id}")));
    out.join(" ")
}

fn sample() -> Vec<u8> {
    tree(&[("alpine 3.19", "zlib", "CVE-2024-0001", r#"{"FixedVersion":"1.3.1-r0"}"#)]).file(1024)
}
