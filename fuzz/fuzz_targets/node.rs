//! Any bytes as the manifest of a Node package. Must not panic, and must end.
#![no_main]

use cleanbill_extract::Wanted;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = cleanbill_extract::parse(Wanted::NodePackage, "app/node_modules/a/package.json", bytes);
});
