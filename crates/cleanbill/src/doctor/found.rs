//! What one check says: what it looked at, what it found, why that matters and what to do.
//!
//! "Not looked at" is a result of its own with its reason; it never counts as fine.

use crate::apiserver::Refused;

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was looked at and is right.
    Fine,
    /// It works, and yet is hardly meant, or will not work for long.
    Warning,
    /// It does not work, or lets in what should not be.
    Error,
    /// It could not be looked at.
    NotLooked,
}

impl Outcome {
    /// As reports and scripts see it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fine => "ok",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::NotLooked => "not-looked",
        }
    }
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// How it came out.
    pub outcome: Outcome,
    /// What was looked at: a flag, a file, an address.
    pub looked_at: String,
    /// What was found there; of what was not looked at: why not.
    pub said: String,
    /// What to do; empty where nothing is to be done.
    pub fix: String,
}

/// Why a check could not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotLooked(pub String);

/// What a check returns: `?` on a part of the view that is not there ends it with the reason.
pub type Judged = Result<Found, NotLooked>;

/// It is right.
pub fn fine(looked_at: impl Into<String>, said: impl Into<String>) -> Judged {
    found(Outcome::Fine, looked_at, said, "")
}

/// It is hardly meant.
pub fn warning(
    looked_at: impl Into<String>,
    said: impl Into<String>,
    fix: impl Into<String>,
) -> Judged {
    found(Outcome::Warning, looked_at, said, fix)
}

/// It is wrong.
pub fn error(
    looked_at: impl Into<String>,
    said: impl Into<String>,
    fix: impl Into<String>,
) -> Judged {
    found(Outcome::Error, looked_at, said, fix)
}

/// It could not be looked at.
pub fn not_looked<T>(why: impl Into<String>) -> Result<T, NotLooked> {
    Err(NotLooked(why.into()))
}

fn found(
    outcome: Outcome,
    looked_at: impl Into<String>,
    said: impl Into<String>,
    fix: impl Into<String>,
) -> Judged {
    let (looked_at, said, fix) = (looked_at.into(), said.into(), fix.into());
    Ok(Found { outcome, looked_at, said, fix })
}

/// A part of the view that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unseen {
    /// kube-apiserver refuses it, in its words.
    Refused(Refused),
    /// It was not looked at, for this reason.
    Not(String),
}

/// A part of the view.
pub type Seen<T> = Result<T, Unseen>;

/// What kube-apiserver, which runs as root, would refuse: that we may not read something does not
/// count as that.
pub fn refused(why: Refused) -> Unseen {
    match denied(&why.words) {
        Some(why) => Unseen::Not(why),
        None => Unseen::Refused(why),
    }
}

/// Whether words say that it is only we who may not read something; then why nothing was seen.
pub fn denied(words: &str) -> Option<String> {
    words
        .to_ascii_lowercase()
        .contains("permission denied")
        .then(|| format!("this user may not read it, run it as root: {words}"))
}

/// A part of the view for a check that is about something later: what is wrong with the part
/// itself is another check's to say.
///
/// # Errors
/// The reason why the later check cannot be made.
pub fn given<'s, T>(seen: &'s Seen<T>, what: &str) -> Result<&'s T, NotLooked> {
    match seen {
        Ok(value) => Ok(value),
        Err(Unseen::Refused(_)) => not_looked(format!("{what} is not usable, as said above")),
        Err(Unseen::Not(why)) => not_looked(why.clone()),
    }
}

/// An address without the name and password that may stand in front of its host, also where no
/// scheme is written.
pub fn address(text: &str) -> String {
    let (scheme, rest) = text.split_once("://").map_or(("", text), |(s, rest)| (s, rest));
    let end = rest.find('/').unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    let host = host.rsplit_once('@').map_or(host.to_owned(), |(_, host)| format!("…@{host}"));
    let mark = if scheme.is_empty() { "" } else { "://" };
    format!("{scheme}{mark}{host}{path}")
}

/// Words of kube-apiserver without what may be secret in them: whole documents, numbers where a
/// token may stand, names and passwords in addresses.
pub fn hushed(words: &str) -> String {
    let mut words = words.to_owned();
    for mark in [" is missing in '", "invalid map key: "] {
        if let Some(at) = words.find(mark) {
            words.truncate(at + mark.len());
            words.push('…');
        }
    }
    if let Some((before, after)) = words.split_once("cannot unmarshal number ") {
        let after = after.split_once(' ').map_or("", |(_, rest)| rest);
        words = format!("{before}cannot unmarshal number {after}");
    }
    let mut out = String::new();
    let mut rest = words.as_str();
    while let Some((before, after)) = rest.split_once("://") {
        out.push_str(before);
        out.push_str("://");
        let end = after.find(['/', ' ', '"', '\'', '?', '#']).unwrap_or(after.len());
        rest = match after.get(..end).and_then(|host| host.rfind('@')) {
            Some(at) => {
                out.push('…');
                after.get(at..).unwrap_or_default()
            }
            None => after,
        };
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::{Unseen, address, hushed, refused};
    use crate::apiserver::Refused;

    #[test]
    fn what_only_we_may_not_read_is_not_refused() {
        for (words, not) in
            [("open /a: permission denied", true), ("open /a: is a directory", false)]
        {
            let seen = refused(Refused::new(words));
            assert_eq!(matches!(seen, Unseen::Not(_)), not, "{words}");
        }
    }

    #[test]
    fn nothing_secret_is_repeated() {
        let addresses = [
            ("me:pw@proxy:3128", "…@proxy:3128"),
            ("http://me:p@w@proxy:3128/a", "http://…@proxy:3128/a"),
            ("https://10.0.0.7:1234/review", "https://10.0.0.7:1234/review"),
        ];
        for (text, want) in addresses {
            assert_eq!(address(text), want);
        }
        let table = [
            ("Object 'Kind' is missing in '{\"token\":\"x\"}'", "Object 'Kind' is missing in '…"),
            (
                "json: cannot unmarshal number 12345 into Go struct field a.token",
                "json: cannot unmarshal number into Go struct field a.token",
            ),
            ("http://me:secret@proxy:1/ and b://c", "http://…@proxy:1/ and b://c"),
            ("http://a@b:p@w@proxy", "http://…@proxy"),
            ("yaml: invalid map key: {\"a\":1}", "yaml: invalid map key: …"),
        ];
        for (words, want) in table {
            assert_eq!(hushed(words), want);
        }
    }
}
