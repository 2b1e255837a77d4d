//! A claim: one signer, one statement, one digest. Must not be put together from several
//! signatures: half of one and half of another prove nothing.

use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use cleanbill_core::gap::Gap;

/// How a claim was carried and verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scheme {
    /// Cosign's `sha256-….sig` and `.att` tags.
    CosignTag,
    /// A Sigstore bundle found through OCI referrers.
    SigstoreBundle,
    /// A Notation (Notary v2) signature found through OCI referrers.
    Notation,
    /// Docker Content Trust (Notary v1, TUF).
    NotaryV1,
}

/// Who signed, as far as the signature proves it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Identity {
    /// Whoever holds this key, by the digest of its DER-encoded SubjectPublicKeyInfo.
    Key(Digest),
    /// Whom this authority vouched for. Both parts count: the same name from another issuer is
    /// somebody else.
    Certificate {
        /// The issuer: an OpenID Connect issuer's URL, or a certificate authority's name.
        issuer: String,
        /// The subject: an alternative name or a distinguished name, as the scheme has it.
        subject: String,
    },
}

/// What was said.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Statement {
    /// "I signed this image."
    Image,
    /// An in-toto statement with a predicate of this type (a URI).
    Attestation {
        /// The predicate's type.
        predicate: String,
    },
}

/// One verified claim.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Claim {
    /// The manifest that it is about: the digest inside the signed payload, never the name
    /// under which the signature was found.
    pub subject: Digest,
    /// Who said it.
    pub identity: Identity,
    /// What they said.
    pub statement: Statement,
    /// How it was verified.
    pub scheme: Scheme,
    /// When it was signed, by a log or timestamp authority that was verified itself; `None`
    /// where only the signer says so, which proves nothing.
    pub signed_at: Option<Timestamp>,
}

/// What is known about who said what of one image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    /// The claims that were verified. An empty list says that nobody vouches for the image.
    pub claims: Vec<Claim>,
    /// What could not be examined (a log out of reach, a signature of an unknown form).
    pub gaps: Vec<Gap>,
}

impl Trust {
    /// The one claim about `digest` that meets the whole rule. Claims about other digests are
    /// not even shown to it.
    pub fn one_that(&self, digest: &Digest, rule: impl Fn(&Claim) -> bool) -> Option<&Claim> {
        self.claims.iter().find(|c| c.subject == *digest && rule(c))
    }
}

#[cfg(test)]
mod tests {
    use super::{Claim, Digest, Identity, Scheme, Statement, Trust};

    const HERE: Digest = Digest::Sha256([1; 32]);
    const ELSEWHERE: Digest = Digest::Sha256([2; 32]);

    fn claim(subject: Digest, issuer: &str, subject_name: &str) -> Claim {
        Claim {
            subject,
            identity: Identity::Certificate { issuer: issuer.into(), subject: subject_name.into() },
            statement: Statement::Image,
            scheme: Scheme::SigstoreBundle,
            signed_at: None,
        }
    }

    /// The rule: release@example.org, vouched for by https://issuer.example.
    fn rule(claim: &Claim) -> bool {
        match &claim.identity {
            Identity::Certificate { issuer, subject } => {
                issuer == "https://issuer.example" && subject == "release@example.org"
            }
            Identity::Key(_) => false,
        }
    }

    #[test]
    fn one_claim_meets_the_whole_rule_or_none_does() {
        let good = || claim(HERE, "https://issuer.example", "release@example.org");
        let table: &[(&str, Vec<Claim>, bool)] = &[
            ("nobody signed", vec![], false),
            ("the right one signed", vec![good()], true),
            ("signed something else", vec![Claim { subject: ELSEWHERE, ..good() }], false),
            (
                "two halves are no whole",
                vec![
                    claim(HERE, "https://issuer.example", "somebody@example.org"),
                    claim(HERE, "https://other.example", "release@example.org"),
                ],
                false,
            ),
            (
                "a key is no identity",
                vec![Claim { identity: Identity::Key(HERE), ..good() }],
                false,
            ),
        ];
        for (name, claims, expected) in table {
            let trust = Trust { claims: claims.clone(), gaps: Vec::new() };
            assert_eq!(trust.one_that(&HERE, rule).is_some(), *expected, "{name}");
        }
    }
}
