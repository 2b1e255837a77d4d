//! Any bytes as dpkg's database, and as one package's part of it. Must not panic, and must end.
#![no_main]

use cleanbill_extract::Wanted;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = cleanbill_extract::parse(Wanted::DpkgStatus, "var/lib/dpkg/status", bytes);
    let _ = cleanbill_extract::parse(Wanted::DpkgStatusD, "var/lib/dpkg/status.d/a", bytes);
});
