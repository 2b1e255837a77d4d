//! Any bytes as the files of an API server: its admission configuration, a kubeconfig, manifests of
//! pods, certificates. Must not panic, and must end.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    cleanbill::apiserver::fuzz_files(bytes);
});
