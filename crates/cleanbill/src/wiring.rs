//! A configuration → what the gate examines with: its way to registries and its examiner.
//! `serve` and `check --config` share it, so that both say the same.
//!
//! Reads the files of passwords and authorities that the configuration names, and nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;

use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use cleanbill_core::evidence::Evidence;
use cleanbill_core::platform::Platform;
use cleanbill_core::reference::ImageRef;
use cleanbill_core::verdict::Registered;
use cleanbill_oci::error::ErrorKind;
use cleanbill_oci::image::PlatformChoice;
use cleanbill_oci::limits::Limits;
use cleanbill_oci::registry::{AddressRule, Credentials, Registry, RegistryOptions, Secret};
use cleanbill_oci::source::{InputSpec, open_input};
use serde::Serialize;

use crate::assess::{self, Against, Found};
use crate::examine;
use crate::failure::{Failure, Result};
use crate::needs;
use crate::serve::access::Access;
use crate::serve::advisories::Advisories;
use crate::serve::config::{Config, RegistryAccess};
use crate::serve::examiner::{Deadline, Examiner, Failed};
use crate::serve::id;
use crate::serve::live::Live;
use crate::serve::reload::Reach;
use crate::store::{Store, admitted_set};
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
            let text = text.trim_end_matches(['\r', '\n']);
            // A file that is being written is empty first.
            if text.is_empty() {
                return Err(Failure::new(format!("{}: no password is in it", file.display())));
            }
            let password = Secret::new(text);
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
pub fn examiner(config: &Config, store: Option<Arc<Store>>) -> Result<Examiner> {
    Ok(examining(&Arc::new(Looking::new(config, store)?)))
}

/// The same for a gate that goes on when its configuration changes: with the examiner what makes
/// its way to registries anew.
///
/// # Errors
/// As [`examiner`].
pub fn reloadable(config: &Config, store: Arc<Store>) -> Result<(Examiner, Reach)> {
    let looking = Arc::new(Looking::new(config, Some(store))?);
    let mut examiner = examining(&looking);
    let examine = examiner.examine;
    examiner.examine = Box::new(move |name, access, deadline| {
        let evidence = examine(name, access, deadline)?;
        for platform in &evidence.platforms {
            needs::note(platform.distribution.as_ref(), &platform.packages);
        }
        Ok(evidence)
    });
    Ok((examiner, Box::new(move |config| looking.reach(config))))
}

fn examining(looking: &Arc<Looking>) -> Examiner {
    let ready = Arc::clone(looking);
    let (resolving, examining, registered) = (looking.clone(), looking.clone(), looking.clone());
    let (snapshot, admitted) = (looking.clone(), looking.clone());
    let advisories = Some(looking.advisories.clone());
    Examiner {
        resolve: Box::new(move |name, access, deadline| {
            resolving.resolve(name, access, deadline).map_err(|e| failed(&e))
        }),
        examine: Box::new(move |name, access, deadline| {
            examining.examine(name, access, deadline).map_err(|e| failed(&e))
        }),
        snapshot: Box::new(move || snapshot.advisories.digest().ok()),
        registered: Box::new(move |name| registered.registered(name).map_err(|e| failed(&e))),
        admitted: Box::new(move |namespace, images| {
            let store = admitted.store.as_ref()?;
            let found = admitted_set(images).and_then(|set| store.admitted(namespace, &set));
            found.inspect_err(|e| tracing::error!(error = %e, "admissions cannot be read")).ok()?
        }),
        now: Box::new(Timestamp::now),
        id: Box::new(|| id::new().map_err(|e| e.to_string())),
        ready: Box::new(move || ready.advisories.current().map(|_| ()).map_err(|e| e.to_string())),
        advisories,
    }
}

/// How the gate looks at images.
pub struct Looking {
    registry: Live<Registry>,
    advisories: Arc<Advisories>,
    choice: PlatformChoice,
    limits: Arc<Limits>,
    examiner: examine::Examiner,
    store: Option<Arc<Store>>,
}

/// Names everything that what was found in an image depends on.
#[derive(Serialize)]
struct FoundKey<'a> {
    /// The repository: a digest alone would show a private image to whoever names it elsewhere.
    name: String,
    digest: Digest,
    choice: &'a [Platform],
    engine: u32,
    options: Digest,
}

impl Looking {
    /// By the files the configuration names, with what is found kept in `store`.
    ///
    /// # Errors
    /// When registries cannot be set up.
    pub fn new(config: &Config, store: Option<Arc<Store>>) -> Result<Self> {
        let limits = Arc::new(limits(config));
        let options = examine::Examiner::options(&limits);
        Ok(Self {
            registry: Live::new(registry(config)?),
            advisories: Arc::new(Advisories::new(config.db.clone(), store.clone())),
            choice: choice(config),
            examiner: examine::Examiner::new(options, store.clone()),
            limits,
            store,
        })
    }

    /// Reaches registries as this configuration says from now on: with no token and no connection
    /// of before. What is under way ends as it began.
    ///
    /// # Errors
    /// When a password or authority cannot be read, or a host is malformed: then all is as it was.
    pub fn reach(&self, config: &Config) -> Result<()> {
        self.registry.replace(registry(config)?);
        Ok(())
    }

    /// Asks a registry with each of the pod's logins for the image in turn, as the kubelet does,
    /// until one is not refused; at last with the gate's own. Where all are, the first refusal is
    /// told: it is about the login that was meant.
    fn asking<T>(
        &self,
        name: &ImageRef,
        access: &Access,
        deadline: Deadline,
        ask: impl Fn(&Registry) -> std::result::Result<T, Trouble>,
    ) -> std::result::Result<T, Trouble> {
        let own = self.registry.get().until(deadline.instant());
        let mut first = None;
        for login in access.logins(name) {
            match ask(&own.with_credentials(&login)) {
                Err(trouble) if refused(&trouble) => _ = first.get_or_insert(trouble),
                asked => return asked,
            }
        }
        ask(&own).map_err(|trouble| first.filter(|_| refused(&trouble)).unwrap_or(trouble))
    }

    /// The digest that a name stands for now.
    ///
    /// # Errors
    /// When its registry cannot be reached, refuses, or does not know it.
    pub fn resolve(
        &self,
        name: &ImageRef,
        access: &Access,
        deadline: Deadline,
    ) -> std::result::Result<Digest, Trouble> {
        self.asking(name, access, deadline, |registry| {
            registry.root(name).map(|r| r.descriptor.digest).map_err(Trouble::Image)
        })
    }

    /// Evidence about an image by digest: what is known of it from before, else its registry.
    ///
    /// # Errors
    /// When neither gives it, or the advisories cannot be read.
    pub fn examine(
        &self,
        name: &ImageRef,
        access: &Access,
        deadline: Deadline,
    ) -> std::result::Result<Evidence, Trouble> {
        // Under a pod's own logins it is looked for again each time: their id means nothing later,
        // and what they open is nobody else's. The layers' facts are kept all the same.
        let stored = name.digest().filter(|_| access.id(name).is_none());
        let key = stored.map(|digest| self.key(name, *digest));
        if let (Some(store), Some(key)) = (&self.store, &key)
            && let Some(found) = store.image::<Found>(key)?
        {
            return self.judge(name, &found);
        }
        let found = self.asking(name, access, deadline, |registry| {
            assess::look(name, registry, &self.choice, &self.limits, &self.examiner)
        })?;
        if let (Some(store), Some(key)) = (&self.store, &key) {
            store.put_image(key, &found)?;
        }
        self.judge(name, &found)
    }

    fn judge(&self, name: &ImageRef, found: &Found) -> std::result::Result<Evidence, Trouble> {
        let snapshot = self.advisories.current()?;
        // How old a feed may be is asked again by the judge, under the policy of then.
        let against =
            Against { snapshot: &snapshot, now: Timestamp::now(), max_feed_age_days: u32::MAX };
        assess::judge_found(name, found, against)
    }

    fn key(&self, name: &ImageRef, digest: Digest) -> impl Serialize + '_ {
        FoundKey {
            name: name.name(),
            digest,
            choice: match &self.choice {
                PlatformChoice::Listed(platforms) => platforms,
                PlatformChoice::All | PlatformChoice::One(_) | PlatformChoice::Prefer(_) => &[],
            },
            engine: cleanbill_extract::ENGINE,
            options: self.examiner.options.digest(),
        }
    }

    /// Everything registered under the name, with evidence where it was examined.
    ///
    /// # Errors
    /// When the store or the advisories cannot be read.
    pub fn registered(&self, name: &ImageRef) -> std::result::Result<Vec<Registered>, Trouble> {
        let Some(store) = &self.store else { return Ok(Vec::new()) };
        let Some(tag) = name.tag() else { return Ok(Vec::new()) };
        let all = store.registrations(&format!("{}:{tag}", name.name()))?;
        all.into_iter()
            .map(|r| {
                let found = store.image::<Found>(&self.key(name, r.digest))?;
                let evidence = found.map(|found| self.judge(name, &found)).transpose()?;
                Ok(Registered { digest: r.digest, node: r.node, evidence: evidence.map(Arc::new) })
            })
            .collect()
    }

    /// Keeps what was found in an image, as an examination does.
    ///
    /// # Errors
    /// When there is no store that can be written.
    pub fn keep(&self, name: &ImageRef, found: &Found) -> Result<()> {
        let store = self.store.as_ref().ok_or_else(|| Failure::new("there is no store"))?;
        store.put_image(&self.key(name, found.resolved), found)
    }

    /// Examines the archive of an image that no registry has, keeps what was found for the gate,
    /// and says the image's id: the digest of its configuration, which is what nodes show of an
    /// image that was loaded. The manifest's digest is made anew by many that load archives.
    ///
    /// # Errors
    /// When the archive cannot be read, has several platforms that nodes may select, its id is not
    /// the one that was promised, or there is no store that can be written.
    pub fn take_in(&self, name: &ImageRef, path: &str, promised: Option<Digest>) -> Result<Digest> {
        let store = self.store.as_ref().ok_or_else(|| Failure::new("there is no store"))?;
        let opened = open_input(&InputSpec::parse(path), &self.choice, &self.limits)?;
        let [image] = opened.images.as_slice() else {
            let (shown, count) = (&opened.name, opened.images.len());
            let why =
                format!("{shown} has images for {count} platforms, each with an id of its own");
            return Err(Failure::new(why).next(
                "register an archive of one platform, or name your nodes' under \"platforms\"",
            ));
        };
        let id = image.config_digest;
        if promised.is_some_and(|promised| promised != id) {
            let why = format!("{}: the image in it has the id {id}", opened.name);
            return Err(Failure::new(why).next("give that with --digest, or leave --digest out"));
        }
        let found = assess::look_into(name, id, &opened.images, &self.examiner)?;
        store.put_image(&self.key(name, id), &found)?;
        Ok(id)
    }
}

/// Whether another login may see more. A registry that hides what one may not see says that it
/// is not there.
fn refused(trouble: &Trouble) -> bool {
    match trouble {
        Trouble::Image(error) => {
            matches!(error.kind(), ErrorKind::Unauthorized | ErrorKind::NotFound)
        }
        Trouble::Ours(_) => false,
    }
}

fn failed(trouble: &Trouble) -> Failed {
    Failed::new(trouble.public(), trouble.to_string())
}
