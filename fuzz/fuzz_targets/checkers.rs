//! Any bytes as a checker's answer, in both formats, and as the list of checkers. Must not
//! panic, and must end.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = cleanbill::checkers::fuzz_answer(bytes);
    let _ = cleanbill::checkers::fuzz_imagereview(bytes);
    let _ = cleanbill::checkers::fuzz_checkers(bytes);
});
