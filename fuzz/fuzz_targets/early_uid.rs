//! Any bytes as the front of an AdmissionReview. Must not panic, must end, and must find no other
//! id than a reading of the whole finds.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let found = cleanbill::serve::admission::early_uid(bytes);
    if let (Some(found), Ok(whole)) = (found, cleanbill::serve::admission::parse(bytes, 500)) {
        assert_eq!(found, whole.uid);
    }
});
