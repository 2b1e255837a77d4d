//! String and bytes literals: the escapes of quoted text.

/// What a quoted text stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Text {
    String(String),
    Bytes(Vec<u8>),
}

/// Reads the inside of a literal. On failure: the offset within it, and what is wrong.
pub(crate) fn unescape(body: &str, bytes: bool) -> Result<Text, (usize, String)> {
    let mut text = String::new();
    let mut octets = Vec::new();
    let mut rest = body;
    while let Some(c) = rest.chars().next() {
        let at = body.len() - rest.len();
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        if c != '\\' {
            text.push(c);
            continue;
        }
        let Some(code) = rest.chars().next() else {
            return Err((at, "a backslash stands alone at the end".into()));
        };
        rest = rest.get(code.len_utf8()..).unwrap_or_default();
        if let Some(plain) = simple(code) {
            text.push(plain);
            continue;
        }
        let (digits, base) = match code {
            'x' | 'X' => (take(rest, 2), 16),
            'u' if !bytes => (take(rest, 4), 16),
            'U' if !bytes => (take(rest, 8), 16),
            'u' | 'U' => return Err((at, format!("`\\{code}` is not for bytes; write `\\x`"))),
            '0'..='3' => (take(body.get(at + 1..).unwrap_or_default(), 3), 8),
            _ => return Err((at, format!("`\\{code}` is not an escape"))),
        };
        let value = digits.filter(|d| d.chars().all(|c| c.is_digit(base)));
        let Some(value) = value.and_then(|d| u32::from_str_radix(d, base).ok()) else {
            return Err((at, format!("`\\{code}` wants more digits")));
        };
        let used = if base == 8 { 2 } else { digits.map_or(0, str::len) };
        rest = rest.get(used..).unwrap_or_default();
        match (bytes, u8::try_from(value), char::from_u32(value)) {
            (true, Ok(octet), _) => {
                octets.extend_from_slice(text.as_bytes());
                text.clear();
                octets.push(octet);
            }
            (false, _, Some(c)) => text.push(c),
            _ => return Err((at, format!("{value:#x} is no character"))),
        }
    }
    if bytes {
        octets.extend_from_slice(text.as_bytes());
        return Ok(Text::Bytes(octets));
    }
    Ok(Text::String(text))
}

/// The escapes of one letter.
fn simple(code: char) -> Option<char> {
    Some(match code {
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        '\\' | '?' | '"' | '\'' | '`' => code,
        _ => return None,
    })
}

fn take(rest: &str, n: usize) -> Option<&str> {
    rest.get(..n)
}

#[cfg(test)]
mod tests {
    use super::{Text, unescape};

    #[test]
    fn escapes_mean_what_the_definition_says() {
        let table: &[(&str, &str)] = &[
            ("", ""),
            ("a\\tb", "a\tb"),
            ("\\303\\277", "\u{c3}\u{bf}"),
            ("\\377", "ÿ"),
            ("\\xFF", "ÿ"),
            ("\\u00fc\\U0001F600", "ü😀"),
            ("\\`\\?", "`?"),
        ];
        for (body, expected) in table {
            assert_eq!(unescape(body, false), Ok(Text::String((*expected).into())), "{body}");
        }
        let bytes: &[(&str, &[u8])] =
            &[("\\377", &[255]), ("ÿ", &[195, 191]), ("\\xffÿ", &[255, 195, 191])];
        for (body, expected) in bytes {
            assert_eq!(unescape(body, true), Ok(Text::Bytes(expected.to_vec())), "{body}");
        }
        for body in
            ["\\", "\\s", "\\x1", "\\u12", "\\ud800", "\\400", "\\08", "\\xü", "\\U00110000"]
        {
            assert!(unescape(body, false).is_err(), "{body}");
        }
        assert!(unescape("\\u0041", true).is_err());
    }
}
