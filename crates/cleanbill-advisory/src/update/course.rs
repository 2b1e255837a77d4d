//! The files of one update: each brought up to date, or the copy of an earlier update kept where its
//! publisher gives none. What was kept is told and counted; it is never passed for new. So is what is
//! gone without, since there is no copy either.

use std::path::Path;

use cleanbill_core::Timestamp;

use super::back::{Before, Replaced, date_back, unbuildable};
use super::building::Building;
use super::fetch::{Fetcher, Outcome};
use super::hash;
use super::missing::{self, Aside, Missing, Part};
use super::state::{Seen, State};
use crate::build::Report;
use crate::error::{Error, ErrorKind, Result};
use crate::partial;
use crate::place::make_parent;
use crate::telling::{Meter, Say, Told};

/// One update under way.
pub(super) struct Course<'a> {
    fetcher: Fetcher,
    state: State,
    say: &'a mut Say<'a>,
    /// Files that their publishers answered for.
    answered: usize,
    /// Files of before, each with the cause.
    kept: Vec<String>,
    /// What could not be had at all.
    missing: Vec<Missing>,
    /// What says which packages have flaws: without all of it nothing can be judged.
    asked: Vec<Part>,
    /// The first cause.
    first: Option<Error>,
    /// The copies of before of what was replaced.
    before: Before,
    replaced: Vec<Replaced>,
    /// Files of which there was no copy before.
    new: Vec<String>,
}

impl<'a> Course<'a> {
    pub(super) fn new(
        fetcher: Fetcher,
        state: State,
        before: Before,
        say: &'a mut Say<'a>,
    ) -> Self {
        let (kept, missing, asked) = (Vec::new(), Vec::new(), Vec::new());
        let (answered, first, replaced, new) = (0, None, Vec::new(), Vec::new());
        Self { fetcher, state, say, answered, kept, missing, asked, first, before, replaced, new }
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
        let meter = &mut Meter::new(name, self.say);
        match self.fetcher.fetch(url, &path, known.as_deref(), check, meter) {
            Ok(Outcome::Unchanged) => self.say(&format!("{name}: unchanged")),
            Ok(Outcome::Fetched { bytes, seen }) => {
                self.state.set(name, seen)?;
                match before {
                    Some(before) => self.replaced.push(Replaced { name: name.to_owned(), before }),
                    None => self.new.push(name.to_owned()),
                }
                self.say(&format!("{name}: {bytes} bytes"));
            }
            Ok(Outcome::Absent(failed)) | Err(failed) => return self.keep(name, &path, failed),
        }
        self.answered += 1;
        Ok(true)
    }

    /// Keeps the copy of before of a file that could not be brought up to date, where there is one.
    fn keep(&mut self, name: &str, path: &Path, failed: Error) -> Result<bool> {
        if !path.exists() || !publishers_fault(&failed) {
            return Err(failed);
        }
        self.say(&format!("{name}: not fetched, the copy of before is kept: {failed}"));
        self.kept.push(format!("{name}: {failed}"));
        self.first.get_or_insert(failed);
        Ok(false)
    }

    /// Brings a file up to date as [`Course::get`] does, but only where it has the hash that its
    /// publisher has put beside it (`<url>.sha256`), if there is one: that goes to `steps`.
    pub(super) fn get_hashed(
        &mut self,
        url: &str,
        name: &str,
        folder: &Path,
        steps: &Path,
        check: &dyn Fn(&Path) -> Result<()>,
    ) -> Result<bool> {
        let (beside, step) = (format!("{url}{}", hash::SUFFIX), format!("{name}{}", hash::SUFFIX));
        let path = steps.join(&step);
        make_parent(&path)?;
        // It is small, and always asked for: a copy of before would be of another file.
        let meter = &mut Meter::new(&step, self.say);
        let read = |path: &Path| hash::beside(path).map(drop);
        match self.fetcher.fetch(&beside, &path, None, &read, meter) {
            Ok(Outcome::Absent(_)) => self.get(url, name, folder, check),
            Ok(Outcome::Fetched { .. } | Outcome::Unchanged) => {
                let wanted = hash::beside(&path)?;
                let whole = |path: &Path| {
                    check(path).and_then(|()| hash::has(path, &wanted, "the file beside it"))
                };
                self.get(url, name, folder, &whole)
            }
            // Nobody can tell whether what there is would be the right one.
            Err(failed) => self.keep(name, &folder.join(name), failed),
        }
    }

    /// Brings one of many files up to date, of which an earlier state is held elsewhere: that does
    /// where the publisher gives none, and is told. Whether it is up to date.
    pub(super) fn get_one(&mut self, url: &str, name: &str, folder: &Path) -> Result<bool> {
        let path = folder.join(name);
        make_parent(&path)?;
        let meter = &mut Meter::new(name, self.say);
        match self.fetcher.fetch(url, &path, None, &|_| Ok(()), meter) {
            Ok(Outcome::Fetched { .. } | Outcome::Unchanged) => Ok(true),
            Ok(Outcome::Absent(failed)) | Err(failed) if publishers_fault(&failed) => {
                // Of many small files none is worth to be gone on with.
                partial::clear(&path, None)?;
                self.say(&format!("{name}: not fetched, what was before is kept: {failed}"));
                self.kept.push(format!("{name}: {failed}"));
                self.first.get_or_insert(failed);
                Ok(false)
            }
            Ok(Outcome::Absent(failed)) | Err(failed) => Err(failed),
        }
    }

    /// What became of a file; `None`: it could not be had, and there is no earlier copy either, so that
    /// it is gone without, and without all that it takes with it.
    pub(super) fn without<T>(&mut self, name: &str, got: Result<T>) -> Result<Option<T>> {
        self.go_without(name, Part::of(name), got)
    }

    /// The same of a file that the feed can do without.
    pub(super) fn without_piece<T>(&mut self, name: &str, got: Result<T>) -> Result<Option<T>> {
        self.go_without(name, Part::Piece, got)
    }

    fn go_without<T>(&mut self, name: &str, part: Part, got: Result<T>) -> Result<Option<T>> {
        match got {
            Err(failed) if publishers_fault(&failed) => {
                self.say(&format!("{name}: not fetched, it is gone without: {failed}"));
                self.missing.push(Missing { part, why: format!("{name}: {failed}") });
                self.first.get_or_insert(failed);
                Ok(None)
            }
            other => other.map(Some),
        }
    }

    /// Whether what a file belongs to is there, as far as it was asked for.
    pub(super) fn has(&self, name: &str) -> bool {
        let part = Part::of(name);
        !self.missing.iter().any(|missing| missing.part == part)
    }

    /// Notes that a file says which packages have flaws.
    pub(super) fn asks(&mut self, name: &str) {
        self.asked.push(Part::of(name));
    }

    /// The date that its server gave a file.
    pub(super) fn date(&self, name: &str) -> Option<Timestamp> {
        self.state.date(name)
    }

    /// Tells a line.
    pub(super) fn say(&mut self, line: &str) {
        (self.say)(Told::Line(line));
    }

    /// Fails, by the first cause, when nobody answered at all, or nobody who says which packages have
    /// flaws: nothing would come of it but the snapshot of before, or less.
    pub(super) fn worth_it(&mut self) -> Result<()> {
        match self.first.take() {
            Some(failed) if self.answered == 0 || self.is_blind() => Err(failed),
            Some(_) | None => Ok(()),
        }
    }

    /// Whether all is missing that says which packages have flaws.
    fn is_blind(&self) -> bool {
        let missing = |part: &Part| self.missing.iter().any(|missing| missing.part == *part);
        !self.asked.is_empty() && self.asked.iter().all(missing)
    }

    /// Builds from what was fetched; where that cannot be built from, from the copies of before of
    /// those files that are to blame, or without them. Where nothing helps, all is forgotten: the next
    /// update fetches everything.
    pub(super) fn build(&mut self, mut building: Building<'_>) -> Result<Report> {
        let built = match self.run(&mut building) {
            Err(failed) if unbuildable(&failed) => match self.put_back(&mut building) {
                Ok(0) => Err(failed),
                Ok(_) if self.is_blind() => Err(failed),
                Ok(_) => self.run(&mut building),
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

    /// Writes down what is missing, for a source that stands in for the feeds.
    pub(super) fn remember(&self, folder: &Path) -> Result<()> {
        missing::remember(folder, &self.missing)
    }

    fn run(&mut self, building: &mut Building<'_>) -> Result<Report> {
        self.remember(building.folder)?;
        let _aside = Aside::put(building.folder, building.own, &self.missing)?;
        building.run(&self.missing, &mut self.state, self.say)
    }

    /// Puts back what was replaced and cannot be built from, and removes it where nothing was before;
    /// how many files.
    fn put_back(&mut self, building: &mut Building<'_>) -> Result<usize> {
        let mut count = 0;
        let limits = building.options.limits.clone();
        for Replaced { name, before } in std::mem::take(&mut self.replaced) {
            let Some(wrong) = self.before.wrong(building.own, &name, &limits)? else { continue };
            self.before.put_back(building.own, &name)?;
            date_back(&name, before.last_modified, &mut building.options);
            // Without an ETag the next update fetches it.
            self.state.set(&name, Seen { etag: None, ..before })?;
            let told = "cannot be built from, the copy of before is kept";
            self.say(&format!("{name}: {told}: {wrong}"));
            self.kept.push(format!("{name}: {wrong}"));
            count += 1;
        }
        for name in std::mem::take(&mut self.new) {
            let Some(wrong) = self.before.wrong(building.own, &name, &limits)? else { continue };
            let path = building.own.join(&name);
            std::fs::remove_file(&path).map_err(|e| Error::io(&path, e))?;
            self.state.remove(&name)?;
            self.say(&format!("{name}: cannot be built from, it is gone without: {wrong}"));
            let part = Part::of(&name);
            self.missing.push(Missing { part, why: format!("{name}: {wrong}") });
            count += 1;
        }
        Ok(count)
    }

    /// Files of before that had to do, and those that were gone without, each with the cause.
    pub(super) fn told(self) -> (Vec<String>, Vec<String>) {
        (self.kept, self.missing.into_iter().map(|missing| missing.why).collect())
    }
}

/// Whether it lies with the publisher or the way there; a full disk, for one, does not.
fn publishers_fault(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Network | ErrorKind::Malformed | ErrorKind::OverLimit => true,
        ErrorKind::Damaged | ErrorKind::Older | ErrorKind::NotFound => false,
        ErrorKind::Full | ErrorKind::Io => false,
    }
}
