//! Any bytes as an advisory of RubySec's. Must not panic, and must end.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = cleanbill_advisory::feeds::rubysec::parse(bytes);
});
