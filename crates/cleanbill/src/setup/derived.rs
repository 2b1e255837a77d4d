//! Files that repeat certificates in another form: the Secret of the gate's pods and the `caBundle`
//! of webhooks. They are brought up to date where they are there; all else in them stays.

use std::fs;
use std::path::Path;

use super::cluster;
use super::replace::replace;
use super::webhooks::{MUTATING_DIR, VALIDATING_DIR, bundle};
use crate::failure::{Failure, Result};

/// The folders of webhook configurations.
const FOLDERS: [&str; 3] = ["webhooks", VALIDATING_DIR, MUTATING_DIR];

/// Brings them up to date with `ca.crt`, `server.crt` and `server.key`.
///
/// # Errors
/// When one cannot be read or written.
pub(super) fn update(dir: &Path) -> Result<()> {
    let ca = read(&dir.join("ca.crt"))?;
    let secret = dir.join("cluster/21-certificates.yaml");
    if secret.exists() {
        let (certificate, key) = (read(&dir.join("server.crt"))?, read(&dir.join("server.key"))?);
        let namespace = namespace(&read(&secret)?).ok_or_else(|| {
            Failure::new(format!("{} names no namespace", secret.display()))
                .next("write it as `cleanbill setup --mode webhook` does")
        })?;
        let text = cluster::certificates(&namespace, &ca, &certificate, &key);
        replace(&secret, text.as_bytes(), 0o600)?;
    }
    for folder in FOLDERS {
        let Ok(entries) = fs::read_dir(dir.join(folder)) else { continue };
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.extension().is_some_and(|end| end == "yaml") {
                let text = with_bundle(&read(&path)?, &bundle(&ca));
                replace(&path, text.as_bytes(), 0o644)?;
            }
        }
    }
    Ok(())
}

/// The text with another value behind every `caBundle:`.
fn with_bundle(text: &str, bundle: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let key = line.trim_start();
        if key.starts_with("caBundle:") {
            let indent = line.len() - key.len();
            out.push_str(line.get(..indent).unwrap_or_default());
            out.push_str(&format!("caBundle: {bundle}\n"));
        } else {
            out.push_str(line);
        }
    }
    out
}

fn namespace(text: &str) -> Option<String> {
    let line = text.lines().find_map(|line| line.trim_start().strip_prefix("namespace:"))?;
    Some(line.trim().trim_matches('"').to_owned()).filter(|name| !name.is_empty())
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path)
        .map_err(|e| Failure::new(format!("{} cannot be read: {e}", path.display())))
}
