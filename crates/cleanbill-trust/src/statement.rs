//! in-toto statements, version 1 (<https://github.com/in-toto/attestation>), in DSSE envelopes:
//! what is said about which digests, signed. Must not know what a decision or a snapshot looks
//! like: the predicate is whoever makes it.

use std::collections::BTreeMap;

use cleanbill_core::digest::Digest;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::dsse;
use crate::error::{Error, Result};
use crate::json;
use crate::key::{PublicKey, SigningKey};

/// What an envelope says that holds a statement.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// The type of every statement of this version.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// The type of the predicate in decision receipts.
///
/// in-toto wants a URI that *should* lead to a description. This one leads nowhere on purpose: an
/// https URI would rest on a domain that the project does not own, and whoever came to own it
/// could say what our receipts mean. `cleanbill` is not registered as a URN namespace either; the
/// name is only compared, never resolved. `docs/receipts.md` is its description.
pub const DECISION: &str = "urn:cleanbill:decision:v1";
/// The type of the predicate in what is said about snapshots of advisories: as [`DECISION`], a name
/// that leads nowhere. `docs/advisories.md` is its description.
pub const SNAPSHOT: &str = "urn:cleanbill:snapshot:v1";
/// Subjects that a statement may have.
pub const SUBJECTS_MAX: usize = 1024;

/// One thing that a statement is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// What people call it: an image's name as it was asked about.
    pub name: String,
    /// What it is.
    pub digest: Digest,
}

/// A statement whose signature held.
#[derive(Clone, Debug, PartialEq)]
pub struct Attested {
    /// What it is about.
    pub subjects: Vec<Subject>,
    /// The predicate's type.
    pub predicate_type: String,
    /// What is said: an object.
    pub predicate: Value,
    /// Who said it.
    pub key: PublicKey,
}

/// The JSON. Unknown fields are passed over, as the specification wants it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    #[serde(rename = "_type")]
    statement_type: String,
    subject: Vec<RawSubject>,
    predicate_type: String,
    #[serde(default)]
    predicate: serde_json::Map<String, Value>,
}

#[derive(Debug, Serialize, Deserialize)]
struct RawSubject {
    #[serde(default)]
    name: String,
    /// Algorithm → hexadecimal value.
    digest: BTreeMap<String, String>,
}

/// Signs a statement: `predicate` (an object, which must name no secret) of this type about
/// `subjects`. Returns the envelope as JSON text.
///
/// A decision about images of which no digest is known (refused by their names) still needs a
/// subject: the digest of the question that was asked.
///
/// # Errors
/// When the predicate is no object, there is no subject or over 1024, or it is all too large.
pub fn sign(
    predicate_type: &str,
    predicate: &Value,
    subjects: &[Subject],
    key: &SigningKey,
) -> Result<String> {
    let Value::Object(predicate) = predicate else {
        return Err(Error::malformed("the predicate of a statement must be an object"));
    };
    count(subjects.len())?;
    let one = |s: &Subject| RawSubject {
        name: s.name.clone(),
        digest: BTreeMap::from([(s.digest.algorithm().to_owned(), s.digest.hex())]),
    };
    let raw = Raw {
        statement_type: STATEMENT_TYPE.into(),
        subject: subjects.iter().map(one).collect(),
        predicate_type: predicate_type.into(),
        predicate: predicate.clone(),
    };
    let bytes = serde_json::to_vec(&raw)
        .map_err(|e| Error::malformed(format!("the statement cannot be written: {e}")))?;
    // What is signed here must be readable by `verify`, above all the predicate's keys and depth.
    read(&bytes)?;
    dsse::sign(PAYLOAD_TYPE, &bytes, key)
}

/// Verifies an envelope that holds a statement of this predicate type, signed by one of `keys`.
///
/// # Errors
/// See [`dsse::verify`]; [`crate::ErrorKind::Malformed`] also when what was signed is no such
/// statement.
pub fn verify(envelope: &[u8], predicate_type: &str, keys: &[PublicKey]) -> Result<Attested> {
    let verified = dsse::verify(envelope, PAYLOAD_TYPE, keys)?;
    let (subjects, raw) = read(&verified.payload)?;
    if raw.predicate_type != predicate_type {
        let other: String = raw.predicate_type.chars().take(80).collect();
        return Err(Error::malformed(format!(
            "the statement says {other:?}, where {predicate_type} is expected"
        )));
    }
    Ok(Attested {
        subjects,
        predicate_type: raw.predicate_type,
        predicate: Value::Object(raw.predicate),
        key: verified.key,
    })
}

/// Reads a statement's bytes. Nothing of it counts before a signature over them held.
fn read(bytes: &[u8]) -> Result<(Vec<Subject>, Raw)> {
    let raw: Raw = json::parse(bytes, "the statement")?;
    if raw.statement_type != STATEMENT_TYPE {
        let other: String = raw.statement_type.chars().take(80).collect();
        return Err(Error::malformed(format!("{other:?} is no {STATEMENT_TYPE}")));
    }
    count(raw.subject.len())?;
    let subjects = raw.subject.iter().map(subject).collect::<Result<_>>()?;
    Ok((subjects, raw))
}

/// Any bytes as a statement, for fuzzing: must not panic, and must end.
pub fn fuzz(bytes: &[u8]) {
    _ = read(bytes);
}

fn count(subjects: usize) -> Result<()> {
    match subjects {
        0 => Err(Error::malformed("the statement is about nothing: it has no subject")),
        1..=SUBJECTS_MAX => Ok(()),
        more => Err(Error::over_limit(format!(
            "the statement has {more} subjects, more than {SUBJECTS_MAX}"
        ))),
    }
}

/// A subject by the first digest of an algorithm that we know; one without is not something that
/// anybody could hold bytes against.
fn subject(raw: &RawSubject) -> Result<Subject> {
    let known = ["sha256", "sha512"];
    let digest = known.iter().find_map(|a| Some(format!("{a}:{}", raw.digest.get(*a)?)));
    let wrong = |why: String| {
        let name: String = raw.name.chars().take(80).collect();
        Error::malformed(format!("the statement's subject {name:?}: {why}"))
    };
    let digest = digest.ok_or_else(|| wrong("it has no sha256 and no sha512 digest".into()))?;
    let digest = digest.parse().map_err(|e| wrong(format!("{e}")))?;
    Ok(Subject { name: raw.name.clone(), digest })
}

#[cfg(test)]
mod tests {
    use super::{DECISION, PAYLOAD_TYPE, STATEMENT_TYPE, Subject, sign, verify};
    use crate::dsse;
    use crate::key::SigningKey;
    use cleanbill_core::digest::Digest;
    use serde_json::{Value, json};

    fn subjects() -> Vec<Subject> {
        let of = |name: &str, digest| Subject { name: name.into(), digest };
        vec![of("registry.example/app:1", Digest::Sha256([7; 32])), of("", Digest::Sha512([8; 64]))]
    }

    #[test]
    fn a_decision_comes_back_as_it_was_signed() {
        let key = SigningKey::generate().unwrap();
        let predicate = json!({"id": "x", "outcome": "deny", "at": [1, 2.5, null]});
        let envelope = sign(DECISION, &predicate, &subjects(), &key).unwrap();
        let got = verify(envelope.as_bytes(), DECISION, &[key.public()]).unwrap();
        assert_eq!(got.subjects, subjects());
        assert_eq!((got.predicate, got.predicate_type.as_str()), (predicate, DECISION));
        assert_eq!(got.key, key.public());

        let other = verify(envelope.as_bytes(), "urn:other", &[key.public()]).unwrap_err();
        assert!(other.to_string().contains("where urn:other is expected"), "{other}");
    }

    #[test]
    fn what_cannot_be_verified_is_not_signed() {
        let key = SigningKey::generate().unwrap();
        let deep = (0..70).fold(json!({}), |inside, _| json!({ "a": inside }));
        let many = vec![subjects().remove(0); 1025];
        let table: &[(&str, Value, &[Subject], &str)] = &[
            ("no object", json!([1]), &subjects(), "must be an object"),
            ("about nothing", json!({}), &[], "no subject"),
            ("about too much", json!({}), &many, "more than 1024"),
            ("too deep", deep, &subjects(), "nested deeper than 64"),
            ("keys that differ in case", json!({"a": 1, "A": 2}), &subjects(), "stands twice"),
        ];
        for (name, predicate, subjects, part) in table {
            let said = sign(DECISION, predicate, subjects, &key).unwrap_err().to_string();
            assert!(said.contains(part), "{name}: {said}");
        }
    }

    /// The signature holds in every row; what was signed is the trouble.
    #[test]
    fn signed_nonsense_is_still_nonsense() {
        let key = SigningKey::generate().unwrap();
        let good = json!({
            "_type": STATEMENT_TYPE,
            "subject": [{"digest": {"sha256": "07".repeat(32)}, "uri": "unknown fields are fine"}],
            "predicateType": DECISION,
        });
        let with = |field: &str, value: Value| {
            let mut changed = good.clone();
            changed[field] = value;
            changed.to_string()
        };
        let upper = "AB".repeat(32);
        let table: &[(&str, String, &str)] = &[
            ("good", good.to_string(), ""),
            ("its type", with("_type", json!("https://in-toto.io/Statement/v0.1")), "v0.1"),
            ("no subject", with("subject", json!([])), "no subject"),
            ("no digest", with("subject", json!([{"name": "a", "digest": {}}])), "no sha256"),
            ("only sha1", with("subject", json!([{"digest": {"sha1": "ab"}}])), "no sha256"),
            ("upper case", with("subject", json!([{"digest": {"sha256": upper}}])), "lower-case"),
            (
                "another predicate",
                with("predicateType", json!("x")),
                "where urn:cleanbill:decision:v1",
            ),
            ("a predicate of text", with("predicate", json!("x")), "invalid type"),
            ("a subject twice", good.to_string().replacen('{', "{\"subject\":[],", 1), "twice"),
            ("no JSON", "hello".into(), "expected value"),
        ];
        for (name, body, part) in table {
            let envelope = dsse::sign(PAYLOAD_TYPE, body.as_bytes(), &key).unwrap();
            match verify(envelope.as_bytes(), DECISION, &[key.public()]) {
                Ok(_) => assert_eq!(*part, "", "{name}"),
                Err(e) => {
                    let said = e.to_string();
                    assert!(!part.is_empty() && said.contains(part), "{name}: {said}");
                }
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_statements_never_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
            super::fuzz(&bytes);
        }
    }
}
