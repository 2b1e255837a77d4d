//! DSSE, the Dead Simple Signing Envelope, version 1
//! (<https://github.com/secure-systems-lab/dsse>): how bytes are signed together with what they
//! are. Must not know what the payload means.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::json;
use crate::key::{PublicKey, SigningKey};

/// Bytes that an envelope may have.
pub const ENVELOPE_MAX: usize = 16 << 20;
/// Signatures that an envelope may have, and keys that are tried: both loops are bounded.
pub const SIGNATURES_MAX: usize = 16;

/// An envelope as JSON has it. Unknown fields are passed over, as the protocol wants it: they
/// are not signed and nothing here reads them.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload_type: String,
    payload: String,
    signatures: Vec<Signature>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Signature {
    /// A hint that is not signed: written for other readers, never read here.
    #[serde(default, skip_deserializing)]
    keyid: String,
    sig: String,
}

/// A payload of which one of the keys says that it is what `payload_type` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The bytes that were signed.
    pub payload: Vec<u8>,
    /// The first of the given keys that signed.
    pub key: PublicKey,
}

/// What is really signed: type and body with their lengths (protocol.md, "PAE"), so that a body
/// signed as one type can never be passed off as another.
pub fn pae(payload_type: &str, body: &[u8]) -> Vec<u8> {
    let mut out =
        format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), body.len()).into_bytes();
    out.extend_from_slice(body);
    out
}

/// Signs `payload` as `payload_type`: the envelope as JSON, one field a line and a newline at the
/// end, so that people without a JSON reader can take it apart.
///
/// # Errors
/// [`ErrorKind::OverLimit`] when the envelope would be one that [`verify`] refuses.
pub fn sign(payload_type: &str, payload: &[u8], key: &SigningKey) -> Result<String> {
    let signature = key.sign(&pae(payload_type, payload));
    let envelope = Envelope {
        payload_type: payload_type.into(),
        payload: STANDARD.encode(payload),
        signatures: vec![Signature {
            keyid: key.public().id().to_string(),
            sig: STANDARD.encode(signature),
        }],
    };
    let mut text = serde_json::to_string_pretty(&envelope)
        .map_err(|e| Error::malformed(format!("the envelope cannot be written: {e}")))?;
    text.push('\n');
    if text.len() > ENVELOPE_MAX {
        return Err(Error::over_limit(format!(
            "the envelope would have {} bytes, more than {ENVELOPE_MAX}",
            text.len()
        )));
    }
    Ok(text)
}

/// Takes the payload out of an envelope that says it is `payload_type` and that one of `keys`
/// signed as such. The type is the caller's, never the envelope's.
///
/// # Errors
/// [`ErrorKind::Signature`] when none of the keys signed it, or none was given;
/// [`ErrorKind::OverLimit`] and [`ErrorKind::Malformed`] when it is no such envelope.
pub fn verify(envelope: &[u8], payload_type: &str, keys: &[PublicKey]) -> Result<Verified> {
    if envelope.len() > ENVELOPE_MAX {
        return Err(Error::over_limit(format!(
            "the envelope has {} bytes, more than {ENVELOPE_MAX}",
            envelope.len()
        )));
    }
    let read: Envelope = json::parse(envelope, "the envelope")?;
    if read.payload_type != payload_type {
        let other: String = read.payload_type.chars().take(80).collect();
        return Err(Error::malformed(format!(
            "the envelope holds {other:?}, where {payload_type} is expected"
        )));
    }
    let (found, tried) = (read.signatures.len(), keys.len());
    if found.max(tried) > SIGNATURES_MAX {
        return Err(Error::over_limit(format!(
            "{found} signatures and {tried} keys: at most {SIGNATURES_MAX} each are tried"
        )));
    }
    let payload = decode(&read.payload, "payload")?;
    let message = pae(payload_type, &payload);
    let mut signatures = Vec::with_capacity(found);
    for signature in &read.signatures {
        signatures.push(decode(&signature.sig, "sig")?);
    }
    let signed = |key: &&PublicKey| signatures.iter().any(|s| key.verifies(&message, s));
    match keys.iter().find(signed) {
        Some(key) => Ok(Verified { payload, key: *key }),
        None => Err(Error::new(
            ErrorKind::Signature,
            format!("none of the {tried} keys made any of the envelope's {found} signatures"),
        )),
    }
}

/// Base64 of either alphabet with or without padding: verifiers must accept both.
fn decode(text: &str, field: &str) -> Result<Vec<u8>> {
    const LOOSE: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    const PLAIN: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LOOSE);
    const URL: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LOOSE);
    let url = text.contains(['-', '_']);
    let decoded = if url { URL.decode(text) } else { PLAIN.decode(text) };
    decoded.map_err(|e| Error::malformed(format!("the envelope: {field} is no base64: {e}")))
}

/// Any bytes as an envelope, for fuzzing: must not panic, and must end.
pub fn fuzz(bytes: &[u8]) {
    // No key is needed: reading comes before verifying.
    _ = verify(bytes, "application/vnd.in-toto+json", &[]);
}

#[cfg(test)]
mod tests {
    use super::{ErrorKind, PublicKey, SigningKey, pae, sign, verify};

    const TYPE: &str = "http://example.com/HelloWorld";

    #[test]
    fn the_encoding_is_the_protocols() {
        let table: &[(&str, &[u8], &[u8])] = &[
            (TYPE, b"hello world", b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"),
            ("", b"", b"DSSEv1 0  0 "),
            ("\u{e9}", b"\xff\n", b"DSSEv1 2 \xc3\xa9 2 \xff\n"),
        ];
        for (payload_type, body, expected) in table {
            assert_eq!(pae(payload_type, body), *expected, "{payload_type}");
        }
    }

    fn kind(envelope: &str, keys: &[PublicKey]) -> Result<Vec<u8>, ErrorKind> {
        verify(envelope.as_bytes(), TYPE, keys).map(|v| v.payload).map_err(|e| e.kind())
    }

    #[test]
    fn an_envelope_holds_what_was_signed_or_nothing() {
        let (key, other) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
        let (ours, theirs) = (key.public(), other.public());
        let good = sign(TYPE, b"hello??>world", &key).unwrap();
        let foreign = sign("http://example.com/Other", b"hello??>world", &key).unwrap();
        let sig = |envelope: &str| {
            let at = envelope.find("\"sig\": \"").unwrap() + 8;
            envelope[at..at + 88].to_owned()
        };
        let (ok, bad) = (Ok(b"hello??>world".to_vec()), Err(ErrorKind::Signature));
        let malformed = Err(ErrorKind::Malformed);
        let by_theirs = sign(TYPE, b"hello??>world", &other).unwrap();
        let two = good.replace(
            "\"signatures\": [",
            &format!("\"signatures\": [{{\"sig\": \"{}\"}},", sig(&by_theirs)),
        );
        let urlsafe = good.replace("aGVsbG8/Pz53b3JsZA==", "aGVsbG8_Pz53b3JsZA");
        assert_ne!(urlsafe, good);
        let none = good.replace("[\n", "[],\"x\":[\n");
        let table: &[(&str, String, &[PublicKey], _)] = &[
            ("as signed", good.clone(), &[ours], ok.clone()),
            ("one of two keys", good.clone(), &[theirs, ours], ok.clone()),
            ("one of two signatures", two, &[ours], ok.clone()),
            ("URL-safe base64, no padding", urlsafe, &[ours], ok.clone()),
            ("unknown fields", good.replacen('{', "{\"note\": 1,", 1), &[ours], ok.clone()),
            ("a lying keyid", good.replace("sha256:", "sha256:0"), &[ours], ok),
            ("nobody's key", good.clone(), &[], bad.clone()),
            ("another key", good.clone(), &[theirs], bad.clone()),
            ("another payload", good.replace("aGVsbG8", "aGVsbG9"), &[ours], bad.clone()),
            (
                "another's signature",
                good.replace(&sig(&good), &sig(&by_theirs)),
                &[ours],
                bad.clone(),
            ),
            (
                "signed as something else",
                foreign.replace("Other", "HelloWorld"),
                &[ours],
                bad.clone(),
            ),
            ("says it is something else", foreign, &[ours], malformed.clone()),
            ("no signature", none, &[ours], bad),
            (
                "two payloads",
                good.replacen('{', "{\"payload\": \"\",", 1),
                &[ours],
                malformed.clone(),
            ),
            (
                "a second spelling",
                good.replacen('{', "{\"Payload\": \"\",", 1),
                &[ours],
                malformed.clone(),
            ),
            ("no base64", good.replace("aGVsbG8", "a\u{e9}VsbG8"), &[ours], malformed.clone()),
            ("cut off", good[..good.len() - 9].to_owned(), &[ours], malformed),
            ("more than is tried", good.clone(), &[theirs; 17], Err(ErrorKind::OverLimit)),
        ];
        for (name, envelope, keys, expected) in table {
            assert_eq!(kind(envelope, keys), *expected, "{name}: {envelope}");
        }
        let long = format!("{good}{}", " ".repeat(super::ENVELOPE_MAX));
        assert_eq!(kind(&long, &[ours]), Err(ErrorKind::OverLimit));
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_envelopes_never_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
            super::fuzz(&bytes);
        }
    }
}
