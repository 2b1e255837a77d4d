//! The files that kube-apiserver sees: those of a folder that plays the node, and, in a static
//! pod, only what is mounted. Errors are in Go's words.

use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use super::yaml::FILE_MAX;

/// Where the API server's paths lead.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// Stands for `/`. Empty: this machine's own.
    root: PathBuf,
    /// The directory that relative paths start from.
    working: PathBuf,
    /// What of the node is in the container; `None`: all of it.
    mounts: Option<Vec<Mount>>,
}

/// A folder or file of the node within the container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// In the container.
    pub inside: PathBuf,
    /// On the node.
    pub outside: PathBuf,
}

impl Files {
    /// This machine's.
    pub fn here() -> Self {
        Self { working: std::env::current_dir().unwrap_or_default(), ..Self::default() }
    }

    /// Those of a node that `root` plays; relative paths start at its `/`.
    pub fn below(root: &Path) -> Self {
        Self { root: root.to_owned(), working: PathBuf::from("/"), mounts: None }
    }

    /// The same as a container sees them, whose working directory is `/`.
    #[must_use]
    pub fn mounted(&self, mounts: Vec<Mount>) -> Self {
        Self { mounts: Some(mounts), working: PathBuf::from("/"), ..self.clone() }
    }

    /// An absolute path, without `.` and `..`, as the API server means it.
    pub fn absolute(&self, path: &Path) -> PathBuf {
        clean(&self.working.join(path))
    }

    /// Where on the node a path leads; `None`: it is not mounted.
    pub fn outside(&self, path: &Path) -> Option<PathBuf> {
        let path = self.absolute(path);
        let outside = match &self.mounts {
            None => path,
            Some(mounts) => {
                let deepest = mounts
                    .iter()
                    .filter(|m| path.starts_with(&m.inside))
                    .max_by_key(|m| m.inside.components().count())?;
                let rest = path.strip_prefix(&deepest.inside).ok()?;
                if rest.as_os_str().is_empty() {
                    deepest.outside.clone()
                } else {
                    deepest.outside.join(rest)
                }
            }
        };
        Some(clean(&outside))
    }

    /// Where on this machine a path leads; `None`: it is not mounted.
    pub fn locate(&self, path: &Path) -> Option<PathBuf> {
        let outside = self.outside(path)?;
        if self.root.as_os_str().is_empty() {
            return Some(outside);
        }
        Some(self.root.join(outside.strip_prefix("/").unwrap_or(&outside)))
    }

    /// A file's bytes.
    ///
    /// # Errors
    /// `open PATH: no such file or directory` and its like.
    pub fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        let shown = path.display();
        let there = self.locate(path).ok_or(io::ErrorKind::NotFound.into());
        let file = there
            .and_then(std::fs::File::open)
            .map_err(|e| format!("open {shown}: {}", words(&e)))?;
        let mut bytes = Vec::new();
        file.take(FILE_MAX as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(|e| format!("read {shown}: {}", words(&e)))?;
        if bytes.len() > FILE_MAX {
            return Err(format!("read {shown}: it is larger than {FILE_MAX} bytes"));
        }
        Ok(bytes)
    }

    /// Whether a path can be looked at.
    ///
    /// # Errors
    /// `stat PATH: no such file or directory` and its like.
    pub fn stat(&self, path: &Path) -> Result<std::fs::Metadata, String> {
        let there = self.locate(path).ok_or(io::ErrorKind::NotFound.into());
        let found: io::Result<_> = there.and_then(std::fs::metadata);
        found.map_err(|e| format!("stat {}: {}", path.display(), words(&e)))
    }

    /// Whether a file can be opened.
    ///
    /// # Errors
    /// `open PATH: no such file or directory` and its like.
    pub fn open(&self, path: &Path) -> Result<(), String> {
        let there = self.locate(path).ok_or(io::ErrorKind::NotFound.into());
        let opened: io::Result<_> = there.and_then(std::fs::File::open);
        opened.map(drop).map_err(|e| format!("open {}: {}", path.display(), words(&e)))
    }
}

/// What Go calls an error of the system.
pub fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or directory".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        io::ErrorKind::IsADirectory => "is a directory".into(),
        io::ErrorKind::NotADirectory => "not a directory".into(),
        io::ErrorKind::ConnectionRefused => "connection refused".into(),
        io::ErrorKind::ConnectionReset => "connection reset by peer".into(),
        io::ErrorKind::BrokenPipe => "broken pipe".into(),
        io::ErrorKind::HostUnreachable => "no route to host".into(),
        io::ErrorKind::NetworkUnreachable => "network is unreachable".into(),
        io::ErrorKind::TimedOut => "connection timed out".into(),
        _ => {
            let said = error.to_string();
            said.split(" (os error").next().unwrap_or(&said).to_lowercase()
        }
    }
}

/// A path without `.` and `..`, by its text alone.
fn clean(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            _ => out.push(part),
        }
    }
    out
}
