//! Source to tokens. Every byte of any source ends in a token or a mistake.

use crate::literal::{Text, unescape};
use crate::mistake::Found;

/// One token.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    Name(String),
    /// Without its sign, so that the smallest `int` can be written.
    Int(u64),
    Uint(u64),
    Double(f64),
    Text(Text),
    True,
    False,
    Null,
    In,
    /// An operator or bracket, as written.
    Mark(&'static str),
    End,
}

/// A token and its offset in bytes.
pub(crate) type Placed = (Token, u32);

/// The marks, longest first.
const MARKS: &[&str] = &[
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "+", "-", "*", "/", "%", "?", ":", ".", ",",
    "(", ")", "[", "]", "{", "}",
];

/// All tokens, the last one [`Token::End`]; and what could not be read.
pub(crate) fn tokens(source: &str) -> (Vec<Placed>, Vec<Found>) {
    let mut lexer = Lexer { source, at: 0, tokens: Vec::new(), mistakes: Vec::new() };
    while lexer.step() {}
    lexer.push(Token::End, source.len());
    (lexer.tokens, lexer.mistakes)
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
    tokens: Vec<Placed>,
    mistakes: Vec<Found>,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn push(&mut self, token: Token, at: usize) {
        self.tokens.push((token, offset(at)));
    }

    fn wrong(&mut self, at: usize, message: impl Into<String>) {
        self.mistakes.push(Found::new(offset(at), message));
    }

    /// Takes one token; `false` at the end.
    fn step(&mut self) -> bool {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return false };
        let next = rest.chars().nth(1);
        match first {
            ' ' | '\t' | '\n' | '\r' | '\u{c}' => self.at += 1,
            '/' if next == Some('/') => self.at += rest.find('\n').unwrap_or(rest.len()),
            '0'..='9' => self.number(),
            '.' if next.is_some_and(|c| c.is_ascii_digit()) => self.number(),
            '"' | '\'' => self.text(0),
            _ if let Some(prefix) = text_prefix(rest) => self.text(prefix),
            'a'..='z' | 'A'..='Z' | '_' => self.name(),
            _ => match MARKS.iter().find(|m| rest.starts_with(**m)) {
                Some(mark) => {
                    self.push(Token::Mark(mark), self.at);
                    self.at += mark.len();
                }
                None => {
                    let found = Found::new(offset(self.at), format!("unexpected {first:?}"));
                    self.mistakes.push(match first {
                        '&' | '|' => found.hint(format!("write `{first}{first}`")),
                        '=' => found.hint("write `==`"),
                        _ => found,
                    });
                    self.at += first.len_utf8();
                }
            },
        }
        true
    }

    fn name(&mut self) {
        let len = length(self.rest(), |c| c.is_ascii_alphanumeric() || c == b'_');
        let name = self.rest().get(..len).unwrap_or_default();
        let token = match name {
            "true" => Token::True,
            "false" => Token::False,
            "null" => Token::Null,
            "in" => Token::In,
            _ => Token::Name(name.to_owned()),
        };
        self.push(token, self.at);
        self.at += len;
    }

    fn number(&mut self) {
        let (start, rest) = (self.at, self.rest());
        let hex = rest.strip_prefix("0x").or_else(|| rest.strip_prefix("0X"));
        if let Some(digits) = hex {
            let len = length(digits, |c| c.is_ascii_hexdigit());
            return self.integer(start, digits.get(..len).unwrap_or_default(), 16, len + 2);
        }
        let whole = length(rest, |c| c.is_ascii_digit());
        let mut len = whole;
        if let Some(after) = rest.get(len..).and_then(|r| r.strip_prefix('.')) {
            let fraction = length(after, |c| c.is_ascii_digit());
            len += if fraction > 0 { fraction + 1 } else { 0 };
        }
        if let Some(after) = rest.get(len..).and_then(|r| r.strip_prefix(['e', 'E'])) {
            let sign = usize::from(after.starts_with(['+', '-']));
            let digits = length(after.get(sign..).unwrap_or_default(), |c| c.is_ascii_digit());
            len += if digits > 0 { 1 + sign + digits } else { 0 };
        }
        let text = rest.get(..len).unwrap_or_default();
        if len == whole {
            return self.integer(start, text, 10, len);
        }
        self.at += len;
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => self.push(Token::Double(number), start),
            _ => self.wrong(start, "this number is out of the range of double"),
        }
    }

    fn integer(&mut self, start: usize, digits: &str, base: u32, len: usize) {
        self.at += len;
        let unsigned = self.rest().starts_with(['u', 'U']);
        self.at += usize::from(unsigned);
        let stray = length(self.rest(), |c| c.is_ascii_alphanumeric() || c == b'_');
        match u64::from_str_radix(digits, base) {
            _ if stray > 0 => {
                self.at += stray;
                self.wrong(start, "letters stand right behind a number");
            }
            Ok(number) if unsigned => self.push(Token::Uint(number), start),
            Ok(number) if number <= i64::MIN.unsigned_abs() => {
                self.push(Token::Int(number), start);
            }
            Ok(_) => self.wrong(start, "this number is out of the range of int"),
            Err(_) if digits.is_empty() => self.wrong(start, "digits are missing after `0x`"),
            Err(_) => self.wrong(start, "this number is out of range"),
        }
    }

    /// A string or bytes literal whose prefix has this many letters.
    fn text(&mut self, prefix: usize) {
        let (start, rest) = (self.at, self.rest());
        let letters = rest.get(..prefix).unwrap_or_default();
        let raw = letters.contains(['r', 'R']);
        let bytes = letters.contains(['b', 'B']);
        let quoted = rest.get(prefix..).unwrap_or_default();
        let triple = ["\"\"\"", "'''"].into_iter().find(|q| quoted.starts_with(q));
        let quote = triple.unwrap_or(if quoted.starts_with('"') { "\"" } else { "'" });
        let body = quoted.get(quote.len()..).unwrap_or_default();
        let from = start + prefix + quote.len();
        let Some(len) = body_length(body, quote, raw) else {
            self.wrong(start, format!("this text is never closed by {quote}"));
            // What follows is text as likely as code: say no more.
            self.at = match triple {
                Some(_) => self.source.len(),
                None => from + body.find('\n').unwrap_or(body.len()),
            };
            return;
        };
        self.at = from + len + quote.len();
        let inside = body.get(..len).unwrap_or_default();
        let text = match (raw, bytes) {
            (true, true) => Ok(Text::Bytes(inside.as_bytes().to_vec())),
            (true, false) => Ok(Text::String(inside.to_owned())),
            (false, bytes) => unescape(inside, bytes),
        };
        match text {
            Ok(text) => self.push(Token::Text(text), start),
            Err((at, what)) => {
                let found = Found::new(offset(from + at), what);
                self.mistakes.push(found.hint("a raw text, r'…', takes backslashes as they are"));
                self.push(Token::Text(Text::String(String::new())), start);
            }
        }
    }
}

/// The letters before a quote, if this is a literal with a prefix.
fn text_prefix(rest: &str) -> Option<usize> {
    let letters = length(rest, |c| matches!(c, b'r' | b'R' | b'b' | b'B'));
    let prefix = rest.get(..letters)?.to_ascii_lowercase();
    let quote = rest.get(letters..)?.starts_with(['"', '\'']);
    (quote && matches!(prefix.as_str(), "r" | "b" | "br")).then_some(letters)
}

/// How long the text is up to its closing quote; `None` when it is never closed.
fn body_length(body: &str, quote: &str, raw: bool) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in body.char_indices() {
        if escaped {
            escaped = false;
        } else if body.get(at..)?.starts_with(quote) {
            return Some(at);
        } else if c == '\\' && !raw {
            escaped = true;
        }
        if quote.len() == 1 && matches!(c, '\n' | '\r') {
            return None;
        }
    }
    None
}

fn length(text: &str, of: impl Fn(u8) -> bool) -> usize {
    text.bytes().take_while(|b| of(*b)).count()
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
