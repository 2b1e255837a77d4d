//! Any bytes as rpm's database in SQLite, alone and with a write-ahead log. Must not panic, and must end.
#![no_main]

use cleanbill_extract::Wanted;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = cleanbill_extract::parse(Wanted::RpmSqlite, "var/lib/rpm/rpmdb.sqlite", bytes);
    let _ = cleanbill_extract::fuzz_rpm_log(bytes);
});
