//! Any bytes as a VEX document of Red Hat's, and as an archive of them. Must not panic, and must end.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut gathered = cleanbill_advisory::Gathered::default();
    let limits = cleanbill_advisory::Limits {
        total_bytes: 16 << 20,
        ..cleanbill_advisory::Limits::default()
    };
    let _ = cleanbill_advisory::feeds::redhat::parse(bytes, &limits, &mut gathered);
    let _ = cleanbill_advisory::feeds::redhat::parse_archive(bytes, &limits, &mut gathered);
});
