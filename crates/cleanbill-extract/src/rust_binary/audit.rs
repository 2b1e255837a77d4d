//! The list of crates in a Rust program: JSON, compressed by zlib (cargo-auditable, PARSING.md and
//! its schema).

use std::io::Read as _;

use cleanbill_core::gap::GapKind;
use cleanbill_core::package::PackageKind;
use serde::Deserialize;

use crate::facts::{Claim, Facts};

/// The most bytes of the list once it is unpacked, as cargo-auditable advises.
const LIST_MAX: u64 = 8 << 20;

/// The list, as far as it matters. What later formats add is passed over, as its schema asks.
#[derive(Deserialize)]
struct List {
    packages: Vec<Crate>,
}

#[derive(Deserialize)]
struct Crate {
    name: String,
    version: String,
    #[serde(default)]
    kind: Kind,
}

/// What a crate is there for.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    /// It is part of the program.
    #[default]
    Runtime,
    /// It only ran while the program was built.
    Build,
}

/// The crates that are part of the program, by the bytes of its section.
pub(crate) fn crates(section: &[u8]) -> Facts {
    let mut facts = Facts::default();
    let mut json = Vec::new();
    let unpacked = flate2::bufread::ZlibDecoder::new(section).take(LIST_MAX + 1);
    if let Err(why) = { unpacked }.read_to_end(&mut json) {
        facts.unreadable(format!("the list of crates of this Rust program is damaged: {why}"));
        return facts;
    }
    if json.len() as u64 > LIST_MAX {
        let detail = format!("its list of crates is longer than the limit of {LIST_MAX} bytes");
        facts.problem(GapKind::OverLimit, detail);
        return facts;
    }
    match serde_json::from_slice::<List>(&json) {
        Ok(list) => {
            for one in list.packages.into_iter().filter(|one| one.kind == Kind::Runtime) {
                take(one, &mut facts);
            }
        }
        Err(why) => {
            facts.unreadable(format!("the list of crates of this Rust program is damaged: {why}"));
        }
    }
    facts
}

/// A crate of the program: also one from elsewhere than crates.io, since it is mostly the same code.
fn take(Crate { name, version, .. }: Crate, facts: &mut Facts) {
    if name.is_empty() || version.is_empty() {
        return facts.unreadable(format!("the crate {name:?} {version:?} lacks a name or version"));
    }
    facts.claim(Claim {
        kind: PackageKind::Cargo,
        name,
        version,
        source: None,
        arch: None,
        vendor: None,
        module: None,
    });
}
