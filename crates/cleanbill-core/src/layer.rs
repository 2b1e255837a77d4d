//! The entries of one layer, as its tar lists them: the raw material of a merged root
//! filesystem. Paths are relative to the image's root, `/`-separated, without `.` or `..`.

use serde::{Deserialize, Serialize};

/// What one entry of a layer is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EntryKind {
    /// A directory.
    Directory,
    /// A regular file.
    File,
    /// A symbolic link with its target as written (may be absolute or climb).
    Symlink(String),
    /// A hard link to another path of the image's root, as written but normalised.
    Hardlink(String),
    /// A device, pipe or socket.
    Special,
    /// OCI whiteout (`.wh.NAME`): the path of this entry is `NAME`, gone from lower layers.
    Whiteout,
    /// Opaque whiteout (`.wh..wh..opq`): the path is the directory whose lower content is gone.
    Opaque,
}

/// One entry: where and what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The normalised path; empty for the root itself.
    pub path: String,
    /// What it is.
    pub kind: EntryKind,
    /// Size of the content in bytes (zero for everything but files).
    pub size: u64,
    /// Permission bits.
    pub mode: u32,
}
