//! What `doctor` says: errors and warnings in the order of cause, then what was not looked at and
//! why, then what is fine. As text for people, as JSON for programs.

use std::fmt::Write as _;

use cleanbill_core::Timestamp;
use serde_json::json;

use super::Check;
use super::found::{Found, Judged, NotLooked, Outcome, hushed};
use crate::exit::Exit;
use crate::report::text::{printable_lines, wrap_words};

/// One check and how it came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The check's id.
    pub check: &'static str,
    /// What it asks.
    pub asks: &'static str,
    /// Which API server it is about, where there are several.
    pub about: Option<String>,
    /// How it came out.
    pub outcome: Outcome,
    /// What was looked at; empty where nothing was.
    pub looked_at: String,
    /// What was found, or why it was not looked at.
    pub said: String,
    /// Why it matters.
    pub why: &'static str,
    /// What to do.
    pub fix: String,
}

/// All of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// When.
    pub at: Timestamp,
    /// In the order of cause.
    pub checked: Vec<Checked>,
}

impl Checked {
    /// What a check returned.
    pub(super) fn of(check: &'static Check, about: Option<String>, judged: Judged) -> Self {
        let found = judged.unwrap_or_else(|NotLooked(why)| Found {
            outcome: Outcome::NotLooked,
            looked_at: String::new(),
            said: why,
            fix: String::new(),
        });
        let Found { outcome, .. } = found;
        let [looked_at, said, fix] = [found.looked_at, found.said, found.fix].map(|t| hushed(&t));
        Self {
            check: check.id,
            asks: check.asks,
            about,
            outcome,
            looked_at,
            said,
            why: check.why,
            fix,
        }
    }
}

impl Report {
    /// The first error: the cause to begin with.
    pub fn first_error(&self) -> Option<&Checked> {
        self.with(Outcome::Error).next()
    }

    /// Those that came out so, in the order of cause.
    pub fn with(&self, outcome: Outcome) -> impl Iterator<Item = &Checked> {
        self.checked.iter().filter(move |c| c.outcome == outcome)
    }

    /// The exit code that it deserves.
    pub fn exit(&self) -> Exit {
        let looked = self.checked.len() - self.count(Outcome::NotLooked);
        match (self.count(Outcome::Error), looked) {
            (1.., _) => Exit::ERRORS,
            (0, 0) => Exit::GAPS,
            (0, _) => Exit::DONE,
        }
    }

    /// For people. `all`: what is fine is explained too.
    pub fn text(&self, all: bool) -> String {
        let mut out = String::new();
        for outcome in [Outcome::Error, Outcome::Warning] {
            for checked in self.with(outcome) {
                block(&mut out, checked);
            }
        }
        if self.count(Outcome::NotLooked) > 0 {
            _ = writeln!(out, "not looked at");
            for (why, names) in self.reasons() {
                item(&mut out, &format!("{why}: {}", names.join(", ")));
            }
            out.push('\n');
        }
        if self.count(Outcome::Fine) > 0 {
            _ = writeln!(out, "ok");
        }
        for checked in self.with(Outcome::Fine) {
            let Checked { looked_at, said, .. } = checked;
            match all {
                true => block(&mut out, checked),
                false => item(&mut out, &format!("{}: {looked_at}: {said}", named(checked))),
            }
        }
        out.push('\n');
        let count = |outcome| self.count(outcome);
        let several = |number, what: &str| match number {
            1 => format!("1 {what}"),
            number => format!("{number} {what}s"),
        };
        _ = writeln!(
            out,
            "{}, {}, {} ok, {} not looked at",
            several(count(Outcome::Error), "error"),
            several(count(Outcome::Warning), "warning"),
            count(Outcome::Fine),
            count(Outcome::NotLooked)
        );
        if let Some(first) = self.first_error().filter(|_| count(Outcome::Error) > 1) {
            _ = writeln!(out, "begin with {}: what comes after may follow from it", first.check);
        }
        printable_lines(&out)
    }

    /// Why checks were not made, each reason once with the checks that it kept.
    fn reasons(&self) -> Vec<(&str, Vec<String>)> {
        let mut found: Vec<(&str, Vec<String>)> = Vec::new();
        for checked in self.with(Outcome::NotLooked) {
            match found.iter_mut().find(|(why, _)| *why == checked.said) {
                Some((_, names)) => names.push(named(checked)),
                None => found.push((&checked.said, vec![named(checked)])),
            }
        }
        found
    }

    /// For programs.
    pub fn json(&self) -> String {
        let checks: Vec<_> = self
            .checked
            .iter()
            .map(|c| {
                json!({
                    "check": c.check,
                    "asks": c.asks,
                    "api_server": c.about,
                    "result": c.outcome.word(),
                    "looked_at": c.looked_at,
                    "found": c.said,
                    "why": c.why,
                    "fix": c.fix,
                })
            })
            .collect();
        let count = |outcome| self.count(outcome);
        let whole = json!({
            "time": self.at.to_string(),
            "errors": count(Outcome::Error),
            "warnings": count(Outcome::Warning),
            "ok": count(Outcome::Fine),
            "not_looked": count(Outcome::NotLooked),
            "first_error": self.first_error().map(|c| c.check),
            "checks": checks,
        });
        // Texts and numbers alone: this cannot fail.
        crate::report::json::ascii(
            &(serde_json::to_string_pretty(&whole).unwrap_or_default() + "\n"),
        )
    }
}

fn named(checked: &Checked) -> String {
    match &checked.about {
        Some(about) => format!("{} ({about})", checked.check),
        None => checked.check.to_owned(),
    }
}

fn item(out: &mut String, line: &str) {
    for (at, part) in wrap_words(line, 96).iter().enumerate() {
        _ = writeln!(out, "{}{part}", if at == 0 { "  " } else { "    " });
    }
}

fn block(out: &mut String, checked: &Checked) {
    _ = writeln!(out, "{}  {}  {}", checked.outcome.word(), named(checked), checked.asks);
    let rows = [
        ("looked at", checked.looked_at.as_str()),
        ("found", &checked.said),
        ("why", checked.why),
        ("do", &checked.fix),
    ];
    for (name, words) in rows.into_iter().filter(|(_, words)| !words.is_empty()) {
        let mut first = true;
        // What is to be copied keeps its indentation.
        let lines = words.lines().flat_map(|line| {
            let text = line.trim_start();
            let indent = " ".repeat(line.len() - text.len());
            wrap_words(text, 84).into_iter().map(move |line| format!("{indent}{line}"))
        });
        for line in lines {
            let name = if std::mem::take(&mut first) { name } else { "" };
            _ = writeln!(out, "  {name:<10} {line}");
        }
    }
    out.push('\n');
}
