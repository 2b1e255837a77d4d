//! What may be asked of an examination, as one value that can be part of a cache key.

use cleanbill_core::digest::Digest;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::extractors::Wanted;
use crate::facts::Part;

/// Everything that changes what facts come out of a layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// Bytes of a file that is wanted whole, such as a package database (default 64 MiB). A
    /// larger one is an `over-limit` gap.
    pub file_bytes: u64,
    /// Bytes of the module list inside a Go program (default 16 MiB; Kubernetes has 20 KiB).
    pub modinfo_bytes: u64,
    /// Files to read besides those wanted by their names: see [`Merged::missing`](crate::Merged::missing).
    pub extra_paths: Vec<Extra>,
}

/// A file that only a link makes interesting: the link has the name, the file the content.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Extra {
    /// Its path as its layer lists it.
    pub path: String,
    /// What to read it as.
    pub wanted: Wanted,
    /// The name by which it is wanted; some facts (which package a list belongs to) are in it.
    pub named: String,
    /// These bytes of it alone; `None`: all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
}

impl Extra {
    /// The whole file, which is wanted by this name.
    pub(crate) fn whole(path: &str, wanted: Wanted, named: &str) -> Self {
        Self { path: path.to_owned(), wanted, named: named.to_owned(), part: None }
    }

    /// Whether it is read beside whatever else wants the file, and not as a whole.
    pub(crate) fn is_by_itself(&self) -> bool {
        self.wanted == Wanted::Checksums || self.part.is_some()
    }
}

impl Default for Options {
    fn default() -> Self {
        Self { file_bytes: 64 << 20, modinfo_bytes: 16 << 20, extra_paths: Vec::new() }
    }
}

impl Options {
    /// The same options with these files read as well.
    #[must_use]
    pub fn with_extra(&self, extra_paths: Vec<Extra>) -> Self {
        Self { extra_paths, ..self.clone() }
    }

    /// A digest of everything in here, for [`LayerKey`](cleanbill_core::inventory::LayerKey).
    pub fn digest(&self) -> Digest {
        let mut hash = Sha256::new();
        hash.update(self.file_bytes.to_be_bytes());
        hash.update(self.modinfo_bytes.to_be_bytes());
        for Extra { path, wanted, named, part } in &self.extra_paths {
            for text in [path.as_str(), wanted.as_str(), named.as_str()] {
                hash.update((text.len() as u64).to_be_bytes());
                hash.update(text);
            }
            let part = part.map_or([0, 0, 0], |part| [1, part.from, part.length]);
            part.iter().for_each(|number| hash.update(number.to_be_bytes()));
        }
        Digest::Sha256(hash.finalize().into())
    }
}
