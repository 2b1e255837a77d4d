//! Certificates, policy and advisories are replaced while the gate runs: on SIGHUP, and when
//! their files are seen to have changed.
//!
//! What is small is read and compared by content every time, since a file's dates can be set
//! back, or stay, while it changes. A new version is made complete before it replaces the old
//! one; one that is broken is refused, loudly and once, and the old one stays in force. A file
//! that is being written looks broken: unless told by SIGHUP, that is believed only when it
//! looks the same the next time.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cleanbill_core::Timestamp;
use rustls::ServerConfig;
use sha2::{Digest as _, Sha256};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;

use super::config::{Config, PolicySource, Tls};
use super::config_file;
use super::examiner::Examiner;
use super::live::{Live, Rules};
use super::load;
use super::metrics::Metrics;
use super::record::Recorder;
use super::reloads::What;
use super::tls::Material;
use crate::failure::{Failure, Result};
use crate::policy_file;

/// How often files are looked at.
pub const EVERY: Duration = Duration::from_secs(2);
/// The longest file that is read here, in bytes.
const MOST: u64 = 4 << 20;

/// The parts of a running gate that can be replaced.
#[derive(Clone)]
pub struct Handles {
    /// TLS of new connections.
    pub tls: Arc<Live<ServerConfig>>,
    /// What images must meet.
    pub rules: Arc<Live<Rules>>,
    /// Has the advisories.
    pub examiner: Arc<Examiner>,
    /// Where policies are kept for as long as decisions refer to them.
    pub recorder: Recorder,
    /// Where it is counted.
    pub metrics: Arc<Metrics>,
}

/// What a kind's files hold: the hash of all of it.
type Print = [u8; 32];

/// What was seen of one kind.
#[derive(Default)]
struct Seen {
    in_force: Option<Print>,
    refused: Option<Print>,
    /// Looked broken the last time: perhaps it is being written.
    doubtful: Option<Print>,
}

/// Looks at the files and replaces what changed.
pub struct Reloader {
    path: PathBuf,
    began: Config,
    now: Config,
    handles: Handles,
    configuration: Seen,
    certificates: Seen,
    policy: Seen,
    advisories: Seen,
}

impl Reloader {
    /// For a gate that was started with `config`, read from `path`.
    pub fn new(path: &Path, config: Config, handles: Handles) -> Self {
        Self {
            path: path.to_owned(),
            began: config.clone(),
            now: config,
            handles,
            configuration: Seen::default(),
            certificates: Seen::default(),
            policy: Seen::default(),
            advisories: Seen::default(),
        }
    }

    /// Looks once. `told`: somebody says that the files are as they shall be. Blocks.
    pub fn look(&mut self, told: bool) {
        let (path, metrics) = (self.path.clone(), self.handles.metrics.clone());
        let text = read("the configuration", &path);
        let taken = attend(
            What::Configuration,
            &metrics,
            &mut self.configuration,
            (print(&[&text]), told),
            || configuration(text, &path),
        );
        if let Some(config) = taken {
            let changed = needs_restart(&self.began, &config);
            if !changed.is_empty() {
                tracing::warn!(?changed, "these parts of the configuration need a restart");
            }
            self.now = config;
        }
        let (tls, handles) = (self.now.tls.clone(), self.handles.clone());
        let files = [
            read("the server certificate", &tls.cert),
            read("the server key", &tls.key),
            read("the client authority", &tls.client_ca),
            Ok(tls.client_names.join("\n").into_bytes()),
        ];
        let first = self.certificates.in_force.is_none();
        let found = (print(&files.each_ref()), told);
        attend(What::Certificates, &metrics, &mut self.certificates, found, || {
            let (material, config) = certificates(files, &tls)?;
            handles.metrics.certificates(material.expiry());
            handles.tls.replace(config);
            if !first {
                tracing::info!(cert = %tls.cert.display(), "new certificates are in use");
            }
            Ok(())
        });
        let text = match &self.now.policy {
            PolicySource::Inline(policy) => load::canonical(policy).map(|(t, _)| t.into_bytes()),
            PolicySource::File(path) => read("the policy", path),
        };
        let source = self.now.policy.clone();
        let found = (print(&[&text]), told);
        let checkers: Vec<&str> = self.began.checkers.iter().map(|c| c.name.as_str()).collect();
        let handles = &self.handles;
        attend(What::Policy, &metrics, &mut self.policy, found, || {
            policy(text, &source, &checkers, handles)
        });
        self.look_at_advisories(told);
    }

    fn look_at_advisories(&mut self, told: bool) {
        let Some(advisories) = self.handles.examiner.advisories.clone() else { return };
        let metrics = &self.handles.metrics;
        let stamp = format!("{:?}", advisories.stamp()).into_bytes();
        let found = (print(&[&Ok(stamp)]), told);
        attend(What::Advisories, metrics, &mut self.advisories, found, || {
            let before = advisories.in_use().map(|s| s.digest());
            let snapshot = advisories.replace()?;
            if before != Some(snapshot.digest()) {
                tracing::info!(snapshot = %snapshot.digest(), "new advisories are in use");
            }
            Ok(())
        });
    }
}

/// Looks every [`EVERY`] and on SIGHUP, until the task is aborted.
///
/// # Errors
/// When signals cannot be had.
pub fn run(reloader: Reloader) -> Result<JoinHandle<()>> {
    let mut hangup =
        signal(SignalKind::hangup()).map_err(|e| Failure::new(format!("signals: {e}")))?;
    let reloader = Arc::new(Mutex::new(reloader));
    Ok(tokio::spawn(async move {
        let mut told = false;
        loop {
            let reloader = Arc::clone(&reloader);
            let look = move || {
                // After a panic it looks again: what it replaces, it replaces whole.
                reloader.lock().unwrap_or_else(PoisonError::into_inner).look(told);
            };
            if let Err(e) = tokio::task::spawn_blocking(look).await {
                tracing::error!(error = %e, "a reload panicked; what was in force stays");
            }
            told = tokio::select! {
                () = tokio::time::sleep(EVERY) => false,
                _ = hangup.recv() => true,
            };
            if told {
                tracing::info!("told to reload");
            }
        }
    }))
}

/// Makes the new one if the files changed and it was not refused already. `Some`: it was taken.
fn attend<T>(
    what: What,
    metrics: &Metrics,
    seen: &mut Seen,
    (found, told): (Print, bool),
    make: impl FnOnce() -> Result<T>,
) -> Option<T> {
    if seen.in_force == Some(found) {
        if seen.refused.take().is_some() {
            tracing::info!(what = what.as_str(), "the one that is in force is back");
        }
        seen.doubtful = None;
        metrics.reloads.mended(what);
        return None;
    }
    if seen.refused == Some(found) && !told {
        return None;
    }
    match make() {
        Ok(made) => {
            if seen.in_force.replace(found).is_some() {
                metrics.reloads.took(what);
            }
            metrics.reloads.mended(what);
            (seen.refused, seen.doubtful) = (None, None);
            Some(made)
        }
        Err(_) if !told && seen.doubtful != Some(found) => {
            seen.doubtful = Some(found);
            None
        }
        Err(why) => {
            seen.refused = Some(found);
            metrics.reloads.refused(what);
            tracing::error!(what = what.as_str(), %why, "not reloaded: the old one stays in force");
            None
        }
    }
}

fn configuration(text: Result<Vec<u8>>, path: &Path) -> Result<Config> {
    let text = utf8("the configuration", text?)?;
    config_file::parse(&text, path).map_err(|p| load::wrong("the configuration", &p))
}

fn certificates(files: [Result<Vec<u8>>; 4], tls: &Tls) -> Result<(Material, ServerConfig)> {
    let [certificate, key, client_ca, _] = files;
    let client_names = tls.client_names.clone();
    let material =
        Material { certificate: certificate?, key: key?, client_ca: client_ca?, client_names };
    let config = material.config()?;
    Ok((material, config))
}

fn policy(
    text: Result<Vec<u8>>,
    source: &PolicySource,
    checkers: &[&str],
    handles: &Handles,
) -> Result<()> {
    let now = Timestamp::now();
    let policy = match source {
        PolicySource::Inline(policy) => policy.as_ref().clone(),
        PolicySource::File(path) => {
            let text = utf8("the policy", text?)?;
            let loaded = policy_file::load(&text, &path.display().to_string(), now)
                .map_err(|p| load::wrong("the policy", &p))?;
            for warning in &loaded.warnings {
                tracing::warn!(policy = %warning, "the policy is valid, and hardly meant so");
            }
            loaded.policy
        }
    };
    let unknown = policy_file::unknown_checkers(&policy, checkers);
    if !unknown.is_empty() {
        let names = unknown.join(", ");
        return Err(Failure::new(format!("the policy wants to hear unknown checkers: {names}"))
            .next("a new checker in the configuration needs a restart"));
    }
    let rules = Rules::new(policy, now)?;
    let before = handles.rules.get();
    if before.digest == rules.digest {
        return Ok(());
    }
    handles.recorder.policy(&rules.digest, &rules.text)?;
    tracing::info!(before = before.name(), now = rules.name(), "a new policy is in force");
    handles.rules.replace(rules);
    Ok(())
}

/// The keys that differ and are read only once.
fn needs_restart(began: &Config, now: &Config) -> Vec<&'static str> {
    [
        ("listen", began.listen != now.listen),
        ("metrics_listen", began.metrics_listen != now.metrics_listen),
        ("db", began.db != now.db),
        ("state_dir", began.state_dir != now.state_dir),
        ("platforms", began.platforms != now.platforms),
        ("registries", began.registries != now.registries),
        ("checkers", began.checkers != now.checkers),
        ("limits", began.bounds != now.bounds || began.work != now.work),
    ]
    .into_iter()
    .filter_map(|(key, differs)| differs.then_some(key))
    .collect()
}

/// A file, bounded. Its content is in no error.
fn read(what: &str, path: &Path) -> Result<Vec<u8>> {
    let wrong = |e: &dyn std::fmt::Display| {
        Failure::new(format!("{what} {} cannot be read: {e}", path.display()))
    };
    let file = std::fs::File::open(path).map_err(|e| wrong(&e))?;
    let mut bytes = Vec::new();
    file.take(MOST + 1).read_to_end(&mut bytes).map_err(|e| wrong(&e))?;
    if bytes.len() as u64 > MOST {
        return Err(wrong(&"it is too long"));
    }
    Ok(bytes)
}

fn utf8(what: &str, bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|_| Failure::new(format!("{what} is not UTF-8")))
}

/// One hash of all files; one that cannot be read counts as why.
fn print(files: &[&Result<Vec<u8>>]) -> Print {
    let mut hash = Sha256::new();
    for file in files {
        match file {
            Ok(bytes) => {
                hash.update([1]);
                hash.update((bytes.len() as u64).to_le_bytes());
                hash.update(bytes);
            }
            Err(e) => {
                let why = e.to_string();
                hash.update([0]);
                hash.update((why.len() as u64).to_le_bytes());
                hash.update(why);
            }
        }
    }
    hash.finalize().into()
}
