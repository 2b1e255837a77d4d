//! Any bytes as a zip of OSV's. Must not panic, and must end.
#![no_main]

use std::io::Cursor;

use cleanbill_core::ecosystem::Ecosystem;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut gathered = cleanbill_advisory::Gathered::default();
    let limits = cleanbill_advisory::Limits {
        document_bytes: 1 << 20,
        total_bytes: 16 << 20,
        ..cleanbill_advisory::Limits::default()
    };
    let archive = Cursor::new(bytes);
    let _ = cleanbill_advisory::feeds::osv::archive(
        archive,
        Ecosystem::PyPI,
        &limits,
        &mut gathered,
    );
});
