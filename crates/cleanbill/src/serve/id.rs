//! The id of a decision: the time and 60 random bits, so that nobody can guess another's.
//!
//! The time comes first, so that a decision is found in the record by its id without an index.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::failure::{Failure, Result};

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Characters that hold the time in milliseconds; it begins anew every 34 years.
const TIME: u32 = 8;
/// Characters that are random.
const RANDOM: u32 = 12;

/// Random bytes are asked of the system so many at a time: each call costs as much as all else here.
const POOL: usize = 2048;

/// Random bytes that nobody has used.
static UNUSED: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// What a makeshift id begins with; no other has a `u`.
const MAKESHIFT: char = 'u';

/// A new id: twenty characters of Crockford's base 32 in lower case, ascending with the time.
///
/// # Errors
/// When the system gives no randomness.
pub fn new() -> Result<String> {
    at(millis())
}

/// An id of another time, in milliseconds since 1970.
///
/// # Errors
/// When the system gives no randomness.
pub fn at(millis: u128) -> Result<String> {
    Ok(text(millis, random()?))
}

fn random() -> Result<u64> {
    let mut unused = UNUSED.lock().unwrap_or_else(PoisonError::into_inner);
    if unused.len() < 8 {
        // Made before it takes the place of the old: an error leaves nothing half random.
        let mut new = vec![0; POOL];
        rustls::crypto::ring::default_provider()
            .secure_random
            .fill(&mut new)
            .map_err(|_| Failure::new("the system gives no random numbers"))?;
        *unused = new;
    }
    let rest = unused.len() - 8;
    let mut number = [0_u8; 8];
    for (place, byte) in number.iter_mut().zip(unused.drain(rest..)) {
        *place = byte;
    }
    Ok(u64::from_be_bytes(number))
}

/// An id where [`new`] gives none: of the time and a count, so that others can guess it. Only a
/// denial may have it.
pub fn makeshift() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let counted = text(millis(), COUNT.fetch_add(1, Relaxed));
    // One character less of the count: still 2^55 of them a millisecond.
    let (time, count) = counted.split_at_checked(TIME as usize).unwrap_or((&counted, ""));
    format!("{MAKESHIFT}{time}{}", count.get(1..).unwrap_or_default())
}

/// Whether it is one of [`makeshift`].
pub fn is_makeshift(id: &str) -> bool {
    id.starts_with(MAKESHIFT)
}

fn millis() -> u128 {
    // A clock before 1970 costs order, not uniqueness.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis())
}

/// The time in an id, in milliseconds since 1970, if it was made at most some 34 years before
/// `now`; `None`: it is no id of ours. A hint, no proof: anybody can write one.
pub fn time(id: &str, now: i64) -> Option<i64> {
    if id.len() != (TIME + RANDOM) as usize {
        return None;
    }
    let digit = |c: u8| ALPHABET.iter().position(|a| *a == c);
    let mut millis = 0_i64;
    for c in id.bytes().take(TIME as usize) {
        millis = millis << 5 | i64::try_from(digit(c)?).ok()?;
    }
    let whole = 1_i64 << (5 * TIME);
    // One from a clock that is a day ahead of ours is still meant.
    Some(now + 86_400_000 - (now + 86_400_000 - millis).rem_euclid(whole))
}

fn text(millis: u128, random: u64) -> String {
    let mut text = String::with_capacity((TIME + RANDOM) as usize);
    let mut digits = |number: u128, count: u32| {
        for at in (0..count).rev() {
            let digit = (number >> (5 * at)) & 31;
            text.push(ALPHABET.get(digit as usize).copied().map_or('0', char::from));
        }
    };
    digits(millis, TIME);
    digits(u128::from(random), RANDOM);
    text
}

#[cfg(test)]
mod tests {
    use super::{at, is_makeshift, makeshift, new, text, time};

    #[test]
    fn the_time_is_in_it() {
        let now = 1_795_478_400_000;
        let era = 1_i64 << 40;
        for then in [now, now - 90 * 86_400_000, now + 3_600_000, now - era + 86_400_001] {
            let id = at(u128::try_from(then).unwrap()).unwrap();
            assert_eq!(time(&id, now), Some(then), "{id}");
        }
        for id in ["", "aaa", "01234567890123456789x", "u1234567890123456789", "éé23456789abcdefgh"]
        {
            assert_eq!(time(id, now), None, "{id}");
        }
    }

    #[test]
    fn ids_ascend_with_the_time_and_differ_within_a_millisecond() {
        assert_eq!(text(0, 0), "00000000000000000000");
        assert_eq!(text((1 << 40) - 1, u64::MAX), "zzzzzzzzzzzzzzzzzzzz");
        assert_eq!(text(33, 32), "00000011000000000010");
        assert!(text(1_795_478_400_000, u64::MAX) < text(1_795_478_400_001, 0));
        let all: std::collections::BTreeSet<String> = (0..1000).map(|_| new().unwrap()).collect();
        assert_eq!(all.len(), 1000);
        assert!(!all.iter().any(|id| is_makeshift(id)));
    }

    #[test]
    fn makeshift_ids_differ_and_are_known_as_such() {
        let all: std::collections::BTreeSet<String> = (0..1000).map(|_| makeshift()).collect();
        assert_eq!(all.len(), 1000);
        assert!(all.iter().all(|id| is_makeshift(id) && id.len() == 20), "{all:?}");
    }
}
