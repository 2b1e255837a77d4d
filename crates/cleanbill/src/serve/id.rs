//! The id of a decision: the time and 60 random bits, so that nobody can guess another's.
//!
//! The time comes first, so that decisions made one after the other stand next to each other in
//! the store's index: wholly random ids make every decision write a page of its own.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::failure::{Failure, Result};

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Characters that hold the time in milliseconds; it begins anew every 34 years.
const TIME: u32 = 8;
/// Characters that are random.
const RANDOM: u32 = 12;

/// A new id: twenty characters of Crockford's base 32 in lower case, ascending with the time.
///
/// # Errors
/// When the system gives no randomness.
pub fn new() -> Result<String> {
    let mut random = [0_u8; 8];
    rustls::crypto::ring::default_provider()
        .secure_random
        .fill(&mut random)
        .map_err(|_| Failure::new("the system gives no random numbers"))?;
    // A clock before 1970 costs order, not uniqueness.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis());
    Ok(text(now, u64::from_be_bytes(random)))
}

fn text(millis: u128, random: u64) -> String {
    let digits = |number: u128, count: u32| {
        (0..count).rev().map(move |at| {
            let digit = (number >> (5 * at)) & 31;
            ALPHABET.get(digit as usize).copied().map_or('0', char::from)
        })
    };
    digits(millis, TIME).chain(digits(u128::from(random), RANDOM)).collect()
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
