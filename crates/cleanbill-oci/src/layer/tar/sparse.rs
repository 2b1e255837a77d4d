//! Sparse files: a list of parts with data, and holes between them (GNU tar manual, "Sparse
//! Formats": old GNU, PAX 0.0, 0.1 and 1.0).

use super::header::{BLOCK, Block, number};
use super::pax::{MAP, decimal};
use super::{CUT_OFF, Tape};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::{Limit, Limits};

/// The parts of a sparse file, and how far it was read.
#[derive(Debug)]
pub(crate) struct Sparse {
    /// Offset and length, ascending, not overlapping.
    parts: Vec<(u64, u64)>,
    size: u64,
    next: usize,
    at: u64,
}

/// What comes next of a sparse file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Zeros(u64),
    Data(u64),
    End,
}

fn malformed() -> Error {
    Error::new(ErrorKind::Malformed, MAP)
}

impl Sparse {
    /// Checks a flat list of offsets and lengths against the file's size and the bytes stored.
    pub(crate) fn new(map: &[u64], size: u64, stored: u64) -> Result<Self> {
        let parts: Vec<(u64, u64)> =
            map.chunks_exact(2).filter_map(|p| Some((*p.first()?, *p.get(1)?))).collect();
        let (mut end, mut sum) = (0_u64, 0_u64);
        for (offset, length) in &parts {
            let to = offset.checked_add(*length).filter(|to| *to <= size);
            if *offset < end || to.is_none() {
                return Err(malformed());
            }
            end = to.unwrap_or(end);
            sum = sum.saturating_add(*length);
        }
        if sum != stored || size > i64::MAX.cast_unsigned() {
            return Err(malformed());
        }
        Ok(Self { parts, size, next: 0, at: 0 })
    }

    /// What comes next; [`Sparse::advance`] says how much of it was taken.
    pub(crate) fn peek(&mut self) -> Piece {
        while let Some((offset, length)) = self.parts.get(self.next) {
            if self.at < *offset {
                return Piece::Zeros(offset - self.at);
            }
            let end = offset + length;
            if self.at < end {
                return Piece::Data(end - self.at);
            }
            self.next += 1;
        }
        match self.size - self.at {
            0 => Piece::End,
            hole => Piece::Zeros(hole),
        }
    }

    pub(crate) fn advance(&mut self, bytes: u64) {
        self.at += bytes;
    }
}

/// Reads the list of an old GNU header and the blocks that continue it.
pub(crate) fn old_gnu<T: Tape>(
    header: &Block,
    tape: &mut T,
    limits: &Limits,
) -> Result<(Vec<u64>, u64)> {
    let size = number(&header[483..495]).ok_or_else(malformed)?;
    let mut map = Vec::new();
    let mut ended = pairs(&header[386..482], &mut map)?;
    let mut more = header[482] != 0;
    while more {
        let block = tape.block()?.ok_or_else(|| Error::new(ErrorKind::Malformed, CUT_OFF))?;
        if ended {
            return Err(malformed());
        }
        ended = pairs(&block[0..504], &mut map)?;
        more = block[504] != 0;
        if map.len() as u64 * 8 > limits.pax_bytes {
            return Err(limits.over(Limit::PaxBytes));
        }
    }
    Ok((map, size))
}

/// Takes the pairs of one block; whether the list ended there.
fn pairs(fields: &[u8], map: &mut Vec<u64>) -> Result<bool> {
    for pair in fields.chunks_exact(24) {
        if pair.first() == Some(&0) {
            return Ok(true);
        }
        let (offset, length) = pair.split_at_checked(12).ok_or_else(malformed)?;
        map.push(number(offset).ok_or_else(malformed)?);
        map.push(number(length).ok_or_else(malformed)?);
    }
    Ok(false)
}

/// Reads the list that stands before the data in PAX 1.0; returns the bytes it took.
pub(crate) fn pax_1_0<T: Tape>(
    tape: &mut T,
    stored: u64,
    limits: &Limits,
) -> Result<(Vec<u64>, u64)> {
    let mut text: Vec<u8> = Vec::new();
    let mut map: Vec<u64> = Vec::new();
    let mut wanted: Option<u64> = None;
    let mut taken = 0;
    loop {
        while let Some(at) = text.iter().position(|b| *b == b'\n') {
            let n = text.get(..at).and_then(decimal).ok_or_else(malformed)?;
            text.drain(..=at);
            match wanted {
                None => wanted = Some(n.checked_mul(2).ok_or_else(malformed)?),
                Some(_) => map.push(n),
            }
            if wanted.is_some_and(|wanted| map.len() as u64 >= wanted) {
                return Ok((map, taken));
            }
        }
        if taken + BLOCK as u64 > stored {
            return Err(malformed());
        }
        if taken >= limits.pax_bytes {
            return Err(limits.over(Limit::PaxBytes));
        }
        let block = tape.block()?.ok_or_else(|| Error::new(ErrorKind::Malformed, CUT_OFF))?;
        taken += BLOCK as u64;
        text.extend_from_slice(&block);
    }
}
