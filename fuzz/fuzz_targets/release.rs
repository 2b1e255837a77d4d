//! Any bytes as a file that says which distribution an image is, and as Alpine's list of repositories.
//! Must not panic, and must end.
#![no_main]

use cleanbill_extract::Wanted;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for path in ["etc/os-release", "etc/lsb-release", "etc/alpine-release", "etc/debian_version"] {
        let _ = cleanbill_extract::parse(Wanted::Release, path, bytes);
    }
    let _ = cleanbill_extract::parse(Wanted::ApkRepositories, "etc/apk/repositories", bytes);
});
