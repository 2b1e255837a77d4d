//! The form for people: a summary as Trivy's users know it, the findings of each target, and what
//! was not examined in a block of its own.

use std::fmt::Write as _;

use cleanbill_core::finding::Finding;
use cleanbill_core::severity::Severity;

use crate::report::lines::fixed;
use crate::report::suppressed::{self, Said};
use crate::report::targets::{self, Examined, Target, language};
use crate::report::text::{printable, wrap, wrap_words};
use crate::report::{Look, View};

/// More rows than this for parts that could not be read say nothing new; the gaps list them all.
const LONE_ROWS: usize = 10;

/// The whole report.
pub fn write(view: &View<'_>, look: Look) -> String {
    let mut out = String::from("Report Summary\n\n");
    out.push_str(&grid(&["Target", "Type", "Vulnerabilities"], &summary(view), look));
    out.push_str(
        "Legend:\n\
         - '-': Not scanned (nothing in it to look up)\n\
         - '0': Clean (no security findings detected)\n\
         - '?': Could not be examined; 'N ?': N found, and part could not be examined\n",
    );
    if let Some(left_out) = view.left_out() {
        _ = writeln!(out, "\n{left_out}");
    }
    for (n, line) in suppressed::summary(view).iter().enumerate() {
        if n == 0 {
            out.push('\n');
        }
        let indent = if line.starts_with("  ") { "  " } else { "" };
        paragraph(&mut out, indent, printable(line).trim_start(), look);
    }
    for target in view.targets.iter().filter(|t| !t.findings.is_empty()) {
        findings(&mut out, target, look);
    }
    if view.filter.suppressed {
        said(&mut out, "Suppressed Vulnerabilities", suppressed::all(view), look);
        let title = "Counted although an expired entry or VEX speaks of it";
        said(&mut out, title, suppressed::remarks(view), look);
    }
    gaps(&mut out, view, look);
    out.push('\n');
    if let Some(gap) = view.report.end_of_life() {
        let said = format!("End of life: {}: {}", printable(&gap.subject), printable(&gap.detail));
        paragraph(&mut out, "", &said, look);
    }
    for line in view.advisories() {
        let indent = if line.starts_with("  ") { "  " } else { "" };
        paragraph(&mut out, indent, printable(&line).trim_start(), look);
    }
    out
}

/// `Total`'s words: `3 (UNKNOWN: 0, LOW: 1, …)`.
pub fn total<'f>(findings: impl Iterator<Item = &'f Finding>) -> String {
    let counts = View::counts(findings);
    let each: Vec<String> =
        Severity::ALL.iter().zip(counts).map(|(s, n)| format!("{s}: {n}")).collect();
    format!("{} ({})", counts.iter().sum::<usize>(), each.join(", "))
}

fn summary(view: &View<'_>) -> Vec<Row> {
    let mut rows: Vec<Row> = view.targets.iter().map(target_row).collect();
    let alone: Vec<_> =
        view.gaps().iter().filter(|g| targets::stands_alone(g, &view.targets)).collect();
    for gap in alone.iter().take(LONE_ROWS) {
        rows.push(Row::of([printable(&gap.subject), "-".into(), "?".into()]));
    }
    if let Some(more) = alone.len().checked_sub(LONE_ROWS).filter(|n| *n > 0) {
        rows.push(Row::of([format!("{more} more, see below"), "-".into(), "?".into()]));
    }
    if rows.is_empty() {
        rows.push(Row::of([printable(&view.report.artifact_name), "-".into(), "-".into()]));
    }
    rows
}

fn target_row(target: &Target<'_>) -> Row {
    let mark = match (target.examined, target.findings.len(), target.packages.is_empty()) {
        (Examined::InPart, 0, _) => "?".to_owned(),
        (Examined::InPart, n, _) => format!("{n} ?"),
        (Examined::Whole, 0, true) => "-".to_owned(),
        (Examined::Whole, n, _) => n.to_string(),
    };
    Row::of([printable(&target.name), printable(&target.kind), mark])
}

fn findings(out: &mut String, target: &Target<'_>, look: Look) {
    let title = match target.class {
        "os-pkgs" => printable(&target.name),
        _ => format!("{} ({})", printable(&target.name), target.kind),
    };
    let total = total(target.findings.iter().copied());
    // Writing to a String cannot fail.
    _ = write!(out, "\n{title}\n{}\nTotal: {total}\n\n", "=".repeat(title.chars().count()));
    let head =
        ["Library", "Vulnerability", "Severity", "Status", "Installed Version", "Fixed Version"];
    let mut rows: Vec<Row> = Vec::with_capacity(target.findings.len());
    let mut above: Option<&Finding> = None;
    for finding in &target.findings {
        let package = &finding.package;
        let same = above.is_some_and(|f| f.package == *package);
        let once = |text: &str| if same { String::new() } else { printable(text) };
        let exploited = if finding.known_exploited { " (exploited)" } else { "" };
        rows.push(Row {
            cells: vec![
                once(&library(finding, target.class)),
                printable(&finding.id) + exploited,
                finding.severity.to_string(),
                finding.status.as_str().to_owned(),
                once(&package.version),
                printable(&fixed(finding)),
            ],
            joined: same,
            colour: Some((2, colour(finding.severity))),
        });
        above = Some(finding);
    }
    out.push_str(&grid(&head, &rows, look));
}

/// Findings with what was said of each; nothing where there are none.
fn said<'v>(
    out: &mut String,
    title: &str,
    findings: impl Iterator<Item = (&'v Finding, Said)>,
    look: Look,
) {
    let rows: Vec<Row> = findings
        .map(|(finding, said)| Row {
            cells: vec![
                printable(&finding.package.name),
                printable(&finding.id),
                finding.severity.to_string(),
                said.status.to_owned(),
                printable(&said.why()),
                printable(&said.origin()),
            ],
            joined: false,
            colour: Some((2, colour(finding.severity))),
        })
        .collect();
    if rows.is_empty() {
        return;
    }
    let title = format!("{title} (Total: {})", rows.len());
    _ = write!(out, "\n{title}\n{}\n", "=".repeat(title.len()));
    let head = ["Library", "Vulnerability", "Severity", "Status", "Statement", "Source"];
    out.push_str(&grid(&head, &rows, look));
}

/// The package's name; of those that are one of many files, with the file's name.
fn library(finding: &Finding, class: &str) -> String {
    let package = &finding.package;
    let file = package.evidence.rsplit('/').next().unwrap_or_default();
    let many = class == "lang-pkgs" && !file.is_empty();
    let grouped = language(package.kind).is_some_and(|of| of.target.is_some());
    if many && grouped { format!("{} ({file})", package.name) } else { package.name.clone() }
}

/// Gaps that differ only in their subject are told once, with all the subjects.
fn gaps(out: &mut String, view: &View<'_>, look: Look) {
    let all = view.gaps();
    if all.is_empty() {
        out.push_str("\nGaps: none; all that was found could be examined.\n");
        return;
    }
    _ = write!(out, "\nGaps: {} not examined\n", all.len());
    for kind in all.chunk_by(|a, b| a.kind == b.kind) {
        let Some(first) = kind.first() else { continue };
        _ = writeln!(out, "\n  {}", paint(first.kind.as_str(), look, "33"));
        for gap in kind {
            let said = format!("{}: {}", printable(&gap.subject), printable(&gap.detail));
            paragraph(out, "    ", &said, look);
        }
        paragraph(out, "    ", &format!("next: {}", first.kind.next_step()), look);
    }
}

fn paragraph(out: &mut String, indent: &str, text: &str, look: Look) {
    let width = look.width.map_or(usize::MAX, |w| w.saturating_sub(indent.len() + 2).max(20));
    for (n, line) in wrap_words(text, width).into_iter().enumerate() {
        out.push_str(indent);
        out.push_str(if n > 0 { "  " } else { "" });
        out.push_str(&line);
        out.push('\n');
    }
}

fn colour(severity: Severity) -> &'static str {
    match severity {
        Severity::Unknown => "36",
        Severity::Low => "34",
        Severity::Medium => "33",
        Severity::High => "31",
        Severity::Critical => "1;31",
    }
}

fn paint(text: &str, look: Look, code: &str) -> String {
    if look.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
}

/// One row of a grid.
struct Row {
    cells: Vec<String>,
    /// Continues the row above: no rule between them.
    joined: bool,
    /// The cell that is coloured, and how.
    colour: Option<(usize, &'static str)>,
}

impl Row {
    fn of<const N: usize>(cells: [String; N]) -> Self {
        Self { cells: cells.into(), joined: false, colour: None }
    }
}

/// Columns are never narrower than this, however narrow the terminal is.
const NARROWEST: usize = 8;

/// A grid with ruled lines. Cells are printable ASCII; the widest columns are wrapped until it
/// fits.
fn grid(head: &[&str], rows: &[Row], look: Look) -> String {
    let mut widths: Vec<usize> = head.iter().map(|h| h.len()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(&row.cells) {
            *width = (*width).max(cell.len());
        }
    }
    if let Some(room) = look.width.map(|w| w.saturating_sub(3 * head.len() + 1)) {
        // First at the cost of what breaks between words; ids are for copying, so they come last.
        let words: Vec<usize> = (0..widths.len())
            .map(|at| longest_word(head.get(at).copied(), rows, at).max(NARROWEST))
            .collect();
        shrink(&mut widths, room, &words);
        shrink(&mut widths, room, &vec![NARROWEST; words.len()]);
    }
    let rule = |left: &str, cross: &str, right: &str| {
        let bars: Vec<String> = widths.iter().map(|w| "─".repeat(w + 2)).collect();
        format!("{left}{}{right}\n", bars.join(cross))
    };
    let mut out = rule("┌", "┬", "┐");
    let titles =
        Row { cells: head.iter().map(|h| (*h).to_owned()).collect(), joined: false, colour: None };
    row_lines(&mut out, &titles, &widths, look);
    for row in rows {
        if !row.joined {
            out.push_str(&rule("├", "┼", "┤"));
        }
        row_lines(&mut out, row, &widths, look);
    }
    out.push_str(&rule("└", "┴", "┘"));
    out
}

/// Takes columns from the widest until all fit into `room` or none is above its least width.
fn shrink(widths: &mut [usize], room: usize, least: &[usize]) {
    while widths.iter().sum::<usize>() > room {
        let above = widths.iter_mut().zip(least).filter(|(w, l)| **w > **l);
        match above.map(|(w, _)| w).max() {
            Some(widest) => *widest -= 1,
            None => return,
        }
    }
}

/// The longest stretch of a column that [`wrap`] would have to break anywhere.
fn longest_word(title: Option<&str>, rows: &[Row], column: usize) -> usize {
    let cells = rows.iter().filter_map(|r| r.cells.get(column)).map(String::as_str);
    let words = cells.chain(title).flat_map(|c| c.split_inclusive([' ', ',', '/', ';']));
    words.map(|w| w.trim_end().len()).max().unwrap_or(0)
}

fn row_lines(out: &mut String, row: &Row, widths: &[usize], look: Look) {
    let cells: Vec<Vec<String>> =
        row.cells.iter().zip(widths).map(|(cell, width)| wrap(cell, *width)).collect();
    let height = cells.iter().map(Vec::len).max().unwrap_or(0);
    for line in 0..height {
        for (column, (cell, width)) in cells.iter().zip(widths).enumerate() {
            let text = cell.get(line).map_or("", String::as_str);
            let padded = format!("{text:<width$}");
            let shown = match row.colour {
                Some((at, code)) if at == column => paint(&padded, look, code),
                _ => padded,
            };
            out.push_str("│ ");
            out.push_str(&shown);
            out.push(' ');
        }
        out.push_str("│\n");
    }
}
