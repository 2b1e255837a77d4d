//! Any bytes as a layer: plain, gzip or zstd tar. Must not panic, and must end.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    cleanbill_oci::layer::fuzz(bytes);
});
