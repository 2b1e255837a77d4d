//! Builds layers for the tests and examines them as the binary does.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "part of the tests")]

use std::io::Read;
use std::path::PathBuf;

use cleanbill_core::digest::Digest;
use cleanbill_core::inventory::Inventory;
use cleanbill_core::layer::{Entry, EntryKind};
use cleanbill_core::package::LayerId;
use cleanbill_extract::{Extra, Interest, LayerExaminer, LayerFacts, Options, merge};
use sha2::{Digest as _, Sha256};

/// One layer: paths with kind and content.
pub type Layer = Vec<(String, EntryKind, Vec<u8>)>;

pub fn file(path: &str, content: impl AsRef<[u8]>) -> (String, EntryKind, Vec<u8>) {
    (path.into(), EntryKind::File, content.as_ref().into())
}

pub fn link(path: &str, target: &str) -> (String, EntryKind, Vec<u8>) {
    (path.into(), EntryKind::Symlink(target.into()), Vec::new())
}

pub fn entry(path: &str, kind: EntryKind) -> (String, EntryKind, Vec<u8>) {
    (path.into(), kind, Vec::new())
}

/// Pushes a layer, its content in chunks of this many bytes.
pub fn examine(layer: &Layer, options: &Options, chunk: usize) -> LayerFacts {
    let mut examiner = LayerExaminer::new(options);
    for (path, kind, content) in layer {
        let (path, kind) = (path.clone(), kind.clone());
        let entry = Entry { path, kind, size: content.len() as u64, mode: 0o644 };
        let mut interest = examiner.open(&entry);
        let mut chunks = content.chunks(chunk);
        while interest == Interest::Read {
            match chunks.next() {
                Some(chunk) => interest = examiner.data(chunk),
                None => break,
            }
        }
        examiner.close();
    }
    examiner.finish()
}

pub fn id(n: usize) -> LayerId {
    let n = u8::try_from(n).unwrap();
    LayerId { diff_id: Digest::Sha256([n; 32]), blob: Digest::Sha256([n; 32]) }
}

/// The inventory of an image, with a second pass where files were missing.
pub fn inventory(layers: &[Layer]) -> Inventory {
    inventory_with(layers, &Options::default())
}

pub fn inventory_with(layers: &[Layer], options: &Options) -> Inventory {
    merge(&facts_of(layers, options)).inventory()
}

/// The facts of all layers, with those of a second pass.
pub fn facts_of(layers: &[Layer], options: &Options) -> Vec<(Option<LayerId>, LayerFacts)> {
    let examined = layers.iter().map(|l| examine(l, options, 1000)).enumerate();
    let mut facts: Vec<_> = examined.map(|(n, f)| (Some(id(n)), f)).collect();
    let missing = merge(&facts).missing();
    for (n, layer) in layers.iter().enumerate() {
        let extra: Vec<Extra> =
            missing.iter().filter(|(l, _)| *l == n).map(|(_, e)| e.clone()).collect();
        if !extra.is_empty() {
            facts[n].1 = examine(layer, &options.with_extra(extra), 1000);
        }
    }
    facts
}

/// The SHA-256 of a text, in hexadecimal.
pub fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Packages as `name version`.
pub fn packages(inventory: &Inventory) -> Vec<String> {
    inventory.packages.iter().map(|p| format!("{} {}", p.name, p.version)).collect()
}

pub fn gaps(inventory: &Inventory) -> Vec<String> {
    inventory.gaps.iter().map(ToString::to_string).collect()
}

/// A file of the shared data, or `None` (said aloud) where that is not there.
pub fn data(path: &str) -> Option<PathBuf> {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data"));
    let path = root.join(path);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: real data ({} is not there)", path.display());
    None
}

/// The regular files of a gzipped tar, by the plainest reading of it.
pub fn untar(path: &PathBuf) -> Layer {
    let mut tar = Vec::new();
    let file = std::fs::File::open(path).unwrap();
    flate2::read::MultiGzDecoder::new(file).read_to_end(&mut tar).unwrap();
    let (mut layer, mut at) = (Layer::new(), 0);
    while let Some(header) = tar.get(at..at + 512).filter(|h| h[0] != 0) {
        let text = |range: std::ops::Range<usize>| {
            let field = &header[range];
            let end = field.iter().position(|b| *b == 0).unwrap_or(field.len());
            String::from_utf8_lossy(&field[..end]).trim().to_owned()
        };
        let size = usize::from_str_radix(&text(124..136), 8).unwrap();
        let path = text(0..100).trim_start_matches("./").trim_end_matches('/').to_owned();
        if matches!(header[156], b'0' | 0) {
            layer.push((path, EntryKind::File, tar[at + 512..at + 512 + size].to_vec()));
        }
        at += 512 + size.div_ceil(512) * 512;
    }
    layer
}
