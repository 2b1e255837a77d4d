//! Writing decisions: a batch of them in one transaction, with what they refer to.

use std::collections::HashSet;
use std::hash::BuildHasher as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use foldhash::fast::RandomState;
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Transaction, TransactionBehavior};

use super::block::Block;
use super::decision::{Decision, Head};
use super::matter::{Lent, Matter};
use super::open::{self, Sync};
use super::packed::Packed;
use super::referred::Referred;
use super::retention::{self, Keep};
use crate::failure::{Failure, Result};

/// After how many decisions it is looked which are to be forgotten.
const FORGET_EVERY: u32 = 256;
/// After how many such looks it is looked what no decision refers to any more.
const SWEEP_EVERY: u32 = 32;

/// What is recorded at once: all of it, or nothing.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The decision.
    pub decision: Decision,
    /// Evidence that it refers to. What the store has already is not written again; what it does
    /// not have and is not given here will be a gap later.
    pub evidence: Vec<Packed>,
    /// The set of images ([`super::admitted::set`]) that was let into the decision's namespace.
    /// Passed over unless the decision is enforced and `allowed`.
    pub admitted: Option<Digest>,
}

/// An entry in the words of the file: made by whoever asks for it to be recorded, so that the one
/// thread that writes has little left to do.
pub(super) struct Ready {
    pub(super) head: Head,
    pub(super) matter: Lent<Matter>,
    pub(super) evidence: Lent<[Packed]>,
    /// Bytes of it: whoever writes need not look at what he knows already.
    pub(super) bytes: usize,
    pub(super) admitted: Option<Digest>,
}

impl Ready {
    pub(super) fn new(entry: Entry) -> Result<Self> {
        let Entry { decision, evidence, admitted } = entry;
        let (head, matter) = Matter::of(decision)?;
        let bytes = evidence.iter().map(Packed::len).sum();
        Ok(Self::again(head, Arc::new(matter), Arc::new(evidence), bytes, admitted))
    }

    /// Of a matter that was taken apart before.
    pub(super) fn again(
        head: Head,
        matter: Lent<Matter>,
        evidence: Lent<[Packed]>,
        bytes: usize,
        admitted: Option<Digest>,
    ) -> Self {
        let admitted = admitted.filter(|_| {
            let matter = (*matter).as_ref();
            matter.enforced && matter.outcome == "allowed"
        });
        Self { head, matter, evidence, bytes, admitted }
    }
}

/// A connection that writes decisions, and what it remembers of the file.
pub(super) struct Writer {
    path: PathBuf,
    /// Device and number of the file: SQLite would go on writing into a deleted one.
    file: (u64, u64),
    connection: Connection,
    keep: Keep,
    referred: Referred,
    ids: Ids,
    pub(super) until_forgetting: u32,
    until_sweeping: u32,
}

/// The ids of the decisions that were written last, hashed. An id is a time and 60 random bits: it
/// comes twice only where the system's random numbers are none, and then soon.
#[derive(Default)]
struct Ids {
    hasher: RandomState,
    new: HashSet<u64, RandomState>,
    old: HashSet<u64, RandomState>,
}

impl Ids {
    /// At most twice so many are remembered.
    const MOST: usize = 1 << 15;

    /// Adds those of a batch: all, or none where one was there before.
    fn add(&mut self, batch: &[Ready]) -> Result<()> {
        if self.new.len() >= Self::MOST {
            self.old = std::mem::take(&mut self.new);
        }
        for (n, ready) in batch.iter().enumerate() {
            let id = self.hasher.hash_one(&ready.head.id);
            if self.old.contains(&id) || !self.new.insert(id) {
                self.remove(batch.get(..n).unwrap_or_default());
                let id = &ready.head.id;
                return Err(Failure::new(format!("the id {id} was given to a decision before")));
            }
        }
        Ok(())
    }

    /// Forgets those of a batch that was just added.
    fn remove(&mut self, batch: &[Ready]) {
        for ready in batch {
            self.new.remove(&self.hasher.hash_one(&ready.head.id));
        }
    }
}

/// Why a batch was not written.
pub(super) struct Wrong {
    pub(super) failure: Failure,
    /// Whether the cause may be one of its entries, rather than the store.
    pub(super) by_entry: bool,
}

impl Writer {
    pub(super) fn open(path: &Path, keep: Keep) -> Result<Self> {
        let file = identity(path).map_err(|e| open::wrong(path, &e))?;
        Ok(Self {
            path: path.to_path_buf(),
            file,
            connection: open::again(path, Sync::Full)?,
            keep,
            referred: Referred::new(keep),
            ids: Ids::default(),
            until_forgetting: 0,
            until_sweeping: 0,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a batch. It is on the disk when this returns.
    pub(super) fn write(&mut self, batch: &[Ready]) -> std::result::Result<(), Wrong> {
        let there = match identity(&self.path) {
            Ok(file) if file == self.file => Ok(()),
            Ok(_) => Err(open::wrong(&self.path, &"it was replaced while it was in use")),
            Err(e) => Err(open::wrong(&self.path, &e)),
        };
        there.map_err(|failure| Wrong { failure, by_entry: false })?;
        self.ids.add(batch).map_err(|failure| Wrong { failure, by_entry: true })?;
        self.transaction(batch).map_err(|e| {
            // What was remembered may have been rolled back.
            self.referred.clear();
            self.ids.remove(batch);
            let by_entry = matches!(&e, rusqlite::Error::ToSqlConversionFailure(_))
                || e.sqlite_error_code() == Some(ErrorCode::ConstraintViolation);
            Wrong { failure: open::wrong_sql(&self.path, &e), by_entry }
        })?;
        Ok(())
    }

    /// Gives the file no more pages than it has.
    #[cfg(test)]
    pub(super) fn no_more_pages(&self) {
        let pages: i64 =
            self.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
        let set = |row: &rusqlite::Row<'_>| row.get::<_, i64>(0);
        self.connection.pragma_update_and_check(None, "max_page_count", pages, set).unwrap();
    }

    /// Forgets what is too old, when nothing is recorded for a while.
    pub(super) fn idle(&mut self) -> Result<()> {
        self.until_forgetting = 0;
        self.until_sweeping = 0;
        self.write(&[]).map_err(|wrong| wrong.failure)
    }

    fn transaction(&mut self, batch: &[Ready]) -> rusqlite::Result<()> {
        let change = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let (oldest, sweeps): (i64, i64) = change
            .prepare_cached("SELECT oldest, sweeps FROM retention")?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        self.referred.as_of(sweeps);
        let from = next(&change)?.max(oldest);
        let started = batch.first().map_or(0, |ready| ready.head.time.as_millisecond());
        let mut block = Block::new(started);
        for (n, ready) in (from..).zip(batch) {
            let matter = (*ready.matter).as_ref();
            let m = self.referred.matter(&change, matter, &ready.evidence, n)?;
            block.push(&ready.head, m)?;
            if let (Some(set), Some(namespace)) = (&ready.admitted, &matter.namespace) {
                self.referred.admit(&change, namespace, set, &ready.head)?;
            }
        }
        block.insert(&change, from)?;
        let recorded = u32::try_from(batch.len()).unwrap_or(u32::MAX);
        self.until_forgetting = self.until_forgetting.saturating_sub(recorded);
        if self.until_forgetting == 0 {
            self.until_forgetting = FORGET_EVERY;
            let now = Timestamp::now();
            retention::forget(&change, self.keep, now)?;
            if self.until_sweeping == 0 {
                self.until_sweeping = SWEEP_EVERY;
                retention::sweep(&change, self.keep, now)?;
            }
            self.until_sweeping -= 1;
        }
        change.commit()
    }
}

/// The number after that of the last decision.
fn next(change: &Transaction<'_>) -> rusqlite::Result<i64> {
    let after: Option<i64> = change
        .prepare_cached("SELECT n + count FROM blocks ORDER BY n DESC LIMIT 1")?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(after.unwrap_or(1))
}

fn identity(path: &Path) -> std::io::Result<(u64, u64)> {
    std::fs::metadata(path).map(|meta| (meta.dev(), meta.ino()))
}

/// A failure that can be told to everybody of a batch.
#[derive(Clone, Debug)]
pub(super) struct Told(Arc<(String, Option<String>)>);

impl From<Failure> for Told {
    fn from(failure: Failure) -> Self {
        let text = failure.to_string();
        match text.split_once("\n  next: ") {
            Some((what, next)) => Self(Arc::new((what.to_owned(), Some(next.to_owned())))),
            None => Self(Arc::new((text, None))),
        }
    }
}

impl From<Told> for Failure {
    fn from(told: Told) -> Self {
        let failure = Failure::new(told.0.0.clone());
        match &told.0.1 {
            Some(next) => failure.next(next.clone()),
            None => failure,
        }
    }
}
