//! Any bytes as the body of an ImageReview. Must not panic, and must end.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = cleanbill::serve::review::parse(bytes, 1 << 20);
});
