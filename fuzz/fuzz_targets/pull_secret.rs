//! Any bytes as a pull secret: as the object the Kubernetes API gives, and as the configuration
//! inside one of each type. Must not panic, and must end.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    cleanbill::serve::pull_secrets::fuzz(bytes);
});
