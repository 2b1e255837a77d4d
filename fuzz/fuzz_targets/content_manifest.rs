//! Any bytes as a content manifest of Red Hat's images. Must not panic, and must end.
#![no_main]

use cleanbill_extract::Wanted;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let path = "usr/share/buildinfo/content-sets.json";
    let _ = cleanbill_extract::parse(Wanted::ContentManifest, path, bytes);
});
