//! Any bytes as the metadata of an installed Python distribution. Must not panic, and must end.
#![no_main]

use cleanbill_extract::Wanted;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for path in ["usr/lib/python3/a-1.dist-info/METADATA", "usr/lib/python3/a-1.egg-info/PKG-INFO"] {
        let _ = cleanbill_extract::parse(Wanted::PythonMetadata, path, bytes);
    }
});
