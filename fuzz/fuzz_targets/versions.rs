//! Any two lines as versions of every scheme: comparing is antisymmetric. Must not panic, and must end.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    assert!(cleanbill_core::version::fuzz_versions(bytes));
});
