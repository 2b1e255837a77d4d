//! What decisions refer to: matters and evidence, written once, and for how long they are kept.
//!
//! Each is kept until a decision with a certain number is forgotten. That number is moved on only
//! now and then, and further the more often something is used, so that recording what was recorded
//! before costs no write but the decision's own. What is used once is kept not longer than its
//! decision; what is used again and again at most [`AHEAD`] times its usual interval longer.

use std::collections::HashMap;

use cleanbill_core::digest::Digest;
use foldhash::fast::RandomState;
use rusqlite::{OptionalExtension as _, Transaction, params};

use super::decision::Head;
use super::matter::{Lent, Matter};
use super::packed::Packed;
use super::retention::Keep;

/// How many of its intervals ahead something is kept.
const AHEAD: i64 = 16;
/// How much is remembered of what is in the file already; past it, it is looked up again.
const REMEMBERED: usize = 1 << 16;
/// An admission is written again only when the one in the file is older than this.
const ADMITTED_AGAIN_MS: i64 = 60_000;

/// What is remembered of the file.
pub(super) struct Referred {
    /// How far ahead anything is kept at most, in decisions.
    most: i64,
    /// Of matters: where they stand in `kept`.
    matters: HashMap<[u8; 32], usize, RandomState>,
    kept: Vec<Kept>,
    /// Rows of evidence that are in the file.
    evidence: HashMap<Digest, i64>,
    /// Of policies and snapshots: the decision with which it was last moved on until when they are
    /// kept, and until when.
    sources: HashMap<Digest, (i64, i64)>,
    /// When sets of images were last written as admitted, by namespace.
    admitted: HashMap<Digest, Vec<(String, i64)>, RandomState>,
    /// How many those are.
    admissions: usize,
    /// The file's count of deletions when the above was true.
    sweeps: i64,
}

/// A matter in the file.
struct Kept {
    key: [u8; 32],
    /// Its row.
    m: i64,
    /// The last decision that referred to it.
    last: i64,
    /// The decision for which it is kept.
    until: i64,
    /// Whether all its evidence is in the file.
    whole: bool,
}

impl Referred {
    /// Nothing yet.
    pub(super) fn new(keep: Keep) -> Self {
        Self {
            most: i64::from(keep.count / 8),
            matters: HashMap::default(),
            kept: Vec::new(),
            evidence: HashMap::new(),
            sources: HashMap::new(),
            admitted: HashMap::default(),
            admissions: 0,
            sweeps: 0,
        }
    }

    /// Nothing is remembered any more.
    pub(super) fn clear(&mut self) {
        self.matters.clear();
        self.kept.clear();
        self.evidence.clear();
        self.sources.clear();
        self.admitted.clear();
        self.admissions = 0;
    }

    /// The file has seen so many deletions: what was remembered of the time before may be gone.
    pub(super) fn as_of(&mut self, sweeps: i64) {
        let remembered = self.matters.len() + self.evidence.len() + self.admissions;
        if self.sweeps != sweeps || remembered > REMEMBERED {
            self.clear();
            self.sweeps = sweeps;
        }
    }

    /// The row of a matter to which decision `n` refers, and which is kept as long as that one,
    /// with all that it refers to itself. What is new in `evidence` is written; it is
    /// not looked at where the file is known to have all of it.
    pub(super) fn matter(
        &mut self,
        change: &Transaction<'_>,
        matter: &Matter,
        evidence: &Lent<[Packed]>,
        n: i64,
    ) -> rusqlite::Result<i64> {
        let noted = matter.hint.get();
        let right = self.kept.get(noted).is_some_and(|kept| kept.key == matter.key);
        let place = if right { Some(noted) } else { self.matters.get(&matter.key).copied() };
        if let Some(at) = place
            && let Some(kept) = self.kept.get_mut(at)
            && n <= kept.until
            && kept.whole
        {
            kept.last = n;
            if !right {
                matter.hint.set(at);
            }
            return Ok(kept.m);
        }
        for packed in (**evidence).as_ref() {
            let digest = packed.digest();
            if self.find(change, &digest)?.is_none() {
                self.evidence.insert(digest, write(change, packed)?);
            }
        }
        let (m, last, kept) = match place.and_then(|at| self.kept.get(at)) {
            Some(kept) => (kept.m, kept.last, kept.until),
            None => {
                let found: Option<(i64, i64)> = change
                    .prepare_cached(
                        "SELECT m, n FROM matters JOIN matters_used USING (m) WHERE key = ?1",
                    )?
                    .query_row(params![matter.key], |row| Ok((row.get(0)?, row.get(1)?)))
                    .optional()?;
                match found {
                    Some((m, until)) => (m, n, until),
                    None => (matter.insert(change)?, n, n),
                }
            }
        };
        let interval = n.saturating_sub(last).saturating_mul(AHEAD);
        let until = n.saturating_add(interval.min(self.most)).max(kept);
        keep(change, "matters_used", "m", m, until)?;
        let mut whole = true;
        for digest in &matter.evidence {
            // Evidence that is here need not have been given again.
            match self.find(change, digest)? {
                Some(e) => keep(change, "evidence_used", "e", e, until)?,
                None => whole = false,
            }
        }
        self.keep_source(change, "policies", &matter.policy, n, until)?;
        if let Some(snapshot) = &matter.snapshot {
            self.keep_source(change, "snapshots", snapshot, n, until)?;
        }
        let kept = Kept { key: matter.key, m, last: n, until, whole };
        match place.and_then(|at| self.kept.get_mut(at)) {
            Some(before) => *before = kept,
            None => {
                self.matters.insert(matter.key, self.kept.len());
                self.kept.push(kept);
            }
        }
        Ok(m)
    }

    /// Notes that these images were let into the namespace.
    pub(super) fn admit(
        &mut self,
        change: &Transaction<'_>,
        namespace: &str,
        set: &Digest,
        head: &Head,
    ) -> rusqlite::Result<()> {
        let at = head.time.as_millisecond();
        let namespaces = self.admitted.entry(*set).or_default();
        let known = namespaces.iter_mut().find(|(name, _)| name == namespace);
        // A clock that was set back must not keep it from being written.
        if known.as_ref().is_some_and(|(_, last)| (0..ADMITTED_AGAIN_MS).contains(&(at - *last))) {
            return Ok(());
        }
        change
            .prepare_cached(
                "INSERT INTO admitted VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET at = ?3, decision = ?4",
            )?
            .execute(params![namespace, set.to_string(), at, head.id])?;
        match known {
            Some((_, last)) => *last = at,
            None => {
                namespaces.push((namespace.to_owned(), at));
                self.admissions += 1;
            }
        }
        Ok(())
    }

    fn find(&mut self, change: &Transaction<'_>, digest: &Digest) -> rusqlite::Result<Option<i64>> {
        if let Some(e) = self.evidence.get(digest) {
            return Ok(Some(*e));
        }
        let found: Option<i64> = change
            .prepare_cached("SELECT e FROM evidence WHERE digest = ?1")?
            .query_row(params![digest.to_string()], |row| row.get(0))
            .optional()?;
        if let Some(e) = found {
            self.evidence.insert(*digest, e);
        }
        Ok(found)
    }

    /// Policies and snapshots are few and used by all: they are kept as far ahead as they have been
    /// in use since that was last moved on.
    fn keep_source(
        &mut self,
        change: &Transaction<'_>,
        table: &str,
        digest: &Digest,
        n: i64,
        until: i64,
    ) -> rusqlite::Result<()> {
        let known = self.sources.get(digest).copied();
        if known.is_some_and(|(_, kept)| kept >= until) {
            return Ok(());
        }
        let ahead = known.map_or(0, |(moved, _)| n.saturating_sub(moved)).min(self.most);
        let until = until.saturating_add(ahead);
        let there = change
            .prepare_cached(&format!("UPDATE {table} SET used = max(used, ?2) WHERE digest = ?1"))?
            .execute(params![digest.to_string(), until])?;
        if there > 0 {
            self.sources.insert(*digest, (n, until));
        }
        Ok(())
    }
}

/// Keeps a row at least until this decision is forgotten.
fn keep(
    change: &Transaction<'_>,
    table: &str,
    row: &str,
    number: i64,
    until: i64,
) -> rusqlite::Result<()> {
    change
        .prepare_cached(&format!(
            "INSERT INTO {table} ({row}, n) VALUES (?1, ?2)
             ON CONFLICT DO UPDATE SET n = max(n, ?2)"
        ))?
        .execute(params![number, until])
        .map(drop)
}

fn write(change: &Transaction<'_>, packed: &Packed) -> rusqlite::Result<i64> {
    let bytes =
        packed.whole().map_err(|why| rusqlite::Error::ToSqlConversionFailure(why.into()))?;
    change
        .prepare_cached("INSERT INTO evidence (digest, value) VALUES (?1, ?2)")?
        .insert(params![packed.digest().to_string(), bytes])
}
