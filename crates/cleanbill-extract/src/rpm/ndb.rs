//! rpm's own "new database" (`Packages.db`, as SUSE uses it): pages of slots, each of which
//! names a run of blocks that hold one header (rpm's `lib/backend/ndb/rpmpkg.c`). All numbers
//! are little-endian.
//!
//! A checksum that does not match is told and its header read all the same, since rpm reads it.

use super::numbers::{Order, size, slice};
use super::packages::Packages;

const PAGE: usize = 4096;
/// Bytes of a slot, of a block, and of what goes before a blob.
const UNIT: usize = 16;
/// Bytes behind a blob: checksum, length, magic.
const TAIL: usize = 12;

/// Reads the database's headers into `packages`.
pub(super) fn read(bytes: &[u8], packages: &mut Packages) {
    let number = |at| Order::Little.u32(bytes, at);
    if !bytes.starts_with(b"RpmP") {
        return packages.unreadable("is no ndb database: it does not begin with RpmP");
    }
    let (Some(version), Some(pages), Some(_)) = (number(4), number(12), number(28)) else {
        return packages.unreadable(format!("ends after {} bytes, inside its header", bytes.len()));
    };
    if version != 0 {
        return packages.unreadable(format!("is an ndb database of version {version}, not 0"));
    }
    if pages == 0 {
        return packages.unreadable("is an ndb database without a page of slots");
    }
    let end = size(pages).saturating_mul(PAGE);
    if end > bytes.len() {
        let have = bytes.len();
        packages.unreadable(format!("is cut off: its slots take {end} bytes, and it has {have}"));
    }
    // Blobs do not overlap: together they are never longer than the file.
    let mut left = bytes.len();
    // The header takes the first two slots.
    let slots = bytes.get(2 * UNIT..end.min(bytes.len())).unwrap_or_default();
    for (at, slot) in (2usize..).zip(slots.chunks(UNIT)) {
        let number = |at| Order::Little.u32(slot, at);
        let (Some(index), Some(first), Some(blocks)) = (number(4), number(8), number(12)) else {
            packages.unreadable(format!("ends inside slot {at}"));
            break;
        };
        if !slot.starts_with(b"Slot") {
            packages.unreadable(format!("slot {at} is damaged: it does not begin with Slot"));
            continue;
        }
        if first == 0 {
            // A free slot names nothing at all.
            if (index, blocks) != (0, 0) {
                packages.unreadable(format!("slot {at} is damaged: it names no first block"));
            }
            continue;
        }
        let (first, length) = (size(first).saturating_mul(UNIT), size(blocks).saturating_mul(UNIT));
        let run = slice(bytes, first, length).filter(|_| first >= end);
        let Some(run) = run else {
            packages.unreadable(format!("header {index} lies outside of the file's blocks"));
            continue;
        };
        let Some(rest) = left.checked_sub(length) else {
            packages.unreadable(format!("slot {at} and those after it name blocks twice"));
            break;
        };
        left = rest;
        match blob(run, index) {
            Ok((blob, sound)) => {
                if !sound {
                    packages.unreadable(format!("header {index} does not have its checksum"));
                }
                packages.header(u64::from(index), blob);
            }
            Err(why) => packages.unreadable(format!("header {index} {why}")),
        }
    }
}

/// The blob in a run of blocks, and whether its checksum is right.
fn blob(run: &[u8], index: u32) -> Result<(&[u8], bool), &'static str> {
    let damaged = "has damaged blocks";
    let body = run.len().checked_sub(TAIL).ok_or(damaged)?;
    let (body, tail) = run.split_at_checked(body).ok_or(damaged)?;
    let number = Order::Little;
    let length = number.u32(body, 12).ok_or(damaged)?;
    let whole = size(length).saturating_add(UNIT + TAIL).div_ceil(UNIT).saturating_mul(UNIT);
    let sound = body.starts_with(b"BlbS")
        && tail.ends_with(b"BlbE")
        && number.u32(body, 4) == Some(index)
        && number.u32(tail, 4) == Some(length)
        && run.len() == whole;
    let blob = slice(body, UNIT, size(length)).filter(|_| sound).ok_or(damaged)?;
    Ok((blob, number.u32(tail, 0) == Some(adler32(body))))
}

/// Adler-32 (RFC 1950).
fn adler32(bytes: &[u8]) -> u32 {
    const BASE: u32 = 65521;
    let (mut a, mut b) = (1u32, 0u32);
    // The most bytes before a sum of 32 bits can overflow.
    for chunk in bytes.chunks(5552) {
        for byte in chunk {
            a += u32::from(*byte);
            b += a;
        }
        (a, b) = (a % BASE, b % BASE);
    }
    b << 16 | a
}
