//! Any bytes as a VEX document and as an ignore file. Must not panic, and must end.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    cleanbill::vex::fuzz(bytes);
});
