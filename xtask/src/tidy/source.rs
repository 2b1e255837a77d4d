//! A Rust file without what is not code: comments, the insides of string literals, tests.

/// The code of a file, line by line: comments and string contents blanked, items under
/// `#[cfg(test)]` left out.
pub fn code(text: &str) -> String {
    let text = without_tests(text);
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(c) = rest.chars().next() {
        let skipped = comment(rest).or_else(|| string(rest)).or_else(|| character(rest));
        match skipped {
            Some(len) => {
                let (gone, kept) = rest.split_at(len);
                out.extend(gone.chars().filter(|c| *c == '\n'));
                out.push(' ');
                rest = kept;
            }
            None => {
                out.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    out
}

/// The text without its top-level items under `#[cfg(test)]`: up to the line that ends a
/// declaration, or the `}` in the first column that ends a block.
fn without_tests(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line != "#[cfg(test)]" {
            out.push_str(line);
            out.push('\n');
            continue;
        }
        let mut block = false;
        for line in lines.by_ref() {
            block |= line.ends_with('{');
            if (block && line == "}") || (!block && line.ends_with([';', '}'])) {
                break;
            }
        }
    }
    out
}

/// The paths that grouped imports name, one a line: `use a::{b, c::D}` → `a::b`, `a::c`. One
/// level of groups is looked into, which is as deep as rustfmt's readers can follow.
pub fn grouped_imports(code: &str) -> String {
    let mut out = String::new();
    for (at, _) in code.match_indices("::{") {
        let prefix = code[..at].rsplit(|c: char| !c.is_alphanumeric() && !"_:".contains(c)).next();
        let inside = code[at + 3..].split([';', '}']).next().unwrap_or_default();
        for item in inside.split(',') {
            let item = item.trim().split("::").next().unwrap_or_default();
            out.push_str(&format!("{}::{item}\n", prefix.unwrap_or_default()));
        }
    }
    out
}

/// The length of the comment that `rest` begins with.
fn comment(rest: &str) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    rest.starts_with("/*").then(|| rest.find("*/").map_or(rest.len(), |end| end + 2))
}

/// The length of the string literal that `rest` begins with, raw ones included.
fn string(rest: &str) -> Option<usize> {
    if let Some(raw) = rest.strip_prefix('r') {
        let hashes = raw.bytes().take_while(|b| *b == b'#').count();
        if raw[hashes..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let body = hashes + 2;
            return Some(rest[body..].find(&end).map_or(rest.len(), |at| body + at + end.len()));
        }
    }
    let body = rest.strip_prefix('"')?;
    let mut escaped = false;
    for (at, c) in body.char_indices() {
        match c {
            '"' if !escaped => return Some(at + 2),
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    Some(rest.len())
}

/// The length of the character literal that `rest` begins with (a lifetime is none).
fn character(rest: &str) -> Option<usize> {
    let body = rest.strip_prefix('\'')?;
    let mut chars = body.char_indices();
    let (_, first) = chars.next()?;
    if first == '\\' {
        let after = body.char_indices().nth(2)?.0;
        return body[after..].find('\'').map(|at| 1 + after + at + 1);
    }
    let (at, close) = chars.next()?;
    (close == '\'').then_some(at + 2)
}

#[cfg(test)]
mod tests {
    use super::code;

    #[test]
    fn only_code_is_left() {
        let table: &[(&str, &str, bool)] = &[
            ("use std::fs;", "std::fs", true),
            ("//! not std::fs", "std::fs", false),
            ("let a = \"std::fs\";", "std::fs", false),
            ("let a = \"\\\"std::fs\";", "std::fs", false),
            ("let a = r#\"x \" std::fs\"#; use std::net;", "std::fs", false),
            ("let a = r#\"x \" std::fs\"#; use std::net;", "std::net", true),
            ("let c = '\"'; use std::fs;", "std::fs", true),
            ("let c = '\\''; use std::fs;", "std::fs", true),
            ("fn a<'x>(b: &'x str) { std::fs::x() }", "std::fs", true),
            ("/* std::fs */ fn a() {}", "std::fs", false),
            ("fn a() {}\n#[cfg(test)]\nmod tests {\n  use std::fs;\n}\n", "std::fs", false),
            ("#[cfg(test)]\nmod tests;\nuse std::fs;", "std::fs", true),
            ("#[cfg(test)]\n#[path = \"a.rs\"]\nmod tests;\nuse std::fs;", "std::fs", true),
            ("#[cfg(test)]\nfn a() {\n  x\n}\nuse std::fs;", "std::fs", true),
        ];
        for (text, word, there) in table {
            assert_eq!(code(text).contains(word), *there, "{text}");
        }
    }
}
