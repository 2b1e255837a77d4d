//! Keeps what was decided, before the answer goes out, so that it can be explained later.

use std::sync::Arc;
use std::time::Duration;

use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;

use super::again::Again;
use super::judge::Decided;
use super::question::Question;
use crate::failure::{Failure, Result};
use crate::store::{Api, Decision, Head, Journal, Lent, Matter, Packed, Store, admitted_set};

/// The program's version and those of what it decides with.
pub fn engine() -> String {
    format!("cleanbill {} extract {}", env!("CARGO_PKG_VERSION"), cleanbill_extract::ENGINE)
}

/// Writes decisions to the gate's store, or, in tests and demonstrations, nowhere.
#[derive(Clone)]
pub struct Recorder(Option<Arc<Kept>>);

struct Kept {
    store: Arc<Store>,
    journal: Journal,
    engine: String,
}

/// What is recorded of a request besides the decision.
pub struct About<'a> {
    /// The decision's id.
    pub id: &'a str,
    /// Which interface asked.
    pub api: Api,
    /// What was asked, where it could be read.
    pub question: Option<&'a Question>,
    /// From question to answer.
    pub took: Duration,
    /// Whether the answer has an effect: false for dry runs.
    pub enforced: bool,
}

impl Recorder {
    /// Into this store.
    ///
    /// # Errors
    /// When the store cannot be opened for writing.
    pub fn into(store: Arc<Store>) -> Result<Self> {
        let journal = Journal::start(&store)?;
        Ok(Self(Some(Arc::new(Kept { store, journal, engine: engine() }))))
    }

    /// Nowhere.
    pub fn nowhere() -> Self {
        Self(None)
    }

    /// The store that it writes to, if any.
    pub fn store(&self) -> Option<&Arc<Store>> {
        self.0.as_ref().map(|kept| &kept.store)
    }

    /// Whether a decision could be written now.
    ///
    /// # Errors
    /// Why not.
    pub fn ready(&self) -> Result<()> {
        let Some(kept) = &self.0 else { return Ok(()) };
        kept.journal.alive()?;
        kept.store.check_writable()
    }

    /// Keeps the text of a policy under its digest, so that decisions can be judged again.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn policy(&self, digest: &Digest, text: &str) -> Result<()> {
        self.0.as_ref().map_or(Ok(()), |kept| kept.store.put_policy(digest, text))
    }

    /// A decision in writing, which is not on the disk yet; `None`: nothing is recorded.
    ///
    /// # Errors
    /// When the decision cannot be put in writing.
    pub fn entry(&self, about: &About<'_>, decided: &Decided) -> Result<Option<Unwritten>> {
        let Some(kept) = &self.0 else { return Ok(None) };
        let wrong = |e: serde_json::Error| Failure::new(format!("it cannot be written: {e}"));
        let decision = Decision {
            id: about.id.to_owned(),
            time: Timestamp::now(),
            api: about.api,
            namespace: about.question.map(|q| q.asked.namespace.clone()),
            images: decided.images.clone(),
            question: about.question.map(Question::recorded).transpose().map_err(wrong)?,
            outcome: decided.outcome.as_str().to_owned(),
            reason: decided.message.clone(),
            warnings: decided.warnings.clone(),
            policy: decided.rules.digest,
            snapshot: decided.snapshot,
            evidence: decided.evidence.iter().map(|e| e.digest).collect(),
            trace: serde_json::to_string(&decided.trace).map_err(wrong)?,
            engine: kept.engine.clone(),
            judged_at: decided.judged_at,
            latency_us: u64::try_from(about.took.as_micros()).unwrap_or(u64::MAX),
            enforced: about.enforced,
            break_glass: decided.break_glass.clone(),
        };
        let evidence = decided.evidence.iter().flat_map(|sealed| sealed.packed.iter().cloned());
        let evidence: Vec<Packed> = evidence.collect();
        let bytes = evidence.iter().map(Packed::len).sum();
        let admitted = decided.admitted.as_ref().map(|images| admitted_set(images)).transpose()?;
        let (head, matter) = Matter::of(decision)?;
        let (matter, evidence) = (Arc::new(matter), Arc::new(evidence));
        Ok(Some(Unwritten { head, matter, evidence, bytes, admitted }))
    }

    /// The same for what was told before; `None`: nothing is recorded.
    pub(super) fn again(&self, id: &str, again: Again, took: Duration) -> Option<Unwritten> {
        self.0.as_ref()?;
        let head = Head {
            id: id.to_owned(),
            time: Timestamp::now(),
            judged_at: again.judged_at,
            latency_us: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        };
        let Again { told, evidence, bytes, .. } = again;
        let admitted = told.admitted;
        Some(Unwritten { head, matter: told, evidence, bytes, admitted })
    }

    /// Writes one of this recorder's, and returns when it is on the disk.
    ///
    /// # Errors
    /// When the store cannot be written, or too much waits to be.
    pub async fn write(&self, entry: Unwritten) -> Result<()> {
        let Some(kept) = &self.0 else { return Ok(()) };
        let Unwritten { head, matter, evidence, bytes, admitted } = entry;
        kept.journal.record_again(head, matter, evidence, bytes, admitted).await
    }
}

/// A decision that is not on the disk yet.
pub struct Unwritten {
    head: Head,
    matter: Lent<Matter>,
    evidence: Lent<[Packed]>,
    bytes: usize,
    admitted: Option<Digest>,
}

impl Unwritten {
    /// What it has in common with others of its kind.
    pub(super) fn matter(&self) -> Lent<Matter> {
        Arc::clone(&self.matter)
    }

    /// The set of images that counts as admitted once it is written.
    pub(super) fn admitted(&self) -> Option<Digest> {
        self.admitted
    }
}
