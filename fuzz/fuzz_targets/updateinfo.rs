//! Any bytes as the errata of a repository of rpm packages, unpacked, and as its table of contents.
//! Must not panic, and must end.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut gathered = cleanbill_advisory::Gathered::default();
    let limits = cleanbill_advisory::Limits::default();
    let _ = cleanbill_advisory::feeds::updateinfo::parse(bytes, &limits, &mut gathered);
    cleanbill_advisory::feeds::updateinfo::fuzz_repomd(bytes);
});
