//! Any bytes as a policy file. Must not panic, and must end.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = cleanbill::policy_file::fuzz_policy(bytes);
});
