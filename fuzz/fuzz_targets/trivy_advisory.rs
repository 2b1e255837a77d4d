//! Any bytes as a value of Trivy's database, in every form that one can have. Must not panic, and
//! must end.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    cleanbill_advisory::feeds::trivy::fuzz_advisory(bytes);
});
