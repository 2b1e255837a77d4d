//! Any bytes as a receipt's envelope, as the statement in one, and as keys. Must not panic, and
//! must end.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    cleanbill_trust::dsse::fuzz(bytes);
    cleanbill_trust::statement::fuzz(bytes);
    let _ = cleanbill_trust::PublicKey::from_pem(bytes);
    let _ = cleanbill_trust::SigningKey::from_pem(bytes);
});
