//! Files by which a caller leaves findings out of a report: one list, [`FORMATS`].
//!
//! They are read here and not in `cleanbill-advisory`, which must not know images, since VEX is
//! about images too, nor in the core, which knows no wire format. Like the policy file they are
//! what a caller gives on the command line, in formats of others. What a file means for a finding
//! is [`cleanbill_core::suppression`]'s judgement.
//!
//! A file that cannot be understood as a whole is an error. An entry that cannot be understood
//! leaves nothing out, and is told in a [`Note`]: it is never passed over in silence. The gate
//! reads none of these files.

mod csaf;
mod cyclonedx;
mod given;
mod ignore_lines;
mod ignore_yaml;
pub mod notes;
mod openvex;
mod value;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use cleanbill_core::Timestamp;
use cleanbill_core::suppression::{
    Document, IgnoreEntry, IgnoreFile, Judge, Rules, Statement, Subject,
};
use serde_json::Value;

use crate::failure::{Failure, Result};
pub use given::{Given, GivenFile};
pub use notes::{Note, Notes};

/// The largest VEX document that is read, in bytes.
pub const VEX_BYTES_MAX: u64 = 32 << 20;
/// The largest ignore file that is read, in bytes.
pub const IGNORE_BYTES_MAX: u64 = 1 << 20;
/// The most statements, products and references of one document, each.
pub const COUNT_MAX: usize = 200_000;
/// The longest id of a flaw, in bytes.
const ID_MAX: usize = 256;

/// One format.
pub struct Format {
    /// Its name in messages and reports.
    pub name: &'static str,
    /// How it is known and read.
    reader: Reader,
}

/// How a format is known and read.
enum Reader {
    /// A JSON document for `--vex`, known by what is in it.
    Vex {
        is: fn(&Value) -> bool,
        read: fn(&Value, &mut Notes) -> std::result::Result<Vec<Statement>, Wrong>,
    },
    /// A text for `--ignorefile`, known by its name.
    Ignore {
        is: fn(&str) -> bool,
        read: fn(&[u8], &mut Notes) -> std::result::Result<Vec<IgnoreEntry>, Wrong>,
    },
}

/// Every format.
pub const FORMATS: [Format; 5] =
    [openvex::FORMAT, csaf::FORMAT, cyclonedx::FORMAT, ignore_yaml::FORMAT, ignore_lines::FORMAT];

/// Why a whole file cannot be understood: where, what, and what to do.
#[derive(Debug)]
struct Wrong {
    /// The place, as it is written behind the file's name; empty: the file.
    place: String,
    message: String,
    next: &'static str,
}

impl Wrong {
    fn new(place: impl Into<String>, message: impl Into<String>, next: &'static str) -> Self {
        Self { place: place.into(), message: message.into(), next }
    }

    fn over_limit(pointer: &str, what: &str) -> Self {
        let next = "split the document, or leave out what is about other images";
        Self::new(format!("#{pointer}"), format!("more than {COUNT_MAX} {what}"), next)
    }

    fn within(self, file: &str) -> Failure {
        Failure::new(format!("{file}{}: {}", self.place, self.message)).next(self.next)
    }
}

/// Reads a file of `--vex`.
///
/// # Errors
/// When it cannot be read, is over a limit or is no VEX document.
pub fn read_vex(path: &Path, notes: &mut Notes) -> Result<Document> {
    let bytes = bytes(path, VEX_BYTES_MAX)?;
    parse_vex(&path.display().to_string(), &bytes, notes)
}

/// Reads a file of `--ignorefile`.
///
/// # Errors
/// When it cannot be read, is over a limit or cannot be understood as a whole.
pub fn read_ignore_file(path: &Path, notes: &mut Notes) -> Result<IgnoreFile> {
    let bytes = bytes(path, IGNORE_BYTES_MAX)?;
    parse_ignore_file(&path.display().to_string(), &bytes, notes)
}

/// A file's content.
fn bytes(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let shown = path.display();
    let failed = |e: std::io::Error| {
        Failure::new(format!("{shown}: cannot be read: {e}")).next("name a file that can be read")
    };
    let mut bytes = Vec::new();
    let mut file = File::open(path).map_err(failed)?.take(limit.saturating_add(1));
    file.read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > limit {
        let why = format!("{shown}: larger than the limit of {} MiB", limit >> 20);
        return Err(Failure::new(why).next("leave out what is not about this image"));
    }
    Ok(bytes)
}

/// Reads a VEX document of any format.
pub(crate) fn parse_vex(file: &str, bytes: &[u8], notes: &mut Notes) -> Result<Document> {
    let rules =
        cleanbill_oci::json::Rules { what: file, limit: VEX_BYTES_MAX, fields: &[], maps: &[] };
    let root: Value = cleanbill_oci::json::parse_strict(bytes, &rules).map_err(|e| {
        Failure::new(e.to_string()).next("give OpenVEX, CSAF VEX or CycloneDX VEX, as JSON")
    })?;
    let file: Arc<str> = file.into();
    notes.of_file(&file);
    for format in &FORMATS {
        if let Reader::Vex { is, read } = format.reader
            && is(&root)
        {
            let statements = read(&root, notes).map_err(|wrong| wrong.within(&file))?;
            return Ok(Document { file, statements });
        }
    }
    Err(Failure::new(format!("{file}: is no VEX document of a known format"))
        .next("give OpenVEX (with @context), CSAF (with document.csaf_version) or CycloneDX (with bomFormat)"))
}

/// Reads an ignore file, in the format that its name tells.
pub(crate) fn parse_ignore_file(file: &str, bytes: &[u8], notes: &mut Notes) -> Result<IgnoreFile> {
    let file: Arc<str> = file.into();
    notes.of_file(&file);
    for format in &FORMATS {
        if let Reader::Ignore { is, read } = format.reader
            && is(&file)
        {
            let entries = read(bytes, notes).map_err(|wrong| wrong.within(&file))?;
            return Ok(IgnoreFile { file, entries });
        }
    }
    Err(Failure::new(format!("{file}: is no ignore file of a known format")))
}

/// An id of a flaw: printable ASCII without spaces, at most 256 bytes.
///
/// # Errors
/// Says why it is none.
fn flaw_id(text: &str) -> std::result::Result<String, String> {
    if text.is_empty() || text.len() > ID_MAX || !text.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(format!("\"{}\" is no id of a flaw", notes::shown(text)));
    }
    Ok(text.to_owned())
}

/// Any bytes as every format, made ready to judge by: the entry for fuzzing.
pub fn fuzz(bytes: &[u8]) {
    let mut notes = Notes::default();
    let mut rules = Rules::default();
    rules.documents.extend(parse_vex("fuzz.json", bytes, &mut notes));
    for name in ["fuzz", "fuzz.yaml"] {
        rules.ignore_files.extend(parse_ignore_file(name, bytes, &mut notes));
    }
    Judge::new(&rules, &Subject::default(), &[], Timestamp::UNIX_EPOCH);
    let entries = rules.ignore_files.iter().flat_map(|f| &f.entries);
    for pattern in entries.flat_map(|e| &e.paths) {
        pattern.matches("usr/lib/python3/site-packages/Django-3.2.dist-info/METADATA");
    }
}
