//! Any bytes as the header of one of rpm's packages, and as the list of images without a database. Must not panic, and must end.
#![no_main]

use cleanbill_extract::Wanted;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = cleanbill_extract::fuzz_rpm_header(bytes);
    let list = "var/lib/rpmmanifest/container-manifest-2";
    let _ = cleanbill_extract::parse(Wanted::RpmManifest, list, bytes);
});
