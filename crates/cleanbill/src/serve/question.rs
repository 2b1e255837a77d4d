//! What is asked, whichever interface asks it: images, and for whom.

use std::collections::{BTreeMap, BTreeSet};

use cleanbill_core::asked::Asked;
use cleanbill_core::digest::Digest;
use cleanbill_core::reference::ImageRef;
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
    /// The images by tag that nodes may pull, where the interface tells it: under the name of an
    /// image that no registry should have, a registry may have a stranger's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pulls: BTreeMap<String, Pull>,
}

/// When a node pulls an image: its `imagePullPolicy`, but for `Never`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pull {
    /// Where it has none of that name.
    IfNotPresent,
    /// Whatever it has.
    Always,
}

impl Pull {
    /// What a policy means for an image, or none: then the image's tag says it, as Kubernetes has
    /// it. `None`: it is never pulled, or by a digest, which stands for the same bytes everywhere.
    pub fn of(policy: Option<&str>, image: &ImageRef) -> Option<Self> {
        let latest = || image.tag().is_none_or(|tag| tag == "latest");
        match policy.filter(|policy| !policy.is_empty()) {
            _ if image.digest().is_some() => None,
            Some("Never") => None,
            Some("IfNotPresent") => Some(Self::IfNotPresent),
            None if !latest() => Some(Self::IfNotPresent),
            // A word that Kubernetes does not know, in an object that it does not know.
            None | Some(_) => Some(Self::Always),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::Pull;

    #[test]
    fn an_image_is_pulled_as_kubernetes_has_it() {
        let (always, absent) = (Some(Pull::Always), Some(Pull::IfNotPresent));
        let digest = format!("a:1@sha256:{}", "5".repeat(64));
        for (image, policy, want) in [
            ("a:1", None, absent),
            ("a:1", Some(""), absent),
            ("a:latest", None, always),
            ("a", None, always),
            ("host:5000/a", None, always),
            ("a", Some("IfNotPresent"), absent),
            ("a", Some("Never"), None),
            ("a:1", Some("Never"), None),
            ("a:1", Some("Always"), always),
            ("a:1", Some("never"), always),
            (&digest, Some("Always"), None),
        ] {
            assert_eq!(Pull::of(policy, &image.parse().unwrap()), want, "{image} {policy:?}");
        }
    }
}
