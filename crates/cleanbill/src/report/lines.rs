//! The form for pipes: every finding and every gap is one line of fields with tabs between them.
//!
//! ```text
//! PACKAGE  ID  SEVERITY  STATUS  INSTALLED  FIXED  WHERE
//! GAP      KIND  SUBJECT  DETAIL
//! ```
//!
//! With `--show-suppressed` also what was left out, and what was said of findings that count all
//! the same, by their first field:
//!
//! ```text
//! SUPPRESSED  PACKAGE  ID  SEVERITY  STATUS  INSTALLED  SOURCE  STATEMENT  WHERE
//! SAID        PACKAGE  ID  SEVERITY  STATUS  INSTALLED  SOURCE  STATEMENT  WHERE
//! ```
//!
//! `FIXED` is `-` where no fix is known, and versions are separated by `, ` where there are
//! several. `WHERE` is the file that proves the package. Fields hold no tabs or line ends; new
//! fields are only ever added at the end. `docs/output.md` says the same.

use cleanbill_core::finding::Finding;

use crate::report::suppressed::{self, Said};
use crate::report::text::printable;
use crate::report::{ScanReport, View};

/// All findings, then all gaps.
pub fn write(view: &View<'_>) -> String {
    let mut out = String::new();
    for finding in view.findings() {
        let fixed = fixed(finding);
        let package = &finding.package;
        line(
            &mut out,
            &[
                &package.name,
                &finding.id,
                finding.severity.as_str(),
                finding.status.as_str(),
                &package.version,
                if fixed.is_empty() { "-" } else { &fixed },
                &package.evidence,
            ],
        );
    }
    if view.filter.suppressed {
        suppressed::all(view).for_each(|(f, said)| told(&mut out, "SUPPRESSED", f, &said));
        suppressed::remarks(view).for_each(|(f, said)| told(&mut out, "SAID", f, &said));
    }
    for gap in view.gaps() {
        line(&mut out, &["GAP", gap.kind.as_str(), &gap.subject, &gap.detail]);
    }
    out
}

fn told(out: &mut String, kind: &str, finding: &Finding, said: &Said) {
    let (package, why) = (&finding.package, said.why());
    let fields = [
        kind,
        &package.name,
        &finding.id,
        finding.severity.as_str(),
        said.status,
        &package.version,
        &said.origin(),
        if why.is_empty() { "-" } else { &why },
        &package.evidence,
    ];
    line(out, &fields);
}

fn line(out: &mut String, fields: &[&str]) {
    let shown: Vec<String> = fields.iter().map(|f| printable(f)).collect();
    out.push_str(&shown.join("\t"));
    out.push('\n');
}

/// The versions with a fix, as every form writes them; empty where none is known.
pub fn fixed(finding: &Finding) -> String {
    finding.fixed_versions.join(", ")
}

/// What a person wants to know who does not see the lines: for standard error.
pub fn summary(view: &View<'_>) -> String {
    let ScanReport { artifact_name, evidence, .. } = view.report;
    let mut out = format!(
        "{}: {} in {} packages; not examined: {}\n",
        printable(artifact_name),
        super::table::total(view.findings()),
        evidence.packages.len(),
        view.gaps().len(),
    );
    if let Some(left_out) = view.left_out() {
        out.push_str(&left_out);
        out.push('\n');
    }
    for line in suppressed::summary(view) {
        out.push_str(&printable(&line));
        out.push('\n');
    }
    if let Some(gap) = view.report.end_of_life() {
        out.push_str(&format!(
            "End of life: {}: {}\n",
            printable(&gap.subject),
            printable(&gap.detail)
        ));
    }
    for line in view.advisories() {
        out.push_str(&printable(&line));
        out.push('\n');
    }
    out
}
