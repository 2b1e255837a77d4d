//! Any bytes as rpm's database in Berkeley DB. Must not panic, and must end.
#![no_main]

use cleanbill_extract::Wanted;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = cleanbill_extract::parse(Wanted::RpmBerkeley, "var/lib/rpm/Packages", bytes);
});
