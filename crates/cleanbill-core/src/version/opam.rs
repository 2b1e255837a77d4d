//! opam's order ("Version ordering" of its manual): Debian's, without epochs and with `_`.

use std::cmp::Ordering;

use super::deb::compare_part;

/// A parsed version.
#[derive(Clone, Debug)]
pub(super) struct Opam {
    upstream: String,
    /// What follows the last hyphen.
    revision: String,
}

pub(super) fn parse(text: &str) -> Result<Opam, &'static str> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-_+.~:".contains(&b);
    if text.is_empty() || !text.bytes().all(allowed) {
        return Err("it is empty or has other signs than letters, digits and - _ + . ~ :");
    }
    let (upstream, revision) = text.rsplit_once('-').unwrap_or((text, ""));
    Ok(Opam { upstream: upstream.to_owned(), revision: revision.to_owned() })
}

impl Ord for Opam {
    fn cmp(&self, other: &Self) -> Ordering {
        compare_part(&self.upstream, &other.upstream)
            .then_with(|| compare_part(&self.revision, &other.revision))
    }
}

impl PartialOrd for Opam {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Opam {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Opam {}
