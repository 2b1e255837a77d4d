//! What checkers write back: our own format and `ImageReview`. Read strictly, since an answer
//! that two readers could take in two ways is none; must not know how it came here.

use cleanbill_oci::json::{Rules, parse_strict};
use serde_json::Value;

use super::{ANSWER_BYTES, Said, Silence};
use crate::serve::review;

/// The version of our own format, in questions and in answers.
pub(super) const API_VERSION: &str = "cleanbill.checker/v1";

/// Reads an answer in our own format. It must say which image it is about, so that one which
/// was meant for another question (of a cache on the way, of a program that mixes them up)
/// counts for nothing.
pub(super) fn parse(bytes: &[u8], image: &str) -> Result<Said, Silence> {
    let fields = ["apiVersion", "kind", "image", "allowed", "reason"];
    let answer = document(bytes, &fields, &[])?;
    demand(&answer, "apiVersion", API_VERSION, false)?;
    demand(&answer, "kind", "Answer", false)?;
    match answer.get("image") {
        Some(Value::String(about)) if about == image => {}
        Some(Value::String(_)) => return Err(Silence::new("its answer is about another image")),
        _ => return Err(Silence::new("its answer does not say which \"image\" it is about")),
    }
    said(&answer, "")
}

/// Reads an answer as the API server reads one: what is not there need not be right, but for
/// `allowed`, without which nothing was said.
pub(super) fn parse_image_review(bytes: &[u8]) -> Result<Said, Silence> {
    let fields = ["apiVersion", "kind", "status", "allowed", "reason", "auditAnnotations"];
    let answer = document(bytes, &fields, &["annotations", "auditAnnotations", "labels"])?;
    demand(&answer, "apiVersion", review::API_VERSION, true)?;
    demand(&answer, "kind", review::KIND, true)?;
    match answer.get("status") {
        Some(status @ Value::Object(_)) => said(status, "status."),
        _ => Err(Silence::new("its answer has no \"status\"")),
    }
}

/// Reads bytes as an answer in our own format: the entry for fuzzing. True when it was one.
pub fn fuzz_answer(bytes: &[u8]) -> bool {
    parse(bytes, "docker.io/library/fuzz:1").is_ok()
}

/// Reads bytes as an answered `ImageReview`: the entry for fuzzing. True when it was one.
pub fn fuzz_imagereview(bytes: &[u8]) -> bool {
    parse_image_review(bytes).is_ok()
}

fn document(bytes: &[u8], fields: &[&str], maps: &[&str]) -> Result<Value, Silence> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Silence::new("its answer is empty"));
    }
    let rules = Rules { what: "answer", limit: ANSWER_BYTES as u64, fields, maps };
    let value: Value = parse_strict(bytes, &rules)
        .map_err(|e| Silence::new("its answer is no valid JSON").log(e))?;
    if !value.is_object() {
        return Err(Silence::new("its answer is no JSON object"));
    }
    Ok(value)
}

/// A field must have this text. `lenient`: or be absent.
fn demand(answer: &Value, field: &str, wanted: &str, lenient: bool) -> Result<(), Silence> {
    match answer.get(field) {
        None if lenient => Ok(()),
        Some(Value::String(text)) if text == wanted || (lenient && text.is_empty()) => Ok(()),
        got => {
            let got = got.map_or_else(|| "absent".to_owned(), ToString::to_string);
            Err(Silence::new(format!("its answer has another \"{field}\" than {wanted}")).log(got))
        }
    }
}

fn said(answer: &Value, at: &str) -> Result<Said, Silence> {
    let reason = match answer.get("reason") {
        None | Some(Value::Null) => "",
        Some(Value::String(reason)) => reason,
        Some(_) => return Err(Silence::new(format!("its answer's \"{at}reason\" is no text"))),
    };
    match answer.get("allowed") {
        Some(Value::Bool(true)) => Ok(Said::Agrees),
        Some(Value::Bool(false)) => Ok(Said::Disagrees(reason.to_owned())),
        _ => Err(Silence::new(format!("its answer does not say whether it is \"{at}allowed\""))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGE: &str = "registry.example/app:1@sha256:aa";

    #[test]
    fn an_answer_of_ours_is_read_strictly() {
        let good = r#"{"apiVersion":"cleanbill.checker/v1","kind":"Answer","image":"registry.example/app:1@sha256:aa","allowed":true}"#;
        let no = good.replace("true", "false");
        let with = |more: &str| no.replace('}', &format!(",{more}}}"));
        let silent = Err;
        let table: &[(&str, Result<Said, &str>)] = &[
            (good, Ok(Said::Agrees)),
            (&no, Ok(Said::Disagrees(String::new()))),
            (&with(r#""reason":"no ticket""#), Ok(Said::Disagrees("no ticket".into()))),
            (&with(r#""reason":null,"new":[1]"#), Ok(Said::Disagrees(String::new()))),
            (&with(r#""reason":7"#), silent("\"reason\" is no text")),
            (&with(r#""allowed":true"#), silent("no valid JSON")),
            (&with(r#""Allowed":true"#), silent("no valid JSON")),
            (&format!("{good} {good}"), silent("no valid JSON")),
            (&good.replace("true", "\"true\""), silent("whether it is \"allowed\"")),
            (&good.replace("true", "1"), silent("whether it is \"allowed\"")),
            (&good.replace("allowed", "alowed"), silent("whether it is \"allowed\"")),
            (&good.replace("/v1", "/v2"), silent("another \"apiVersion\"")),
            (&good.replace("apiVersion", "version"), silent("another \"apiVersion\"")),
            (&good.replace("Answer", "Question"), silent("another \"kind\"")),
            (&good.replace("sha256:aa", "sha256:bb"), silent("about another image")),
            (&good.replace("image", "img"), silent("which \"image\"")),
            (" \n", silent("is empty")),
            ("[true]", silent("no JSON object")),
            ("<html>", silent("no valid JSON")),
        ];
        for (text, wanted) in table {
            check(text, parse(text.as_bytes(), IMAGE), wanted);
        }
        assert!(parse(&[0xff; 9], IMAGE).is_err() && !fuzz_answer("[".repeat(9999).as_bytes()));
    }

    #[test]
    fn an_image_review_is_read_as_the_api_server_does() {
        let table: &[(&str, Result<Said, &str>)] = &[
            (r#"{"status":{"allowed":true}}"#, Ok(Said::Agrees)),
            (
                r#"{"apiVersion":"imagepolicy.k8s.io/v1alpha1","kind":"ImageReview","metadata":{},"spec":{"containers":[{"image":"a"}]},"status":{"allowed":false,"reason":"no","auditAnnotations":{"a":"b","A":"c"}}}"#,
                Ok(Said::Disagrees("no".into())),
            ),
            (r#"{"apiVersion":"v1","kind":"Status","code":403}"#, Err("another \"apiVersion\"")),
            (r#"{"kind":"Status","status":{"allowed":true}}"#, Err("another \"kind\"")),
            (r#"{"status":{}}"#, Err("\"status.allowed\"")),
            (r#"{"status":"Failure"}"#, Err("no \"status\"")),
            (r#"{"allowed":true}"#, Err("no \"status\"")),
            (r#"{"status":{"allowed":true,"allowed":false}}"#, Err("no valid JSON")),
        ];
        for (text, wanted) in table {
            check(text, parse_image_review(text.as_bytes()), wanted);
        }
    }

    /// Whatever part of a refusal is lost or changed on the way, it never becomes agreement.
    #[test]
    fn no_damage_turns_a_refusal_into_agreement() {
        let ours = format!(
            r#"{{"apiVersion":"{API_VERSION}","kind":"Answer","image":"{IMAGE}","allowed":false}}"#
        );
        let review = r#"{"status":{"allowed":false,"reason":"true"}}"#;
        for (text, read) in [
            (ours.as_str(), (|b| parse(b, IMAGE)) as fn(&[u8]) -> Result<Said, Silence>),
            (review, parse_image_review),
        ] {
            for at in 0..text.len() {
                assert!(read(&text.as_bytes()[..at]).is_err(), "{text} cut at {at}");
                for byte in 0..=255 {
                    let mut bytes = text.as_bytes().to_vec();
                    bytes[at] = byte;
                    assert_ne!(read(&bytes), Ok(Said::Agrees), "{text}: {at} is {byte}");
                }
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_to_an_end(bytes in proptest::collection::vec(0u8.., 0..200)) {
            fuzz_answer(&bytes);
            fuzz_imagereview(&bytes);
            crate::checkers::fuzz_checkers(&bytes);
        }
    }

    fn check(text: &str, got: Result<Said, Silence>, wanted: &Result<Said, &str>) {
        match (got, wanted) {
            (Ok(got), Ok(wanted)) => assert_eq!(&got, wanted, "{text}"),
            (Err(got), Err(wanted)) => assert!(got.public.contains(wanted), "{text}: {got:?}"),
            (got, wanted) => unreachable!("{text}: {got:?}, not {wanted:?}"),
        }
    }
}
