//! PAX extended headers (POSIX.1-2001, "pax Header Block"), as far as they matter to a reader of
//! names, links, sizes and sparse files.

/// The records of one extended header that we act upon; absent and empty are the same thing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Pax {
    pub(crate) path: Option<Vec<u8>>,
    pub(crate) link: Option<Vec<u8>>,
    pub(crate) size: Option<u64>,
    pub(crate) sparse_major: Option<Vec<u8>>,
    pub(crate) sparse_minor: Option<Vec<u8>>,
    pub(crate) sparse_name: Option<Vec<u8>>,
    pub(crate) sparse_size: Option<u64>,
    pub(crate) sparse_real_size: Option<u64>,
    /// Offsets and lengths in turns, of version 0.0 (records) or 0.1 (one list).
    pub(crate) sparse_map: Option<Vec<u64>>,
}

impl Pax {
    /// Whether it would change what an entry is, not only what is known about it.
    pub(crate) fn matters(&self) -> bool {
        *self != Self::default()
    }

    /// Reads all records; of two with one key the later counts.
    pub(crate) fn parse(mut data: &[u8]) -> Result<Self, &'static str> {
        let mut pax = Self::default();
        let mut pairs: Vec<u64> = Vec::new();
        while !data.is_empty() {
            let (key, value, rest) =
                record(data).ok_or("a record of an extended header is malformed")?;
            data = rest;
            let set = || (!value.is_empty()).then(|| value.to_vec());
            let count = || match value {
                [] => Ok(None),
                _ => decimal(value)
                    .map(Some)
                    .ok_or("an extended header has a size that is no number"),
            };
            match key {
                b"path" => pax.path = set(),
                b"linkpath" => pax.link = set(),
                b"size" => pax.size = count()?,
                b"GNU.sparse.major" => pax.sparse_major = set(),
                b"GNU.sparse.minor" => pax.sparse_minor = set(),
                b"GNU.sparse.name" => pax.sparse_name = set(),
                b"GNU.sparse.size" => pax.sparse_size = count()?,
                b"GNU.sparse.realsize" => pax.sparse_real_size = count()?,
                b"GNU.sparse.map" => {
                    let all: Option<Vec<u64>> = match value {
                        [] => Some(Vec::new()),
                        _ => value.split(|b| *b == b',').map(decimal).collect(),
                    };
                    pax.sparse_map = Some(all.ok_or(MAP)?).filter(|m| !m.is_empty());
                }
                b"GNU.sparse.offset" | b"GNU.sparse.numbytes" => {
                    if (key == b"GNU.sparse.offset") != pairs.len().is_multiple_of(2) {
                        return Err(MAP);
                    }
                    pairs.push(decimal(value).ok_or(MAP)?);
                }
                _ => {}
            }
        }
        if !pairs.is_empty() {
            pax.sparse_map = Some(pairs);
        }
        if pax.sparse_map.as_ref().is_some_and(|m| !m.len().is_multiple_of(2)) {
            return Err(MAP);
        }
        Ok(pax)
    }
}

/// Why a list of a sparse file's parts is none.
pub(crate) const MAP: &str = "the list of a sparse file's parts is malformed";

/// `LENGTH KEY=VALUE\n`, where the length counts all of it.
fn record(data: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = data.iter().take(20).position(|b| *b == b' ')?;
    let (digits, _) = data.split_at_checked(space)?;
    let length = usize::try_from(decimal(digits)?).ok()?;
    let (whole, rest) = data.split_at_checked(length)?;
    let body = whole.get(space + 1..)?.strip_suffix(b"\n")?;
    let equals = body.iter().position(|b| *b == b'=')?;
    let (key, value) = body.split_at_checked(equals)?;
    let value = value.get(1..)?;
    let named = matches!(key, b"path" | b"linkpath" | b"uname" | b"gname" | b"GNU.sparse.name");
    let nul = |b: &[u8]| b.contains(&0);
    let bad = key.is_empty() || nul(key) || (named && nul(value));
    (!bad).then_some((key, value, rest))
}

/// A decimal number without sign, below 2^63.
pub(crate) fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    let n = digits.iter().try_fold(0_u64, |n, b| match b {
        b'0'..=b'9' => n.checked_mul(10)?.checked_add(u64::from(b - b'0')),
        _ => None,
    })?;
    (n <= i64::MAX.cast_unsigned()).then_some(n)
}

#[cfg(test)]
mod tests {
    use super::Pax;

    fn check(data: &str, expected: Result<Pax, &'static str>) {
        assert_eq!(Pax::parse(data.as_bytes()), expected, "{data:?}");
    }

    #[test]
    fn records_are_counted_to_the_byte() {
        let bad = "a record of an extended header is malformed";
        let path = |p: &str| Pax { path: Some(p.into()), ..Pax::default() };
        check("", Ok(Pax::default()));
        check("10 path=a\n", Ok(path("a")));
        check("12 path=a=b\n", Ok(path("a=b")));
        check("10 path=a\n10 path=b\n", Ok(path("b")));
        check("10 path=a\n8 path=\n", Ok(Pax::default()));
        check("19 comment=whatever\n".replace("19", "20").as_str(), Ok(Pax::default()));
        check("11 size=12\n", Ok(Pax { size: Some(12), ..Pax::default() }));
        check("11 size=-1\n", Err("an extended header has a size that is no number"));
        check("8 path=a\n", Err(bad));
        check("11 path=a\n", Err(bad));
        check("10 path=\0\n", Err(bad));
        check("6 =ab\n", Err(bad));
        check("99999999999999999999 path=a\n", Err(bad));
        check(
            "22 GNU.sparse.map=1,2\n",
            Ok(Pax { sparse_map: Some(vec![1, 2]), ..Pax::default() }),
        );
        check("20 GNU.sparse.map=1\n", Err(super::MAP));
        check("25 GNU.sparse.numbytes=1\n", Err(super::MAP));
        check(
            "23 GNU.sparse.offset=1\n25 GNU.sparse.numbytes=2\n",
            Ok(Pax { sparse_map: Some(vec![1, 2]), ..Pax::default() }),
        );
    }
}
