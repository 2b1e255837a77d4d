//! `repomd.xml`, the table of contents of a repository of rpm packages: where its errata are, and
//! the hash that they have.

use quick_xml::Reader;
use quick_xml::events::Event;

use super::xml::attribute;
use crate::error::{Error, Result};

/// Bytes of a table of contents, of which a few thousand are usual.
pub(crate) const MOST: u64 = 1 << 20;
/// Elements that are open at once; the form has three.
const DEPTH: usize = 16;

/// Where the errata are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Located {
    /// Below the repository's own address.
    pub(crate) href: String,
    /// SHA-256 of the file as it is published, in hexadecimal.
    pub(crate) sha256: String,
}

/// Finds the errata in a table of contents; `None`: it names none.
///
/// # Errors
/// When it is no such table, or says nothing of them that can be relied on.
pub(crate) fn parse(text: &str) -> Result<Option<Located>> {
    let none = || Error::malformed("no table of contents of a repository (repomd.xml)");
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut open: Vec<String> = Vec::new();
    let (mut ours, mut href, mut sha256) = (false, None, None);
    loop {
        match reader.read_event().map_err(|e| none().because(e.to_string()))? {
            Event::Start(element) => {
                let name = element.name().as_ref().to_owned();
                let get = |name| attribute(&element, name).map_err(|why| none().because(why));
                match (name.as_str(), open.len()) {
                    ("repomd", 0) => {}
                    (_, 0) => return Err(none()),
                    ("data", 1) => ours = get("type")? == "updateinfo",
                    ("location", 2) if ours => href = Some(get("href")?),
                    ("checksum", 2) if ours && get("type")? == "sha256" => {
                        sha256 = Some(String::new());
                    }
                    (_, DEPTH..) => return Err(none()),
                    _ => {}
                }
                open.push(name);
            }
            Event::End(_) => ours &= open.pop().is_none_or(|name| name != "data"),
            Event::Text(text) if ours && open.last().is_some_and(|name| name == "checksum") => {
                if let Some(sha256) = &mut sha256 {
                    sha256.push_str(text.into_inner().trim());
                }
            }
            Event::DocType(_) => return Err(none()),
            Event::Eof if open.is_empty() => break,
            Event::Eof => return Err(none().because("it ends too early")),
            Event::Empty(_) | Event::Text(_) | Event::CData(_) | Event::GeneralRef(_) => {}
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
    let Some(href) = href else { return Ok(None) };
    let sha256 = sha256.filter(|hash| hash.len() == 64 && hash.bytes().all(is_hex));
    let sha256 =
        sha256.ok_or_else(|| Error::malformed("its errata are named without a SHA-256"))?;
    let below = !href.starts_with('/')
        && !href.split('/').any(|part| matches!(part, "" | "." | ".."))
        && href.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-+".contains(&b));
    match below {
        true => Ok(Some(Located { href, sha256: sha256.to_ascii_lowercase() })),
        false => Err(Error::malformed("its errata are not below the repository itself")),
    }
}

fn is_hex(byte: u8) -> bool {
    byte.is_ascii_hexdigit()
}

/// The address in a list of mirrors: the first line that is one, without a slash at its end. In it
/// `$basearch` may stand for the architecture.
///
/// # Errors
/// When there is none.
pub(crate) fn mirror(text: &str, arch: &str) -> Result<String> {
    let lines = text.lines().map(|line| line.trim().replace("$basearch", arch));
    let is_address = |line: &String| {
        let rest = line.strip_prefix("https://").unwrap_or_default();
        !rest.is_empty()
            && line.len() <= 1000
            && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-:~%+".contains(&b))
    };
    let line = lines.take(1000).find(is_address);
    let none = || Error::malformed("no list of mirrors: no line of it is an address by https");
    Ok(line.ok_or_else(none)?.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::{mirror, parse};

    #[test]
    fn errata_are_found_below_the_repository_with_their_hash() {
        let hash = "a".repeat(64);
        let data = |kind: &str, href: &str, sum: &str| {
            format!(
                r#"<data type="{kind}"><checksum type="sha256">{sum}</checksum><location href="{href}"/><size>1</size></data>"#
            )
        };
        let usual = data("updateinfo", "repodata/x-updateinfo.xml.gz", &hash);
        let other = data("primary", "repodata/primary.xml.gz", &"b".repeat(64));
        let repomd =
            |inside: &str| format!("<?xml version=\"1.0\"?><repomd xmlns=\"x\">{inside}</repomd>");
        let table = [
            (repomd(&format!("{other}{usual}{other}")), "repodata/x-updateinfo.xml.gz a"),
            (repomd(&other), "none"),
            (repomd(&data("updateinfo_zck", "r/u", &hash)), "none"),
            (repomd(&usual.replace("sha256", "md5")), "its errata are named without a SHA-256"),
            (repomd(&usual.replace('a', "z")), "none"),
            (repomd(&data("updateinfo", "r/u", "abc")), "its errata are named without a SHA-256"),
            (
                repomd(&data("updateinfo", "../u", &hash)),
                "its errata are not below the repository itself",
            ),
            (
                repomd(&data("updateinfo", "/u", &hash)),
                "its errata are not below the repository itself",
            ),
            (
                repomd(&data("updateinfo", "https://x/u", &hash)),
                "its errata are not below the repository itself",
            ),
            (
                repomd(&data("updateinfo", "u?x", &hash)),
                "its errata are not below the repository itself",
            ),
            ("<html/>".into(), "no table of contents of a repository (repomd.xml)"),
            (
                "<repomd>".into(),
                "no table of contents of a repository (repomd.xml): it ends too early",
            ),
            ("<!DOCTYPE x><repomd/>".into(), "no table of contents of a repository (repomd.xml)"),
            (repomd(&"<a>".repeat(50)), "no table of contents of a repository (repomd.xml)"),
        ];
        for (text, want) in table {
            let said = match parse(&text) {
                Ok(Some(found)) => format!("{} {}", found.href, &found.sha256[..1]),
                Ok(None) => "none".to_owned(),
                Err(e) => e.to_string(),
            };
            assert_eq!(said, want, "{text}");
        }
    }

    #[test]
    fn a_list_of_mirrors_names_an_address_by_https() {
        let none = "no list of mirrors: no line of it is an address by https";
        let table = [
            (
                "https://cdn.example/al2023/core/guids/ab/x86_64/\n",
                "https://cdn.example/al2023/core/guids/ab/x86_64",
            ),
            ("# repo\nhttp://plain.example/\nhttps://b.example/x", "https://b.example/x"),
            ("https://b.example/$basearch/", "https://b.example/x86_64"),
            ("https://b.example/$releasever/", none),
            ("", none),
            ("http://plain.example/", none),
            ("https://", none),
            ("https://user@evil.example/", none),
            ("https://a b/", none),
        ];
        for (text, want) in table {
            let said = mirror(text, "x86_64").unwrap_or_else(|e| e.to_string());
            assert_eq!(said, want, "{text:?}");
        }
    }
}
