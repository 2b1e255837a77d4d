//! What is asked, whichever interface asks it: images, and for whom.

use std::collections::{BTreeMap, BTreeSet};

use cleanbill_core::asked::Asked;
use cleanbill_core::digest::Digest;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The annotation that carries a break-glass token. Its key contains `.image-policy.k8s.io/`, so
/// that the API server sends it in an `ImageReview` too.
pub const TOKEN: &str = cleanbill_trust::breakglass::ANNOTATION;

/// One question about the images of one pod or template.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The images, in order, duplicates kept.
    pub images: Vec<String>,
    /// For whom and where. What a pod's author chose in it may never loosen anything.
    #[serde(flatten)]
    pub asked: Asked,
    /// The images that the answer, if it allows, pins to their digests in the object itself: those
    /// of a mutating webhook that are named by tag. Part of the question and of its record, since
    /// a tag among them does not move. (Images of nodes may be among them; those stay as they are,
    /// and are judged by what is registered.)
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub pinned: BTreeSet<String>,
}

impl Question {
    /// The digest of the whole question, to which a permit is bound.
    pub fn fingerprint(&self) -> Digest {
        // Field order is fixed, the maps are sorted, and strings serialize without failing; were
        // it to fail all the same, no two failures could be told apart, so the text is hashed
        // in its debug form, which also names every field.
        let canonical = serde_json::to_vec(self).unwrap_or_else(|_| format!("{self:?}").into());
        Digest::Sha256(Sha256::digest(canonical).into())
    }

    /// The break-glass token that came with it, if any.
    pub fn token(&self) -> Option<&str> {
        self.asked.annotations.get(TOKEN).map(String::as_str)
    }

    /// The question as it is recorded. A token is worth something until it expires, so it is
    /// not in there; the grant that it gave is recorded by its id.
    ///
    /// # Errors
    /// Never in practice; the serializer's own.
    pub fn recorded(&self) -> serde_json::Result<String> {
        if self.token().is_none() {
            return serde_json::to_string(self);
        }
        let mut question = self.clone();
        question.asked.annotations.insert(TOKEN.into(), "(not recorded)".into());
        serde_json::to_string(&question)
    }

    /// The distinct images, in order.
    pub fn distinct(&self) -> Vec<&str> {
        let mut seen = BTreeMap::new();
        self.images
            .iter()
            .map(String::as_str)
            .filter(|image| seen.insert(*image, ()).is_none())
            .collect()
    }
}
