//! A break-glass grant: somebody answers, by name and for a few hours, for images that the policy
//! would refuse. Plain data here; `cleanbill-trust` makes one only from a token whose signature
//! held. Must not judge who may issue one: which keys count is configuration.

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::digest::Digest;

/// What a break-glass token says, once its signature was verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The token's random id: 20 characters, lower-case letters and digits. For records and for
    /// counting; two tokens with one id are the same token.
    pub id: String,
    /// Whose key signed: the SHA-256 of its SubjectPublicKeyInfo in DER.
    pub key_id: Digest,
    /// The one namespace in which it holds.
    pub namespace: String,
    /// The images for which it holds: digests of manifests or indexes. An empty list is good for
    /// nothing.
    pub digests: Vec<Digest>,
    /// Who answers for it. The key's holder wrote this; nothing else proves it.
    pub person: String,
    /// Why, in the same person's words.
    pub reason: String,
    /// The first instant at which it holds.
    pub not_before: Timestamp,
    /// The first instant at which it holds no more.
    pub expires: Timestamp,
}

impl Grant {
    /// Whether it speaks for the image `digest` in `namespace` at `now`.
    ///
    /// # Errors
    /// Why not, as a sentence's end that may be shown to the pod's author: it names nothing of
    /// the token but what they know already.
    pub fn covers(
        &self,
        namespace: &str,
        digest: &Digest,
        now: Timestamp,
    ) -> Result<(), &'static str> {
        if self.namespace != namespace {
            return Err("it was issued for another namespace");
        }
        if !self.digests.contains(digest) {
            return Err("it was not issued for this image's digest");
        }
        if now < self.not_before {
            return Err("it does not hold yet");
        }
        if now >= self.expires {
            return Err("it has expired");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Digest, Grant, Timestamp};

    fn grant() -> Grant {
        Grant {
            id: "0123456789abcdefghjk".into(),
            key_id: Digest::Sha256([9; 32]),
            namespace: "payments".into(),
            digests: vec![Digest::Sha256([1; 32]), Digest::Sha256([2; 32])],
            person: "anna@example.org".into(),
            reason: "INC-7".into(),
            not_before: Timestamp::constant(1_000, 0),
            expires: Timestamp::constant(2_000, 0),
        }
    }

    #[test]
    fn a_grant_holds_for_its_namespace_digests_and_time() {
        let listed = Digest::Sha256([2; 32]);
        let none = Grant { digests: vec![], ..grant() };
        let backwards = Grant { expires: Timestamp::constant(500, 0), ..grant() };
        let table: &[(&str, &Grant, &str, Digest, i64, &str)] = &[
            ("all fits", &grant(), "payments", listed, 1_500, ""),
            ("the first instant", &grant(), "payments", listed, 1_000, ""),
            ("the last instant", &grant(), "payments", listed, 1_999, ""),
            ("too early", &grant(), "payments", listed, 999, "it does not hold yet"),
            ("the end itself", &grant(), "payments", listed, 2_000, "it has expired"),
            ("elsewhere", &grant(), "payments-2", listed, 1_500, "another namespace"),
            ("no namespace", &grant(), "", listed, 1_500, "another namespace"),
            ("another image", &grant(), "payments", Digest::Sha256([3; 32]), 1_500, "digest"),
            (
                "its bytes by another hash",
                &grant(),
                "payments",
                Digest::Sha512([2; 64]),
                1_500,
                "digest",
            ),
            ("no images", &none, "payments", listed, 1_500, "digest"),
            ("ends before it begins", &backwards, "payments", listed, 1_500, "expired"),
        ];
        for (name, grant, namespace, digest, second, why) in table {
            let now = Timestamp::constant(*second, 0);
            match grant.covers(namespace, digest, now) {
                Ok(()) => assert_eq!(*why, "", "{name}"),
                Err(said) => assert!(!why.is_empty() && said.contains(why), "{name}: {said}"),
            }
        }
    }
}
