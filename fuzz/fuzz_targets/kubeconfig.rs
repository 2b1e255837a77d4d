//! Any bytes as a kubeconfig. Must not panic, and must end.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = cleanbill::kube::fuzz_kubeconfig(bytes);
});
