//! `.trivyignore` and `.trivyignore.yaml`.

use super::check;

#[test]
fn lines() {
    let hidden = "hidden: ignored :1";
    let table = [
        (hidden, "CVE-2021-1"),
        ("hidden: ignored :3", "# why\n\n  CVE-2021-1  \r\n"),
        (hidden, "GHSA-aaaa"),
        (hidden, "cve-2021-1"),
        (hidden, "\u{feff}CVE-2021-1"),
        (hidden, "CVE-2021-1 exp:2026-08-31"),
        (hidden, "CVE-2021-1 because we say so # and mean it"),
        ("counts", ""),
        ("counts", "# CVE-2021-1"),
        ("counts", "CVE-2021-10"),
        ("counts", "x CVE-2021-1"),
        // The day itself does not count any more, as in Trivy.
        ("counts: expired :1", "CVE-2021-1 exp:2026-08-30"),
        ("counts: expired :1", "CVE-2021-1 exp:2020-01-01"),
        ("counts: expired :1", "CVE-2021-1 # exp:2020-01-01"),
        ("hidden: ignored :2", "CVE-2021-1 exp:2020-01-01\nCVE-2021-1"),
        ("counts | :1\"exp:2099-13-01\" is no exp:YYYY-MM-DD", "CVE-2021-1 exp:2099-13-01"),
        ("counts | :1\"exp:2099-02-30\" is no exp:YYYY-MM-DD", "CVE-2021-1 exp:2099-02-30"),
        ("counts | :1\"exp:2099-1-1\" is no exp:YYYY-MM-DD", "CVE-2021-1 exp:2099-1-1"),
        ("counts | :1\"exp:+002099-01-01\"…", "CVE-2021-1 exp:+002099-01-01"),
        ("counts | :1\"exp:2099-01-01T00\"…", "CVE-2021-1 exp:2099-01-01T00"),
        ("counts | :1\"exp:\" is no exp:YYYY-MM-DD", "CVE-2021-1 exp: 2099-01-01"),
        ("counts | :1\"expires:2099-01-01\"…", "CVE-2021-1 expires:2099-01-01"),
        ("counts | :1\"EXP:2099-01-01\"…", "CVE-2021-1 EXP:2099-01-01"),
        ("counts | :1it ends twice", "CVE-2021-1 exp:2099-01-01 exp:2020-01-01"),
        ("counts | :1\"exp=2020-01-01\"…", "CVE-2021-1 exp=2020-01-01"),
        ("counts | :1\"until:2020-01-01\"…", "CVE-2021-1 until:2020-01-01"),
        ("counts | :1\"until\"…", "CVE-2021-1 until 2020-01-01"),
        ("counts | :1\"(exp:2020-01-01)\"…", "CVE-2021-1 (exp:2020-01-01)"),
        ("counts | :1\"2020-01-01\"…", "CVE-2021-1 2020-01-01"),
        ("counts | :1\"2020/1/1,\"…", "CVE-2021-1 2020/1/1, by bob"),
        ("counts | :1\"#exp:2020-01-01\"…", "CVE-2021-1 #exp:2020-01-01"),
        (hidden, "CVE-2021-1 # accepted by bob on 2020-01-01"),
        (hidden, "CVE-2021-1 CVE-2020-10001 GHSA-2222-3333-4444 2020.1.1 expat-2.1 # expat: no"),
        ("counts | :1\"vulnerabilities…", "vulnerabilities\u{fe0f}:\n- id: CVE-2021-1"),
        ("hidden: ignored :2 | :1\"…", "CVE\u{2013}2021\u{2013}1\nCVE-2021-1"),
    ];
    check(".trivyignore", &table.map(|(e, t)| (e, t.to_owned())));
}

#[test]
fn yaml() {
    let hidden = "hidden: ignored :2";
    let entry = |rest: &str| format!("vulnerabilities:\n- id: CVE-2021-1\n{rest}");
    let table = [
        (hidden, entry("")),
        ("hidden: ignored :2 we know", entry("  statement: we know\n")),
        (hidden, entry("  paths: ['usr/**']\n")),
        (hidden, entry("  paths: [opt/*, usr/lib/Django-3.2.dist-info/METADATA]\n")),
        (hidden, entry("  purls: ['pkg:pypi/Django']\n")),
        (hidden, entry("  purls: ['pkg:npm/x', 'pkg:pypi/django@3.2']\n  paths: ['**']\n")),
        (hidden, entry("  expired_at: 2026-08-31\n")),
        (hidden, entry("  expired_at: 2026-08-30T13:00:00+00:00\n")),
        (hidden, entry("misconfigurations: [{id: X}]\nsecrets:\nlicenses: 7\n")),
        ("counts", entry("  paths: ['usr/*']\n")),
        ("counts", entry("  paths: [Python]\n")),
        ("counts", entry("  purls: ['pkg:pypi/django@3.1']\n")),
        ("counts", entry("  purls: ['pkg:pypi/django']\n  paths: ['opt/**']\n")),
        ("counts", String::new()),
        ("counts", "# nothing\n".to_owned()),
        ("counts", "vulnerabilities:\n".to_owned()),
        ("counts", "secrets:\n- id: CVE-2021-1\n".to_owned()),
        ("counts", "vulnerabilities:\n- id: CVE-2021-10\n".to_owned()),
        ("counts: expired :2", entry("  expired_at: 2026-08-30\n")),
        ("counts: expired :2", entry("  expired_at: 2026-08-30T11:00:00Z\n")),
        ("counts | :2\"soon\" is no date (YYYY-MM-DD)", entry("  expired_at: soon\n")),
        ("counts | :2\"2099-02-30\" is no date (YYYY-MM-DD)", entry("  expired_at: 2099-02-30\n")),
        ("counts | :2\"expired_at\" is a number, not a text", entry("  expired_at: 2099\n")),
        ("counts | :2\"expired_at\" is nothing, not a text", entry("  expired_at:\n")),
        ("counts | :2\"expires\" is no key of an entry", entry("  expires: 2020-01-01\n")),
        ("counts | :2\"paths\" is empty", entry("  paths: []\n")),
        ("counts | :2\"paths\" is a text, not a list", entry("  paths: usr\n")),
        ("counts | :2\"purls\" is nothing, not a list", entry("  purls:\n")),
        ("counts | :2\"usr/[\" is no pattern of paths…", entry("  paths: ['**', 'usr/[']\n")),
        ("counts | :2\"django\" is no package URL…", entry("  purls: [django]\n")),
        ("counts | :2\"id\" is there twice", entry("  id: CVE-2021-2\n")),
        ("counts | :2an entry has no id", "vulnerabilities:\n- paths: ['**']\n".to_owned()),
        ("counts | :2an entry is a text…", "vulnerabilities:\n- CVE-2021-1\n".to_owned()),
        ("counts | :1\"vulns\" is no section…", "vulns:\n- id: CVE-2021-1\n".to_owned()),
        ("error: .trivyignore.yaml:3: \"vulnerabilities\" is there twice…", {
            "vulnerabilities:\n- id: CVE-2021-1\nvulnerabilities: []\n".to_owned()
        }),
        ("error: .trivyignore.yaml:1: it is a list, not a mapping…", "- CVE-2021-1\n".to_owned()),
        ("error: .trivyignore.yaml:1: \"vulnerabilities\" is a text…", {
            "vulnerabilities: CVE-2021-1\n".to_owned()
        }),
        ("error: .trivyignore.yaml:…", "vulnerabilities: [\n".to_owned()),
        ("error: .trivyignore.yaml:…", "a: &a [x]\nvulnerabilities: *a\n".to_owned()),
    ];
    check(".trivyignore.yaml", &table);
}
