//! Tokens: what is accepted, and every way in which one is not.

use super::{DOMAIN, TOKEN_MAX, Terms, issue, read_unverified, verify};
use crate::dsse::{self, pae};
use crate::error::ErrorKind;
use crate::key::SigningKey;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use proptest::prelude::*;

fn hours(from: i64, to: i64) -> (Timestamp, Timestamp) {
    let at = |h: i64| Timestamp::from_second(1_790_000_000 + h * 3600).unwrap();
    (at(from), at(to))
}

fn terms() -> Terms {
    let digests = [Digest::Sha256([1; 32]), Digest::Sha256([2; 32]), Digest::Sha256([1; 32])];
    Terms::new("payments", &digests, "anna@example.org", "INC-7: rollback", hours(0, 4)).unwrap()
}

/// A token as a key's holder could make one who does not keep to the rules.
fn forge(body: &str, key: &SigningKey) -> String {
    let signature = key.sign(&pae(DOMAIN, body.as_bytes()));
    format!("cbg1.{}.{}", URL_SAFE_NO_PAD.encode(body), URL_SAFE_NO_PAD.encode(signature))
}

#[test]
fn a_token_gives_the_grant_that_was_signed() {
    let (key, other) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
    let terms = terms();
    let token = issue(&terms, &key).unwrap();
    let grant = verify(&token, &[other.public(), key.public()]).unwrap();
    assert_eq!(grant, terms.clone().granted(&key.public()));
    assert_eq!(grant.digests.len(), 2, "a digest given twice stands once");
    assert_eq!(grant.key_id, key.public().id());
    assert_eq!(read_unverified(&token).unwrap(), terms);
    let again = self::terms();
    assert_ne!(again.id, terms.id, "ids are random");
}

#[test]
fn only_an_accepted_key_makes_a_token() {
    let (key, other) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
    let token = issue(&terms(), &key).unwrap();
    let body = serde_json::to_string(&terms()).unwrap();
    let envelope = dsse::sign("application/vnd.in-toto+json", body.as_bytes(), &key).unwrap();
    let envelope: serde_json::Value = serde_json::from_str(&envelope).unwrap();
    let plain = |v: &serde_json::Value| {
        v.as_str().unwrap().trim_end_matches('=').replace('+', "-").replace('/', "_")
    };
    let receipt = format!(
        "cbg1.{}.{}",
        plain(&envelope["payload"]),
        plain(&envelope["signatures"][0]["sig"])
    );
    let raw = URL_SAFE_NO_PAD.encode(key.sign(body.as_bytes()));
    let raw = format!("cbg1.{}.{raw}", URL_SAFE_NO_PAD.encode(&body));
    let (ours, theirs) = (key.public(), other.public());
    let table = [
        ("as issued", token.clone(), vec![ours], None),
        ("no key is accepted", token.clone(), vec![], Some(ErrorKind::Signature)),
        ("the key was taken out", token.clone(), vec![theirs], Some(ErrorKind::Signature)),
        ("signed as a receipt", receipt, vec![ours], Some(ErrorKind::Signature)),
        ("signed without its domain", raw, vec![ours], Some(ErrorKind::Signature)),
        ("more keys than are tried", token, vec![ours; 17], Some(ErrorKind::OverLimit)),
    ];
    for (name, token, keys, expected) in table {
        assert_eq!(verify(&token, &keys).err().map(|e| e.kind()), expected, "{name}");
    }
}

/// Its holder may sign what they like: the rules hold for who verifies too.
#[test]
fn a_key_does_not_lift_the_bounds() {
    let key = SigningKey::generate().unwrap();
    let good = serde_json::to_string(&terms()).unwrap();
    let one = format!("\"sha256:{}\"", "01".repeat(32));
    let list = |n: usize| vec![one.clone(); n].join(",");
    let both = format!("{one},\"sha256:{}\"", "02".repeat(32));
    let sha512 = format!("\"sha512:{}\"", "02".repeat(64));
    let with = |from: &str, to: &str| {
        let changed = good.replacen(from, to, 1);
        assert_ne!(changed, good, "{from}");
        changed
    };
    let id = terms().id;
    let other_id = |to: &str| with(&good[7..27], to);
    let table = [
        ("good", good.clone(), ""),
        ("sixteen digests", with(&both, &list(16)), ""),
        ("seventeen digests", with(&both, &list(17)), "17 digests"),
        ("no digest", with(&both, ""), "no digest"),
        ("another hash", with(&both, &sha512), "only sha256"),
        ("no digest's form", with("sha256:", "sha256:g"), "lower-case hex"),
        ("no namespace", with("payments", ""), "namespace"),
        ("all namespaces", with("payments", "*"), "namespace"),
        ("upper case", with("payments", "Payments"), "namespace"),
        ("a dash at its end", with("payments", "payments-"), "namespace"),
        ("a long namespace", with("payments", &"p".repeat(64)), "namespace"),
        ("nobody", with("anna@example.org", " "), "person is empty"),
        ("no reason", with("INC-7: rollback", ""), "reason is empty"),
        ("a second line", with("INC-7: rollback", "a\\nb"), "control character"),
        ("a long reason", with("INC-7: rollback", &"r".repeat(513)), "more than 512"),
        ("a long name", with("anna@example.org", &"r".repeat(129)), "more than 128"),
        ("eight days", with("2026-09-21T18:13:20Z", "2026-09-29T14:13:20Z"), "more than 7 days"),
        ("a century", with("2026-09-21T18:13:20Z", "2126-09-29T14:13:20Z"), "more than 7 days"),
        ("backwards", with("2026-09-21T18:13:20Z", "2025-09-21T18:13:20Z"), "before it begins"),
        ("at once over", with("2026-09-21T18:13:20Z", "2026-09-21T14:13:20Z"), "before it begins"),
        ("no time", with("2026-09-21T18:13:20Z", "tomorrow"), "the token: "),
        ("an unknown field", with("{", "{\"all\":true,"), "unknown field"),
        ("a field twice", with("{", "{\"namespace\":\"a\","), "stands twice"),
        ("its spelling", with("\"namespace\"", "\"Namespace\""), "unknown field"),
        ("a field less", with("\"reason\":\"INC-7: rollback\",", ""), "missing field"),
        ("an id of another form", other_id("../../../../../../aa"), "id is not of our form"),
        ("a short id", other_id("abc"), "id is not of our form"),
        ("more after it", format!("{good}{{}}"), "trailing characters"),
        ("a list", "[]".into(), "the token: "),
        ("nothing", String::new(), "the token: "),
    ];
    assert_eq!(id.len(), 20);
    for (name, body, part) in table {
        match verify(&forge(&body, &key), &[key.public()]) {
            Ok(_) => assert_eq!(part, "", "{name}"),
            Err(e) => {
                assert_ne!(e.kind(), ErrorKind::Signature, "{name}");
                assert!(!part.is_empty() && e.to_string().contains(part), "{name}: {e}");
            }
        }
    }
}

#[test]
fn what_is_no_token_is_refused_before_it_is_decoded() {
    let key = SigningKey::generate().unwrap();
    let token = issue(&terms(), &key).unwrap();
    let (body, signature) = token.strip_prefix("cbg1.").unwrap().split_once('.').unwrap();
    // The last character of a signature carries four bits that mean nothing: they must be zero.
    let spelled = format!("{}{}", &token[..token.len() - 1], next(token.chars().last().unwrap()));
    let table = [
        ("empty", String::new(), ErrorKind::Malformed),
        ("another version", token.replace("cbg1", "cbg2"), ErrorKind::Malformed),
        ("no version", format!("{body}.{signature}"), ErrorKind::Malformed),
        ("no signature", format!("cbg1.{body}"), ErrorKind::Malformed),
        ("an empty signature", format!("cbg1.{body}."), ErrorKind::Malformed),
        ("half a signature", format!("cbg1.{body}.{}", &signature[..40]), ErrorKind::Malformed),
        ("two signatures", format!("{token}.{signature}"), ErrorKind::Malformed),
        ("padding", format!("{token}=="), ErrorKind::Malformed),
        ("a space before it", format!(" {token}"), ErrorKind::Malformed),
        ("a new line after it", format!("{token}\n"), ErrorKind::Malformed),
        ("spelled otherwise", spelled, ErrorKind::Malformed),
        ("endless", format!("cbg1.{}", "A".repeat(TOKEN_MAX)), ErrorKind::OverLimit),
    ];
    for (name, token, expected) in table {
        let got = verify(&token, &[key.public()]).map_err(|e| e.kind());
        assert_eq!(got, Err(expected), "{name}");
        assert!(read_unverified(&token).is_err(), "{name}");
    }
}

fn next(c: char) -> char {
    if c == 'A' { 'B' } else { char::from(c as u8 + 1) }
}

#[test]
fn the_largest_token_fits() {
    let key = SigningKey::generate().unwrap();
    let digests: Vec<Digest> = (0..16).map(|i| Digest::Sha256([i; 32])).collect();
    let (from, to) = (Timestamp::from_nanosecond(1_790_000_000_123_456_789).unwrap(), hours(0, 99));
    // Quotes become two characters each in JSON: nothing becomes more.
    let (person, reason) = ("\"".repeat(128), "\\".repeat(512));
    let largest = Terms::new(&"n".repeat(63), &digests, &person, &reason, (from, to.1)).unwrap();
    let token = issue(&largest, &key).unwrap();
    assert!((3600..=TOKEN_MAX).contains(&token.len()), "{}", token.len());
    assert!(verify(&token, &[key.public()]).is_ok());
}

#[test]
fn any_changed_bit_ends_a_token() {
    let key = SigningKey::generate().unwrap();
    let token = issue(&terms(), &key).unwrap();
    let keys = [key.public()];
    let mut texts = 0;
    for at in 0..token.len() {
        for bit in 0..8 {
            let mut changed = token.clone().into_bytes();
            changed[at] ^= 1 << bit;
            // The others are no UTF-8, which no annotation can hold.
            if let Ok(changed) = String::from_utf8(changed) {
                texts += 1;
                assert!(verify(&changed, &keys).is_err(), "bit {bit} of character {at}");
            }
        }
    }
    assert_eq!(texts, token.len() * 7);
}

proptest! {
    #[test]
    fn arbitrary_tokens_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        super::fuzz(&bytes);
        let token = format!("cbg1.{}", String::from_utf8_lossy(&bytes));
        let got = verify(&token, &[]);
        prop_assert!(got.is_err());
    }
}
