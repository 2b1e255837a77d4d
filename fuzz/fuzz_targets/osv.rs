//! Any bytes as an OSV document, for every ecosystem. Must not panic, and must end.
#![no_main]

use cleanbill_core::ecosystem::Ecosystem;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for ecosystem in Ecosystem::ALL {
        let _ = cleanbill_advisory::feeds::osv::parse(bytes, ecosystem);
    }
});
