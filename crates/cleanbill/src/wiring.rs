//! A configuration → what the gate examines with: its way to registries and its examiner.
//! `serve` and `check --config` share it, so that both say the same.
//!
//! Reads the files of passwords and authorities that the configuration names, and nothing else.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use cleanbill_advisory::Snapshot;
use cleanbill_core::Timestamp;
use cleanbill_oci::image::PlatformChoice;
use cleanbill_oci::limits::Limits;
use cleanbill_oci::registry::{AddressRule, Credentials, Registry, RegistryOptions, Secret};

use crate::assess::{self, Against};
use crate::examine;
use crate::failure::{Failure, Result};
use crate::serve::config::{Config, RegistryAccess};
use crate::serve::examiner::{Examiner, Failed};
use crate::snapshot_choice;
use crate::store::Store;
use crate::trouble::Trouble;

/// The longest password file, in bytes.
const PASSWORD_MAX: usize = 64 << 10;

/// The platforms that are judged.
pub fn choice(config: &Config) -> PlatformChoice {
    if config.platforms.is_empty() {
        PlatformChoice::All
    } else {
        PlatformChoice::Listed(config.platforms.clone())
    }
}

/// The gate's way to registries: public addresses only, except for those that the operator
/// named as private.
///
/// # Errors
/// When a password or authority cannot be read, or a host is malformed.
pub fn registry(config: &Config) -> Result<Registry> {
    let named = |wish: fn(&RegistryAccess) -> bool| -> Vec<String> {
        config.registries.iter().filter(|r| wish(r)).map(|r| r.host.clone()).collect()
    };
    let private_hosts = named(|r| r.private);
    let mut options = RegistryOptions::new(AddressRule::Guarded { private_hosts });
    options.limits = limits(config);
    options.plain_http = named(|r| r.plain_http);
    options.ca_files = config.registries.iter().filter_map(|r| r.ca.clone()).collect();
    options.realms = config
        .registries
        .iter()
        .map(|r| (r.host.clone(), r.realms.clone()))
        .collect::<BTreeMap<_, _>>();
    let mut credentials = Credentials::none();
    for access in &config.registries {
        if let (Some(user), Some(file)) = (&access.username, &access.password_file) {
            let text = std::fs::read_to_string(file)
                .map_err(|e| Failure::new(format!("{}: cannot be read: {e}", file.display())))?;
            if text.len() > PASSWORD_MAX {
                return Err(Failure::new(format!("{}: too long for a password", file.display())));
            }
            let password = Secret::new(text.trim_end_matches(['\r', '\n']));
            credentials = credentials.with_login(&access.host, user, password);
        }
    }
    options.credentials = credentials;
    Ok(Registry::new(options)?)
}

fn limits(config: &Config) -> Limits {
    Limits { time: config.work.examination, ..Limits::default() }
}

/// The examiner behind the gate: `assess`, on the files the configuration names.
///
/// # Errors
/// When registries cannot be set up. Advisories that do not open are told by the readiness
/// probe and by every examination, not here: they may come later.
pub fn examiner(
    config: &Config,
    store: Option<Arc<Store>>,
    max_feed_age_days: u32,
) -> Result<Examiner> {
    let registry = Arc::new(registry(config)?);
    let names = Arc::clone(&registry);
    let advisories = Arc::new(Advisories::new(config.db.clone()));
    let ready = Arc::clone(&advisories);
    let limits = Arc::new(limits(config));
    let choice = choice(config);
    let examiner = examine::Examiner::new(examine::Examiner::options(&limits), store);
    Ok(Examiner {
        resolve: Box::new(move |name, deadline| {
            let root = names.until(deadline.instant()).root(name);
            root.map(|r| r.descriptor.digest).map_err(|e| failed(&Trouble::Image(e)))
        }),
        examine: Box::new(move |name, deadline| {
            let snapshot = advisories.current().map_err(|e| failed(&Trouble::Ours(e)))?;
            let against = Against { snapshot: &snapshot, now: Timestamp::now(), max_feed_age_days };
            let registry = registry.until(deadline.instant());
            assess::assess(name, &registry, &choice, &limits, &examiner, against)
                .map_err(|e| failed(&e))
        }),
        ready: Box::new(move || ready.current().map(|_| ()).map_err(|e| e.to_string())),
    })
}

fn failed(trouble: &Trouble) -> Failed {
    Failed::new(trouble.public(), trouble.to_string())
}

/// The snapshot file, opened anew when it was replaced: an update is used from the next image on.
struct Advisories {
    file: Option<PathBuf>,
    open: Mutex<Option<(Stamp, Arc<Snapshot>)>>,
}

/// By what a replaced file is known: updates rename a new file over the old one.
type Stamp = Option<(u64, SystemTime)>;

impl Advisories {
    fn new(file: Option<PathBuf>) -> Self {
        Self { file, open: Mutex::default() }
    }

    fn current(&self) -> Result<Arc<Snapshot>> {
        let stamp = self.stamp();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, snapshot)) = &*open
            && *known == stamp
        {
            return Ok(Arc::clone(snapshot));
        }
        let snapshot = Arc::new(snapshot_choice::choose(self.file.as_deref())?);
        *open = Some((stamp, Arc::clone(&snapshot)));
        Ok(snapshot)
    }

    fn stamp(&self) -> Stamp {
        let file = match &self.file {
            Some(file) => file.clone(),
            None => snapshot_choice::updated_in(&snapshot_choice::folder().ok()?),
        };
        let meta = std::fs::metadata(file).ok()?;
        Some((meta.len(), meta.modified().ok()?))
    }
}
