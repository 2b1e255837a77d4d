//! Any bytes as /etc/passwd, and as the user of a configuration. Must not panic, and must end.
#![no_main]

use cleanbill_core::image::User;
use cleanbill_extract::Wanted;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = cleanbill_extract::parse(Wanted::Passwd, "etc/passwd", bytes);
    let _ = User::parse(std::str::from_utf8(bytes).ok());
});
