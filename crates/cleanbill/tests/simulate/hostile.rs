//! What is asked and what is read comes from strangers: it must end, and say no more than it has to.

use std::time::{Duration, Instant};

use cleanbill::apiserver::client::Proxies;
use cleanbill::apiserver::plugin::End;
use cleanbill::apiserver::pod::{self, Operation};
use cleanbill::apiserver::{Files, Version, yaml};
use cleanbill::simulate::{self, Input, Report, Step};

use crate::pki::pki;
use crate::rows::{Listens, Reply, Row, all};
use crate::webhook::Webhook;

#[test]
fn files_that_grow_nest_or_never_end_are_refused() {
    let bomb = {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for n in 1..12 {
            let last = n - 1;
            let ten = vec![format!("*a{last}"); 10].join(", ");
            text.push_str(&format!("a{n}: &a{n} [{ten}]\n"));
        }
        text
    };
    let table = [
        (bomb, "excessive aliasing"),
        ("[".repeat(100_000), ""),
        (format!("a: {}", "b: ".repeat(1000)), ""),
        ("a: &a [*a]".to_owned(), ""),
        ("x".repeat(yaml::FILE_MAX + 1), "larger than"),
    ];
    for (text, words) in table {
        let began = Instant::now();
        let refused = yaml::all(&text).unwrap_err();
        assert!(refused.words.contains(words), "{}", refused.words);
        assert!(began.elapsed() < Duration::from_secs(20));
        assert!(pod::read(&text, "default").is_err());
    }
}

fn played(change: &[(&str, &str)], replies: &[Reply]) -> (Report, String) {
    let usual = all().into_iter().find(|row| row.name == "all defaults").unwrap();
    let change = change.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
    let row = Row { change, ..usual };
    let dir = tempfile::tempdir().unwrap();
    let hook = Webhook::start(Listens::Well, replies);
    row.write(dir.path(), hook.port, pki());
    let (pods, _) = pod::read("kind: Pod\nspec: {containers: [{image: a}]}", "default").unwrap();
    let write = |pod| Step::Write {
        operation: Operation::Create,
        pod: Box::new(pod),
        source: "pod.yaml".into(),
    };
    let input = Input {
        version: Version::NEWEST,
        admission_config: dir.path().join("config.yaml"),
        files: Files::here(),
        proxies: Proxies::default(),
        kubeconfigs: Vec::new(),
        real_time: false,
        steps: pods.into_iter().map(write).collect(),
    };
    let report = simulate::run(&input).unwrap();
    let shown = simulate::text::text(&report, true) + &simulate::json::value(&report).to_string();
    (report, shown)
}

#[test]
fn an_answer_without_an_end_is_cut_off() {
    let huge = Reply { body: Some("x".repeat(20 << 20)), ..Reply::default() };
    let (report, _) = played(&[], &[huge]);
    let course = report.done[0].course.as_ref().unwrap();
    assert!(
        matches!(&course.end, End::FailedClosed(words) if words.contains("is larger than")),
        "{:?}",
        course.end
    );
}

#[test]
fn no_credential_is_shown() {
    let secrets = ["a-secret-token", "a-secret-password", "PRIVATE KEY"];
    let with_token =
        [("    client-key: client.key", "    client-key: client.key\n    token: a-secret-token")];
    let with_password = [(
        "    client-key: client.key",
        "    client-key: client.key\n    username: me\n    password: a-secret-password",
    )];
    let both = [(
        "    client-key: client.key",
        "    client-key: client.key\n    token: a-secret-token\n    password: a-secret-password",
    )];
    let no_list =
        [("    client-key: client.key", "    client-key: client.key\n    token: [a-secret-token]")];
    let replies = [Reply { allow: true, ..Reply::default() }];
    for change in [&with_token[..], &with_password, &both, &no_list] {
        let (_, shown) = played(change, &replies);
        for secret in secrets {
            assert!(!shown.contains(secret), "{change:?}: {shown}");
        }
    }
}
