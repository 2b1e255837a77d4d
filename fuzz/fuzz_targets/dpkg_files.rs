//! Any bytes as dpkg's list of a package's files with their checksums. Must not panic, and must end.
#![no_main]

use cleanbill_extract::Wanted;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = cleanbill_extract::parse(Wanted::DpkgFiles, "var/lib/dpkg/info/a.md5sums", bytes);
});
