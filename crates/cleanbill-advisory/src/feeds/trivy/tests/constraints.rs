//! Every form of constraint, and texts that are none.

use cleanbill_core::ecosystem::Ecosystem;
use proptest::prelude::*;

use super::super::stretches::affected;
use super::range;

#[test]
fn constraints_become_stretches_as_trivy_judges_them() {
    use Ecosystem::{Bitnami, ConanCenter, Go, Npm, PyPI, RubyGems};
    type Lists = [&'static [&'static str]; 3];
    let table: &[(Ecosystem, Lists, &str)] = &[
        // vulnerable, patched, unaffected → what is affected
        (Npm, [&[">=1.2, <1.4 || =2.0"], &[], &[]], "[1.2, 1.4) =2.0"),
        (Npm, [&[">= 1.0.0 < 2.0.0"], &[], &[]], "[1.0.0, 2.0.0)"),
        (Npm, [&[">=1.0.0<2.0.0"], &[], &[]], "[1.0.0, 2.0.0)"),
        (
            Npm,
            [&["^1.2.3", "^0.2.3", "^0.0.3"], &[], &[]],
            "[1.2.3, 2.0.0-0) [0.2.3, 0.3.0-0) [0.0.3, 0.0.4-0)",
        ),
        (
            Npm,
            [&["~1.2.3", "~1.2", "~1"], &[], &[]],
            "[1.2.3, 1.3.0-0) [1.2, 1.3.0-0) [1, 2.0.0-0)",
        ),
        (Npm, [&["1.2.x", "*"], &[], &[]], "[1.2.0-0, 1.3.0-0) [0, …"),
        (Npm, [&["1.2.3", "==1.2.4"], &[], &[]], "=1.2.3 =1.2.4"),
        (Npm, [&[">1.2.3, <2.0.0"], &[], &[]], "[1.2.4-0, 2.0.0)"),
        (Npm, [&[">1.2, <2.0.0"], &[], &[]], "[1.2, 2.0.0)"),
        (Npm, [&[">=1.0.0, >=1.5.0, <2.0.0, <=1.9.0"], &[], &[]], "[1.5.0, 1.9.0]"),
        (Npm, [&["", "<1"], &[], &[]], "[0, …"),
        (Npm, [&["<1.0.0"], &[""], &[]], "[0, …"),
        (
            Npm,
            [&["<2.0.0"], &[">=1.4.0, <1.5.0", "2.0.0"], &["<0.5.0"]],
            "[0.5.0, 1.4.0) [1.5.0, 2.0.0)",
        ),
        (Npm, [&["<2.0.0"], &[">=3.0.0"], &[]], "[0, 2.0.0)"),
        (Npm, [&["<=2.0.0"], &[">=2.0.0"], &[]], "[0, 2.0.0)"),
        (Npm, [&["<2.0.0"], &["*"], &[]], ""),
        (Npm, [&[], &[">=1.4.5, <1.5.0", ">=1.6.0"], &["<1.0.0"]], "[1.0.0, 1.4.5) [1.5.0, 1.6.0)"),
        (Npm, [&[], &[">1.4.5"], &["<=1.0.0"]], "[1.0.1-0, 1.4.5]"),
        (Npm, [&[">=0"], &["1.4.5"], &[]], "[0, … [1.4.5, 1.4.5)"),
        (Npm, [&[">=0"], &["oops"], &[]], "[0, …"),
        (Npm, [&["<=1.4.4"], &["1.4.5", "1.4.5"], &[]], "[0, 1.4.4] [1.4.5, 1.4.5)"),
        (PyPI, [&["~=1.2.3", "==1.4.*"], &[], &[]], "[1.2.3, 1.3.dev0) [1.4.dev0, 1.5.dev0)"),
        (PyPI, [&[">1.2,<2"], &[], &[]], "[1.2, 2)"),
        (RubyGems, [&["~> 1.2", "~> 1"], &[], &[]], "[1.2, 2.a) [1, 2.a)"),
        (Go, [&[">=0", ">=1.2.0"], &["1.1.0"], &[]], "[0, … [1.2.0, … [1.1.0, 1.1.0)"),
        (Bitnami, [&["<1.0"], &[">=0.5"], &[]], "[0, 0.5)"),
        (ConanCenter, [&[">=1.0 <2.0"], &[], &[]], "[1.0, 2.0)"),
        (ConanCenter, [&["[1.0,2.0),[3.0]"], &[], &[]], "[1.0, 2.0) =3.0"),
        // Not understood: what is, stays.
        (
            Npm,
            [&["<1", "!=3"], &[], &[]],
            "[0, 1) ! the constraint \"!=3\": an operator that is not known",
        ),
        (Npm, [&[">="], &[], &[]], "! the constraint \">=\": it ends too early"),
        (Npm, [&["1.0 - 2.0"], &[], &[]], "! the constraint \"1.0 - 2.0\": two versions at once"),
        (Npm, [&[">= <2"], &[], &[]], "! the constraint \">= <2\": an operator without a version"),
        (Npm, [&["<1 ||"], &[], &[]], "! the constraint \"<1 ||\": it is empty"),
        (Npm, [&["^x.1"], &[], &[]], "! the constraint \"^x.1\": a wildcard behind an operator"),
        (
            Npm,
            [&["~a"], &[], &[]],
            "! the constraint \"~a\": a version that does not begin with numbers",
        ),
        (
            Npm,
            [&["^18446744073709551615"], &[], &[]],
            "! the constraint \"^18446744073709551615\": a number that is too large",
        ),
        (
            Npm,
            [&["<=a, <=b"], &[], &[]],
            "! the constraint \"<=a, <=b\": two bounds of one side that cannot be compared",
        ),
        (Npm, [&["[1,2"], &[], &[]], "! the constraint \"[1,2\": an interval does not end"),
        (Npm, [&["[1,2,3]"], &[], &[]], "! the constraint \"[1,2,3]\": an interval has three ends"),
        (Npm, [&["(1)"], &[], &[]], "! the constraint \"(1)\": an interval has one end"),
        (Npm, [&["[1],2"], &[], &[]], "! the constraint \"[1],2\": an interval begins with [ or ("),
        (Npm, [&[], &["oops oops"], &[]], "! the constraint \"oops oops\": two versions at once"),
        (Npm, [&[], &[">=b"], &[]], "! constraints that cannot be ordered"),
        (Npm, [&[], &[], &[]], "! neither ranges nor versions"),
    ];
    for (ecosystem, [vulnerable, patched, unaffected], wanted) in table {
        let owned = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
        let (v, p, u) = (owned(vulnerable), owned(patched), owned(unaffected));
        let found = affected(&v, &p, &u, *ecosystem);
        let ranges = found.ranges.iter().map(range);
        let versions = found.versions.iter().map(|v| format!("={v}"));
        let why = found.unreadable.iter().map(|why| format!("! {why}"));
        let shown = ranges.chain(versions).chain(why).collect::<Vec<_>>().join(" ");
        assert_eq!(shown, *wanted, "{ecosystem} {vulnerable:?} {patched:?} {unaffected:?}");
    }
    let many = vec!["<1".to_owned(); 600];
    let why = affected(&many, &[], &[], Npm).unreadable.unwrap();
    assert_eq!(why, "more than 512 constraints");
}

proptest! {
    #[test]
    fn no_constraint_makes_it_panic(text in "[\\[\\](), |=<>!~^*x0-9.a-c-]{0,24}") {
        for ecosystem in [Ecosystem::Npm, Ecosystem::PyPI, Ecosystem::RubyGems, Ecosystem::Maven] {
            let texts = [text.clone()];
            drop(affected(&texts, &[], &[], ecosystem));
            drop(affected(&[], &texts, &["<1".to_owned()], ecosystem));
            drop(affected(&[">=0".to_owned()], &texts, &texts, ecosystem));
        }
    }
}
