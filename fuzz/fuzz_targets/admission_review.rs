//! Any bytes as the body of an AdmissionReview. Must not panic, and must end.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = cleanbill::serve::admission::parse(bytes, 500);
});
