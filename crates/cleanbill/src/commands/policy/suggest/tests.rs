//! Images and what is suggested from them, as people read it; and for any images: each passes, and
//! nothing could be one step stricter.

use std::sync::Arc;

use cleanbill_core::evidence::RunsAs;
use cleanbill_core::gap::GapKind;
use cleanbill_core::severity::Severity::{Critical, High, Low, Medium, Unknown};
use cleanbill_core::verdict::Outcome;

use super::made::{Made, Wishes, make, prove};
use super::seen::Sight;
use super::{Basis, NO_OWNER, NotExamined, Seen, suggestion};
use images::Part::{self, *};
use images::{flaw, sight};

mod images;
mod stricter;

fn wishes(spared: Option<usize>) -> Wishes {
    Wishes { spared, owner: NO_OWNER.into(), expires: "2026-07-01".parse().unwrap() }
}

fn suggested(spared: Option<usize>, sights: Vec<Sight>) -> (Seen, Result<(String, Made), String>) {
    let basis = Basis { source: "the images of a test".into(), kept_elsewhere: Vec::new() };
    let mut seen = Seen { sights, basis, ..Seen::default() };
    seen.settle();
    let made = suggestion(&seen, &wishes(spared), "2026-06-01".parse().unwrap());
    (seen, made.map_err(|e| e.to_string()))
}

/// A name, how many repositories may need exceptions, and the images with what is in them.
type Row = (&'static str, Option<usize>, Vec<(&'static str, Vec<Part>)>);

fn table() -> Vec<Row> {
    let debian = |id| Flaw(id, Medium, None, false);
    vec![
        ("nothing is wrong", None, vec![("r.example/a@7", vec![]), ("r.example/b:1@7", vec![])]),
        (
            "one image, and so no exception",
            None,
            vec![("nginx:1.27", vec![debian("CVE-1"), Flaw("CVE-2", High, Some("2"), false)])],
        ),
        (
            "one is worse than the rest",
            None,
            vec![
                ("r.example/a@7", vec![debian("CVE-1")]),
                ("r.example/b@7", vec![debian("CVE-1"), Flaw("CVE-2", Low, Some("1-2"), false)]),
                (
                    "r.example/old@7",
                    vec![
                        debian("CVE-1"),
                        Flaw("CVE-3", Critical, Some("1-9"), false),
                        Flaw("CVE-4", Unknown, None, false),
                        self::Gap(GapKind::EndOfLife, "debian 10"),
                        User(RunsAs::Root),
                    ],
                ),
            ],
        ),
        (
            "the same and no exceptions wanted",
            Some(0),
            vec![
                ("r.example/a@7", vec![debian("CVE-1")]),
                ("r.example/old@7", vec![Flaw("CVE-3", Critical, Some("1-9"), false)]),
            ],
        ),
        (
            "everybody has what nobody rated, and what is exploited has an exception",
            Some(0),
            vec![
                ("a@7", vec![Flaw("CVE-5", Unknown, None, false), Flaw("CVE-6", Low, None, true)]),
                ("b@7", vec![Flaw("CVE-5", Unknown, None, false), Flaw("CVE-7", Low, None, false)]),
            ],
        ),
        (
            "images of nodes, by registrations",
            None,
            vec![
                ("morc-api:0.1", vec![Local]),
                ("morc-web:0.1", vec![Unexamined]),
                ("r.example/a:1", vec![Feed("osv:Go", Some(40)), Feed("eol", None)]),
                (
                    "r.example/b@7",
                    vec![NoList, debian("CVE-1"), User(RunsAs::Unknown("so".into()))],
                ),
                ("r.example/gone@7", vec![Nothing]),
            ],
        ),
        ("only images of nodes", None, vec![("morc-api:0.1", vec![Local, User(RunsAs::Root)])]),
        ("nothing was examined", None, vec![("r.example/gone@7", vec![Nothing])]),
        (
            "names that images choose",
            None,
            vec![(
                "r.example/a@7",
                vec![
                    self::Gap(GapKind::UnknownDistribution, "evil: \"*\" # \u{202e}"),
                    self::Gap(GapKind::EndOfLife, "x\": {y: [z], true"),
                ],
            )],
        ),
    ]
}

#[test]
fn what_is_suggested_reads_as_it_should() {
    let mut texts = Vec::new();
    for (name, spared, images) in table() {
        let sights = images.iter().map(|(image, parts)| sight(image, parts)).collect();
        let (seen, made) = suggested(spared, sights);
        texts.push(format!("=== {name}"));
        texts.extend(super::left_out(&seen).into_iter().map(|w| format!("! {w}")));
        match made {
            Ok((text, made)) => {
                texts.push(text);
                texts.extend(super::summary(&made).into_iter().map(|w| format!("! {w}")));
            }
            Err(why) => texts.push(format!("! {why}")),
        }
    }
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn what_an_image_does_not_pass_is_not_printed() {
    let sights = [sight("r.example/a@7", &[Flaw("CVE-1", High, None, false)])];
    let made = make(&sights, &wishes(Some(0)));
    let basis = Basis::default();
    let text = super::write::yaml(&made, &basis, &[], "2026-06-01".parse().unwrap());
    assert_eq!(prove(&text, &made, &sights).map_err(|e| e.to_string()), Ok(()));
    let worse = [sight("r.example/a@7", &[Flaw("CVE-2", Critical, None, false)])];
    let other = text.replace("highest_severity: high", "highest_severity: low");
    let broken = format!("{text}nonsense: 1\n");
    for (text, sights, why) in [
        (&text, &worse, "does not pass the suggested policy (highest_severity)"),
        (&other, &sights, "does not say what it means"),
        (&broken, &sights, "cannot be read: "),
    ] {
        let said = prove(text, &made, sights).unwrap_err().to_string();
        assert!(said.contains(why) && said.contains("mistake in cleanbill"), "{said}");
    }
}

#[test]
fn too_many_exceptions_are_told_with_what_to_do() {
    let ids: Vec<String> = (0..6000).map(|n| format!("CVE-2026-{n}")).collect();
    let mut bad = sight("r.example/bad@7", &[]);
    if let Outcome::Examined(evidence) = &mut bad.outcome {
        let findings = &mut Arc::make_mut(evidence).platforms[0].findings;
        findings.extend(ids.iter().map(|id| flaw(id, Critical, None, false)));
    }
    let (_, made) = suggested(None, vec![sight("r.example/a@7", &[]), bad]);
    let said = made.unwrap_err();
    assert!(
        said.contains("6000 exceptions do not fit") && said.contains("--exceptions 0"),
        "{said}"
    );
}

#[test]
fn what_was_not_examined_is_named_in_the_policy_too() {
    let missing =
        vec![NotExamined { image: "lost\u{1b}:1".into(), why: "its registry is down".into() }];
    let seen = Seen { sights: vec![sight("a@7", &[])], missing, ..Seen::default() };
    let (text, _) = suggestion(&seen, &wishes(None), "2026-06-01".parse().unwrap()).unwrap();
    assert!(text.contains("# NOT COVERED"), "{text}");
    assert!(text.contains("# - lost\\u{1b}:1: its registry is down"), "{text}");
    assert!(super::left_out(&seen)[0].starts_with("not examined: lost"));
}
