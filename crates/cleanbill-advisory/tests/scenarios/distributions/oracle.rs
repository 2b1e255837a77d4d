//! Oracle Linux, by a database of Trivy: nothing else tells of it.

use cleanbill_core::package::Package;

use super::super::bolt::Tree;
use super::super::support::{Feeds, of_source, rpm};
use super::check;

/// The platform, the package, the flaw, and what the database says of it.
type Said<'t> = (&'t str, &'t str, &'t str, &'t str);

const SAID: [Said<'static>; 10] = [
    (
        "Oracle Linux 9",
        "tar",
        "CVE-2022-48303",
        r#"{"Entries":[{"FixedVersion":"2:1.34-6.el9_1","Arches":["x86_64","aarch64"],"VendorIDs":["ELSA-2023-0959"]}]}"#,
    ),
    (
        "Oracle Linux 9",
        "openssl-libs",
        "CVE-2023-0286",
        r#"{"Entries":[{"FixedVersion":"1:3.0.1-47.0.1.el9_1","Arches":["x86_64"]},{"FixedVersion":"1:3.0.1-48.el9_1","Arches":["aarch64"]}]}"#,
    ),
    (
        "Oracle Linux 9",
        "qemu-kvm",
        "CVE-2023-1000",
        r#"{"Entries":[{"FixedVersion":"17:7.0.0-13.el9","Arches":["aarch64"]}]}"#,
    ),
    (
        "Oracle Linux 9",
        "nodejs:18::npm",
        "CVE-2024-1001",
        r#"{"FixedVersion":"1:9.5.0-1.18.14.2.2.module+el9.1.0+20995+8b7e8ce3"}"#,
    ),
    ("Oracle Linux 9", "git-core", "CVE-2024-1002", r#"{"FixedVersion":"2.43.5-1.el9_4"}"#),
    ("Oracle Linux 9", "curl", "CVE-2024-1003", r#"{"FixedVersion":"7.76.1-29.el9_4"}"#),
    ("Oracle Linux 9", "curl", "CVE-2024-1004", r#"{"FixedVersion":"7.76.1-29.el9_4.1"}"#),
    (
        "Oracle Linux 9",
        "kernel-uek",
        "CVE-2024-1005",
        r#"{"FixedVersion":"5.15.0-8.91.4.1.el9uek"}"#,
    ),
    ("Oracle Linux 9", "zlib", "CVE-2024-1006", r#"{"FixedVersion":"0"}"#),
    (
        "Oracle Linux 8",
        "vim-minimal",
        "CVE-2024-1007",
        r#"{"FixedVersion":"2:8.0.1763-19.0.1.el8"}"#,
    ),
];

fn usual() -> Feeds {
    let mut tree = Tree::default();
    for platform in ["Oracle Linux 8", "Oracle Linux 9"] {
        let source = r#"{"ID":"oracle-oval","Name":"Oracle Linux OVAL definitions","URL":"https://linux.oracle.com/security/oval/"}"#;
        tree.put(&["data-source", platform], source);
    }
    for (platform, package, flaw, json) in SAID {
        tree.put(&[platform, package, flaw], json);
        let rated = r#"{"Severity":"MEDIUM","VendorSeverity":{"oracle-oval":3,"nvd":2}}"#;
        tree.put(&["vulnerability", flaw], rated);
    }
    let metadata =
        r#"{"Version":2,"NextUpdate":"2026-08-30T00:00:00Z","UpdatedAt":"2026-08-29T00:00:00Z"}"#;
    vec![
        ("trivy/trivy.db".to_owned(), tree.file(4096)),
        ("trivy/metadata.json".to_owned(), metadata.into()),
    ]
}

fn of_module(package: Package, module: &str) -> Package {
    Package { module: Some(module.into()), ..package }
}

#[test]
fn packages() {
    let by = |package: Package, vendor: &str| Package { vendor: Some(vendor.into()), ..package };
    let arm = |package: Package| Package { arch: Some("aarch64".into()), ..package };
    let npm = |release: &str| {
        let version = format!("1:9.5.0-1.{release}.module+el9.1.0+20995+8b7e8ce3");
        of_module(rpm("npm", &version), "nodejs:18:9010020230321")
    };
    let table: &[super::Rule<'_>] = &[
        (
            "a package is judged by its name",
            rpm("tar", "2:1.34-5.el9"),
            &["tar CVE-2022-48303 HIGH fixed [2:1.34-6.el9_1]"],
        ),
        ("the fixed build is clean", rpm("tar", "2:1.34-6.el9_1"), &[]),
        (
            "a missing epoch is nought",
            rpm("tar", "1.34-9.el9"),
            &["tar CVE-2022-48303 HIGH fixed [2:1.34-6.el9_1]"],
        ),
        ("releases are counted as numbers", rpm("tar", "2:1.34-10.el9"), &[]),
        (
            "each architecture has its own fix",
            arm(rpm("openssl-libs", "1:3.0.1-47.0.1.el9_1")),
            &["openssl-libs CVE-2023-0286 HIGH fixed [1:3.0.1-48.el9_1]"],
        ),
        ("and not that of another", rpm("openssl-libs", "1:3.0.1-47.0.1.el9_1"), &[]),
        (
            "what is of another architecture alone is nothing",
            rpm("qemu-kvm", "17:6.0.0-1.el9"),
            &[],
        ),
        (
            "a package that is built from the same source is another one",
            of_source(rpm("tar-doc", "2:1.34-5.el9"), "tar"),
            &[],
        ),
        (
            "a module's package is judged by the module's fix",
            npm("18.12"),
            &["npm CVE-2024-1001 HIGH fixed [1:9.5.0-1.18.14.2.2.module+el9.1.0+20995+8b7e8ce3]"],
        ),
        ("and not one outside of modules", rpm("npm", "1:8.0.0-1.el9"), &[]),
        (
            "each flaw has its own fix",
            rpm("curl", "7.76.1-29.el9_4"),
            &["curl CVE-2024-1004 HIGH fixed [7.76.1-29.el9_4.1]"],
        ),
        (
            "the kernel of Oracle's own is judged",
            rpm("kernel-uek", "5.15.0-7.el9uek"),
            &["kernel-uek CVE-2024-1005 HIGH fixed [5.15.0-8.91.4.1.el9uek]"],
        ),
        ("a nought means that it was never affected", rpm("zlib", "1.2.11-1.el9"), &[]),
        ("what another release has is not this one's", rpm("vim-minimal", "2:8.0.1763-1.el9"), &[]),
        (
            "a package of another vendor is a gap",
            by(rpm("tar", "2:1.34-6.el9_1"), "Docker"),
            &["no-advisory-source tar 2:1.34-6.el9_1"],
        ),
        ("one of its own is none", by(rpm("tar", "2:1.34-6.el9_1"), "Oracle America"), &[]),
        (
            "a version that cannot be compared is a gap where the database names the package",
            rpm("git-core", "1 3"),
            &["unparseable-version git-core 1 3"],
        ),
        ("and none where it does not", rpm("unnamed", "1 3"), &[]),
    ];
    check(&usual(), ("ol", "9"), "Oracle Linux:9", table);
}
