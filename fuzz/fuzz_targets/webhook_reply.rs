//! Any bytes as what a webhook replies. Must not panic, and nothing that is not JSON or YAML with
//! `allowed: true` may be taken for a yes.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    cleanbill::apiserver::fuzz_reply(bytes);
});
