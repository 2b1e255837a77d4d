//! Which other releases have an id under a name of the image's packages, where its own has none.

use cleanbill_core::inventory::Inventory;
use cleanbill_core::matching::{Answer, Matcher};
use cleanbill_core::package::{PackageKind, SourcePackage};

use super::support::{advisory, feed, home, memory, package};

#[test]
fn other_releases_are_told_where_this_one_says_nothing() {
    // advisories by stream and name, the id → where it is, and the answer
    type Row<'t> = (&'t [(&'t str, &'t str, &'t str)], &'t str, &'t str, Answer);
    let old = ("Debian:11", "xz-utils", "CVE-1: 0..5.2.4-1");
    let table: &[Row<'_>] = &[
        (&[old], "CVE-1", "xz-utils in Debian:11", Answer::Unknown),
        (&[old], "cve-1", "xz-utils in Debian:11", Answer::Unknown),
        (
            &[old, ("Debian:10", "xz-utils", "CVE-1: 0..")],
            "CVE-1",
            "xz-utils in Debian:10 Debian:11",
            Answer::Unknown,
        ),
        // By the name that is looked up, which is not the package's own.
        (&[("Debian:11", "liblzma", "CVE-1: 0..")], "CVE-1", "", Answer::Unknown),
        (
            &[("Debian:11", "xz-utils", "X-1=CVE-1: 0..")],
            "CVE-1",
            "xz-utils in Debian:11",
            Answer::Unknown,
        ),
        (&[("Debian:11", "xz-utils", "CVE-2: 0..")], "CVE-1", "", Answer::Unknown),
        // Another distribution, and a language's stream, are no release of this one.
        (&[("Ubuntu:24.10", "xz-utils", "CVE-1: 0..")], "CVE-1", "", Answer::Unknown),
        (&[("npm", "xz-utils", "CVE-1: 0..")], "CVE-1", "", Answer::Unknown),
        // Where this release says something, that is the answer.
        (&[old, ("Debian:12", "xz-utils", "CVE-1: 0..5.4-1")], "CVE-1", "", Answer::NotAffected),
    ];
    for (said, id, want, answer) in table {
        let mut memory = memory();
        memory.feeds.push(feed("osv:Debian", &["Debian:10", "Debian:11"]));
        for (stream, name, text) in *said {
            memory.add(stream.parse().unwrap(), name, advisory(text));
        }
        let mut one = package(PackageKind::Deb, "liblzma5", "5.4.1-0.2");
        let version = one.version.clone();
        one.source = Some(SourcePackage { name: "xz-utils".into(), version });
        let packages = vec![one, package(PackageKind::Npm, "xz-utils-js", "1.0.0")];
        let distribution = home(PackageKind::Deb);
        let inventory = Inventory { distribution, packages, ..Inventory::default() };
        let Ok(explanation) = Matcher::new(&memory).explain(&inventory, &[], id);
        let shown = explanation.elsewhere.iter().map(|one| {
            let streams: Vec<String> = one.streams.iter().map(ToString::to_string).collect();
            format!("{} in {}", one.name, streams.join(" "))
        });
        assert_eq!(shown.collect::<Vec<_>>().join(", "), *want, "{said:?}");
        assert_eq!(explanation.answer(&[]), *answer, "{said:?}");
    }
}
