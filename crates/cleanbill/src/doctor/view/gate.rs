//! The gate's own side: its configuration, policy and certificates, as far as they are here.

use std::path::{Path, PathBuf};

use cleanbill_advisory::Snapshot;
use cleanbill_core::Timestamp;
use cleanbill_core::policy::Policy;

use crate::apiserver::Files;
use crate::apiserver::x509::Cert;
use crate::serve::config::Config;
use crate::serve::load;

/// What the gate works with.
pub struct Gate {
    /// The file.
    pub file: PathBuf,
    /// Its configuration.
    pub config: Config,
    /// Its policy.
    pub policy: Policy,
    /// Its own certificate, intermediates after it.
    pub certificate: Result<Vec<Cert>, String>,
    /// Whether the key belongs to it: the gate's own way of opening both.
    pub pair: Result<(), String>,
    /// Whom it takes certificates from.
    pub client_ca: Result<Vec<Cert>, String>,
    /// The feeds of its snapshot, with the dates of their facts.
    pub feeds: Result<Vec<(String, Option<Timestamp>)>, String>,
}

/// Reads it. Paths that the configuration names in full are the node's.
///
/// # Errors
/// Where the configuration or its policy cannot be used.
pub fn read(file: &Path, node: Option<&Files>) -> Result<Gate, String> {
    let (mut config, policy) = load::load(file).map_err(|e| e.to_string())?;
    let folder = file.parent().unwrap_or(Path::new("")).to_owned();
    let place = |path: &Path| match node {
        Some(node)
            if path.is_absolute() && !(folder.is_absolute() && path.starts_with(&folder)) =>
        {
            node.locate(path).unwrap_or_else(|| path.to_owned())
        }
        Some(_) | None => path.to_owned(),
    };
    for path in [&mut config.tls.cert, &mut config.tls.key, &mut config.tls.client_ca] {
        *path = place(path);
    }
    let certificates = |path: &Path| -> Result<Vec<Cert>, String> {
        let shown = path.display();
        let pem = std::fs::read(path).map_err(|e| format!("{shown} cannot be read: {e}"))?;
        let all = Cert::all(&pem);
        if all.is_empty() { Err(format!("{shown} has no PEM certificate in it")) } else { Ok(all) }
    };
    let tls = &config.tls;
    let names = tls.client_names.clone();
    let pair = crate::serve::tls::Material::read(&tls.cert, &tls.key, &tls.client_ca, names)
        .and_then(|material| material.config())
        .map(drop)
        .map_err(|e| e.to_string());
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
