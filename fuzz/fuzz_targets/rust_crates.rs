//! Any bytes as an ELF program that may have a list of crates. Must not panic, and must end.
#![no_main]

use cleanbill_extract::Wanted;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = cleanbill_extract::parse(Wanted::RustProgram, "usr/bin/program", bytes);
});
