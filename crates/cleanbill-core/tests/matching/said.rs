//! What advisories say beyond versions: ratings, the vendor's state, architectures.

use cleanbill_core::advisory::{FlawFacts, Rating, State};
use cleanbill_core::finding::Status;
use cleanbill_core::inventory::Inventory;
use cleanbill_core::package::PackageKind;
use cleanbill_core::severity::Severity;

use crate::support::{advisory, home, memory, package, run};

#[test]
fn the_rating_to_go_by_is_the_advisorys_own_then_githubs_then_nvds_then_the_highest() {
    use Severity::{Critical, High, Low, Medium, Unknown};
    // id, the advisory's own severity, others' ratings, the severity and who gave it
    type Row<'a> = (&'a str, Severity, &'a [(&'a str, Severity)], (Severity, &'a str));
    let table: &[Row<'_>] = &[
        ("CVE-1", Low, &[("ghsa", High), ("nvd", Critical)], (Low, "osv:PyPI")),
        ("CVE-1", Unknown, &[("ghsa", High), ("nvd", Medium)], (Medium, "nvd")),
        ("GHSA-1", Unknown, &[("ghsa", High), ("nvd", Medium)], (High, "ghsa")),
        ("GHSA-1", Unknown, &[("nvd", Medium), ("x", Critical)], (Medium, "nvd")),
        ("CVE-1", Unknown, &[("b", Medium), ("a", High), ("c", High)], (High, "a")),
        ("CVE-1", Unknown, &[("nvd", Unknown), ("a", Low)], (Low, "a")),
        ("CVE-1", Unknown, &[], (Unknown, "")),
    ];
    for (id, own, others, want) in table {
        let mut memory = memory();
        let mut one = advisory(&format!("{id}: 0..2"));
        one.severity = *own;
        memory.add("PyPI".parse().unwrap(), "pkg", one);
        let mut ratings: Vec<Rating> = others
            .iter()
            .map(|(source, severity)| Rating {
                source: (*source).into(),
                severity: *severity,
                cvss: Some(format!("vector of {source}")),
            })
            .collect();
        ratings.sort();
        let facts = FlawFacts { ratings: ratings.clone(), ..FlawFacts::default() };
        memory.flaws.insert((*id).into(), facts);
        let packages = vec![package(PackageKind::Python, "pkg", "1")];
        let found = run(&Inventory { packages, ..Inventory::default() }, &memory).findings;
        let [found] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((found.severity, found.rated_by.as_str()), *want, "{id} {own} {others:?}");
        assert_eq!(found.ratings, ratings, "all ratings are kept");
        let vector = others.iter().find(|(source, _)| *source == want.1).map(|(s, _)| *s);
        assert_eq!(found.cvss, vector.map(|source| format!("vector of {source}")));
    }
}

#[test]
fn of_several_advisories_of_a_flaw_the_one_that_says_affected_rates_it() {
    use Severity::{Critical, High, Low, Unknown};
    // both advisories' ranges of one flaw, their severities, and the severity of version 1
    let table = [
        (["2..3", "0..2"], [Critical, Low], Low),
        (["0..2", "2..3"], [Low, Critical], Low),
        (["0..2", "0..3"], [Low, Critical], Low),
        (["2..3", "0..2"], [Critical, Unknown], Critical),
        (["2..3", "0..2"], [Unknown, High], High),
    ];
    for (ranges, severities, want) in table {
        let mut memory = memory();
        for (range, severity) in ranges.iter().zip(severities) {
            let mut one = advisory(&format!("CVE-1: {range}"));
            one.severity = severity;
            memory.add("PyPI".parse().unwrap(), "pkg", one);
        }
        let packages = vec![package(PackageKind::Python, "pkg", "1")];
        let found = run(&Inventory { packages, ..Inventory::default() }, &memory).findings;
        let [found] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(found.severity, want, "{ranges:?} {severities:?}");
    }
}

#[test]
fn what_a_vendor_says_is_the_status_unless_there_is_a_fix() {
    // range, state → found with this status
    let table = [
        ("0..", State::Affected, Some(Status::Affected)),
        ("0..", State::WillNotFix, Some(Status::WillNotFix)),
        ("0..", State::FixDeferred, Some(Status::FixDeferred)),
        ("0..", State::EndOfLife, Some(Status::EndOfLife)),
        ("0..", State::UnderInvestigation, Some(Status::UnderInvestigation)),
        ("0..", State::NotAffected, None),
        ("0..2", State::WillNotFix, Some(Status::Fixed)),
        ("2..", State::WillNotFix, None),
    ];
    for (range, state, want) in table {
        let mut memory = memory();
        let mut one = advisory(&format!("CVE-1: {range}"));
        one.state = state;
        memory.add("Debian:12".parse().unwrap(), "pkg", one);
        let packages = vec![package(PackageKind::Deb, "pkg", "1-1")];
        let distribution = home(PackageKind::Deb);
        let found = run(&Inventory { packages, distribution, ..Inventory::default() }, &memory);
        let found: Vec<Status> = found.findings.iter().map(|f| f.status).collect();
        assert_eq!(found, want.into_iter().collect::<Vec<_>>(), "{range} {state:?}");
    }
}

#[test]
fn an_advisory_about_other_architectures_is_no_matter_of_the_package() {
    // architectures of the advisory, of the package → found
    let table: [(&[&str], Option<&str>, bool); 7] = [
        (&[], Some("amd64"), true),
        (&["amd64", "arm64"], Some("amd64"), true),
        (&["s390x"], Some("amd64"), false),
        (&["s390x"], None, true),
        (&["s390x"], Some("all"), true),
        (&["noarch"], Some("amd64"), true),
        (&["amd"], Some("amd64"), false),
    ];
    for (arches, arch, found) in table {
        let mut memory = memory();
        let mut one = advisory("CVE-1: 0..2");
        one.arches = arches.iter().map(|a| (*a).to_owned()).collect();
        memory.add("Debian:12".parse().unwrap(), "pkg", one);
        let mut package = package(PackageKind::Deb, "pkg", "1-1");
        package.arch = arch.map(str::to_owned);
        let (packages, distribution) = (vec![package], home(PackageKind::Deb));
        let matched = run(&Inventory { packages, distribution, ..Inventory::default() }, &memory);
        assert_eq!(!matched.findings.is_empty(), found, "{arches:?} {arch:?}");
    }
}
