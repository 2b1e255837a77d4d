//! The files of one update: each brought up to date, or the copy of an earlier update kept where its
//! publisher gives none. What was kept is told and counted; it is never passed for new.

use std::path::Path;

use cleanbill_core::Timestamp;

use super::back::{Before, Replaced, date_back, unbuildable};
use super::building::Building;
use super::fetch::{Fetcher, Outcome};
use super::state::{Seen, State};
use crate::build::Report;
use crate::error::{Error, ErrorKind, Result};
use crate::partial;
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
    /// The copies of before of what was replaced.
    before: Before,
    replaced: Vec<Replaced>,
}

impl<'a> Course<'a> {
    pub(super) fn new(
        fetcher: Fetcher,
        state: State,
        before: Before,
        say: &'a mut dyn FnMut(&str),
    ) -> Self {
        let (kept, replaced) = (Vec::new(), Vec::new());
        Self { fetcher, state, say, answered: 0, kept, first: None, before, replaced }
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
        let before = self.before.keep(name, &path)?.then(|| self.state.seen(name));
        match self.fetcher.fetch(url, &path, known.as_deref(), check) {
            Ok(Outcome::Unchanged) => self.say(&format!("{name}: unchanged")),
            Ok(Outcome::Fetched { bytes, seen }) => {
                self.state.set(name, seen)?;
                let replaced = |before| Replaced { name: name.to_owned(), before };
                self.replaced.extend(before.map(replaced));
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

    /// Brings one of many files up to date, of which an earlier state is held elsewhere: that does
    /// where the publisher gives none, and is told. Whether it is up to date.
    pub(super) fn get_one(&mut self, url: &str, name: &str, folder: &Path) -> Result<bool> {
        let path = folder.join(name);
        make_parent(&path)?;
        match self.fetcher.fetch(url, &path, None, &|_| Ok(())) {
            Ok(_) => Ok(true),
            Err(failed) if publishers_fault(&failed) => {
                // Of many small files none is worth to be gone on with.
                partial::clear(&path, None)?;
                self.say(&format!("{name}: not fetched, what was before is kept: {failed}"));
                self.kept.push(format!("{name}: {failed}"));
                self.first.get_or_insert(failed);
                Ok(false)
            }
            Err(failed) => Err(failed),
        }
    }

    /// What became of a file that the feed can do without: where there is no earlier copy either, that
    /// is told. Whether it is up to date.
    pub(super) fn without(&mut self, name: &str, got: Result<bool>) -> Result<bool> {
        match got {
            Err(failed) if publishers_fault(&failed) => {
                self.say(&format!("{name}: not fetched, it is gone without: {failed}"));
                self.kept.push(format!("{name}: {failed}"));
                self.first.get_or_insert(failed);
                Ok(false)
            }
            other => other,
        }
    }

    /// The date that its server gave a file.
    pub(super) fn date(&self, name: &str) -> Option<Timestamp> {
        self.state.date(name)
    }

    /// Tells a line.
    pub(super) fn say(&mut self, line: &str) {
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

    /// Builds from what was fetched; where that cannot be built from, from the copies of before of
    /// those files that are to blame. Where nothing helps, all is forgotten: the next update fetches
    /// everything.
    pub(super) fn build(&mut self, mut building: Building<'_>) -> Result<Report> {
        let built = match building.run(&mut self.state, self.say) {
            Err(failed) if unbuildable(&failed) => match self.put_back(&mut building) {
                Ok(0) => Err(failed),
                Ok(_) => building.run(&mut self.state, self.say),
                Err(e) => Err(e),
            },
            built => built,
        };
        match built {
            Err(failed) if unbuildable(&failed) => self.state.forget().and(Err(failed)),
            // Else it lies not with what was fetched, but with the disk, another process, or what is
            // in force.
            built => built,
        }
    }

    /// Puts back what was replaced and cannot be built from; how many files.
    fn put_back(&mut self, building: &mut Building<'_>) -> Result<usize> {
        let mut count = 0;
        for Replaced { name, before } in std::mem::take(&mut self.replaced) {
            let wrong = self.before.wrong(building.own, &name, &building.options.limits)?;
            let Some(wrong) = wrong else { continue };
            self.before.put_back(building.own, &name)?;
            date_back(&name, before.last_modified, &mut building.options);
            // Without an ETag the next update fetches it.
            self.state.set(&name, Seen { etag: None, ..before })?;
            let told = "cannot be built from, the copy of before is kept";
            self.say(&format!("{name}: {told}: {wrong}"));
            self.kept.push(format!("{name}: {wrong}"));
            count += 1;
        }
        Ok(count)
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
