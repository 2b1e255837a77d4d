//! Images to measure and compare with: real packages from their own publishers, at pinned
//! versions where the publisher keeps old ones. Each layer and archive is made once and kept
//! below [`crate::tools::inputs_dir`].

mod archive;
mod layers;
mod secdb;
mod vendors;

use std::path::PathBuf;
use std::process::Command;

use crate::Result;
use crate::tools::{inputs_dir, once, run};

pub use layers::{alpine_versions, trivy_binary};

/// One input: its name and where it is.
#[derive(Clone, Debug)]
pub struct Input {
    /// A short name, for tables.
    pub name: String,
    /// The archive or layout.
    pub path: PathBuf,
}

/// A docker archive of one real Alpine release's package database.
///
/// # Errors
/// When the data is not there or the archive cannot be written.
pub fn alpine(version: &str) -> Result<Input> {
    docker(&format!("alpine-{version}"), || Ok(vec![layers::alpine(version)?]))
}

/// A docker archive with the packages of Alpine's own security database, at versions around each fix.
///
/// # Errors
/// When the data is not there or the archive cannot be written.
pub fn alpine_secdb() -> Result<Input> {
    docker("alpine-secdb", || Ok(vec![secdb::alpine()?]))
}

/// A docker archive of Go programs that have findings: trivy, syft, kubectl.
///
/// # Errors
/// When they cannot be fetched.
pub fn go() -> Result<Input> {
    docker("go", || Ok(vec![layers::go()?]))
}

/// A docker archive of old Python packages that have findings.
///
/// # Errors
/// When they cannot be fetched.
pub fn python() -> Result<Input> {
    docker("python", || Ok(vec![layers::python()?]))
}

/// A docker archive of a Rust program, built by cargo-auditable, of old crates that have findings.
///
/// # Errors
/// When cargo-auditable is not there or the crates cannot be fetched.
pub fn rust() -> Result<Input> {
    docker("rust", || Ok(vec![vendors::rust()?]))
}

/// A docker archive with what Bitnami's images say of old applications that have findings.
///
/// # Errors
/// When it cannot be written.
pub fn bitnami() -> Result<Input> {
    docker("bitnami", || Ok(vec![vendors::bitnami()?]))
}

/// The large archive: Debian, Go programs, Python and Node packages, one layer each.
///
/// # Errors
/// When a part cannot be fetched.
pub fn large() -> Result<Input> {
    docker("large", || {
        Ok(vec![layers::debian()?, layers::go()?, layers::python()?, layers::node()?])
    })
}

/// The same image as an OCI layout with gzip layers.
///
/// # Errors
/// When skopeo fails.
pub fn as_oci(input: &Input) -> Result<Input> {
    let name = format!("{}-oci", input.name);
    let path = once(&inputs_dir()?.join(&name), |part| {
        run(Command::new("skopeo")
            .args(["--insecure-policy", "copy", "--quiet"])
            .arg(format!("docker-archive:{}", input.path.display()))
            .arg(format!("oci:{}:latest", part.display())))
    })?;
    Ok(Input { name, path })
}

fn docker(name: &str, layers: impl FnOnce() -> Result<Vec<PathBuf>>) -> Result<Input> {
    let path = inputs_dir()?.join(format!("{name}.tar"));
    let path = once(&path, |part| archive::write(part, name, &layers()?))?;
    Ok(Input { name: name.to_owned(), path })
}
