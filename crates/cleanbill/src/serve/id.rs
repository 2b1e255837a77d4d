//! The id of a decision: 96 random bits, so that nobody can guess another's.

use crate::failure::{Failure, Result};

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A new id: twenty characters of Crockford's base 32 in lower case.
///
/// # Errors
/// When the system gives no randomness.
pub fn new() -> Result<String> {
    let mut bytes = [0_u8; 16];
    rustls::crypto::ring::default_provider()
        .secure_random
        .fill(&mut bytes[4..])
        .map_err(|_| Failure::new("the system gives no random numbers"))?;
    let mut bits = u128::from_be_bytes(bytes);
    let mut id = Vec::with_capacity(20);
    for _ in 0..20 {
        id.push(ALPHABET.get((bits & 31) as usize).copied().map_or('0', char::from));
        bits >>= 5;
    }
    Ok(id.into_iter().collect())
}
