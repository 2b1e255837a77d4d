//! Any bytes as rpm's own database. Must not panic, and must end.
#![no_main]

use cleanbill_extract::Wanted;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = cleanbill_extract::parse(Wanted::RpmNdb, "var/lib/rpm/Packages.db", bytes);
});
