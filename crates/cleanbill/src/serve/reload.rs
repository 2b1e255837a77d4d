//! Certificates, policy, checkers, the ways to registries and advisories are replaced while the
//! gate runs: on SIGHUP, and when their files are seen to have changed.
//!
//! What is small is read and compared by content every time ([`super::changes`]). A new version is
//! made complete before it replaces the old one; one that is broken is refused, loudly and once,
//! and the old one stays in force. A file that is being written looks broken: unless told by
//! SIGHUP, that is believed only when it looks the same the next time.
//!
//! The policy and the checkers that it names come into force together, or not at all.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use rustls::ServerConfig;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;

use super::advisories::Advisories;
use super::changes::{Print, Seen, attend, print, read, utf8};
use super::config::{Bounds, Config, PolicySource, Tls, Work};
use super::config_file;
use super::examiner::Examiner;
use super::impacts::{Looking, last_in_force};
use super::live::{Live, Rules};
use super::load;
use super::metrics::Metrics;
use super::record::Recorder;
use super::reloads::What;
use super::tls::Material;
use crate::checkers::{CheckerConfig, Checkers};
use crate::failure::{Failure, Result};
use crate::policy_file;

/// How often files are looked at.
pub const EVERY: Duration = Duration::from_secs(2);
/// After which time it is tried again to keep a snapshot.
const KEEP_AGAIN: Duration = Duration::from_secs(60);

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

/// Makes the way to registries anew as a configuration says, and uses it from now on. What is under
/// way goes on by the one before.
pub type Reach = Box<dyn Fn(&Config) -> Result<()> + Send>;

/// Looks at the files and replaces what changed.
pub struct Reloader {
    path: PathBuf,
    began: Config,
    now: Config,
    handles: Handles,
    reach: Option<Reach>,
    /// The newest checkers that are complete. Those in force are the rules' own.
    complete: Arc<Checkers>,
    /// How often they were others.
    completed: u64,
    configuration: Seen,
    certificates: Seen,
    registries: Seen,
    checkers: Seen,
    policy: Seen,
    advisories: Seen,
    /// The snapshot that was kept, or could not be, and when.
    kept: Option<(Digest, Option<Instant>)>,
    /// The last look at all known images by new advisories.
    looking: Option<Looking>,
}

impl Reloader {
    /// For a gate that was started with `config`, read from `path`.
    pub fn new(path: &Path, config: Config, handles: Handles) -> Self {
        Self {
            path: path.to_owned(),
            began: config.clone(),
            now: config,
            reach: None,
            complete: Arc::clone(&handles.rules.get().checkers),
            completed: 0,
            handles,
            configuration: Seen::default(),
            certificates: Seen::default(),
            registries: Seen::default(),
            checkers: Seen::default(),
            policy: Seen::default(),
            advisories: Seen::default(),
            kept: None,
            looking: None,
        }
    }

    /// The same, replacing the way to registries too.
    #[must_use]
    pub fn reaching(mut self, reach: Reach) -> Self {
        self.reach = Some(reach);
        self
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
                tracing::warn!(
                    changed = changed.join(","),
                    "these parts of the configuration need a restart"
                );
            }
            self.now = config;
        }
        self.look_at_certificates(told);
        self.look_at_registries(told);
        self.look_at_checkers(told);
        self.look_at_policy(told);
        self.look_at_advisories(told);
    }

    fn look_at_certificates(&mut self, told: bool) {
        let (tls, handles) = (self.now.tls.clone(), self.handles.clone());
        let files = [
            read("the server certificate", &tls.cert),
            read("the server key", &tls.key),
            read("the client authority", &tls.client_ca),
            Ok(tls.client_names.join("\n").into_bytes()),
        ];
        let first = self.certificates.in_force.is_none();
        let found = (print(&files.each_ref()), told);
        attend(What::Certificates, &handles.metrics, &mut self.certificates, found, || {
            let (material, config) = certificates(files, &tls)?;
            handles.metrics.certificates(material.expiry());
            handles.tls.replace(config);
            if !first {
                tracing::info!(cert = %tls.cert.display(), "new certificates are in use");
            }
            Ok(())
        });
    }

    fn look_at_registries(&mut self, told: bool) {
        let Some(reach) = &self.reach else { return };
        // Bounds on examinations are read once.
        let config = Config { work: self.began.work, ..self.now.clone() };
        let named = config.registries.iter().flat_map(|r| [&r.password_file, &r.ca]).flatten();
        let mut parts = vec![Ok(format!("{:?}", config.registries).into_bytes())];
        parts.extend(named.map(|path| read("a registry's file", path)));
        let first = self.registries.in_force.is_none();
        let found = (print(&parts.iter().collect::<Vec<_>>()), told);
        attend(What::Registries, &self.handles.metrics, &mut self.registries, found, || {
            reach(&config)?;
            if !first {
                tracing::info!("registries are reached in a new way");
            }
            Ok(())
        });
    }

    fn look_at_checkers(&mut self, told: bool) {
        let found = (checkers_print(&self.now.checkers), told);
        let (before, configs) = (&self.complete, &self.now.checkers);
        let taken =
            attend(What::Checkers, &self.handles.metrics, &mut self.checkers, found, || {
                before.again(configs)
            });
        if let Some(checkers) = taken.filter(|new| !new.are(before)) {
            self.complete = Arc::new(checkers);
            self.completed += 1;
        }
    }

    /// The policy, and with it the checkers.
    fn look_at_policy(&mut self, told: bool) {
        let text = match &self.now.policy {
            PolicySource::Inline(policy) => load::canonical(policy).map(|(t, _)| t.into_bytes()),
            PolicySource::File(path) => read("the policy", path),
        };
        let heard = Ok(self.completed.to_le_bytes().to_vec());
        let found = (print(&[&text, &heard]), told);
        let (source, complete, handles) = (&self.now.policy, &self.complete, &self.handles);
        attend(What::Policy, &handles.metrics, &mut self.policy, found, || {
            policy(text, source, complete, handles)
        });
    }

    fn look_at_advisories(&mut self, told: bool) {
        let Some(advisories) = self.handles.examiner.advisories.clone() else { return };
        let metrics = &self.handles.metrics;
        // What was in force when the gate was stopped, before what is now is noted.
        let last = match self.advisories.in_force.is_none() {
            true => self.handles.recorder.store().and_then(|store| last_in_force(store)),
            false => None,
        };
        let mut replaced = None;
        let stamp = format!("{:?}", advisories.stamp()).into_bytes();
        let found = (print(&[&Ok(stamp)]), told);
        attend(What::Advisories, metrics, &mut self.advisories, found, || {
            let before = advisories.in_use();
            let snapshot = advisories.replace()?;
            if before.as_ref().map(|s| s.digest()) != Some(snapshot.digest()) {
                tracing::info!(snapshot = %snapshot.digest(), "new advisories are in use");
                replaced = before.map(|before| (before, snapshot));
            }
            Ok(())
        });
        self.keep(&advisories);
        if let (None, Some(last), Some(now)) = (&replaced, last, advisories.in_use())
            && last.digest() != now.digest()
        {
            tracing::info!(from = %last.digest(), "the advisories changed while the gate was stopped");
            replaced = Some((Arc::new(last), now));
        }
        if let (Some(both), Some(store)) = (replaced, self.handles.recorder.store()) {
            let (rules, metrics) = (self.handles.rules.get(), self.handles.metrics.clone());
            let before = self.looking.take();
            self.looking = Looking::begin(before, both, Arc::clone(store), rules, metrics);
        }
    }

    /// Keeps a copy of the snapshot that is in use. It is in use whether that works or not; what
    /// could not be kept is tried again, as the disk may only have been full.
    fn keep(&mut self, advisories: &Advisories) {
        let Some(digest) = advisories.in_use().map(|snapshot| snapshot.digest()) else { return };
        let failed = match self.kept {
            Some((kept, None)) if kept == digest => return,
            Some((kept, Some(failed))) if kept == digest && failed.elapsed() < KEEP_AGAIN => return,
            Some((kept, failed)) if kept == digest => failed,
            Some(_) | None => None,
        };
        let now = match advisories.keep() {
            Ok(()) => {
                if failed.is_some() {
                    tracing::info!(snapshot = %digest, "the advisories are kept for later now");
                }
                None
            }
            Err(why) => {
                tracing::error!(%why, "decisions by these advisories cannot be matched again");
                Some(Instant::now())
            }
        };
        self.kept = Some((digest, now));
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
    material.in_time(Timestamp::now())?;
    Ok((material, config))
}

fn policy(
    text: Result<Vec<u8>>,
    source: &PolicySource,
    checkers: &Arc<Checkers>,
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
    let known: Vec<&str> = checkers.names().collect();
    let unknown = policy_file::unknown_checkers(&policy, &known);
    if !unknown.is_empty() {
        let names = unknown.join(", ");
        return Err(Failure::new(format!("the policy wants to hear unknown checkers: {names}"))
            .next("describe them under \"checkers\" in the configuration, or name others"));
    }
    let rules = Rules::new(policy, now)?.hearing(Arc::clone(checkers));
    let before = handles.rules.get();
    let same_checkers = Arc::ptr_eq(&before.checkers, checkers);
    if before.digest == rules.digest && same_checkers {
        return Ok(());
    }
    if before.digest != rules.digest {
        handles.recorder.policy(&rules.digest, &rules.text)?;
        tracing::info!(before = before.name(), now = rules.name(), "a new policy is in force");
    }
    if !same_checkers {
        tracing::info!(checkers = known.join(","), "new checkers are in force");
    }
    handles.rules.replace(rules);
    Ok(())
}

/// By what checkers are known: all that is configured, whole URLs too, and the files of those that
/// are servers.
fn checkers_print(configs: &[CheckerConfig]) -> Print {
    let mut parts = Vec::new();
    for config in configs {
        parts.push(Ok(format!("{config:?}").into_bytes()));
        let Some(endpoint) = config.endpoint() else { continue };
        parts.push(Ok(endpoint.url.uri().to_string().into_bytes()));
        let client = endpoint.client.iter().flat_map(|files| [&files.cert, &files.key]);
        let files = endpoint.ca.iter().chain(client);
        parts.extend(files.map(|path| read("a checker's file", path)));
    }
    print(&parts.iter().collect::<Vec<_>>())
}

/// The keys that differ and are read only once.
fn needs_restart(began: &Config, now: &Config) -> Vec<&'static str> {
    // Two keys of their own are held among the limits.
    let bounds = Bounds { when_unexamined: began.bounds.when_unexamined, ..now.bounds };
    let work = Work { tag_ttl: began.work.tag_ttl, ..now.work };
    [
        ("listen", began.listen != now.listen),
        ("metrics_listen", began.metrics_listen != now.metrics_listen),
        ("db", began.db != now.db),
        ("state_dir", began.state_dir != now.state_dir),
        ("platforms", began.platforms != now.platforms),
        ("kubernetes", began.kubernetes != now.kubernetes),
        ("decisions", began.keep != now.keep || began.room.snapshots != now.room.snapshots),
        ("facts", began.room.facts != now.room.facts),
        ("when_unexamined", began.bounds.when_unexamined != now.bounds.when_unexamined),
        ("tag_ttl", began.work.tag_ttl != now.work.tag_ttl),
        ("limits", began.bounds != bounds || began.work != work),
    ]
    .into_iter()
    .filter_map(|(key, differs)| differs.then_some(key))
    .collect()
}
