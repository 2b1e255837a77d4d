//! Configurations, good and bad, with every mistake's place.

use std::path::Path;

use super::super::config::PolicySource;
use super::*;

const GOOD: &str = "\
listen: 127.0.0.1:1234
tls: {cert: server.crt, key: /k/server.key, client_ca: ca.crt, client_names: [kube-apiserver]}
policy: policy.yaml
state_dir: state
";

#[test]
fn what_setup_writes_is_what_serve_reads() {
    let plan = crate::setup::Plan {
        hosts: vec!["gate.example".into()],
        port: 8443,
        ..crate::setup::Plan::default()
    };
    let config = parse(&crate::setup::gate::config(&plan), Path::new("/gate/cleanbill.yaml"));
    let config = config.unwrap();
    assert_eq!(config.listen, "[::]:8443".parse().unwrap());
    assert_eq!(config.tls.cert, Path::new("/gate/server.crt"));
    assert_eq!(config.tls.client_names, ["kube-apiserver"]);
    assert_eq!(config.policy, PolicySource::File("/gate/policy.yaml".into()));
    assert_eq!(config.state_dir, Path::new("/var/lib/cleanbill"));
    let policy = policy_file::parse(&crate::setup::gate::policy(), "policy.yaml").unwrap();
    assert_eq!(policy, cleanbill_core::policy::Policy::default(), "the strictest there is");
    // And with every commented line in force.
    let loud = |text: String| text.replace("\n# ", "\n").replace("accept_gaps: []\n", "");
    let text = crate::setup::gate::config(&plan);
    let (head, tail) = text.split_once("# registries:").unwrap();
    let text = format!("{head}# registries:{}", loud(tail.to_owned()))
        .replace("# registries:", "registries:")
        .replace("# platforms:", "platforms:");
    let config = parse(&text, Path::new("cleanbill.yaml")).unwrap();
    assert_eq!(config.registries[0].host, "registry.example:5000");
    assert!(config.registries[0].private && !config.registries[0].plain_http);
    assert_eq!(config.platforms.len(), 1);
}

#[test]
fn everything_can_be_set() {
    let text = format!(
        "{GOOD}metrics_listen: '[::1]:1235'\ndb: a.db\ntag_ttl: 5m\n\
         decisions: {{keep: 30d, count: 5000, snapshots: 512M}}\n\
         facts: {{size: 1G}}\n\
         limits: {{budget: 20s, examination_time: 1h, connections: 7, containers: 9, waiting: 3}}\n\
         platforms: [linux/amd64, linux/arm64/v8]\n"
    )
    .replace("policy: policy.yaml", "policy: {highest_severity: high}");
    let config = parse(&text, Path::new("/etc/c.yaml")).unwrap();
    assert_eq!(config.bounds.budget, Duration::from_secs(20));
    assert_eq!(config.bounds.containers, 9);
    assert_eq!(config.work.examination, Duration::from_secs(3600));
    assert_eq!(config.work.tag_ttl, Duration::from_secs(300));
    assert_eq!((config.keep.days, config.keep.count), (30, 5000));
    assert_eq!((config.room.facts, config.room.snapshots), (1 << 30, 512 << 20));
    assert_eq!(config.db.as_deref(), Some(Path::new("/etc/a.db")));
    assert_eq!(config.tls.key, Path::new("/k/server.key"));
    assert!(matches!(config.policy, PolicySource::Inline(p) if p.highest_severity.is_some()));
}

#[test]
fn what_is_kept_of_decisions_is_bounded() {
    for (text, place) in [
        ("keep: 0d", "5:19: \"keep\" is no number of days"),
        ("keep: 12h", "5:19: \"keep\" is no number of days"),
        ("keep: 36501d", "5:19: \"keep\" is no number of days"),
        ("count: 0", "5:20: \"count\" is no number within bounds"),
        ("days: 3", "unknown key \"days\""),
        ("snapshots: 5", "5:24: \"snapshots\" is no size"),
    ] {
        let text = format!("{GOOD}decisions: {{{text}}}\n");
        let problems = parse(&text, Path::new("c")).unwrap_err();
        assert!(problems.len() == 1 && problems[0].to_string().contains(place), "{problems:?}");
    }
    let problems = parse(&format!("{GOOD}facts: {{size: 255M}}\n"), Path::new("c")).unwrap_err();
    assert!(problems[0].to_string().contains("at least 256M"), "{problems:?}");
}

#[test]
fn every_mistake_is_told_at_once() {
    let table: &[(&str, &[&str])] = &[
        ("", &["1:1: the configuration is nothing"]),
        (
            "listen: 1234\n",
            &[
                "1:1: \"tls\" is missing",
                "1:1: \"policy\" is missing",
                "1:1: \"state_dir\" is missing",
                "1:9: \"listen\" is a number",
            ],
        ),
        (&format!("{GOOD}client_names: [x]\n"), &["5:1: unknown key \"client_names\""]),
        (&format!("{GOOD}listen: 0.0.0.0:1\n"), &["5:1: \"listen\" is there twice"]),
        (&GOOD.replace("[kube-apiserver]", "[]"), &["\"client_names\" is an empty list"]),
        (&GOOD.replace("127.0.0.1:1234", "localhost:1234"), &["1:9: \"listen\" is no address"]),
        (
            &GOOD.replace("policy.yaml", "{highest_severity: huge}"),
            &["3:28: \"highest_severity\" is no severity"],
        ),
        (
            &format!("{GOOD}limits: {{budget: 30s, connections: 0}}\ntag_ttl: 5\n"),
            &[
                "5:18: \"budget\" is no time",
                "5:36: \"connections\" is no number",
                "6:10: \"tag_ttl\" is no time",
            ],
        ),
        (
            &format!(
                "{GOOD}registries:\n- host: https://x.example\n  username: u\n- plain_http: true\n"
            ),
            &[
                "6:3: a registry has one of",
                "6:9: \"host\" is no registry",
                "8:3: \"host\" is missing",
            ],
        ),
        (&format!("{GOOD}platforms: [linux]\n"), &["5:13: \"platforms\" has what is no platform"]),
        ("listen: [\n", &["1:"]),
    ];
    for (text, wanted) in table {
        let problems = parse(text, Path::new("c.yaml")).unwrap_err();
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), wanted.len(), "{text}: {told:#?}");
        for (told, wanted) in told.iter().zip(*wanted) {
            assert!(told.starts_with("c.yaml:") && told.contains(wanted), "{told} for {wanted}");
        }
    }
}

#[test]
fn the_document_names_every_key_and_no_other() {
    let text = include_str!("../../../../docs/gate.md");
    let rows = |heading: &str| -> Vec<&str> {
        let table = text.split(heading).nth(1).unwrap();
        let rows = table.lines().skip(2).take_while(|line| line.starts_with("| `"));
        rows.filter_map(|line| line.split('`').nth(1)).collect()
    };
    let sorted = |mut keys: Vec<&str>| {
        keys.sort_unstable();
        keys.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(sorted(rows("| key | meaning | default |")), sorted(super::KEYS.to_vec()));
    let limits = rows("| key of `limits` | bounds | default |");
    assert_eq!(sorted(limits), sorted(super::LIMIT_KEYS.to_vec()));
}

#[test]
fn the_kubernetes_api_is_reached_in_one_way() {
    for (written, read) in [
        ("{kubeconfig: k}", Some(Some(Kubernetes::Kubeconfig("/gate/k".into())))),
        ("{in_cluster: true}", Some(Some(Kubernetes::InCluster))),
        ("{in_cluster: false}", None),
        ("{}", None),
        ("{kubeconfig: k, in_cluster: true}", None),
        ("{server: x}", None),
        ("true", None),
    ] {
        let text = format!("{GOOD}kubernetes: {written}\n");
        let config = parse(&text, Path::new("/gate/cleanbill.yaml"));
        assert_eq!(config.ok().map(|c| c.kubernetes), read, "{written}");
    }
}
