//! The files of one update: each brought up to date, or the copy of an earlier update kept where its
//! publisher gives none. What was kept is told and counted; it is never passed for new.

use std::path::Path;

use cleanbill_core::Timestamp;

use super::building::Building;
use super::fetch::{Fetcher, Outcome};
use super::state::State;
use crate::build::Report;
use crate::error::{Error, ErrorKind, Result};
use crate::place::make_parent;

/// One update under way.
pub(super) struct Course<'a> {
    fetcher: Fetcher,
    state: State,
    say: &'a mut dyn FnMut(&str),
    /// Files that their publishers answered for.
    answered: usize,
    /// Files of before, each with the cause.
    kept: Vec<String>,
    /// The first cause.
    first: Option<Error>,
}

impl<'a> Course<'a> {
    pub(super) fn new(fetcher: Fetcher, state: State, say: &'a mut dyn FnMut(&str)) -> Self {
        Self { fetcher, state, say, answered: 0, kept: Vec::new(), first: None }
    }

    /// Brings one file up to date; whether it is. It takes its place only when `check` finds that it
    /// is of the right kind, so that a wrong answer is not remembered as the newest.
    pub(super) fn get(
        &mut self,
        url: &str,
        name: &str,
        folder: &Path,
        check: &dyn Fn(&Path) -> Result<()>,
    ) -> Result<bool> {
        let path = folder.join(name);
        make_parent(&path)?;
        let known = if path.exists() { self.state.validator(name) } else { None };
        match self.fetcher.fetch(url, &path, known.as_deref(), check) {
            Ok(Outcome::Unchanged) => self.say(&format!("{name}: unchanged")),
            Ok(Outcome::Fetched { bytes, seen }) => {
                self.state.set(name, seen)?;
                self.say(&format!("{name}: {bytes} bytes"));
            }
            Err(failed) if path.exists() && publishers_fault(&failed) => {
                self.say(&format!("{name}: not fetched, the copy of before is kept: {failed}"));
                self.kept.push(format!("{name}: {failed}"));
                self.first.get_or_insert(failed);
                return Ok(false);
            }
            Err(failed) => return Err(failed),
        }
        self.answered += 1;
        Ok(true)
    }

    /// The date that its server gave a file.
    pub(super) fn date(&self, name: &str) -> Option<Timestamp> {
        self.state.date(name)
    }

    /// Tells a line.
    fn say(&mut self, line: &str) {
        (self.say)(line);
    }

    /// Fails, by the first cause, when nobody answered at all: nothing would come of it but the
    /// snapshot of before.
    pub(super) fn worth_it(&mut self) -> Result<()> {
        match self.first.take() {
            Some(failed) if self.answered == 0 => Err(failed),
            Some(_) | None => Ok(()),
        }
    }

    /// Builds from what was fetched. What cannot be built from is not worth asking about: the next
    /// update fetches all of it.
    pub(super) fn build(&mut self, building: &Building<'_>) -> Result<Report> {
        let built = building.run(&mut self.state, self.say);
        built.or_else(|failed| match failed.kind() {
            ErrorKind::Malformed
            | ErrorKind::Damaged
            | ErrorKind::OverLimit
            | ErrorKind::NotFound => self.state.forget().and(Err(failed)),
            // The disk, another process, or what is in force: it lies not with what was fetched.
            ErrorKind::Older | ErrorKind::Network | ErrorKind::Io => Err(failed),
        })
    }

    /// Files of before that had to do, each with the cause.
    pub(super) fn kept(self) -> Vec<String> {
        self.kept
    }
}

/// Whether it lies with the publisher or the way there; a full disk, for one, does not.
fn publishers_fault(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Network | ErrorKind::Malformed | ErrorKind::OverLimit => true,
        ErrorKind::Damaged | ErrorKind::Older | ErrorKind::NotFound | ErrorKind::Io => false,
    }
}
