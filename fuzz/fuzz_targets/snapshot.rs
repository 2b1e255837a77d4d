//! Any bytes as a snapshot, and as each of its parts behind the hashes. Must not panic, and must end.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(snapshot) = cleanbill_advisory::Snapshot::from_bytes(bytes.to_vec()) {
        let _ = snapshot.verify();
    }
    cleanbill_advisory::fuzz_snapshot_parts(bytes);
});
