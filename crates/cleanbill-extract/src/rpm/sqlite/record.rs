//! SQLite's variable-length numbers and records (file format, sections 1.6 and 2.1).

use crate::rpm::numbers::{size, slice};

/// A number of one to nine bytes, and what follows it.
pub(super) fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0u64;
    for (at, byte) in bytes.iter().take(8).enumerate() {
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(at + 1..)?));
        }
    }
    let (last, rest) = bytes.get(8..)?.split_first()?;
    Some((value << 8 | u64::from(*last), rest))
}

/// Why a record cannot be read.
const DAMAGED: &str = "is no record";

/// A column's type and bytes; `None` past the last column.
fn raw(record: &[u8], wanted: usize) -> Result<Option<(u64, &[u8])>, &'static str> {
    let (head, rest) = varint(record).ok_or(DAMAGED)?;
    let head = size(head).checked_sub(record.len() - rest.len()).ok_or(DAMAGED)?;
    let (mut types, body) = rest.split_at_checked(head).ok_or(DAMAGED)?;
    let mut at = 0usize;
    for column in 0..=wanted {
        if types.is_empty() {
            return Ok(None);
        }
        let (kind, rest) = varint(types).ok_or(DAMAGED)?;
        types = rest;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => size(kind),
            5 => 6,
            6 | 7 => 8,
            10 | 11 => return Err(DAMAGED),
            n => size((n - 12) / 2),
        };
        if column == wanted {
            return slice(body, at, length).map(|bytes| Some((kind, bytes))).ok_or(DAMAGED);
        }
        at = at.saturating_add(length);
    }
    Ok(None)
}

/// The bytes of a column that is a text or blob; `None` if it is something else, or missing.
pub(super) fn column(record: &[u8], wanted: usize) -> Result<Option<&[u8]>, &'static str> {
    Ok(raw(record, wanted)?.filter(|(kind, _)| *kind >= 12).map(|(_, bytes)| bytes))
}

/// A column that is a whole number.
pub(super) fn number(record: &[u8], wanted: usize) -> Option<i64> {
    let (kind, bytes) = raw(record, wanted).ok()??;
    match kind {
        8 => Some(0),
        9 => Some(1),
        1..=6 => {
            let first = bytes.first()?.cast_signed();
            let rest = bytes.iter().skip(1);
            Some(rest.fold(i64::from(first), |value, byte| value << 8 | i64::from(*byte)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{column, number, varint};

    #[test]
    fn numbers_take_one_to_nine_bytes() {
        let table: &[(&[u8], Option<u64>)] = &[
            (&[0], Some(0)),
            (&[0x7f], Some(127)),
            (&[0x81, 0], Some(128)),
            (&[0xff; 9], Some(u64::MAX)),
            (&[0xff; 8], None),
            (&[0x80], None),
            (&[], None),
        ];
        for (bytes, expected) in table {
            assert_eq!(varint(bytes).map(|(n, _)| n), *expected, "{bytes:?}");
        }
    }

    #[test]
    fn columns_are_found_behind_others() {
        // NULL, a blob of two bytes, -2, a text of one byte.
        let record = [5, 0, 16, 1, 15, 0xaa, 0xbb, 0xfe, b'x'];
        assert_eq!(column(&record, 0), Ok(None));
        assert_eq!(column(&record, 1), Ok(Some(&[0xaa, 0xbb][..])));
        assert_eq!(number(&record, 2), Some(-2));
        assert_eq!(column(&record, 3), Ok(Some(&b"x"[..])));
        assert_eq!(column(&record, 4), Ok(None));
        for end in 0..record.len() {
            assert_eq!(column(&record[..end], 3), Err("is no record"), "{end}");
        }
        assert!(column(&[0], 0).is_err() && column(&[2, 10], 0).is_err());
        assert!(column(&[10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], 0).is_err());
    }
}
