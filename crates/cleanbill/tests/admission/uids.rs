//! The `uid` of what cannot be read whole: so that it can be denied, and never another's.

use cleanbill::serve::admission::uid::{FRONT, early_uid};
use cleanbill::serve::admission::{Unreadable, parse};
use proptest::prelude::*;
use serde_json::Value;

use crate::hostile::edited;
use crate::objects::{UID, create};

#[test]
fn a_body_that_was_cut_can_still_be_denied() {
    let body = edited("a:1", "a:1");
    assert!(parse(body.as_bytes(), 500).is_ok());
    for cut in [body.len() - 1, body.len() / 2, 130] {
        let Err(Unreadable::Malformed { uid, .. }) = parse(&body.as_bytes()[..cut], 500) else {
            panic!("{cut}")
        };
        assert_eq!(uid.as_deref(), Some(UID));
    }
}

#[test]
fn it_is_found_where_the_api_server_writes_it_and_nowhere_else() {
    const HEAD: &str = r#""kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1""#;
    let long = "x".repeat(FRONT);
    let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    let in_head = |more: &str, rest: &str| format!(r#"{{{more}{HEAD},"request":{{{rest}"#);
    let table: Vec<(&str, String, Option<&str>)> = vec![
        ("as it is written", in_head("", r#""uid":"a-1","kind":"#), Some("a-1")),
        ("right behind it all ends", in_head("", r#""uid":"a-1""#), Some("a-1")),
        ("nonsense behind it", in_head("", r#""uid":"a-1"]]"#), Some("a-1")),
        ("within a text", in_head("", r#""uid":"a-1"#), None),
        ("with its escapes", in_head("", r#""u\u0069d":"a\u002d1","#), Some("a-1")),
        ("an escape that is none", in_head("", r#""uid":"a\x","#), None),
        ("a quote in it", in_head("", r#""uid":"a\"1\\","#), Some("a\"1\\")),
        ("no text", in_head("", r#""uid":7,"#), None),
        ("empty", in_head("", r#""uid":"","#), None),
        ("too long", in_head("", &format!(r#""uid":"{}","#, "a".repeat(257))), None),
        ("long", in_head("", &format!(r#""uid":"{}","#, "a".repeat(256))), Some(&long[..0])),
        ("white space", in_head(" \n", " \"uid\"\t:\r\n\"a-1\" ,"), Some("a-1")),
        ("something before it", in_head("", r#""x":{"uid":"b"},"uid":"a-1","#), Some("a-1")),
        ("numbers before it", in_head("", r#""x":[-1.5e+3,true,null],"uid":"a-1","#), Some("a-1")),
        ("something in front", in_head(r#""x":{"request":{"uid":"b"}},"#, r#""uid":"a-1","#), Some("a-1")),
        ("a text that looks like it", in_head(r#""x":"\",\"request\":{\"uid\":\"b\"","#, r#""uid":"a-1","#), Some("a-1")),
        ("deep before it", in_head("", &format!(r#""x":{},"uid":"a-1","#, deep(128))), Some("a-1")),
        ("too deep before it", in_head("", &format!(r#""x":{},"uid":"a-1","#, deep(129))), None),
        ("brackets that do not fit", in_head("", r#""x":[}],"uid":"a-1","#), None),
        ("a bracket too many", in_head("", r#""x":1},"uid":"a-1","#), None),
        ("a value missing", in_head("", r#""x":,"uid":"a-1","#), None),
        ("in an object only", in_head("", r#""object":{"metadata":{"uid":"b"}},"#), None),
        ("too far behind", in_head("", &format!(r#""x":"{long}","uid":"a-1","#)), None),
        ("another version", r#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1beta1","request":{"uid":"a-1","#.into(), None),
        ("another kind", r#"{"kind":"ImageReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"a-1","#.into(), None),
        ("a kind that is no text", r#"{"kind":["AdmissionReview"],"apiVersion":"admission.k8s.io/v1","request":{"uid":"a-1","#.into(), None),
        ("no version yet", r#"{"kind":"AdmissionReview","request":{"uid":"a-1"},"apiVersion":"admission.k8s.io/v1","#.into(), None),
        ("the other way round", r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"a-1","#.into(), Some("a-1")),
        ("a list", format!(r#"[{{{HEAD},"request":{{"uid":"a-1""#), None),
        ("a request that is a list", format!(r#"{{{HEAD},"request":[{{"uid":"a-1""#), None),
        ("nothing", String::new(), None),
    ];
    for (what, body, want) in table {
        let want = want.map(|w| if w.is_empty() { "a".repeat(256) } else { w.to_owned() });
        assert_eq!(early_uid(body.as_bytes()), want, "{what}");
    }
}

/// Any JSON, in which the names that are looked for stand where they mean nothing.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        let key = prop_oneof![Just("uid".to_owned()), Just("request".to_owned()), ".{0,6}"];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((key, inner), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Fields of an object, as text, one comma behind each.
fn fields(all: &[(String, Value)]) -> String {
    all.iter().map(|(key, value)| format!("{}:{value},", Value::from(key.as_str()))).collect()
}

proptest! {
    #[test]
    fn any_bytes_are_looked_through_to_an_end(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = early_uid(&bytes);
        let _ = parse(&bytes, 500);
    }

    /// What is found is what a whole reading finds; of a body that was cut anywhere it is the same
    /// or nothing, and once it was there it is found.
    #[test]
    fn it_is_the_requests_own_or_none(
        uid in "[ -~]{1,40}",
        before in proptest::collection::vec((".{0,6}", anything()), 0..3),
        within in proptest::collection::vec((".{0,6}", anything()), 0..3),
        after in anything(),
        cut in 0.0..1.0f64,
    ) {
        let own = |key: &String| ["kind", "apiVersion", "request", "uid"].contains(&key.as_str());
        prop_assume!(!before.iter().chain(&within).any(|(key, _)| own(key)));
        let written = Value::from(uid.as_str());
        let front = format!(
            r#"{{{}"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{{{}"uid":{written}"#,
            fields(&before), fields(&within),
        );
        let body = format!(r#"{front},"object":{after}}}}}"#);
        let whole: Value = serde_json::from_str(&body).unwrap();
        prop_assert_eq!(&whole["request"]["uid"], &written);
        prop_assert_eq!(early_uid(body.as_bytes()), Some(uid.clone()));
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
        let at = (body.len() as f64 * cut) as usize;
        let found = early_uid(&body.as_bytes()[..at]);
        prop_assert_eq!(found, (at >= front.len()).then_some(uid));
    }

    /// Whatever is written into the object, a review that can be read has the `uid` that is found.
    #[test]
    fn it_never_differs_from_a_reading_of_the_whole(object in anything(), cut in 0usize..600) {
        let mut review = create(&["a:1"]);
        review["request"]["object"]["metadata"] = object;
        let body = review.to_string();
        // The order of keys is the alphabet's here: the object stands before the id.
        let found = early_uid(&body.as_bytes()[..cut.min(body.len())]);
        prop_assert!(found.is_none() || found.as_deref() == Some(UID), "{:?}", found);
        prop_assert_eq!(early_uid(body.as_bytes()), Some(UID.to_owned()));
    }
}
