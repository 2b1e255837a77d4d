//! Any bytes as a break-glass token, and as what stands inside one. Must not panic, and must end.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    cleanbill_trust::breakglass::fuzz(bytes);
});
