//! What somebody else was asked about one image, and what came back.
//!
//! An opinion is evidence and never a permit: how opinions count is the policy's to say, and
//! "agrees" takes away one obstacle at most. Who is asked, and how, is the outermost room's.

use serde::{Deserialize, Serialize};

use crate::gap::{Gap, GapKind};

/// What one checker said about one image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opinion {
    /// The checker's name in the configuration.
    pub checker: String,
    /// What came back.
    pub answer: Answer,
}

/// What came back from a checker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "lowercase")]
pub enum Answer {
    /// It would let the image run.
    Agrees,
    /// It would not.
    Disagrees {
        /// Its words, printable and at most [`MAX_REASON`] bytes; empty where it gave none.
        reason: String,
    },
    /// Nothing that counts as an answer: none in time, a crash, or nonsense.
    Silent {
        /// Why not, always of the kind [`GapKind::CheckerSilent`].
        gap: Gap,
    },
}

/// The longest reason that is kept, in bytes.
pub const MAX_REASON: usize = 2048;

impl Opinion {
    /// The checker agrees.
    pub fn agrees(checker: impl Into<String>) -> Self {
        Self { checker: checker.into(), answer: Answer::Agrees }
    }

    /// The checker disagrees. Of its words what is not printable becomes a space, and what is
    /// past [`MAX_REASON`] bytes is cut.
    pub fn disagrees(checker: impl Into<String>, reason: &str) -> Self {
        Self { checker: checker.into(), answer: Answer::Disagrees { reason: one_line(reason) } }
    }

    /// The checker gave no answer that counts; `detail` says why, as in [`Gap::detail`].
    pub fn silent(checker: impl Into<String>, detail: &str) -> Self {
        let checker = checker.into();
        let gap = Gap::new(GapKind::CheckerSilent, checker.clone(), one_line(detail));
        Self { checker, answer: Answer::Silent { gap } }
    }

    /// The gap, where there is one.
    pub fn gap(&self) -> Option<&Gap> {
        match &self.answer {
            Answer::Agrees | Answer::Disagrees { .. } => None,
            Answer::Silent { gap } => Some(gap),
        }
    }
}

/// Somebody's words as one printable line of at most [`MAX_REASON`] bytes, since they go to logs,
/// records and people.
pub fn one_line(words: &str) -> String {
    let mut line = String::new();
    for c in words.chars().map(|c| if printable(c) { c } else { ' ' }) {
        if c == ' ' && (line.is_empty() || line.ends_with(' ')) {
            continue;
        }
        if line.len() + c.len_utf8() > MAX_REASON - '…'.len_utf8() {
            line.push('…');
            return line;
        }
        line.push(c);
    }
    line.truncate(line.trim_end().len());
    line
}

/// No control characters, nor those that turn text around or hide in it.
fn printable(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_others_are_one_bounded_printable_line() {
        let table: &[(&str, &str)] = &[
            ("", ""),
            ("not ours", "not ours"),
            ("  two\n lines\t\u{1b}[31mred ", "two lines [31mred"),
            ("turned \u{202e}around\u{feff}", "turned around"),
            ("zażółć", "zażółć"),
        ];
        for (said, shown) in table {
            let opinion = Opinion::disagrees("c", said);
            assert_eq!(opinion.answer, Answer::Disagrees { reason: (*shown).into() }, "{said:?}");
        }
        let Answer::Disagrees { reason } = Opinion::disagrees("c", &"ż".repeat(5000)).answer
        else {
            unreachable!()
        };
        assert!(reason.len() <= MAX_REASON && reason.ends_with('…'), "{}", reason.len());
        let exact = "a".repeat(MAX_REASON - 3);
        assert_eq!(one_line(&exact), exact);
    }

    #[test]
    fn silence_is_a_gap_about_the_checker() {
        let opinion = Opinion::silent("scanner", "no answer within 3 s");
        let gap = opinion.gap().map(ToString::to_string);
        assert_eq!(gap.as_deref(), Some("checker-silent: scanner: no answer within 3 s"));
        assert_eq!(Opinion::agrees("scanner").gap(), None);
        let json = serde_json::to_string(&opinion).unwrap_or_default();
        assert_eq!(serde_json::from_str::<Opinion>(&json).ok(), Some(opinion));
    }
}
