//! Any bytes as one file of Alpine's security database. Must not panic, and must end.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut gathered = cleanbill_advisory::Gathered::default();
    let _ = cleanbill_advisory::feeds::secdb::parse(bytes, None, &mut gathered);
});
