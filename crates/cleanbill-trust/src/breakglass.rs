//! Break-glass tokens: "I answer for these images in this namespace until then", signed, small
//! enough for an annotation of a pod.
//!
//! ```text
//! token   = "cbg1." base64url(terms) "." base64url(signature)       (no padding)
//! terms   = JSON: id, namespace, digests, person, reason, not_before, expires
//! signed  = DSSE's pre-authentication encoding of urn:cleanbill:breakglass:v1 and the terms
//! ```
//!
//! Must not judge: [`verify`] says who wrote what. Whether it holds for an image in a namespace
//! at some time is [`Grant::covers`], and whether that counts is the policy's question.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use cleanbill_core::grant::Grant;
use serde::{Deserialize, Serialize};

use crate::dsse::pae;
use crate::error::{Error, ErrorKind, Result};
use crate::json;
use crate::key::{PublicKey, SIGNATURE_LEN, SigningKey, random};

/// The annotation of a pod that carries a token. The API server forwards annotations to an
/// ImagePolicyWebhook only if their key contains `.image-policy.k8s.io/`.
pub const ANNOTATION: &str = "breakglass.image-policy.k8s.io/token";
/// Characters that a token has at most. The largest that can be issued fits.
pub const TOKEN_MAX: usize = 4096;
/// Digests that a token names at most; at least one.
pub const DIGESTS_MAX: usize = 16;
/// Bytes of the person's name, at most.
pub const PERSON_MAX: usize = 128;
/// Bytes of the reason, at most.
pub const REASON_MAX: usize = 512;
/// Seconds from first to last instant, at most: seven days.
pub const LIFETIME_MAX: i64 = 7 * 24 * 3600;
/// Keys that are tried, at most.
pub const KEYS_MAX: usize = 16;

const PREFIX: &str = "cbg1.";
/// What is signed, so that no other signature by the same key can be a token.
const DOMAIN: &str = "urn:cleanbill:breakglass:v1";
const ID_LEN: usize = 20;
const ID_ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// A DNS label, which names of namespaces are.
const NAMESPACE_MAX: usize = 63;

/// What a token says; by itself it proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// A random id; see [`Grant::id`].
    pub id: String,
    /// The namespace.
    pub namespace: String,
    /// The images: SHA-256 digests of manifests or indexes.
    pub digests: Vec<Digest>,
    /// Who answers for it.
    pub person: String,
    /// Why.
    pub reason: String,
    /// The first instant at which it holds.
    pub not_before: Timestamp,
    /// The first instant at which it holds no more.
    pub expires: Timestamp,
}

impl Terms {
    /// Terms with a new random id, held against every bound. A digest given twice stands once.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] or [`ErrorKind::OverLimit`], saying which rule they break.
    pub fn new(
        namespace: &str,
        digests: &[Digest],
        person: &str,
        reason: &str,
        (not_before, expires): (Timestamp, Timestamp),
    ) -> Result<Self> {
        let mut once = Vec::new();
        for digest in digests {
            if !once.contains(digest) {
                once.push(*digest);
            }
        }
        let terms = Self {
            id: new_id()?,
            namespace: namespace.into(),
            digests: once,
            person: person.trim().into(),
            reason: reason.trim().into(),
            not_before,
            expires,
        };
        terms.check()?;
        Ok(terms)
    }

    /// Every rule on what a token may say, for who issues and for who verifies.
    fn check(&self) -> Result<()> {
        let label = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
        let name = self.namespace.as_bytes();
        let ends = [name.first(), name.last()];
        if name.len() > NAMESPACE_MAX
            || !name.iter().all(|c| label(*c) || *c == b'-')
            || !ends.iter().all(|c| c.is_some_and(|c| label(*c)))
        {
            return Err(Error::malformed(
                "the namespace is no name that Kubernetes takes (a-z, 0-9, -; at most 63)",
            ));
        }
        if self.id.len() != ID_LEN || !self.id.bytes().all(|c| ID_ALPHABET.contains(&c)) {
            return Err(Error::malformed("the token's id is not of our form"));
        }
        match self.digests.len() {
            0 => {
                return Err(Error::malformed(
                    "no digest is named: a token is for certain bytes, not for a name",
                ));
            }
            1..=DIGESTS_MAX => {}
            more => {
                return Err(Error::over_limit(format!(
                    "{more} digests, more than {DIGESTS_MAX}: issue a second token for other pods"
                )));
            }
        }
        if self.digests.iter().any(|d| !matches!(d, Digest::Sha256(_))) {
            return Err(Error::malformed("only sha256 digests can stand in a token"));
        }
        line("person", &self.person, PERSON_MAX)?;
        line("reason", &self.reason, REASON_MAX)?;
        let seconds = self.expires.duration_since(self.not_before).as_secs();
        if self.expires <= self.not_before {
            return Err(Error::malformed("it would end before it begins"));
        }
        if seconds > LIFETIME_MAX {
            return Err(Error::over_limit("it would hold for more than 7 days (168h)"));
        }
        Ok(())
    }

    fn granted(self, key: &PublicKey) -> Grant {
        let Self { id, namespace, digests, person, reason, not_before, expires } = self;
        Grant { id, key_id: key.id(), namespace, digests, person, reason, not_before, expires }
    }
}

/// One line of text that is not empty: it is shown and recorded where lines count.
fn line(what: &str, text: &str, max: usize) -> Result<()> {
    if text.trim().is_empty() {
        return Err(Error::malformed(format!("the {what} is empty")));
    }
    if text.len() > max {
        return Err(Error::over_limit(format!("the {what} has more than {max} bytes")));
    }
    if text.chars().any(char::is_control) {
        return Err(Error::malformed(format!("the {what} has a control character or a new line")));
    }
    Ok(())
}

/// Signs terms: the token, a single line of at most [`TOKEN_MAX`] characters.
///
/// # Errors
/// When the terms break a rule (they can have been changed since [`Terms::new`]).
pub fn issue(terms: &Terms, key: &SigningKey) -> Result<String> {
    terms.check()?;
    let body = serde_json::to_vec(terms)
        .map_err(|e| Error::malformed(format!("the token cannot be written: {e}")))?;
    let signature = key.sign(&pae(DOMAIN, &body));
    let (body, signature) = (URL_SAFE_NO_PAD.encode(body), URL_SAFE_NO_PAD.encode(signature));
    let token = format!("{PREFIX}{body}.{signature}");
    if token.len() > TOKEN_MAX {
        return Err(Error::over_limit(format!(
            "the token would have {} characters, more than {TOKEN_MAX}: shorten the reason",
            token.len()
        )));
    }
    Ok(token)
}

/// Reads a token that one of `keys` signed. Nothing of it is parsed before a signature held.
///
/// Time plays no part: an expired token is a grant that covers nothing any more.
///
/// # Errors
/// [`ErrorKind::Signature`] when none of the keys signed it, or none was given;
/// [`ErrorKind::OverLimit`] for more than 16 keys or a long token; [`ErrorKind::Malformed`] for
/// the rest. The texts quote nothing of the token.
pub fn verify(token: &str, keys: &[PublicKey]) -> Result<Grant> {
    if keys.len() > KEYS_MAX {
        return Err(Error::over_limit(format!("{} keys, more than {KEYS_MAX}", keys.len())));
    }
    let (body, signature) = split(token)?;
    let message = pae(DOMAIN, &body);
    let key = keys.iter().find(|key| key.verifies(&message, &signature)).ok_or_else(|| {
        Error::new(ErrorKind::Signature, "the token was not signed by a key that is accepted here")
    })?;
    Ok(parse(&body)?.granted(key))
}

/// What a token says, without asking who wrote it: for showing only. A grant cannot come of it.
///
/// # Errors
/// When it is no token.
pub fn read_unverified(token: &str) -> Result<Terms> {
    parse(&split(token)?.0)
}

/// Any bytes as a token, and as what stands inside one: must not panic, and must end.
pub fn fuzz(bytes: &[u8]) {
    if let Ok(token) = std::str::from_utf8(bytes) {
        _ = verify(token, &[]);
        _ = read_unverified(token);
    }
    _ = parse(bytes);
}

/// The terms' bytes and the signature, decoded; there is one spelling only of each.
fn split(token: &str) -> Result<(Vec<u8>, Vec<u8>)> {
    let shape = || Error::malformed("this is no break-glass token (cbg1.…)");
    if token.len() > TOKEN_MAX {
        return Err(Error::over_limit(format!("the token has more than {TOKEN_MAX} characters")));
    }
    let (body, signature) =
        token.strip_prefix(PREFIX).and_then(|rest| rest.split_once('.')).ok_or_else(shape)?;
    let body = URL_SAFE_NO_PAD.decode(body).map_err(|_| shape())?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| shape())?;
    if signature.len() != SIGNATURE_LEN {
        return Err(shape());
    }
    Ok((body, signature))
}

fn parse(body: &[u8]) -> Result<Terms> {
    if body.len() > TOKEN_MAX {
        return Err(Error::over_limit("the token says too much"));
    }
    let terms: Terms = json::parse(body, "the token")?;
    terms.check()?;
    Ok(terms)
}

/// Twenty characters of Crockford's base 32: a hundred random bits.
fn new_id() -> Result<String> {
    let mut bytes = [0; ID_LEN];
    random(&mut bytes)?;
    let of = |b: &u8| ID_ALPHABET.get(usize::from(b & 31)).copied().map_or('0', char::from);
    Ok(bytes.iter().map(of).collect())
}

#[cfg(test)]
#[path = "breakglass_tests.rs"]
mod tests;
