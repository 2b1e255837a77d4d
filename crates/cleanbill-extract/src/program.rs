//! Any file that no extractor wants by its name: read once from front to back by everything that
//! knows programs by their content, as long as one of them wants more.

use cleanbill_core::gap::GapKind;

use crate::elf::is_elf;
use crate::examiner::Interest;
use crate::extractors::Wanted;
use crate::facts::{Facts, Part};
use crate::{go_binary, rust_binary};

/// Reads one file.
#[derive(Debug)]
pub(crate) struct Scanner {
    begun: bool,
    go: go_binary::Scanner,
    /// Whether Go's has seen enough.
    go_done: bool,
    rust: rust_binary::Finder,
}

impl Scanner {
    /// A scanner for one file; a list of Go's modules may have this many bytes.
    pub(crate) fn new(limit: u64) -> Self {
        let (go, rust) = (go_binary::Scanner::new(limit), rust_binary::Finder::default());
        Self { begun: false, go, go_done: false, rust }
    }

    /// Takes the next bytes.
    pub(crate) fn data(&mut self, chunk: &[u8]) -> Interest {
        // Most files are no programs: nothing of them is copied.
        if !std::mem::replace(&mut self.begun, true) && !is_elf(chunk) {
            return Interest::Skip;
        }
        if !self.go_done {
            self.go_done = self.go.data(chunk) == Interest::Skip;
        }
        let more = self.rust.data(chunk) == Interest::Read || !self.go_done;
        if more { Interest::Read } else { Interest::Skip }
    }

    /// What it says, by what it is.
    pub(crate) fn finish(self) -> impl Iterator<Item = (Wanted, Facts)> {
        let go = self.go.finish().map(|facts| (Wanted::GoProgram, facts));
        let rust = self.rust.finish().map(|part| (Wanted::RustProgram, at(part)));
        go.into_iter().chain(rust)
    }
}

/// The facts of a program whose list of crates stands there.
fn at(part: Part) -> Facts {
    let mut facts = Facts::default();
    if part.length > rust_binary::PART_MAX {
        facts.problem(
            GapKind::OverLimit,
            format!(
                "its list of crates takes {} bytes, more than the limit of {}",
                part.length,
                rust_binary::PART_MAX
            ),
        );
    } else {
        facts.part = Some(part);
    }
    facts
}
