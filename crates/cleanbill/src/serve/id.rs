//! The id of a decision: the time and 60 random bits, so that nobody can guess another's.
//!
//! The time comes first, so that decisions made one after the other stand next to each other in
//! the store's index: wholly random ids make every decision write a page of its own.

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

/// A new id: twenty characters of Crockford's base 32 in lower case, ascending with the time.
///
/// # Errors
/// When the system gives no randomness.
pub fn new() -> Result<String> {
    // A clock before 1970 costs order, not uniqueness.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis());
    Ok(text(now, random()?))
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

fn text(millis: u128, random: u64) -> String {
    let digits = |number: u128, count: u32| {
        (0..count).rev().map(move |at| {
            let digit = (number >> (5 * at)) & 31;
            ALPHABET.get(digit as usize).copied().map_or('0', char::from)
        })
    };
    let mut text = String::with_capacity(20);
    text.extend(digits(millis, TIME));
    text.extend(digits(u128::from(random), RANDOM));
    text
}

#[cfg(test)]
mod tests {
    use super::{new, text};

    #[test]
    fn ids_ascend_with_the_time_and_differ_within_a_millisecond() {
        assert_eq!(text(0, 0), "00000000000000000000");
        assert_eq!(text((1 << 40) - 1, u64::MAX), "zzzzzzzzzzzzzzzzzzzz");
        assert_eq!(text(33, 32), "00000011000000000010");
        assert!(text(1_795_478_400_000, u64::MAX) < text(1_795_478_400_001, 0));
        let all: std::collections::BTreeSet<String> = (0..1000).map(|_| new().unwrap()).collect();
        assert_eq!(all.len(), 1000);
    }
}
