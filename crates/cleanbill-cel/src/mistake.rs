//! What is wrong with an expression as it is written: found when it is loaded.

use std::fmt;

/// Something wrong in an expression's source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    /// The line within the source, from 1.
    pub line: usize,
    /// The column within the line, in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it, where there is something to say.
    pub hint: Option<String>,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

/// A mistake before its place is counted in lines: `at` is an offset in bytes.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub at: u32,
    pub message: String,
    pub hint: Option<String>,
}

impl Found {
    pub fn new(at: u32, message: impl Into<String>) -> Self {
        Self { at, message: message.into(), hint: None }
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds "did you mean" when one of the names is near.
    pub fn near<'a>(self, word: &str, names: impl IntoIterator<Item = &'a str>) -> Self {
        match nearest(word, names) {
            Some(name) => self.hint(format!("did you mean `{name}`?")),
            None => self,
        }
    }

    /// The mistake with its line and column in `source`.
    pub fn placed(self, source: &str) -> Mistake {
        let (line, column) = place(source, self.at);
        Mistake { line, column, message: self.message, hint: self.hint }
    }
}

/// All of them, in the order of their places, no more than [`crate::limits::MISTAKES`].
pub(crate) fn placed(found: Vec<Found>, source: &str) -> Vec<Mistake> {
    let mut mistakes: Vec<Mistake> = found.into_iter().map(|f| f.placed(source)).collect();
    mistakes.sort();
    mistakes.dedup();
    mistakes.truncate(crate::limits::MISTAKES);
    mistakes
}

/// Line and column, from 1, of an offset in bytes.
pub(crate) fn place(source: &str, at: u32) -> (usize, usize) {
    let at = source.floor_char_boundary(usize::try_from(at).unwrap_or(usize::MAX));
    let before = source.get(..at).unwrap_or(source);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

/// The name that is at most two edits away (one for short words), if any.
pub(crate) fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = if word.chars().count() < 4 { 1 } else { 2 };
    let mut near: Vec<(usize, &str)> = names
        .into_iter()
        .filter(|n| n.len().abs_diff(word.len()) <= 8 && word.len() <= 64)
        .map(|n| (edits(word, n), n))
        .filter(|(d, n)| *d <= most && *n != word)
        .collect();
    near.sort_unstable();
    near.first().map(|(_, n)| *n)
}

/// How many letters must be changed, added or taken away; case counts for nothing.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().flat_map(char::to_lowercase).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().flat_map(char::to_lowercase).enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (slot, y) in row.iter_mut().skip(1).zip(&b) {
            let cost = (diagonal + usize::from(x != *y)).min(left + 1).min(*slot + 1);
            diagonal = *slot;
            *slot = cost;
            left = cost;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{nearest, place};

    #[test]
    fn places_are_counted_in_characters() {
        for (source, at, expected) in
            [("abc", 0, (1, 1)), ("a\nbc", 3, (2, 2)), ("'ü' x", 5, (1, 5)), ("", 9, (1, 1))]
        {
            assert_eq!(place(source, at), expected, "{source:?} {at}");
        }
    }

    #[test]
    fn near_names_are_offered_and_far_ones_are_not() {
        for (word, expected) in [
            ("lables", Some("labels")),
            ("startswith", Some("startsWith")),
            ("foo", None),
            ("labels", None),
        ] {
            assert_eq!(nearest(word, ["labels", "startsWith", "image"]), expected, "{word}");
        }
    }
}
