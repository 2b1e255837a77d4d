//! Content digests as the OCI image specification writes them (`sha256:<hex>`).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A digest of some bytes: algorithm and value, always valid, always lower-case when shown.
///
/// Only the algorithms registered by the OCI image specification (descriptor.md, "Digests")
/// exist here; an unknown algorithm is a parse error, never an unchecked string.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Digest {
    /// SHA-256, 32 bytes.
    Sha256([u8; 32]),
    /// SHA-512, 64 bytes.
    Sha512([u8; 64]),
}

/// Why a text is no digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseDigestError(&'static str);

impl fmt::Display for ParseDigestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for ParseDigestError {}

impl Digest {
    /// The algorithm's name as it stands before the colon.
    pub fn algorithm(&self) -> &'static str {
        match self {
            Self::Sha256(_) => "sha256",
            Self::Sha512(_) => "sha512",
        }
    }

    /// The value's bytes (32 or 64).
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Sha256(b) => b,
            Self::Sha512(b) => b,
        }
    }

    /// The value in lower-case hexadecimal.
    pub fn hex(&self) -> String {
        self.bytes().iter().fold(String::with_capacity(128), |mut s, b| {
            s.push(char::from(HEX[usize::from(b >> 4)]));
            s.push(char::from(HEX[usize::from(b & 15)]));
            s
        })
    }

    /// Whether `text` is this digest as it displays: then it parses to this digest again.
    pub fn reads_as(&self, text: &str) -> bool {
        let hex = text.strip_prefix(self.algorithm()).and_then(|rest| rest.strip_prefix(':'));
        let value = |digit: u8| NIBBLES[usize::from(digit)];
        hex.is_some_and(|hex| {
            hex.len() == self.bytes().len() * 2
                && hex.as_bytes().chunks_exact(2).zip(self.bytes()).all(|(pair, byte)| {
                    matches!(pair, [high, low]
                        if value(*high) == byte >> 4 && value(*low) == byte & 15)
                })
        })
    }

    /// `sha256:` and the first twelve hexadecimal digits, for people to read.
    pub fn short(&self) -> String {
        let mut s = self.to_string();
        s.truncate(self.algorithm().len() + 13);
        s
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

/// The value of each lower-case hexadecimal digit; 255 for what is none. A table, since digits of
/// a digest are random: a processor cannot foresee which branch each takes.
const NIBBLES: [u8; 256] = {
    let mut table = [255; 256];
    let mut value = 0;
    while value < 16 {
        table[HEX[value] as usize] = value as u8;
        value += 1;
    }
    table
};

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm(), self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = ParseDigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (algorithm, hex) =
            text.split_once(':').ok_or(ParseDigestError("a digest is written algorithm:hex"))?;
        match algorithm {
            "sha256" => Ok(Self::Sha256(unhex(hex)?)),
            "sha512" => Ok(Self::Sha512(unhex(hex)?)),
            _ => Err(ParseDigestError("only sha256 and sha512 digests are known")),
        }
    }
}

fn unhex<const N: usize>(hex: &str) -> Result<[u8; N], ParseDigestError> {
    const WRONG: ParseDigestError =
        ParseDigestError("the digest's value is not lower-case hex of its algorithm's length");
    if hex.len() != N * 2 {
        return Err(WRONG);
    }
    let mut out = [0; N];
    let mut wrong = 0;
    for (byte, pair) in out.iter_mut().zip(hex.as_bytes().as_chunks::<2>().0) {
        let [high, low] = pair.map(|c| NIBBLES[usize::from(c)]);
        wrong |= high | low;
        *byte = high << 4 | low & 15;
    }
    if wrong > 15 {
        return Err(WRONG);
    }
    Ok(out)
}

impl TryFrom<String> for Digest {
    type Error = ParseDigestError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::Digest;

    #[test]
    fn only_the_canonical_form_parses() {
        let hex = "ab".repeat(32);
        let table: &[(&str, bool)] = &[
            (&format!("sha256:{hex}"), true),
            (&format!("sha512:{hex}{hex}"), true),
            (&format!("sha256:{}", hex.to_uppercase()), false),
            (&format!("sha256:{hex}{hex}"), false),
            (&format!("sha384:{hex}"), false),
            (&hex, false),
            ("sha256:", false),
            ("", false),
        ];
        for (text, good) in table {
            let parsed = text.parse::<Digest>();
            assert_eq!(parsed.is_ok(), *good, "{text}");
            if let Ok(digest) = parsed {
                assert_eq!(digest.to_string(), *text);
                assert!(digest.reads_as(text));
                let tail = text.len() - 1;
                let others = [text.to_uppercase(), format!("{text}0"), text[..tail].to_owned()];
                let last =
                    format!("{}{}", &text[..tail], if text.ends_with('c') { 'd' } else { 'c' });
                for other in others.iter().chain([&last, &text.replace(':', "")]) {
                    assert!(!digest.reads_as(other), "{other}");
                }
            }
        }
    }
}
