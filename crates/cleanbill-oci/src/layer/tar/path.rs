//! From the names in a tar to normal paths of an image's root, and whiteouts.
//!
//! Paths are bytes in a tar and text here: bytes that are no UTF-8 are written `\xNN`, so that an
//! odd name neither fails a layer nor is lost (`\xff` spelled out in ASCII looks the same; no
//! file that anybody looks for has such a name).

use cleanbill_core::layer::EntryKind;

use crate::error::{Error, ErrorKind, Result};
use crate::limits::{Limit, Limits};

/// A path without leading `/`, `.` and empty components; empty for the root.
///
/// # Errors
/// When it has a `..` component or a NUL, or is too long or too deep.
pub(crate) fn normalise(bytes: &[u8], limits: &Limits) -> Result<String> {
    if bytes.len() > limits.path_bytes {
        return Err(limits.over(Limit::PathBytes));
    }
    let wrong = |why| Err(Error::new(ErrorKind::Malformed, format!("{why} in {:?}", show(bytes))));
    if bytes.contains(&0) {
        return wrong("a NUL");
    }
    let mut path = String::with_capacity(bytes.len());
    let mut depth = 0;
    for component in bytes.split(|b| *b == b'/') {
        match component {
            b"" | b"." => continue,
            b".." => return wrong("path traversal: \"..\""),
            _ => {}
        }
        depth += 1;
        if depth > limits.path_depth {
            return Err(limits.over(Limit::PathDepth));
        }
        if !path.is_empty() {
            path.push('/');
        }
        push_text(&mut path, component);
    }
    Ok(path)
}

/// A symbolic link's target as it is written.
///
/// # Errors
/// When it is too long or has a NUL.
pub(crate) fn target(bytes: &[u8], limits: &Limits) -> Result<String> {
    if bytes.len() > limits.path_bytes {
        return Err(limits.over(Limit::PathBytes));
    }
    if bytes.contains(&0) {
        let why = format!("a NUL in the link target {:?}", show(bytes));
        return Err(Error::new(ErrorKind::Malformed, why));
    }
    let mut text = String::with_capacity(bytes.len());
    push_text(&mut text, bytes);
    Ok(text)
}

/// Bytes as text, with what is no UTF-8 escaped.
pub(crate) fn push_text(text: &mut String, bytes: &[u8]) {
    for part in bytes.utf8_chunks() {
        text.push_str(part.valid());
        for byte in part.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
}

/// A name for a message, shortened.
pub(crate) fn show(bytes: &[u8]) -> String {
    let mut text = String::new();
    push_text(&mut text, bytes.get(..200).unwrap_or(bytes));
    text
}

/// What a path means in a layer (OCI image specification, layer.md, "Whiteouts").
pub(crate) enum Meaning {
    /// An ordinary entry.
    Plain(String),
    /// A whiteout: the path it is about, and which.
    Whiteout(String, EntryKind),
    /// Bookkeeping of AUFS at the root (`.wh..wh.aufs`, `.wh..wh.plnk/…`), which runtimes skip.
    Bookkeeping,
}

/// Tells whiteouts from ordinary paths.
///
/// # Errors
/// When it is the whiteout of nothing (`.wh.`, `.wh..`, `.wh...`), by which some runtimes remove
/// the directory itself or its parent.
pub(crate) fn meaning(path: String) -> Result<Meaning> {
    let (parent, name) = path.rsplit_once('/').unwrap_or(("", &path));
    if name == ".wh..wh..opq" {
        return Ok(Meaning::Whiteout(parent.to_owned(), EntryKind::Opaque));
    }
    if path.starts_with(".wh..wh.") {
        return Ok(Meaning::Bookkeeping);
    }
    match name.strip_prefix(".wh.") {
        None => Ok(Meaning::Plain(path)),
        Some("" | "." | "..") => {
            Err(Error::new(ErrorKind::Malformed, format!("a whiteout of nothing: {path:?}")))
        }
        Some(gone) if parent.is_empty() => {
            Ok(Meaning::Whiteout(gone.to_owned(), EntryKind::Whiteout))
        }
        Some(gone) => Ok(Meaning::Whiteout(format!("{parent}/{gone}"), EntryKind::Whiteout)),
    }
}

#[cfg(test)]
mod tests {
    use super::normalise;
    use crate::limits::Limits;

    #[test]
    fn paths_become_normal_or_are_refused() {
        let limits = Limits { path_bytes: 30, path_depth: 4, ..Limits::default() };
        let table: &[(&[u8], Result<&str, &str>)] = &[
            (b"a/b", Ok("a/b")),
            (b"./a//b/./c/", Ok("a/b/c")),
            (b"/a", Ok("a")),
            (b"./", Ok("")),
            (b"/", Ok("")),
            (b"a/..b/c..", Ok("a/..b/c..")),
            (b"a\xff/\xc3\xa9", Ok("a\\xff/é")),
            (b"../a", Err("path traversal: \"..\" in \"../a\"")),
            (b"a/../b", Err("path traversal: \"..\" in \"a/../b\"")),
            (b"/..", Err("path traversal: \"..\" in \"/..\"")),
            (b"a\0b", Err("a NUL in \"a\\0b\"")),
            (
                b"1/2/3/4/5",
                Err("more than 4 components of a path (raise with --limit path-depth=N)"),
            ),
            (
                b"0123456789012345678901234567890",
                Err(
                    "more than 30 bytes of a path or link target (raise with --limit path-bytes=N)",
                ),
            ),
        ];
        for (bytes, expected) in table {
            let got = normalise(bytes, &limits).map_err(|e| e.to_string());
            assert_eq!(got.as_deref().map_err(String::as_str), *expected, "{bytes:?}");
        }
    }
}
