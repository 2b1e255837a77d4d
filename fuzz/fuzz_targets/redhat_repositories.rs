//! Any bytes as Red Hat's list of its repositories. Must not panic, and must end.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut gathered = cleanbill_advisory::Gathered::default();
    let limits = cleanbill_advisory::Limits::default();
    let _ = cleanbill_advisory::feeds::redhat::parse_repositories(bytes, &limits, &mut gathered);
});
