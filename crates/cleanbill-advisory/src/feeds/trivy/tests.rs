//! Every kind of bucket, every form of constraint, every way that a database can be given.

use cleanbill_core::advisory::{Advisory, Range, RangeEnd, State};
use cleanbill_core::ecosystem::Ecosystem;

use super::stretches::affected;
use super::{Limits, read};
use crate::bbolt::Database;
use crate::bbolt::testing::Tree;
use crate::error::ErrorKind;
use crate::gather::Gathered;

mod forms;

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

#[test]
fn every_kind_of_bucket_is_read() {
    const NPM: &str = "npm::GitHub Security Advisory npm";
    const PIP: &str = "pip::Open Source Vulnerability";
    type Row = (
        &'static str,
        &'static str,
        &'static str,
        &'static str,
        &'static str,
        &'static [&'static str],
    );
    let table: &[Row] = &[
        // platform, package, id, json → stream, advisories
        (
            "alpine 3.19",
            "zlib",
            "CVE-2024-0001",
            r#"{"FixedVersion":"1.3.1-r0"}"#,
            "Alpine:v3.19",
            &["CVE-2024-0001 LOW [0, 1.3.1-r0)"],
        ),
        (
            "alpine edge",
            "zlib",
            "CVE-2024-0001",
            r#"{"FixedVersion":"0"}"#,
            "Alpine:edge",
            &["CVE-2024-0001 UNKNOWN NotAffected"],
        ),
        (
            "alpine 3.19",
            "rsync",
            "CVE_2024-0001-1",
            r#"{"FixedVersion":"2"}"#,
            "Alpine:v3.19",
            &["CVE-2024-0001 LOW [0, 2) alias CVE_2024-0001-1"],
        ),
        (
            "debian 12",
            "pcre3",
            "CVE-2024-0002",
            r#"{"FixedVersion":"1.2-3","VendorIDs":["DSA-1-1"],"Severity":4}"#,
            "Debian:12",
            &["CVE-2024-0002 CRITICAL [0, 1.2-3) erratum DSA-1-1"],
        ),
        (
            "debian 12",
            "pcre3",
            "CVE-2024-0003",
            r#"{"Status":5,"Severity":1}"#,
            "Debian:12",
            &["CVE-2024-0003 LOW [0, … WillNotFix"],
        ),
        (
            "debian 12",
            "pcre3",
            "CVE-2024-0003",
            r#"{"Status":1}"#,
            "Debian:12",
            &["CVE-2024-0003 UNKNOWN NotAffected"],
        ),
        (
            "ubuntu 22.04",
            "bash",
            "CVE-2024-0002",
            "{}",
            "Ubuntu:22.04",
            &["CVE-2024-0002 UNKNOWN [0, …"],
        ),
        (
            "ubuntu 16.04-ESM",
            "bash",
            "CVE-2024-0002",
            r#"{"FixedVersion":"4.3-14ubuntu1.4+esm1"}"#,
            "Ubuntu:Pro:16.04:LTS",
            &["CVE-2024-0002 UNKNOWN [0, 4.3-14ubuntu1.4+esm1)"],
        ),
        (
            "alma 9",
            "bash",
            "CVE-2024-0002",
            r#"{"FixedVersion":"5.1-2.el9"}"#,
            "AlmaLinux:9",
            &["CVE-2024-0002 UNKNOWN [0, 5.1-2.el9)"],
        ),
        (
            "rocky 9",
            "nodejs:18::npm",
            "CVE-2024-0002",
            r#"{"FixedVersion":"0.0.0","Entries":[
                {"FixedVersion":"1:8-1","Arches":["x86_64"],"VendorIDs":["RLSA-1"]},
                {"FixedVersion":"1:8-2","Arches":["aarch64"],"VendorIDs":["RLSA-2"]}]}"#,
            "Rocky Linux:9",
            &[
                "CVE-2024-0002 UNKNOWN [0, 1:8-1) module nodejs:18 on x86_64 erratum RLSA-1",
                "CVE-2024-0002 UNKNOWN [0, 1:8-2) module nodejs:18 on aarch64 erratum RLSA-2",
            ],
        ),
        (
            "amazon linux 2023",
            "curl",
            "CVE-2024-0002",
            r#"{"FixedVersion":"8.0"}"#,
            "Amazon Linux:2023",
            &["CVE-2024-0002 UNKNOWN [0, 8.0)"],
        ),
        (
            "Oracle Linux 9",
            "curl",
            "CVE-2024-0002",
            r#"{"FixedVersion":"9","Entries":[{"FixedVersion":"8","Arches":["x86_64"]}]}"#,
            "Oracle Linux:9",
            &["CVE-2024-0002 UNKNOWN [0, 8) on x86_64"],
        ),
        (
            "Photon OS 5.0",
            "curl",
            "CVE-2024-0002",
            r#"{"FixedVersion":"8.0"}"#,
            "Photon OS:5.0",
            &["CVE-2024-0002 UNKNOWN [0, 8.0) on src"],
        ),
        (
            "Azure Linux 3.0",
            "curl",
            "CVE-2024-0002",
            r#"{"FixedVersion":"8.0"}"#,
            "Azure Linux:3",
            &["CVE-2024-0002 UNKNOWN [0, 8.0) on src"],
        ),
        (
            "CBL-Mariner 2.0",
            "curl",
            "CVE-2024-0002",
            "{}",
            "Azure Linux:2",
            &["CVE-2024-0002 UNKNOWN [0, … on src"],
        ),
        (
            "openSUSE Leap 15.6",
            "curl",
            "SUSE-SU-2024:1-1",
            r#"{"FixedVersion":"8.0"}"#,
            "openSUSE:Leap 15.6",
            &["SUSE-SU-2024:1-1 UNKNOWN [0, 8.0)"],
        ),
        (
            "openSUSE Tumbleweed",
            "curl",
            "SUSE-SU-2024:1-1",
            r#"{"FixedVersion":"8.0"}"#,
            "openSUSE:Tumbleweed",
            &["SUSE-SU-2024:1-1 UNKNOWN [0, 8.0)"],
        ),
        (
            "SUSE Linux Enterprise 15.5",
            "curl",
            "SUSE-SU-2024:1-1",
            r#"{"FixedVersion":"8.0"}"#,
            "SUSE:Linux Enterprise Server 15 SP5",
            &["SUSE-SU-2024:1-1 UNKNOWN [0, 8.0)"],
        ),
        (
            "SUSE Linux Enterprise Micro 5.5",
            "curl",
            "SUSE-SU-2024:1-1",
            r#"{"FixedVersion":"8.0"}"#,
            "SUSE:Linux Enterprise Micro 5.5",
            &["SUSE-SU-2024:1-1 UNKNOWN [0, 8.0)"],
        ),
        (
            "wolfi",
            "curl",
            "CVE-2024-0002",
            r#"{"FixedVersion":"8.0-r0"}"#,
            "Wolfi",
            &["CVE-2024-0002 UNKNOWN [0, 8.0-r0)"],
        ),
        (
            "chainguard",
            "curl",
            "CVE-2024-0002",
            r#"{"FixedVersion":"0"}"#,
            "Chainguard",
            &["CVE-2024-0002 UNKNOWN NotAffected"],
        ),
        (
            "Red Hat",
            "curl",
            "RHSA-2024:1",
            r#"{"Entries":[{"FixedVersion":"0:8-1.el9","Affected":[0,1,2],"Arches":["x86_64"],
                "Cves":[{"ID":"CVE-2024-0001","Severity":3},{"ID":"CVE-2024-0002"}]}]}"#,
            "Red Hat:enterprise_linux:9::baseos",
            &[
                "CVE-2024-0001 HIGH [0, 0:8-1.el9) on x86_64 erratum RHSA-2024:1",
                "CVE-2024-0002 UNKNOWN [0, 0:8-1.el9) on x86_64 erratum RHSA-2024:1",
            ],
        ),
        (
            "Red Hat",
            "ruby:3.1::rubygem",
            "CVE-2024-0001",
            r#"{"Entries":[{"Status":5,"Affected":[0],"Cves":[{}]}]}"#,
            "Red Hat:enterprise_linux:9::appstream",
            &["CVE-2024-0001 MEDIUM [0, … WillNotFix module ruby:3.1"],
        ),
        (
            PIP,
            "A_b.c",
            "CVE-2024-0002",
            r#"{"VulnerableVersions":[">=0, <1.2",">=2.0"],"PatchedVersions":["1.2"],"VendorIDs":["PYSEC-1"]}"#,
            "PyPI",
            &["CVE-2024-0002 UNKNOWN [0, 1.2) [2.0, … alias PYSEC-1"],
        ),
        (
            NPM,
            "left-pad",
            "GHSA-aaaa",
            r#"{"VulnerableVersions":["<=1.3.0"],"PatchedVersions":["1.3.1"]}"#,
            "npm",
            &["GHSA-aaaa CRITICAL [0, 1.3.0] [1.3.1, 1.3.1)"],
        ),
        (
            NPM,
            "left-pad",
            "GHSA-aaaa",
            r#"{"VulnerableVersions":["=> oops 1"]}"#,
            "npm",
            &[
                "GHSA-aaaa CRITICAL unreadable: the constraint \"=> oops 1\": a version and a range at once",
            ],
        ),
        (
            NPM,
            "left-pad",
            "GHSA-aaaa",
            "{}",
            "npm",
            &["GHSA-aaaa CRITICAL unreadable: neither ranges nor versions"],
        ),
        (
            "go::The Go Vulnerability Database",
            "stdlib",
            "CVE-2024-0002",
            r#"{"VulnerableVersions":["<1.21.0"],"OSes":["windows"]}"#,
            "Go",
            &["CVE-2024-0002 UNKNOWN [0, 1.21.0)"],
        ),
        (
            "maven::GitHub Security Advisory Maven",
            "a:b",
            "CVE-2024-0002",
            r#"{"VulnerableVersions":["[1.0,2.0)","(,0.5]"]}"#,
            "Maven",
            &["CVE-2024-0002 UNKNOWN [1.0, 2.0) [0, 0.5]"],
        ),
        (
            "rubygems::GitHub Security Advisory RubyGems",
            "a",
            "CVE-2024-0002",
            r#"{"VulnerableVersions":["~> 1.2.3"]}"#,
            "RubyGems",
            &["CVE-2024-0002 UNKNOWN [1.2.3, 1.3.a)"],
        ),
        (
            "nuget::GitHub Security Advisory NuGet",
            "A.B",
            "CVE-2024-0002",
            r#"{"VulnerableVersions":["=1.0"]}"#,
            "NuGet",
            &["CVE-2024-0002 UNKNOWN =1.0"],
        ),
        (
            "composer::PHP Security Advisories Database",
            "a/b",
            "CVE-2024-0002",
            r#"{"VulnerableVersions":[">=2.0.0, <2.0.17"]}"#,
            "Packagist",
            &["CVE-2024-0002 UNKNOWN [2.0.0, 2.0.17)"],
        ),
        (
            "cargo::Open Source Vulnerability",
            "a",
            "CVE-2024-0002",
            r#"{"VulnerableVersions":[">=0.0.0-0, <0.9.1"],"PatchedVersions":["0.9.1"]}"#,
            "crates.io",
            &["CVE-2024-0002 UNKNOWN [0.0.0-0, 0.9.1)"],
        ),
        (
            "erlang::GitHub Security Advisory Erlang",
            "a",
            "CVE-2024-0002",
            r#"{"VulnerableVersions":["<1.0"]}"#,
            "Hex",
            &["CVE-2024-0002 UNKNOWN [0, 1.0)"],
        ),
        (
            "pub::GitHub Security Advisory Pub",
            "a",
            "CVE-2024-0002",
            r#"{"VulnerableVersions":["<1.0"]}"#,
            "Pub",
            &["CVE-2024-0002 UNKNOWN [0, 1.0)"],
        ),
        (
            "swift::GitHub Security Advisory Swift",
            "github.com/a/B",
            "CVE-2024-0002",
            r#"{"VulnerableVersions":["<1.0"]}"#,
            "SwiftURL",
            &["CVE-2024-0002 UNKNOWN [0, 1.0)"],
        ),
        (
            "conan::GitLab Advisory Database Community",
            "a",
            "CVE-2024-0002",
            r#"{"VulnerableVersions":["<1.0||=1.2"]}"#,
            "ConanCenter",
            &["CVE-2024-0002 UNKNOWN [0, 1.0) =1.2"],
        ),
        (
            "bitnami::Bitnami Vulnerability Database",
            "a",
            "CVE-2024-0002",
            r#"{"VulnerableVersions":[">=5.1, <=5.1"]}"#,
            "Bitnami",
            &["CVE-2024-0002 UNKNOWN [5.1, 5.1]"],
        ),
        (
            "k8s::Official Kubernetes CVE Feed",
            "k8s.io/kubelet",
            "CVE-2024-0002",
            r#"{"VulnerableVersions":[">=1.29.0, <1.29.3"]}"#,
            "Kubernetes",
            &["CVE-2024-0002 UNKNOWN [1.29.0, 1.29.3)"],
        ),
        (
            "julia::Julia Ecosystem Security Advisories",
            "A_jll",
            "CVE-2024-0002",
            r#"{"VulnerableVersions":["<1.0"]}"#,
            "Julia",
            &["CVE-2024-0002 UNKNOWN [0, 1.0)"],
        ),
    ];
    for (platform, package, id, json, stream, wanted) in table {
        let gathered = imported(&tree(&[(platform, package, id, json)])).unwrap();
        let found: Vec<_> = gathered.advisories.iter().filter(|((s, _), _)| s == stream).collect();
        let [((_, name), advisories)] = found.as_slice() else {
            panic!("{platform}: {gathered:?}")
        };
        let (parsed, plain): (cleanbill_core::ecosystem::Stream, _) =
            (stream.parse().unwrap(), package.rsplit("::").next().unwrap());
        assert_eq!(*name, parsed.package_name(plain), "{platform}");
        assert_eq!(
            advisories.iter().map(show).collect::<Vec<_>>(),
            *wanted,
            "{platform} {package}"
        );
        let feed = gathered.feeds.iter().find(|f| f.streams.contains(&parsed)).unwrap();
        assert_eq!((feed.advisories, feed.not_understood), (1, 0), "{platform}");
        assert!(feed.licence.ends_with("by way of Trivy's database"), "{}", feed.licence);
    }
}
