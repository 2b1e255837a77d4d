//! What was left out of a report and by what, in words and as fields of Trivy's JSON. Must not
//! judge: it tells what the core ruled.

use cleanbill_core::finding::Finding;
use cleanbill_core::suppression::{
    self, Aside, By, Document, IgnoreEntry, IgnoreFile, Remark, Statement,
};
use serde_json::{Map, Value, json};

use crate::report::View;
use crate::vex::Notes;

/// More notes than this are counted only, in forms for people.
const NOTES_SHOWN: usize = 10;

/// Who leaves out flaws of language packages that the distribution packaged.
const OWNERS: &str = "the distribution's advisories";

/// What was said of a finding, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Trivy's word: `ignored`, `not_affected`, `fixed`; also `expired`, `affected`,
    /// `under_investigation`, `left_to_distribution`.
    pub status: &'static str,
    /// Why, where that is said; of VEX the justification first.
    pub statement: String,
    /// The file, or the flag.
    pub source: String,
    /// The place in the file, as it is written behind its name; empty for flags.
    pub place: String,
    /// When an entry ends, or when a statement was made.
    pub time: Option<(&'static str, String)>,
}

impl Said {
    /// What left a finding out.
    pub fn by(by: &By<'_>) -> Self {
        match by {
            By::Unfixed => Self::flag("--ignore-unfixed"),
            By::Status(_) => Self::flag("--ignore-status"),
            By::Ignored(file, entry) => Self::entry("ignored", file, entry),
            By::Vex(document, statement) => Self::statement(document, statement),
            By::Owner(owner) => Self {
                status: "left_to_distribution",
                statement: format!("judged as the distribution's package {owner}"),
                source: OWNERS.to_owned(),
                place: String::new(),
                time: None,
            },
        }
    }

    /// What was said of a finding that counts all the same.
    pub fn remark(remark: &Remark<'_>) -> Self {
        match remark {
            Remark::Expired(file, entry) => Self::entry("expired", file, entry),
            Remark::Vex(document, statement) => Self::statement(document, statement),
        }
    }

    /// What is said and does not count.
    pub fn aside(aside: &Aside<'_>) -> Self {
        match aside.said {
            suppression::Said::Entry(file, entry) => Self::entry("ignored", file, entry),
            suppression::Said::Statement(document, statement) => {
                Self::statement(document, statement)
            }
        }
    }

    fn flag(flag: &str) -> Self {
        let (statement, place) = (String::new(), String::new());
        Self { status: "ignored", statement, source: flag.to_owned(), place, time: None }
    }

    fn entry(status: &'static str, file: &IgnoreFile, entry: &IgnoreEntry) -> Self {
        Self {
            status,
            statement: entry.statement.clone().unwrap_or_default(),
            source: file.file.to_string(),
            place: entry.place.to_string(),
            time: entry.expires.map(|t| ("Expires", t.to_string())),
        }
    }

    fn statement(document: &Document, statement: &Statement) -> Self {
        let grounds = statement.stance.grounds();
        let justification = grounds.and_then(|g| g.justification()).map(|j| j.as_str());
        let words = [justification, grounds.and_then(|g| g.words())];
        Self {
            status: statement.stance.as_str(),
            statement: words.into_iter().flatten().collect::<Vec<_>>().join(": "),
            source: document.file.to_string(),
            place: statement.place.to_string(),
            time: statement.time.map(|t| ("Said", t.to_string())),
        }
    }

    /// The file and the place in it.
    pub fn origin(&self) -> String {
        format!("{}{}", self.source, self.place)
    }

    /// Why, and until when or when it was said, for people.
    pub fn why(&self) -> String {
        let time = self.time.as_ref().map(|(what, t)| format!("{} {t}", what.to_lowercase()));
        let parts = [Some(self.statement.clone()).filter(|s| !s.is_empty()), time];
        parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
    }

    /// The same as fields of our own in JSON.
    pub fn fields(&self) -> Value {
        let mut out = Map::new();
        out.insert("Status".into(), self.status.into());
        out.insert("Statement".into(), self.statement.clone().into());
        out.insert("Source".into(), self.source.clone().into());
        out.insert("Place".into(), self.place.clone().into());
        if let Some((what, time)) = &self.time {
            out.insert((*what).into(), time.clone().into());
        }
        out.into()
    }
}

/// All findings that were left out, target by target.
pub fn all<'v>(view: &'v View<'_>) -> impl Iterator<Item = (&'v Finding, Said)> {
    let each = view.targets.iter().flat_map(|t| &t.suppressed);
    each.map(|(finding, by)| (*finding, Said::by(by)))
}

/// All that was said of findings that count all the same.
pub fn remarks<'v>(view: &'v View<'_>) -> impl Iterator<Item = (&'v Finding, Said)> {
    let each = view.targets.iter().flat_map(|t| &t.remarks);
    each.map(|(finding, remark)| (*finding, Said::remark(remark)))
}

/// How many findings each source left out, files first, those that left out none included.
fn counts(view: &View<'_>) -> Vec<(String, bool, usize)> {
    let files = view.given.iter().flat_map(|given| &given.files);
    let mut counts: Vec<(String, bool, usize)> =
        files.map(|f| (f.name.to_string(), f.by_default, 0)).collect();
    for (_, said) in all(view) {
        match counts.iter_mut().find(|(name, _, _)| *name == said.source) {
            Some((_, _, count)) => *count += 1,
            None => counts.push((said.source, false, 1)),
        }
    }
    counts
}

/// How many findings were left out and by what, and what was not understood: lines for people.
/// None if nothing was given.
pub fn summary(view: &View<'_>) -> Vec<String> {
    let given = view.given.filter(|g| !g.is_empty());
    let total = view.targets.iter().map(|t| t.suppressed.len()).sum::<usize>();
    if given.is_none() && total == 0 {
        return Vec::new();
    }
    let said = view.targets.iter().map(|t| t.remarks.len()).sum::<usize>();
    let by = counts(view).into_iter().map(|(name, by_default, count)| {
        let found = if by_default { " (found in this folder)" } else { "" };
        format!("{name}{found} {count}")
    });
    let by = by.collect::<Vec<_>>().join(", ");
    let mut lines = vec![if by.is_empty() {
        format!("Suppressed: {total}")
    } else {
        format!("Suppressed: {total}, by {by}")
    }];
    if (total > 0 || said > 0)
        && !view.filter.suppressed
        && let Some(line) = lines.first_mut()
    {
        line.push_str("; --show-suppressed lists them");
    }
    if said > 0 {
        lines.push(format!("Counted although an expired entry or VEX speaks of it: {said}"));
    }
    lines.extend(given.into_iter().flat_map(|given| not_understood(&given.notes)));
    lines
}

/// What of the files was not understood: lines for people.
pub fn not_understood(notes: &Notes) -> Vec<String> {
    let count = notes.count();
    if count == 0 {
        return Vec::new();
    }
    let mut lines = vec![format!("Not understood, and so suppressing nothing: {count}")];
    lines.extend(notes.kept().iter().take(NOTES_SHOWN).map(|note| format!("  {note}")));
    if let Some(more) = count.checked_sub(NOTES_SHOWN).filter(|n| *n > 0) {
        lines.push(format!("  and {more} more"));
    }
    lines
}

/// The same for JSON; `None` if nothing was given and nothing was left out.
pub fn json(view: &View<'_>) -> Option<Value> {
    let total = view.targets.iter().map(|t| t.suppressed.len()).sum::<usize>();
    let given = view.given.filter(|g| !g.is_empty());
    if given.is_none() && total == 0 {
        return None;
    }
    let kept = given.map(|given| given.notes.kept()).unwrap_or_default();
    let by = counts(view).into_iter().map(|(name, by_default, count)| {
        json!({"Source": name, "FoundByDefault": by_default, "Count": count})
    });
    let note = |n: &crate::vex::Note| json!({"Source": &*n.file, "Place": n.place.to_string(), "Message": n.message});
    Some(json!({
        "Count": total,
        "By": by.collect::<Vec<_>>(),
        "NotUnderstood": given.map_or(0, |given| given.notes.count()),
        "Notes": kept.iter().map(note).collect::<Vec<_>>(),
    }))
}
