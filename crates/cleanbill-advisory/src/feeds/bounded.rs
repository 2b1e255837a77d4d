//! A reader of large JSON that stops at what is too large, before a parser holds it: feeds come
//! from strangers, and a parser that reads item by item still holds each string and item whole.

use std::io::{Error, ErrorKind, Read};

use crate::limits::Limits;

/// The longest string, in bytes: descriptions are the longest that feeds have.
const STRING: u64 = 4 << 20;

/// Passes bytes on, and counts.
pub(super) struct Bounded<R> {
    from: R,
    /// How deep the items lie that are parsed one by one.
    level: u32,
    item_bytes: u64,
    total_bytes: u64,
    total: u64,
    /// Bytes since the last time that no item was open.
    item: u64,
    depth: u32,
    /// Bytes of the string that is open.
    string: Option<u64>,
    escaped: bool,
}

impl<R: Read> Bounded<R> {
    /// Items are what lies in `level` brackets: of a list of objects in an object, 2.
    pub(super) fn new(from: R, level: u32, limits: &Limits) -> Self {
        Self {
            from,
            level,
            item_bytes: limits.document_bytes,
            total_bytes: limits.total_bytes,
            total: 0,
            item: 0,
            depth: 0,
            string: None,
            escaped: false,
        }
    }

    fn see(&mut self, byte: u8) -> Result<(), Error> {
        let over = |what: &str, limit: u64| {
            Err(Error::new(ErrorKind::InvalidData, format!("{what} is larger than {limit} bytes")))
        };
        self.total += 1;
        self.item += 1;
        match (self.string, byte) {
            (Some(_), _) if self.escaped => self.escaped = false,
            (Some(_), b'"') => self.string = None,
            (Some(_), b'\\') => self.escaped = true,
            (None, b'"') => self.string = Some(0),
            (None, b'{' | b'[') => self.depth = self.depth.saturating_add(1),
            (None, b'}' | b']') => self.depth = self.depth.saturating_sub(1),
            (Some(_) | None, _) => {}
        }
        if let Some(length) = &mut self.string {
            *length += 1;
            if *length > STRING {
                return over("a string", STRING);
            }
        }
        if self.depth <= self.level && self.string.is_none() {
            self.item = 0;
        } else if self.item > self.item_bytes {
            return over("an item", self.item_bytes);
        }
        if self.total > self.total_bytes {
            return over("it", self.total_bytes);
        }
        Ok(())
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        let read = self.from.read(into)?;
        for byte in into.iter().take(read) {
            self.see(*byte)?;
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::{Bounded, STRING};
    use crate::limits::Limits;

    #[test]
    fn what_is_too_large_ends_it() {
        let limits = Limits { document_bytes: 20, total_bytes: 100, ..Limits::default() };
        let wide = Limits { document_bytes: u64::MAX, total_bytes: u64::MAX, ..Limits::default() };
        let long = "x".repeat(STRING as usize);
        let table: [(&Limits, String, &str); 7] = [
            (&limits, r#"{"a": [{"b": 1}, {"b": 2}]}"#.into(), ""),
            (
                &limits,
                r#"{"a": [{"b": "0123456789012345"}]}"#.into(),
                "an item is larger than 20 bytes",
            ),
            (
                &limits,
                r#"{"a": [{"b": "]}]}]}]}]}]}]}]}"}]}"#.into(),
                "an item is larger than 20 bytes",
            ),
            (
                &limits,
                r#"{"a": [{"b": "\"]}]}]}]}]}]}]}"}]}"#.into(),
                "an item is larger than 20 bytes",
            ),
            (&limits, " ".repeat(101), "it is larger than 100 bytes"),
            (&wide, format!("\"{}\"", &long[1..]), ""),
            (&wide, format!("\"{long}\""), "a string is larger than 4194304 bytes"),
        ];
        for (limits, text, want) in table {
            let mut out = Vec::new();
            let read = Bounded::new(text.as_bytes(), 2, limits).read_to_end(&mut out);
            match read {
                Ok(_) => assert_eq!((want, out.len()), ("", text.len())),
                Err(e) => assert_eq!(e.to_string(), want),
            }
        }
    }
}
