//! Words of strangers made fit for a terminal, and columns of text.
//!
//! Whatever comes out of an image, a registry or a feed passes [`printable`] before it reaches a
//! terminal or a line-oriented report.

use std::fmt::Write as _;

/// The text with everything but printable ASCII written as an escape (`\n`, `\u{1b}`, `\u{202e}`).
///
/// Names of packages, files and distributions are ASCII in practice, so nothing readable is lost,
/// while control sequences, bidirectional overrides and look-alike letters stay visible as such.
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            ' '..='~' => out.push(c),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            // Writing to a String cannot fail.
            other => _ = write!(out, "{}", other.escape_unicode()),
        }
    }
    out
}

/// The same for what a policy's owner wrote himself: letters and digits of every script are kept,
/// and the punctuation that sentences use. Not for words of strangers, whose letters could look
/// like others.
pub fn own_words(text: &str) -> String {
    let kept = |c: char| {
        c.is_alphanumeric()
            || matches!(c, '‘'..='„' | '–' | '—' | '…' | '«' | '»' | '¿' | '¡' | '€')
    };
    printable_but(text, kept)
}

/// The same as [`printable`] for text of ours that has lines of its own and quotes strangers within
/// them. Punctuation that our own sentences use is kept.
pub fn printable_lines(text: &str) -> String {
    let kept = |c: char| matches!(c, '…' | '–' | '→' | '×' | '≥');
    text.split('\n').map(|line| printable_but(line, kept)).collect::<Vec<_>>().join("\n")
}

/// As [`printable`], and these characters are kept as well.
fn printable_but(text: &str, kept: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if kept(c) => out.push(c),
            other => out.push_str(&printable(other.encode_utf8(&mut [0; 4]))),
        }
    }
    out
}

/// Breaks a sentence into lines of at most `width` columns, between words only: a longer word,
/// such as a digest, stays whole, since it is there to be copied. Never empty.
pub fn wrap_words(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ').filter(|w| !w.is_empty()) {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.len() + 1 + word.len() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Breaks the text of a table's cell into lines of at most `width` columns, after a comma, space,
/// semicolon or slash where there is one, else anywhere. Never empty.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = Vec::new();
    let mut rest: Vec<char> = text.chars().collect();
    while rest.len() > width {
        let head = &rest[..width];
        // A break at a space that falls right behind the line costs nothing.
        let at = if rest.get(width) == Some(&' ') {
            width
        } else {
            head.iter().rposition(|c| matches!(c, ' ' | ',' | '/' | ';')).map_or(width, |p| p + 1)
        };
        let tail = rest.split_off(at);
        lines.push(rest.iter().collect::<String>().trim_end().to_owned());
        rest = tail.into_iter().skip_while(|c| *c == ' ').collect();
    }
    lines.push(rest.into_iter().collect());
    lines
}

#[cfg(test)]
mod tests {
    use super::{own_words, printable, printable_lines, wrap};

    #[test]
    fn nothing_that_could_steer_a_terminal_gets_through() {
        let table = [
            ("musl 1.1.20-r5", "musl 1.1.20-r5"),
            ("a\u{1b}[2Jb", "a\\u{1b}[2Jb"),
            ("a\nGAP\tb", "a\\nGAP\\tb"),
            ("x\u{202e}gpj", "x\\u{202e}gpj"),
            ("\u{9b}31m\u{7f}", "\\u{9b}31m\\u{7f}"),
            ("café", "caf\\u{e9}"),
        ];
        for (raw, shown) in table {
            assert_eq!(printable(raw), shown);
        }
        assert_eq!(printable_lines("a…\u{7}\nb"), "a…\\u{7}\nb");
    }

    #[test]
    fn an_owners_own_words_keep_their_letters_and_steer_nothing() {
        let table = [
            ("Bitte „Härtung“ prüfen – 50 €", "Bitte „Härtung“ prüfen – 50 €"),
            ("请联系安全团队", "请联系安全团队"),
            ("a\u{1b}[2J\n\u{202e}\u{200b}\u{9b}b", "a\\u{1b}[2J\\n\\u{202e}\\u{200b}\\u{9b}b"),
        ];
        for (raw, shown) in table {
            assert_eq!(own_words(raw), shown);
        }
    }

    #[test]
    fn sentences_break_between_words() {
        let lines = super::wrap_words("May 127.0.0.1:5000/app run, or not?", 24);
        assert_eq!(lines, ["May 127.0.0.1:5000/app", "run, or not?"]);
        assert_eq!(super::wrap_words("a bcdefgh i", 3), ["a", "bcdefgh", "i"]);
        assert_eq!(super::wrap_words("", 3), [""]);
    }

    #[test]
    fn lines_break_where_a_reader_would() {
        let table: &[(&str, usize, &[&str])] = &[
            ("", 5, &[""]),
            ("abc", 5, &["abc"]),
            ("2.1.9, 1.11.21, 2.2.2", 16, &["2.1.9, 1.11.21,", "2.2.2"]),
            ("github.com/a/bcdef", 13, &["github.com/a/", "bcdef"]),
            ("abcdefgh", 3, &["abc", "def", "gh"]),
            ("ab cd", 2, &["ab", "cd"]),
        ];
        for (text, width, lines) in table {
            assert_eq!(wrap(text, *width), *lines, "{text} at {width}");
        }
    }
}
