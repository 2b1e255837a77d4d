//! Keeps what was decided, before the answer goes out, so that it can be explained later.

use std::sync::Arc;

use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use sha2::{Digest as _, Sha256};

use super::judge::Decided;
use super::review::Question;
use crate::failure::{Failure, Result};
use crate::store::{Api, Decision, Store};

/// Writes decisions to the gate's store, or, in tests and demonstrations, nowhere.
#[derive(Clone)]
pub struct Recorder(Option<Arc<Store>>);

impl Recorder {
    /// Into this store.
    pub fn into(store: Arc<Store>) -> Self {
        Self(Some(store))
    }

    /// Nowhere.
    pub fn nowhere() -> Self {
        Self(None)
    }

    /// Whether a decision could be written now.
    ///
    /// # Errors
    /// Why not.
    pub fn ready(&self) -> Result<()> {
        self.0.as_ref().map_or(Ok(()), |store| store.check_writable())
    }

    /// Writes one decision.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn record(
        &self,
        id: &str,
        question: Option<Question>,
        decided: Decided,
        policy: Digest,
    ) -> Result<()> {
        let Some(store) = self.0.clone() else { return Ok(()) };
        let evidence = (!decided.evidence.is_empty())
            .then(|| Digest::Sha256(Sha256::digest(&decided.evidence).into()));
        let now = Timestamp::now();
        let decision = Decision {
            id: id.to_owned(),
            time: now,
            api: Api::ImageReview,
            namespace: question.as_ref().map(|q| q.namespace.clone()),
            images: question
                .iter()
                .flat_map(|q| q.images.iter().map(|image| (image.clone(), None)))
                .collect(),
            question: question
                .map(|q| serde_json::to_string(&q))
                .transpose()
                .map_err(|e| Failure::new(format!("the question cannot be written: {e}")))?,
            outcome: decided.outcome.as_str().to_owned(),
            reason: decided.answer.reason().to_owned(),
            warnings: Vec::new(),
            policy,
            snapshot: decided.snapshot,
            evidence: evidence.into_iter().collect(),
            trace: String::new(),
            engine: String::new(),
            judged_at: now,
            latency_us: 0,
            enforced: true,
            break_glass: None,
        };
        tokio::task::spawn_blocking(move || store.record_decision(&decision))
            .await
            .map_err(|e| Failure::new(format!("recording panicked: {e}")))?
    }
}
