//! Any bytes as the list of flaws known to be exploited, and as that of ends of life. Must not panic,
//! and must end.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut gathered = cleanbill_advisory::Gathered::default();
    let limits = cleanbill_advisory::Limits::default();
    let _ = cleanbill_advisory::feeds::kev::parse(bytes, &limits, &mut gathered);
    let _ = cleanbill_advisory::feeds::eol::parse(bytes, &limits, &mut gathered);
});
