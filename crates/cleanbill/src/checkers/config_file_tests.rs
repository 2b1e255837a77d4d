//! Lists of checkers, good and bad, with every mistake's place.

use super::*;

fn parse(text: &str) -> (Vec<CheckerConfig>, Vec<String>) {
    let root = crate::policy_file::tree(text, "c.yaml").unwrap();
    let mut reader = Reader { file: "c.yaml", text, problems: Vec::new() };
    let configs = read(&mut reader, Path::new("/etc/gate"), &root);
    reader.problems.sort_by_key(|p| (p.line, p.column));
    (configs, reader.problems.iter().map(ToString::to_string).collect())
}

#[test]
fn everything_can_be_set() {
    let (configs, problems) = parse(
        "- name: company
  imagereview:
    url: https://review.example:8443/images
    ca: review-ca.crt
    client_cert: /k/client.crt
    client_key: client.key
  timeout: 20s
  remember: 1m
  parallel: 2
- name: tickets
  http: {url: 'http://127.0.0.1:99/check?key=s3cret', token_file: token}
- name: far
  http: {url: 'http://checker.example/', plain_http: true}
- name: rules
  program: {argv: [/opt/rules, '', --fast], memory_bytes: 16777216}
",
    );
    assert_eq!(problems, [""; 0]);
    assert_eq!(configs.len(), 4);
    let KindConfig::ImageReview(endpoint) = &configs[0].kind else { unreachable!() };
    assert_eq!(endpoint.ca.as_deref(), Some(Path::new("/etc/gate/review-ca.crt")));
    let client = endpoint.client.clone().unwrap();
    assert_eq!(client.cert, Path::new("/k/client.crt"));
    assert_eq!(client.key, Path::new("/etc/gate/client.key"));
    assert_eq!(configs[0].timeout, Duration::from_secs(20));
    assert_eq!(configs[0].remember, Duration::from_secs(60));
    assert_eq!(configs.iter().map(|c| c.parallel).collect::<Vec<_>>(), [2, 16, 16, 4]);
    assert_eq!((configs[1].timeout, configs[1].remember), (Duration::from_secs(3), Duration::ZERO));
    assert!(!format!("{configs:?}").contains("s3cret"), "no secret is shown");
    let KindConfig::Program(program) = &configs[3].kind else { unreachable!() };
    assert_eq!(program.argv, ["/opt/rules", "", "--fast"]);
    assert_eq!(program.memory_bytes, 16 << 20);
}

#[test]
fn every_mistake_is_told_at_once() {
    let table: &[(&str, &[&str])] = &[
        ("name: a", &["1:1: \"checkers\" is a mapping, not a list"]),
        ("- a", &["1:3: a checker is a text"]),
        ("- {name: a}", &["1:3: a checker has 0 kinds"]),
        (
            "- {http: {url: 'https://a/'}, program: {argv: [/a]}}",
            &["1:3: \"name\" is missing", "1:3: a checker has 2 kinds"],
        ),
        (
            "- {name: A b, http: {}, timeout: 21s, remember: 2h, parallel: 0}",
            &[
                "1:10: \"name\" is no name",
                "1:21: \"url\" is missing",
                "1:34: \"timeout\" is no time",
                "1:49: \"remember\" is no time",
                "1:63: \"parallel\" is no number",
            ],
        ),
        (
            "- {name: a, program: {argv: [/a]}}\n- {name: a, program: {argv: [/b]}}",
            &["2:3: two checkers are called \"a\""],
        ),
        ("- {name: a, program: {argv: [a]}}", &["1:29: \"argv\" does not begin"]),
        ("- {name: a, program: {argv: []}}", &["1:29: \"argv\" does not begin"]),
        ("- {name: a, program: {argv: [/a, 7]}}", &["1:34: \"argv\" has a number"]),
        ("- {name: a, program: {argv: /a b}}", &["1:29: \"argv\" is a text, not a list"]),
        ("- {name: a, program: {}}", &["1:22: \"argv\" is missing"]),
        (
            "- {name: a, program: {argv: [/a], memory_bytes: 1}}",
            &["1:49: \"memory_bytes\" is no number"],
        ),
        ("- {name: a, http: {url: a.example}}", &["1:25: \"url\": it is neither"]),
        (
            "- {name: a, http: {url: 'http://a.example/', token_file: t}}",
            &["1:25: \"url\" is http:// to another", "1:25: a token would be sent"],
        ),
        (
            "- {name: a, http: {url: 'http://a.example/', token_file: t, plain_http: true}}",
            &["1:25: a token would be sent"],
        ),
        (
            "- {name: a, http: {url: 'http://127.0.0.1/', ca: c, client_cert: c}}",
            &["1:19: one of \"client_cert\"", "1:25: \"url\" is http://, where"],
        ),
        (
            "- {name: a, imagereview: {url: 'https://a.example/?a=b', verify: false}}",
            &["1:32: \"url\" of an imagereview has a query", "1:58: unknown key \"verify\""],
        ),
    ];
    for (text, wanted) in table {
        let (_, told) = parse(text);
        assert_eq!(told.len(), wanted.len(), "{text}: {told:#?}");
        for (told, wanted) in told.iter().zip(*wanted) {
            assert!(told.contains(wanted), "{told} for {wanted}");
        }
    }
    let many = "- {name: a, program: {argv: [/a]}}\n".repeat(MOST + 1);
    assert!(parse(&many).1[0].contains("33 checkers are given"));
    assert!(!fuzz_checkers(b"- {") && fuzz_checkers(b"[]"));
}

/// The parts of the documents that are configurations.
#[test]
fn what_the_documents_show_is_a_configuration() {
    let documents = [
        include_str!("../../../../docs/checkers.md"),
        include_str!("../../../../examples/checkers/README.md"),
    ];
    for document in documents {
        let shown = document.split("```yaml\n").nth(1).and_then(|d| d.split("```").next());
        let list = shown.and_then(|s| s.strip_prefix("checkers:\n")).unwrap();
        let (configs, problems) = parse(list);
        assert_eq!((configs.len(), problems), (3, Vec::new()));
    }
}
