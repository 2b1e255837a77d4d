//! The gate's own side: its configuration, policy and certificates, as far as they are here.

use std::path::{Path, PathBuf};

use cleanbill_advisory::Snapshot;
use cleanbill_core::Timestamp;
use cleanbill_core::policy::Policy;

use crate::apiserver::x509::Cert;
use crate::apiserver::{Files, Refused};
use crate::doctor::found::{NotLooked, Seen, Unseen, given, refused};
use crate::policy_file;
use crate::serve::config::{Config, PolicySource};
use crate::serve::tls::Material;
use crate::serve::{config_file, load};

/// What the gate works with.
pub struct Gate {
    /// The file.
    pub file: PathBuf,
    /// Its configuration.
    pub config: Config,
    /// Its policy.
    pub policy: Seen<Policy>,
    /// Its own certificate, intermediates after it.
    pub certificate: Result<Vec<Cert>, String>,
    /// Whether the key belongs to it: the gate's own way of opening both.
    pub pair: Seen<()>,
    /// Whom it takes certificates from.
    pub client_ca: Result<Vec<Cert>, String>,
    /// The feeds of its snapshot, with the dates of their facts.
    pub feeds: Result<Vec<(String, Option<Timestamp>)>, String>,
}

impl Gate {
    /// The policy.
    ///
    /// # Errors
    /// Where it was not seen.
    pub fn rules(&self) -> Result<&Policy, NotLooked> {
        given(&self.policy, "the gate's policy")
    }
}

/// Reads it. Whole paths in the configuration are the node's.
///
/// # Errors
/// Where the configuration cannot be used.
pub fn read(file: &Path, node: Option<&Files>) -> Result<Gate, String> {
    let shown = file.display().to_string();
    let text = std::fs::read_to_string(file).map_err(|e| format!("{shown} cannot be read: {e}"))?;
    let mut config = config_file::parse(&text, file)
        .map_err(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
    let folder = file.parent().unwrap_or(Path::new("")).to_owned();
    let own =
        |path: &Path| !path.is_absolute() || (folder.is_absolute() && path.starts_with(&folder));
    let place = |path: &Path| match node {
        Some(node) if !own(path) => node.locate(path).unwrap_or_else(|| path.to_owned()),
        Some(_) | None => path.to_owned(),
    };
    // A copied configuration names files of a node that is not here.
    let away = |path: &Path| {
        (node.is_none() && !own(path) && !path.exists())
            .then(|| Unseen::Not(format!("{} is the node's: give --root DIR", path.display())))
    };
    let refused = |why: String| refused(Refused::new(why));
    let policy = match &config.policy {
        PolicySource::Inline(policy) => Ok(policy.as_ref().clone()),
        PolicySource::File(path) => match away(path) {
            Some(not) => Err(not),
            None => load::policy(&place(path)).map_err(|e| refused(e.to_string())),
        },
    };
    let known: Vec<&str> = config.checkers.iter().map(|c| c.name.as_str()).collect();
    let policy =
        policy.and_then(|policy| match policy_file::unknown_checkers(&policy, &known).as_slice() {
            [] => Ok(policy),
            names => Err(refused(format!(
                "the policy wants to hear checkers that the configuration does not have: {}",
                names.join(", ")
            ))),
        });
    let paths = [&config.tls.cert, &config.tls.key, &config.tls.client_ca];
    let not_here = paths.into_iter().find_map(|path| away(path));
    for path in [&mut config.tls.cert, &mut config.tls.key, &mut config.tls.client_ca] {
        *path = place(path);
    }
    let tls = &config.tls;
    let names = tls.client_names.clone();
    let pair = match not_here {
        Some(not) => Err(not),
        None => Material::read(&tls.cert, &tls.key, &tls.client_ca, names)
            .and_then(|material| material.config())
            .map(drop)
            .map_err(|e| refused(e.to_string())),
    };
    let feeds = match &config.db {
        None => Err("cleanbill.yaml names no db, so the gate's own folder and environment say \
                     which snapshot it uses"
            .to_owned()),
        Some(db) => Snapshot::open(&place(db)).map_err(|e| e.to_string()).map(|snapshot| {
            snapshot.feeds().iter().map(|feed| (feed.id.clone(), feed.as_of)).collect()
        }),
    };
    let (certificate, client_ca) = (certificates(&tls.cert), certificates(&tls.client_ca));
    Ok(Gate { file: file.to_owned(), policy, certificate, pair, client_ca, feeds, config })
}

fn certificates(path: &Path) -> Result<Vec<Cert>, String> {
    let shown = path.display();
    let pem = std::fs::read(path).map_err(|e| format!("{shown} cannot be read: {e}"))?;
    let all = Cert::all(&pem);
    if all.is_empty() { Err(format!("{shown} has no PEM certificate in it")) } else { Ok(all) }
}
