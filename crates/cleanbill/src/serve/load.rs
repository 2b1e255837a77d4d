//! Reads the configuration and the policy it names: the only file access of configuration.

use std::path::Path;

use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use cleanbill_core::policy::Policy;
use sha2::{Digest as _, Sha256};

use super::config::{Config, PolicySource};
use super::config_file;
use crate::failure::{Failure, Result};
use crate::policy_file::{self, Loaded, Problem};

/// Reads `cleanbill.yaml` and the policy.
///
/// # Errors
/// When a file cannot be read, with everything that is wrong with its content, or when the policy
/// wants to hear checkers that the configuration does not have.
pub fn load(path: &Path) -> Result<(Config, Policy)> {
    let (config, loaded) = load_and_warn(path, Timestamp::UNIX_EPOCH)?;
    Ok((config, loaded.policy))
}

/// The same, with what is valid in the policy at this time and yet hardly meant.
///
/// # Errors
/// As [`load`].
pub fn load_and_warn(path: &Path, now: Timestamp) -> Result<(Config, Loaded)> {
    let text = read("the configuration", path)?;
    let config = config_file::parse(&text, path).map_err(|p| wrong("the configuration", &p))?;
    let loaded = match &config.policy {
        PolicySource::Inline(policy) => {
            let policy = policy.as_ref().clone();
            let name = path.display().to_string();
            let warnings = policy_file::warnings_of_inline(&policy, &name, now);
            Loaded { policy, warnings }
        }
        PolicySource::File(path) => policy_and_warn(path, now)?,
    };
    let known: Vec<&str> = config.checkers.iter().map(|c| c.name.as_str()).collect();
    let unknown = policy_file::unknown_checkers(&loaded.policy, &known);
    if !unknown.is_empty() {
        let message = format!(
            "the policy wants to hear checkers that the configuration does not have: {}",
            unknown.join(", ")
        );
        let step = format!("describe them under \"checkers\" in {}", path.display());
        return Err(Failure::new(message).next(step));
    }
    Ok((config, loaded))
}

/// Reads a policy file.
///
/// # Errors
/// When it cannot be read, or with everything that is wrong with it.
pub fn policy(path: &Path) -> Result<Policy> {
    Ok(policy_and_warn(path, Timestamp::UNIX_EPOCH)?.policy)
}

/// The same, with what is valid in it at this time and yet hardly meant.
///
/// # Errors
/// As [`policy`].
pub fn policy_and_warn(path: &Path, now: Timestamp) -> Result<Loaded> {
    let text = read("the policy", path)?;
    policy_file::load(&text, &path.display().to_string(), now).map_err(|p| wrong("the policy", &p))
}

/// A policy as canonical JSON, and the digest of that: of what it means, not of how it is written.
///
/// # Errors
/// Never in practice; the serializer's own.
pub fn canonical(policy: &Policy) -> Result<(String, Digest)> {
    let text = serde_json::to_string(policy)
        .map_err(|e| Failure::new(format!("the policy cannot be hashed: {e}")))?;
    let digest = Digest::Sha256(Sha256::digest(&text).into());
    Ok((text, digest))
}

/// The digest by which decisions name a policy.
///
/// # Errors
/// As [`canonical`].
pub fn policy_digest(policy: &Policy) -> Result<Digest> {
    Ok(canonical(policy)?.1)
}

fn read(what: &str, path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|e| {
        Failure::new(format!("{what} {} cannot be read: {e}", path.display()))
            .next("`cleanbill setup DIR` writes one to begin with")
    })
}

/// Everything that is wrong with a file, as one failure.
pub(crate) fn wrong(what: &str, problems: &[Problem]) -> Failure {
    let lines: Vec<String> = problems.iter().map(|p| format!("\n  {p}")).collect();
    Failure::new(format!("{what} has {}:{}", policy_file::mistakes(problems.len()), lines.concat()))
}
