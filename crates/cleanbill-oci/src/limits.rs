//! How much of a hostile image is looked at: one type, with its defaults and their reasons, and
//! one list of them all ([`Limit::ALL`]) from which flags and messages are made.

use std::fmt;
use std::time::Duration;

use crate::error::{Error, ErrorKind};

/// Bounds on everything that is read from one image. Past one of them a layer or file becomes
/// an `over-limit` gap, or the image an error; never a shorter list. Running out of time is
/// always an error.
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

macro_rules! limits {
    ($($(#[doc = $doc:literal])+ $variant:ident: $field:ident, $flag:literal, $meaning:literal, $get:expr, $set:expr;)+) => {
        /// The name of each bound in [`Limits`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Limit { $($(#[doc = $doc])+ $variant,)+ }

        impl Limit {
            /// Every bound, in the order of [`Limits`].
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// How the command line sets it.
            pub fn flag(self) -> &'static str {
                match self { $(Self::$variant => $flag),+ }
            }

            /// What it counts.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning),+ }
            }
        }

        impl Limits {
            /// One bound's value, in the unit of its meaning.
            pub fn get(&self, limit: Limit) -> u64 {
                match limit { $(Limit::$variant => $get(&self.$field)),+ }
            }

            /// Sets one bound.
            pub fn set(&mut self, limit: Limit, value: u64) {
                match limit { $(Limit::$variant => self.$field = $set(value)),+ }
            }
        }
    };
}

/// A bound on a number of things in memory as a number.
fn count(value: &usize) -> u64 {
    *value as u64
}

/// The nearest number of things that memory can hold.
fn counted(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

limits! {
    /// [`Limits::manifest_bytes`]
    ManifestBytes: manifest_bytes, "--limit manifest-bytes=N", "bytes of a manifest, index or configuration", u64::clone, u64::from;
    /// [`Limits::index_children`]
    IndexChildren: index_children, "--limit index-children=N", "children of an index", count, counted;
    /// [`Limits::layers`]
    Layers: layers, "--limit layers=N", "layers of an image", count, counted;
    /// [`Limits::layer_bytes`]
    LayerBytes: layer_bytes, "--limit layer-bytes=N", "uncompressed bytes of a layer", u64::clone, u64::from;
    /// [`Limits::ratio`]
    Ratio: ratio, "--limit ratio=N", "uncompressed bytes of one compressed byte", u64::clone, u64::from;
    /// [`Limits::entries`]
    Entries: entries, "--limit entries=N", "entries of a layer", u64::clone, u64::from;
    /// [`Limits::path_depth`]
    PathDepth: path_depth, "--limit path-depth=N", "components of a path", count, counted;
    /// [`Limits::path_bytes`]
    PathBytes: path_bytes, "--limit path-bytes=N", "bytes of a path or link target", count, counted;
    /// [`Limits::pax_bytes`]
    PaxBytes: pax_bytes, "--limit pax-bytes=N", "bytes of an extended header", u64::clone, u64::from;
    /// [`Limits::file_bytes`]
    FileBytes: file_bytes, "--limit file-bytes=N", "bytes of a file that is read whole", u64::clone, u64::from;
    /// [`Limits::spool_bytes`]
    SpoolBytes: spool_bytes, "--limit spool-bytes=N", "bytes spooled from standard input or a compressed archive", u64::clone, u64::from;
    /// [`Limits::time`]
    Seconds: time, "--timeout", "seconds for one image", |t: &Duration| t.as_secs(), Duration::from_secs;
}

impl Limits {
    /// The error of having passed a bound: names it, its value and the flag that raises it.
    ///
    /// A caller may turn [`ErrorKind::OverLimit`] into a gap, which says something about the
    /// image. Time says something about the way to it: a slow registry could choose the layer
    /// that nobody looks into, so running out of it is no such error.
    pub fn over(&self, limit: Limit) -> Error {
        let kind = match limit {
            Limit::Seconds => ErrorKind::Io,
            Limit::ManifestBytes
            | Limit::IndexChildren
            | Limit::Layers
            | Limit::LayerBytes
            | Limit::Ratio
            | Limit::Entries
            | Limit::PathDepth
            | Limit::PathBytes
            | Limit::PaxBytes
            | Limit::FileBytes
            | Limit::SpoolBytes => ErrorKind::OverLimit,
        };
        Error::new(
            kind,
            format!(
                "more than {} {} (raise with {})",
                self.get(limit),
                limit.meaning(),
                limit.flag()
            ),
        )
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.meaning())
    }
}

#[cfg(test)]
mod tests {
    use super::{Limit, Limits};
    use crate::error::ErrorKind;

    #[test]
    fn every_limit_can_be_set_and_names_its_flag() {
        let mut limits = Limits::default();
        for (at, limit) in Limit::ALL.iter().enumerate() {
            limits.set(*limit, 7 + at as u64);
        }
        for (at, limit) in Limit::ALL.iter().enumerate() {
            assert_eq!(limits.get(*limit), 7 + at as u64);
            let over = limits.over(*limit);
            assert!(over.to_string().contains(limit.flag()));
            let gap = over.kind() == ErrorKind::OverLimit;
            assert_eq!(gap, *limit != Limit::Seconds, "time never becomes a gap");
        }
        assert_eq!(
            Limits::default().over(Limit::Entries).to_string(),
            "more than 1000000 entries of a layer (raise with --limit entries=N)"
        );
    }
}
