//! Writing decisions: a batch of them in one transaction, with what they refer to.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use rusqlite::{
    Connection, ErrorCode, OptionalExtension as _, Transaction, TransactionBehavior, params,
};
use sha2::{Digest as _, Sha256};

use super::decision::{Decision, Prepared};
use super::open::{self, Sync};
use super::retention::{self, Keep};
use crate::failure::{Failure, Result};

/// After how many decisions it is looked which are to be forgotten.
const FORGET_EVERY: u32 = 256;
/// After how many such looks it is looked what no decision refers to any more.
const SWEEP_EVERY: u32 = 4;
/// How much is remembered of what is in the file already; past it, it is looked up again.
const REMEMBERED: usize = 1 << 16;
/// An admission is written again only when the one in the file is older than this.
const ADMITTED_AGAIN_MS: i64 = 60_000;

/// What is recorded at once: all of it, or nothing.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The decision.
    pub decision: Decision,
    /// Evidence that it refers to, canonical JSON under its digest. What the store has already is
    /// not written again; what it does not have and is not given here will be a gap later.
    pub evidence: Vec<(Digest, Arc<[u8]>)>,
    /// The set of images ([`super::admitted::set`]) that was let into the decision's namespace.
    /// Passed over unless the decision is enforced and `allowed`.
    pub admitted: Option<Digest>,
}

/// An entry in the words of the file.
pub(super) struct Ready {
    row: Prepared,
    evidence: Vec<(Digest, Arc<[u8]>)>,
    admitted: Option<String>,
}

impl Ready {
    pub(super) fn new(entry: Entry) -> Result<Self> {
        let Entry { decision, evidence, admitted } = entry;
        let counts = decision.enforced && decision.outcome == "allowed";
        let admitted = admitted.filter(|_| counts).map(|set| set.to_string());
        Ok(Self { row: Prepared::new(decision)?, evidence, admitted })
    }

    /// Bytes of evidence that it brings.
    pub(super) fn bytes(&self) -> usize {
        self.evidence.iter().map(|(_, value)| value.len()).sum()
    }
}

/// A connection that writes decisions, and what it remembers of the file.
pub(super) struct Writer {
    path: PathBuf,
    /// Device and number of the file: SQLite would go on writing into a deleted one.
    file: (u64, u64),
    connection: Connection,
    keep: Keep,
    /// Rows of evidence that are in the file.
    known: HashMap<Digest, i64>,
    /// When sets of images were last written as admitted.
    admitted: HashMap<(String, String), i64>,
    /// SQLite's counter of what other connections changed, when the above was true.
    seen: i64,
    pub(super) until_forgetting: u32,
    until_sweeping: u32,
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
            known: HashMap::new(),
            admitted: HashMap::new(),
            seen: 0,
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
        self.transaction(batch).map_err(|e| {
            // What was remembered may have been rolled back.
            self.known.clear();
            self.admitted.clear();
            let by_entry = matches!(&e, rusqlite::Error::ToSqlConversionFailure(_))
                || e.sqlite_error_code() == Some(ErrorCode::ConstraintViolation);
            Wrong { failure: open::wrong_sql(&self.path, &e), by_entry }
        })
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
        let seen: i64 = change.pragma_query_value(None, "data_version", |row| row.get(0))?;
        if seen != self.seen || self.known.len() + self.admitted.len() > REMEMBERED {
            self.known.clear();
            self.admitted.clear();
            self.seen = seen;
        }
        let mut n = next(&change)?;
        let mut used = Used::default();
        for ready in batch {
            ready.row.insert(&change, n)?;
            for (digest, value) in &ready.evidence {
                if find_evidence(&change, &mut self.known, digest)?.is_none() {
                    self.known.insert(*digest, keep_evidence(&change, digest, value)?);
                }
            }
            // Evidence that is here need not have been given again.
            for digest in &ready.row.decision.evidence {
                if let Some(e) = find_evidence(&change, &mut self.known, digest)? {
                    used.evidence.insert(e, n);
                }
            }
            used.policies.insert(&ready.row.policy, n);
            if let Some(snapshot) = &ready.row.snapshot {
                used.snapshots.insert(snapshot, n);
            }
            if let (Some(set), Some(namespace)) = (&ready.admitted, &ready.row.decision.namespace) {
                let decision = &ready.row.decision;
                let at = decision.time.as_millisecond();
                let key = (namespace.clone(), set.clone());
                let last = self.admitted.get(&key).copied();
                // A clock that was set back must not keep it from being written.
                if last.is_none_or(|last| !(0..ADMITTED_AGAIN_MS).contains(&(at - last))) {
                    admit(&change, namespace, set, at, &decision.id)?;
                    self.admitted.insert(key, at);
                }
            }
            n = n.saturating_add(1);
        }
        used.write(&change)?;
        let recorded = u32::try_from(batch.len()).unwrap_or(u32::MAX);
        self.until_forgetting = self.until_forgetting.saturating_sub(recorded);
        let mut swept = 0;
        if self.until_forgetting == 0 {
            self.until_forgetting = FORGET_EVERY;
            let now = Timestamp::now();
            retention::forget(&change, self.keep, now)?;
            if self.until_sweeping == 0 {
                self.until_sweeping = SWEEP_EVERY;
                swept = retention::sweep(&change, self.keep, now)?;
            }
            self.until_sweeping -= 1;
        }
        change.commit()?;
        if swept > 0 {
            self.known.clear();
        }
        Ok(())
    }
}

/// The number of the next decision: one that was never used.
fn next(change: &Transaction<'_>) -> rusqlite::Result<i64> {
    let newest: Option<i64> =
        change.prepare_cached("SELECT max(n) FROM decisions")?.query_row([], |row| row.get(0))?;
    let oldest: i64 =
        change.prepare_cached("SELECT oldest FROM retention")?.query_row([], |row| row.get(0))?;
    Ok(newest.unwrap_or(0).saturating_add(1).max(oldest))
}

fn find_evidence(
    change: &Transaction<'_>,
    known: &mut HashMap<Digest, i64>,
    digest: &Digest,
) -> rusqlite::Result<Option<i64>> {
    if let Some(e) = known.get(digest) {
        return Ok(Some(*e));
    }
    let found: Option<i64> = change
        .prepare_cached("SELECT e FROM evidence WHERE digest = ?1")?
        .query_row(params![digest.to_string()], |row| row.get(0))
        .optional()?;
    if let Some(e) = found {
        known.insert(*digest, e);
    }
    Ok(found)
}

fn keep_evidence(change: &Transaction<'_>, digest: &Digest, value: &[u8]) -> rusqlite::Result<i64> {
    let refuse = |why: String| rusqlite::Error::ToSqlConversionFailure(why.into());
    if Digest::Sha256(Sha256::digest(value).into()) != *digest {
        return Err(refuse(format!("the evidence given as {digest} is something else")));
    }
    if value.len() > super::VALUE_MAX {
        return Err(refuse(format!("the evidence {digest} has {} bytes", value.len())));
    }
    let packed = zstd::bulk::compress(value, 3).map_err(|e| refuse(e.to_string()))?;
    change
        .prepare_cached("INSERT INTO evidence (digest, value) VALUES (?1, ?2)")?
        .insert(params![digest.to_string(), packed])
}

fn admit(
    change: &Transaction<'_>,
    namespace: &str,
    set: &str,
    at: i64,
    decision: &str,
) -> rusqlite::Result<()> {
    change
        .prepare_cached(
            "INSERT INTO admitted VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET at = ?3, decision = ?4",
        )?
        .execute(params![namespace, set, at, decision])
        .map(drop)
}

/// The last decision of a batch that refers to each thing.
#[derive(Default)]
struct Used<'a> {
    evidence: HashMap<i64, i64>,
    policies: HashMap<&'a str, i64>,
    snapshots: HashMap<&'a str, i64>,
}

impl Used<'_> {
    fn write(&self, change: &Transaction<'_>) -> rusqlite::Result<()> {
        let mut evidence = change.prepare_cached(
            "INSERT INTO evidence_used VALUES (?1, ?2) ON CONFLICT DO UPDATE SET n = ?2",
        )?;
        for (e, n) in &self.evidence {
            evidence.execute(params![e, n])?;
        }
        let mut policies =
            change.prepare_cached("UPDATE policies SET used = ?2 WHERE digest = ?1")?;
        for (digest, n) in &self.policies {
            policies.execute(params![digest, n])?;
        }
        let mut snapshots =
            change.prepare_cached("UPDATE snapshots SET used = ?2 WHERE digest = ?1")?;
        for (digest, n) in &self.snapshots {
            snapshots.execute(params![digest, n])?;
        }
        Ok(())
    }
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
