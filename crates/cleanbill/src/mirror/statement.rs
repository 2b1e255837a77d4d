//! What is signed of a published snapshot: which layer, of which kind and size, and which snapshot
//! that is. An in-toto statement in a DSSE envelope.
//!
//! The name of the repository is not signed: whoever mirrors a snapshot elsewhere keeps its
//! signature. Nor is there a date: an old snapshot that was signed once is refused for going back,
//! as any old one is.

use cleanbill_core::digest::Digest;
use cleanbill_oci::content::Descriptor;
use cleanbill_trust::statement::{self, SNAPSHOT, Subject};
use cleanbill_trust::{PublicKey, SigningKey};
use serde::Deserialize;
use serde_json::json;

use crate::failure::{Failure, Result};

/// Bytes that the envelope may have; ours have about 1,200.
pub const ENVELOPE_MAX: usize = 64 << 10;

/// What the statement says of its subject, the layer's digest.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Said {
    media_type: String,
    size: u64,
    snapshot: Digest,
}

/// A statement whose signature held, and which is about the layer at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vouched {
    /// The digest that the snapshot in the layer must have.
    pub snapshot: Digest,
    /// Who says so.
    pub key: PublicKey,
}

/// Signs that this layer is this snapshot.
///
/// # Errors
/// When it cannot be put into a statement.
pub fn sign(layer: &Descriptor, snapshot: Digest, key: &SigningKey) -> Result<String> {
    let said = json!({"mediaType": layer.media_type, "size": layer.size, "snapshot": snapshot});
    let subject = Subject { name: super::TITLE.into(), digest: layer.digest };
    statement::sign(SNAPSHOT, &said, &[subject], key)
        .map_err(|e| Failure::new(format!("the snapshot cannot be signed: {e}")))
}

/// Verifies that one of `keys` signed that this layer is a snapshot, and says which one.
///
/// # Errors
/// When none did, or it was said of something else.
pub fn verify(envelope: &str, layer: &Descriptor, keys: &[PublicKey]) -> Result<Vouched> {
    if envelope.len() > ENVELOPE_MAX {
        let why = format!("its signature has more than {ENVELOPE_MAX} bytes");
        return Err(Failure::new(why));
    }
    let wrong = |why: String| Failure::new(format!("its signature does not hold: {why}"));
    let attested =
        statement::verify(envelope.as_bytes(), SNAPSHOT, keys).map_err(|e| wrong(e.to_string()))?;
    let said: Said = serde_json::from_value(attested.predicate)
        .map_err(|e| wrong(format!("what was signed: {e}")))?;
    let [subject] = attested.subjects.as_slice() else {
        return Err(wrong("what was signed is about several things".into()));
    };
    let same = subject.digest == layer.digest
        && said.size == layer.size
        && said.media_type == layer.media_type;
    if !same {
        return Err(wrong(format!(
            "it is about another layer ({}, {} bytes), not {} ({} bytes)",
            subject.digest.short(),
            said.size,
            layer.digest.short(),
            layer.size
        )));
    }
    Ok(Vouched { snapshot: said.snapshot, key: attested.key })
}

#[cfg(test)]
mod tests {
    use cleanbill_core::digest::Digest;
    use cleanbill_oci::content::Descriptor;
    use cleanbill_trust::statement::{self, DECISION, SNAPSHOT, Subject};
    use cleanbill_trust::{PublicKey, SigningKey};
    use serde_json::{Value, json};

    use super::{ENVELOPE_MAX, sign, verify};

    fn layer() -> Descriptor {
        Descriptor { media_type: "a/b".into(), digest: Digest::Sha256([1; 32]), size: 7 }
    }

    #[test]
    fn a_signature_is_for_one_layer_and_one_snapshot() {
        let (key, other) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
        let snapshot = Digest::Sha256([2; 32]);
        let good = sign(&layer(), snapshot, &key).unwrap();
        let vouched = verify(&good, &layer(), &[other.public(), key.public()]).unwrap();
        assert_eq!((vouched.snapshot, vouched.key), (snapshot, key.public()));

        let signed = |kind: &str, said: Value, digests: &[u8]| {
            let subject =
                |d: &u8| Subject { name: String::new(), digest: Digest::Sha256([*d; 32]) };
            let subjects: Vec<Subject> = digests.iter().map(subject).collect();
            statement::sign(kind, &said, &subjects, &key).unwrap()
        };
        let said = json!({"mediaType": "a/b", "size": 7, "snapshot": snapshot});
        let with = |field: &str, value: Value| {
            let mut changed = said.clone();
            changed[field] = value;
            changed
        };
        let ours: &[PublicKey] = &[key.public()];
        let theirs: &[PublicKey] = &[other.public()];
        let table: Vec<(&str, String, &[PublicKey], &str)> = vec![
            ("by another key", good.clone(), theirs, "none of the 1 keys"),
            ("no key at all", good.clone(), &[], "none of the 0 keys"),
            ("nothing", String::new(), ours, "EOF"),
            ("too long", " ".repeat(ENVELOPE_MAX + 1), ours, "more than 65536 bytes"),
            ("another digest", signed(SNAPSHOT, said.clone(), &[3]), ours, "about another layer"),
            ("another size", signed(SNAPSHOT, with("size", json!(8)), &[1]), ours, "another layer"),
            (
                "another kind",
                signed(SNAPSHOT, with("mediaType", json!("c/d")), &[1]),
                ours,
                "another layer",
            ),
            ("two layers", signed(SNAPSHOT, said.clone(), &[1, 3]), ours, "several things"),
            ("a receipt", signed(DECISION, said.clone(), &[1]), ours, "where urn:cleanbill:snap"),
            ("no snapshot", signed(SNAPSHOT, json!({}), &[1]), ours, "missing field"),
            ("more said", signed(SNAPSHOT, with("x", json!(1)), &[1]), ours, "unknown field"),
        ];
        for (case, envelope, keys, part) in table {
            let said = verify(&envelope, &layer(), keys).unwrap_err().to_string();
            assert!(said.contains(part), "{case}: {said}");
        }
    }
}
