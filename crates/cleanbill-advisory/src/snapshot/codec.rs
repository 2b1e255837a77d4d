//! Bytes, varints and texts: the alphabet of the snapshot's own encoding.
//!
//! Reading is bounded by the slice read from: a count is never trusted further than there are
//! bytes left, so that no length field can make us allocate more than the input's own size.

use cleanbill_core::{Date, Timestamp};

/// Why bytes do not decode; the caller says where.
pub(super) type Decoded<T> = Result<T, &'static str>;

#[derive(Default)]
pub(super) struct Writer(pub(super) Vec<u8>);

impl Writer {
    pub(super) fn byte(&mut self, b: u8) {
        self.0.push(b);
    }

    pub(super) fn num(&mut self, mut n: u64) {
        while n >= 0x80 {
            self.0.push((n as u8) | 0x80);
            n >>= 7;
        }
        self.0.push(n as u8);
    }

    pub(super) fn signed(&mut self, n: i64) {
        self.num(((n << 1) ^ (n >> 63)) as u64);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.num(text.len() as u64);
        self.0.extend_from_slice(text.as_bytes());
    }

    /// A CVE id as its numbers, any other text as it is.
    pub(super) fn id(&mut self, text: &str) {
        match cve(text) {
            Some((year, number)) => {
                self.num(u64::from(year) << 1 | 1);
                self.num(number);
            }
            None => self.plain(text),
        }
    }

    /// What [`Reader::id`] reads as [`Id::Text`].
    pub(super) fn plain(&mut self, text: &str) {
        self.num((text.len() as u64) << 1);
        self.0.extend_from_slice(text.as_bytes());
    }

    pub(super) fn time(&mut self, time: Option<Timestamp>) {
        // Seconds are what feeds mean; the fraction that some write is the export's, not a fact.
        self.signed(time.map_or(0, |t| t.as_second().saturating_add(1)));
    }

    pub(super) fn date(&mut self, date: Option<Date>) {
        match date {
            None => self.num(0),
            Some(d) => {
                self.num(1 + (d.year().max(0) as u64));
                self.byte(d.month() as u8);
                self.byte(d.day() as u8);
            }
        }
    }
}

/// Year and number of a CVE id, if writing them back gives the very same text.
fn cve(text: &str) -> Option<(u16, u64)> {
    let (year, number) = text.strip_prefix("CVE-")?.split_once('-')?;
    let parsed = (year.parse().ok()?, number.parse().ok()?);
    (number.len() <= 12 && cve_text(parsed.0, parsed.1) == text).then_some(parsed)
}

/// Written by hand from its end, since a snapshot has an id for every few bytes.
fn cve_text(year: u16, number: u64) -> String {
    // `CVE-`, five digits, a hyphen and twenty digits.
    let mut letters = [b'0'; 30];
    let mut start = padded(&mut letters, 30, number) - 1;
    put(&mut letters, start, b'-');
    start = padded(&mut letters, start, u64::from(year));
    for letter in b"-EVC" {
        start -= 1;
        put(&mut letters, start, *letter);
    }
    let text = letters.get(start..).unwrap_or_default();
    std::str::from_utf8(text).unwrap_or_default().to_owned()
}

/// Writes a number with four digits at least before a place; returns where it begins.
fn padded(letters: &mut [u8; 30], end: usize, mut number: u64) -> usize {
    let mut start = end;
    while number > 0 || end - start < 4 {
        start -= 1;
        put(letters, start, b'0' + (number % 10) as u8);
        number /= 10;
    }
    start
}

fn put(letters: &mut [u8; 30], at: usize, letter: u8) {
    if let Some(place) = letters.get_mut(at) {
        *place = letter;
    }
}

#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

const SHORT: &str = "ends too early";

impl<'a> Reader<'a> {
    pub(super) fn byte(&mut self) -> Decoded<u8> {
        let (first, rest) = self.0.split_first().ok_or(SHORT)?;
        self.0 = rest;
        Ok(*first)
    }

    pub(super) fn bytes(&mut self, n: usize) -> Decoded<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(n).ok_or(SHORT)?;
        self.0 = rest;
        Ok(head)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Decoded<[u8; N]> {
        self.bytes(N)?.try_into().map_err(|_| SHORT)
    }

    pub(super) fn num(&mut self) -> Decoded<u64> {
        let mut n = 0u64;
        for shift in (0..64).step_by(7) {
            let b = self.byte()?;
            let part = u64::from(b & 0x7f);
            if shift == 63 && part > 1 {
                return Err("a number is too large");
            }
            n |= part << shift;
            if b & 0x80 == 0 {
                return Ok(n);
            }
        }
        Err("a number is too long")
    }

    /// A count of things of which each takes at least one byte.
    pub(super) fn count(&mut self) -> Decoded<usize> {
        let n = usize::try_from(self.num()?).map_err(|_| "a count is too large")?;
        if n > self.0.len() { Err("a count is larger than the data") } else { Ok(n) }
    }

    pub(super) fn signed(&mut self) -> Decoded<i64> {
        let n = self.num()?;
        Ok((n >> 1) as i64 ^ -((n & 1) as i64))
    }

    pub(super) fn text(&mut self) -> Decoded<&'a str> {
        let n = self.count()?;
        std::str::from_utf8(self.bytes(n)?).map_err(|_| "a text is not UTF-8")
    }

    pub(super) fn id(&mut self) -> Decoded<Id<'a>> {
        let tag = self.num()?;
        if tag & 1 == 1 {
            let year = u16::try_from(tag >> 1).map_err(|_| "a year is too large")?;
            return Ok(Id::Cve(year, self.num()?));
        }
        let n = usize::try_from(tag >> 1).map_err(|_| "a text is too long")?;
        Ok(Id::Text(std::str::from_utf8(self.bytes(n)?).map_err(|_| "a text is not UTF-8")?))
    }

    /// Passes over an id, whose letters are looked at when it is read.
    pub(super) fn pass_id(&mut self) -> Decoded<()> {
        let tag = self.num()?;
        if tag & 1 == 1 {
            return self.num().map(drop);
        }
        self.bytes(usize::try_from(tag >> 1).map_err(|_| "a text is too long")?).map(drop)
    }

    pub(super) fn time(&mut self) -> Decoded<Option<Timestamp>> {
        match self.signed()? {
            0 => Ok(None),
            n => Timestamp::from_second(n.saturating_sub(1))
                .map(Some)
                .map_err(|_| "a time is out of range"),
        }
    }

    pub(super) fn date(&mut self) -> Decoded<Option<Date>> {
        const WRONG: &str = "a date is out of range";
        match self.num()? {
            0 => Ok(None),
            n => {
                let year = i16::try_from(n - 1).map_err(|_| WRONG)?;
                let month = i8::try_from(self.byte()?).map_err(|_| WRONG)?;
                let day = i8::try_from(self.byte()?).map_err(|_| WRONG)?;
                Date::new(year, month, day).map(Some).map_err(|_| WRONG)
            }
        }
    }
}

/// A text of a block's table, not yet written out.
#[derive(Clone, Copy)]
pub(super) enum Id<'a> {
    Cve(u16, u64),
    Text(&'a str),
}

impl Id<'_> {
    /// About as long as it is when written out.
    pub(super) fn len(self) -> usize {
        match self {
            Self::Cve(..) => 16,
            Self::Text(text) => text.len(),
        }
    }

    pub(super) fn render(self) -> String {
        match self {
            Self::Cve(year, number) => cve_text(year, number),
            Self::Text(text) => text.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{cve, cve_text};

    #[test]
    fn an_id_is_written_back_letter_by_letter_or_kept_as_it_is() {
        for (text, parsed) in [
            ("CVE-1999-0001", Some((1999, 1))),
            ("CVE-2026-9999", Some((2026, 9999))),
            ("CVE-2026-10000", Some((2026, 10_000))),
            ("CVE-2026-123456789012", Some((2026, 123_456_789_012))),
            ("CVE-0001-0000", Some((1, 0))),
            ("CVE-10000-0001", Some((10_000, 1))),
            ("CVE-2026-00001", None),
            ("CVE-2026-1", None),
            ("CVE-1-0001", None),
            ("CVE-2026-1234567890123", None),
            ("CVE-2026-+001", None),
            ("cve-2026-0001", None),
        ] {
            assert_eq!(cve(text), parsed, "{text}");
            if let Some((year, number)) = parsed {
                assert_eq!(cve_text(year, number), text);
            }
        }
        assert_eq!(cve_text(u16::MAX, u64::MAX), "CVE-65535-18446744073709551615");
    }
}
