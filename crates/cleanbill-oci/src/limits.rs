//! How much of a hostile image is looked at: one type, with its defaults and their reasons.

use std::time::Duration;

/// Bounds on everything that is read from one image. Past one of them a layer or file becomes
/// an `over-limit` gap, or the image an error; never a shorter list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a manifest, index or configuration (default 4 MiB, the registries' own limit).
    pub manifest_bytes: u64,
    /// Children of an index that are looked at (default 64).
    pub index_children: usize,
    /// Layers of an image (default 512; overlayfs mounts at most 500 or so).
    pub layers: usize,
    /// Uncompressed bytes of one layer (default 32 GiB).
    pub layer_bytes: u64,
    /// Uncompressed bytes of one compressed byte, once a layer is past 64 MiB (default 200; real
    /// layers stay below 30, zeros in gzip reach 1,030).
    pub ratio: u64,
    /// Tar entries of one layer (default 1,000,000).
    pub entries: u64,
    /// Components of one path (default 128).
    pub path_depth: usize,
    /// Bytes of one path or link target (default 4,096, Linux's `PATH_MAX`).
    pub path_bytes: usize,
    /// Bytes of one PAX header block (default 1 MiB).
    pub pax_bytes: u64,
    /// Bytes of a file that an extractor wants whole, such as a package database (default 64 MiB).
    pub file_bytes: u64,
    /// Bytes that standard input or a compressed archive may spool to one unlinked file
    /// (default 32 GiB).
    pub spool_bytes: u64,
    /// Time for one whole image (default 5 minutes).
    pub time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            manifest_bytes: 4 << 20,
            index_children: 64,
            layers: 512,
            layer_bytes: 32 << 30,
            ratio: 200,
            entries: 1_000_000,
            path_depth: 128,
            path_bytes: 4096,
            pax_bytes: 1 << 20,
            file_bytes: 64 << 20,
            spool_bytes: 32 << 30,
            time: Duration::from_secs(300),
        }
    }
}
