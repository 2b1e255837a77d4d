//! Any bytes as what Bitnami says of an application. Must not panic, and must end.
#![no_main]

use cleanbill_extract::Wanted;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let name = "opt/bitnami/nginx/.spdx-nginx.spdx";
    let _ = cleanbill_extract::parse(Wanted::BitnamiDocument, name, bytes);
});
