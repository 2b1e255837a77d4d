//! Questions and configurations for tests.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use cleanbill::checkers::{
    Asked, CheckerConfig, Checkers, Context, Endpoint, KindConfig, ProgramConfig, Url,
};
use cleanbill_core::digest::Digest;
use cleanbill_core::opinion::Opinion;

/// The image of [`asked`].
pub const IMAGE: &str = "registry.example/team/app:1@sha256:\
    0101010101010101010101010101010101010101010101010101010101010101";

/// A question about [`IMAGE`] in this namespace.
pub fn asked(namespace: &str) -> Asked {
    asked_about("registry.example/team/app:1", namespace)
}

/// A question about an image.
pub fn asked_about(name: &str, namespace: &str) -> Asked {
    let annotations = [
        ("ticket.image-policy.k8s.io/id", "T-1"),
        ("kubectl.kubernetes.io/last-applied-configuration", "{}"),
    ];
    let annotations: BTreeMap<String, String> =
        annotations.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
    let context = Context {
        user: "jane".into(),
        groups: vec!["developers".into()],
        service_account: "default".into(),
        labels: [("app".into(), "shop".into())].into(),
    };
    let name = name.parse().unwrap();
    Asked::new(&name, Digest::Sha256([1; 32]), namespace, &annotations, Some(context))
}

/// A checker called `c` with ten seconds to answer.
pub fn checker(kind: KindConfig) -> CheckerConfig {
    CheckerConfig {
        name: "c".into(),
        kind,
        timeout: Duration::from_secs(10),
        remember: Duration::ZERO,
        parallel: 2,
    }
}

/// A program that is run as it is.
pub fn program(argv: &[&str]) -> KindConfig {
    let argv = argv.iter().map(|a| (*a).to_owned()).collect();
    KindConfig::Program(ProgramConfig { argv, memory_bytes: 4 << 30 })
}

/// A script for the shell, whose command line has the marker in it.
pub fn script(script: &str, marker: &str) -> KindConfig {
    program(&["/bin/sh", "-c", script, marker])
}

/// A server in the clear at this URL.
pub fn endpoint(url: &str) -> Endpoint {
    Endpoint { url: Url::parse(url).unwrap(), ca: None, client: None, token_file: None }
}

/// Asks one checker one question, with time enough.
pub fn ask(config: CheckerConfig, asked: &Asked) -> Opinion {
    let checkers = Checkers::open(&[config]).unwrap();
    checkers.ask(&["c"], asked, Instant::now() + Duration::from_secs(60)).remove(0)
}

/// The command lines of processes that have the marker in theirs.
pub fn processes(marker: &str) -> Vec<String> {
    let all = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let line = std::fs::read(entry.ok()?.path().join("cmdline")).ok()?;
        Some(String::from_utf8_lossy(&line).replace('\0', " "))
    });
    all.filter(|line| line.contains(marker)).collect()
}
