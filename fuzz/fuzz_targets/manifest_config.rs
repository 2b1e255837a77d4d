//! Any bytes as a manifest, an index and a configuration. Must not panic, and must end.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    cleanbill_oci::manifest::fuzz(bytes);
});
