//! Any bytes as the repository that yum says a package came from. Must not panic, and must end.
#![no_main]

use cleanbill_extract::Wanted;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let path = "var/lib/yum/yumdb/a/0a1b-a-1.0-1.amzn2-x86_64/from_repo";
    let _ = cleanbill_extract::parse(Wanted::YumRepository, path, bytes);
});
