//! Any bytes as an expression: compiling, running and its polarity. Must not panic, and must end.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    assert!(cleanbill_cel::fuzz_cel(bytes));
});
