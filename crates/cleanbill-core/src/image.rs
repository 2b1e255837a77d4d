//! What an image's configuration says of how it runs and when it was built.
//!
//! Pure: the configuration is read elsewhere, and so is the image's `/etc/passwd`.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Facts of an image's configuration that policies ask for. They are the image's own word.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageFacts {
    /// `config.User` as it is written, whatever it is; `None`: absent or empty, which means root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Whether that user is root inside the container, where the pod names no other.
    #[serde(default)]
    pub runs_as_root: RunsAs,
    /// When the image says it was built, be it in the future; `None` where it does not say so in
    /// RFC 3339. Reproducible builds often say 1970 or the source's date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
}

/// As whom a container of the image runs, by the image alone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunsAs {
    /// As uid 0.
    Root,
    /// As this uid, which is not 0.
    NotRoot(u32),
    /// Not known, and why (a sentence without a full stop). Never to be read as not root.
    Unknown(String),
}

impl Default for RunsAs {
    fn default() -> Self {
        Self::Unknown("no image configuration says as whom it runs".to_owned())
    }
}

/// The user part of `config.User` as container runtimes understand it.
///
/// They agree (containerd `pkg/oci` `WithUser`, and `github.com/moby/sys/user` `GetExecUser` for
/// CRI-O and Docker): what stands before the first colon is a number if Go's `strconv.Atoi`
/// reads it, and a name otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum User<'a> {
    /// A number, or nothing, which is 0: decided without the image's files.
    Decided(Number),
    /// A name to be looked up in the image's `/etc/passwd`.
    Named(&'a str),
}

/// A uid as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// One that Linux and the runtimes accept.
    Uid(u32),
    /// Negative, or above 2,147,483,647. Runtimes refuse it, or cut it to 32 bits and so to
    /// root (CVE-2024-40635): nobody can say as whom it runs.
    OutOfRange,
}

/// The longest `config.User` that is read, in bytes. Linux has names of at most 32, and both
/// Go's decoder and we would carry more through to every message.
pub const USER_MAX: usize = 1024;

/// The largest uid that runtimes accept.
const UID_MAX: u32 = i32::MAX as u32;

impl<'a> User<'a> {
    /// Reads `config.User`.
    pub fn parse(text: Option<&'a str>) -> Self {
        let user = text.unwrap_or_default().split(':').next().unwrap_or_default();
        match number(user) {
            _ if user.is_empty() => Self::Decided(Number::Uid(0)),
            Some(number) => Self::Decided(number),
            None => Self::Named(user),
        }
    }
}

/// A number as Go's `strconv.Atoi` reads it: an optional sign and ASCII digits, any count of
/// leading zeros, nothing else. `None` where it is none.
pub fn number(text: &str) -> Option<Number> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let digits = digits.trim_start_matches('0');
    Some(match if digits.is_empty() { Ok(0) } else { digits.parse::<u32>() } {
        Ok(0) => Number::Uid(0),
        Ok(uid) if !negative && uid <= UID_MAX => Number::Uid(uid),
        Ok(_) | Err(_) => Number::OutOfRange,
    })
}

impl From<Number> for RunsAs {
    fn from(number: Number) -> Self {
        match number {
            Number::Uid(0) => Self::Root,
            Number::Uid(uid) => Self::NotRoot(uid),
            Number::OutOfRange => Self::Unknown(
                "its uid is outside of 0 to 2147483647, and runtimes differ on what that means"
                    .to_owned(),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Number, RunsAs, User};
    use proptest::prelude::*;

    #[test]
    fn a_user_is_a_number_or_a_name() {
        let uid = |n| User::Decided(Number::Uid(n));
        let out = User::Decided(Number::OutOfRange);
        let table = [
            (None, uid(0)),
            (Some(""), uid(0)),
            (Some(":"), uid(0)),
            (Some(":1000"), uid(0)),
            (Some("0"), uid(0)),
            (Some("0:0"), uid(0)),
            (Some("0:1000"), uid(0)),
            // All of these are 0 to strconv.Atoi.
            (Some("00000"), uid(0)),
            (Some("+0"), uid(0)),
            (Some("-0"), uid(0)),
            (Some("00000000000000000000000000000000"), uid(0)),
            (Some("1000:0"), uid(1000)),
            (Some("+1000"), uid(1000)),
            (Some("0001000"), uid(1000)),
            (Some("65532"), uid(65532)),
            (Some("1000:0:0"), uid(1000)),
            (Some("2147483647"), uid(2_147_483_647)),
            // Cut to 32 bits, the last of these but one was root: CVE-2024-40635.
            (Some("2147483648"), out),
            (Some("4294967295"), out),
            (Some("4294967296"), out),
            (Some("-1"), out),
            (Some("99999999999999999999999:0"), out),
            (Some("root"), User::Named("root")),
            (Some("nobody:nogroup"), User::Named("nobody")),
            // No numbers to strconv.Atoi, although they look like 0.
            (Some(" 0"), User::Named(" 0")),
            (Some("0 "), User::Named("0 ")),
            (Some("0x0"), User::Named("0x0")),
            (Some("+"), User::Named("+")),
            (Some("--0"), User::Named("--0")),
            (Some("0_0"), User::Named("0_0")),
            (Some("\u{660}"), User::Named("\u{660}")),
            (Some("1000\n"), User::Named("1000\n")),
        ];
        for (text, expected) in table {
            assert_eq!(User::parse(text), expected, "{text:?}");
        }
    }

    #[test]
    fn only_a_uid_that_is_not_0_is_not_root() {
        assert_eq!(RunsAs::from(Number::Uid(0)), RunsAs::Root);
        assert_eq!(RunsAs::from(Number::Uid(7)), RunsAs::NotRoot(7));
        assert!(matches!(RunsAs::from(Number::OutOfRange), RunsAs::Unknown(_)));
        assert!(matches!(RunsAs::default(), RunsAs::Unknown(_)));
    }

    proptest! {
        #[test]
        fn numbers_that_wrap_around_to_root_are_never_not_root(times in 1u64..9, text in "[-+0-9:a ]{0,12}") {
            let wrapped = (times << 32).to_string();
            prop_assert_eq!(User::parse(Some(&wrapped)), User::Decided(Number::OutOfRange));
            if let User::Decided(Number::Uid(uid)) = User::parse(Some(&text)) {
                let head = text.split(':').next().unwrap();
                prop_assert_eq!(head.parse::<i64>().unwrap_or(0), i64::from(uid));
            }
        }
    }
}
