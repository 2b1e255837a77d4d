//! Any text as what `doctor` reads: manifests, metrics, audit policies and logs, addresses. Must not
//! panic, and must end.
#![no_main]

use cleanbill::apiserver::yaml;
use cleanbill::doctor::view::manifest::Manifest;
use cleanbill::doctor::view::metrics::Metrics;
use cleanbill::doctor::view::target::Target;
use cleanbill::doctor::view::{audit, http_date};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let _ = audit::policy(&text);
    let _ = audit::log(bytes);
    let _ = Metrics::of(&text);
    let _ = Target::of(&text).map(|target| target.is_exempt(&text));
    let _ = http_date(&text);
    let _ = cleanbill::doctor::found::hushed(&text);
    if let Ok(pod) = yaml::first(&text) {
        let _ = Manifest::of(&pod).map(|m| (m.version(), m.list("a")));
    }
});
