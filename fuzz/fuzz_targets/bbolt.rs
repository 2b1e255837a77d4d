//! Any bytes as a bbolt file, walked over completely. Must not panic, and must end.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(database) = cleanbill_advisory::bbolt::Database::from_bytes(bytes.to_vec()) {
        let _ = cleanbill_advisory::bbolt::count(&database);
    }
});
