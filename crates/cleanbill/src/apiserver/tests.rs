//! How the files are read, held against what kube-apiserver does.

use std::path::Path;

use super::admission::{Content, From, plugin};
use super::image_policy::{go, read};
use super::{Files, Version, kubeconfig, yaml};

#[test]
fn yaml_is_what_go_yaml_makes_of_it() {
    let table = [
        ("a: yes", r#"{"a":true}"#),
        ("a: \"yes\"", r#"{"a":"yes"}"#),
        ("a: off", r#"{"a":false}"#),
        ("a: 010", r#"{"a":8}"#),
        ("a: 0x1F", r#"{"a":31}"#),
        ("a: 1_000", r#"{"a":1000}"#),
        ("a: -5", r#"{"a":-5}"#),
        ("a: 1e3", r#"{"a":1000}"#),
        ("a: 30.5", r#"{"a":30.5}"#),
        ("a: 30s", r#"{"a":"30s"}"#),
        ("a: ~", r#"{"a":null}"#),
        ("a:", r#"{"a":null}"#),
        ("1: b", r#"{"1":"b"}"#),
        ("a: &x {b: 1}\nc: *x", r#"{"a":{"b":1},"c":{"b":1}}"#),
        ("a: &x {b: 1}\nc:\n  <<: *x\n  d: 2", r#"{"a":{"b":1},"c":{"b":1,"d":2}}"#),
        ("a: 1\na: 2", r#"{"a":2}"#),
        ("b: 1\na: [x, 'y']", r#"{"a":["x","y"],"b":1}"#),
        ("a: !!str 5", r#"{"a":"5"}"#),
        ("", "null"),
    ];
    for (text, want) in table {
        assert_eq!(yaml::first(text).unwrap().json(), want, "{text}");
    }
}

#[test]
fn durations_are_printed_as_go_does() {
    let table = [
        (0, "0s"),
        (1, "1ns"),
        (1_500_000, "1.5ms"),
        (1_000_000_000, "1s"),
        (1_801_000_000_000, "30m1s"),
        (300_000_000_000, "5m0s"),
        (3_600_000_000_000, "1h0m0s"),
        (-2_000_000_000, "-2s"),
        (300_001_000_000, "5m0.001s"),
    ];
    for (nanos, want) in table {
        assert_eq!(go(nanos), want);
    }
}

/// A folder with these files; `admission` is the one that is named.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    dir
}

const HEAD: &str = "apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\n";

#[test]
fn an_admission_configuration_is_read_strictly_outside_and_laxly_inside() {
    let inline = |text: &str| {
        format!(
            "{HEAD}plugins:\n- name: ImagePolicyWebhook\n  configuration:\n    imagePolicy:\n{text}"
        )
    };
    let table: &[(String, Result<&str, &str>)] = &[
        (inline("      allowTTL: 50\n      DEFAULTALLOW: true\n"), Ok("50s true")),
        (
            inline("      allowTTL: \"30s\"\n"),
            Err(
                "json: cannot unmarshal string into Go struct field imagePolicyWebhookConfig.imagePolicy.allowTTL of type time.Duration",
            ),
        ),
        (inline("      allowTTL: 1801\n"), Err("valid value is between 1s and 30m0s, got 30m1s")),
        (inline("      allowTTL: -2\n"), Err("valid value is between 1s and 30m0s, got -2s")),
        (
            inline("      retryBackoff: 300001\n"),
            Err("valid value is between 1ns and 5m0s, got 5m0.001s"),
        ),
        (inline("      allowTTL: -1\n"), Ok("0ns false")),
        (inline("      defaultAlow: true\n"), Ok("300s false")),
        (
            inline("      allowTTL: 1\n      allowTTL: 2\n"),
            Err(
                "failed to read plugin config: strict decoding error: yaml: unmarshal errors:\n  line 8: key \"allowTTL\" already set in map",
            ),
        ),
        (
            format!("{HEAD}plugin: []\n"),
            Err("failed to read plugin config: strict decoding error: unknown field \"plugin\""),
        ),
        (
            format!("{HEAD}plugins:\n- name: ImagePolicyWebhook\n  confguration: {{}}\n"),
            Err(
                "failed to read plugin config: strict decoding error: unknown field \"plugins[0].confguration\"",
            ),
        ),
        (
            format!("{HEAD}plugins:\n- name: ImagePolicyWebhook\n  path: other.yaml\n"),
            Ok("7s false"),
        ),
        (format!("{HEAD}plugins:\n- name: Other\n"), Err("nothing")),
        ("imagePolicy:\n  allowTTL: 9\n".into(), Ok("9s false")),
        (
            "kind: AdmissionConfiguration\n".into(),
            Err(
                "failed to read plugin config: Object 'apiVersion' is missing in '{\"kind\":\"AdmissionConfiguration\"}'",
            ),
        ),
        (
            "apiVersion: apiserver.k8s.io/v1\nkind: AdmissionConfiguration\n".into(),
            Err(
                "failed to read plugin config: no kind \"AdmissionConfiguration\" is registered for version \"apiserver.k8s.io/v1\" in scheme",
            ),
        ),
    ];
    for (text, want) in table {
        let dir = folder(&[("admission", text), ("other.yaml", "imagePolicy: {allowTTL: 7}\n")]);
        let files = Files::here();
        let got = plugin(&files, &dir.path().join("admission"), Version::NEWEST)
            .and_then(|given| given.ok_or(super::Refused::new("nothing")))
            .and_then(|given| read(&given.content))
            .map(|p| format!("{:?} {}", p.allow_ttl, p.default_allow))
            .map_err(|e| e.words);
        let want = want.map(str::to_owned).map_err(str::to_owned);
        assert_eq!(got, want, "{text}");
    }
}

#[test]
fn old_versions_pass_over_what_is_unknown() {
    let dir = folder(&[("admission", &format!("{HEAD}plugin: []\n"))]);
    let old = Version { minor: 31, patch: 0 };
    let given = plugin(&Files::here(), &dir.path().join("admission"), old).unwrap();
    assert_eq!(given, None);
    let dir = folder(&[("admission", "imagePolicy: {}\n")]);
    let given = plugin(&Files::here(), &dir.path().join("admission"), old).unwrap().unwrap();
    assert_eq!(given.from, From::Legacy);
    assert!(matches!(given.content, Content::Text(_)));
}

#[test]
fn a_kubeconfig_is_refused_in_the_words_of_client_go() {
    let whole = "apiVersion: v1\nkind: Config\nclusters:\n- name: c\n  cluster: {server: 'https://h:1', certificate-authority: ca}\nusers:\n- name: u\n  user: {client-certificate: crt, client-key: key}\ncontexts:\n- name: x\n  context: {cluster: c, user: u}\ncurrent-context: x\n";
    let without = |what: &str| whole.replace(what, "");
    let table: &[(String, Result<&str, &str>)] = &[
        (whole.into(), Ok("https://h:1")),
        (without("current-context: x\n"), Err(kubeconfig::EMPTY)),
        (
            without("contexts:\n- name: x\n  context: {cluster: c, user: u}\n"),
            Err(
                "invalid configuration: [context was not found for specified context: x, cluster has no server defined]",
            ),
        ),
        (whole.replace("cluster: c,", "cluster: d,"), Err(kubeconfig::EMPTY)),
        (whole.replace("user: u}", "user: v}"), Ok("https://h:1")),
        (
            without("server: 'https://h:1', "),
            Err("invalid configuration: no server found for cluster \"c\""),
        ),
        (
            whole.replace("authority: ca", "authority: gone"),
            Err(
                "invalid configuration: unable to read certificate-authority DIR/gone for c due to open DIR/gone: no such file or directory",
            ),
        ),
        (
            whole.replace("certificate: crt", "certificate: gone"),
            Err(
                "invalid configuration: unable to read client-cert DIR/gone for u due to open DIR/gone: no such file or directory",
            ),
        ),
        (
            without(", client-key: key"),
            Err(
                "invalid configuration: client-key-data or client-key must be specified for u to use the clientCert authentication method.",
            ),
        ),
        (
            whole.replace("client-key: key", "client-key: key, token: t, username: me"),
            Err(
                "invalid configuration: more than one authentication method found for u; found [token basicAuth], only one is allowed",
            ),
        ),
        (
            whole.replace("client-key: key", "client-key-data: '%%'"),
            Err("error loading config file \"DIR/config\": illegal base64 data at input byte 0"),
        ),
        (
            whole.replace("server: 'https://h:1'", "server: 5"),
            Err(
                "error loading config file \"DIR/config\": json: cannot unmarshal number 5 into Go struct field Cluster.clusters.cluster.server of type string",
            ),
        ),
        (
            whole.replace("kind: Config", "kind: Konfig"),
            Err(
                "error loading config file \"DIR/config\": no kind \"Konfig\" is registered for version \"v1\" in scheme",
            ),
        ),
        (String::new(), Err(kubeconfig::EMPTY)),
    ];
    for (text, want) in table {
        let dir = folder(&[("config", text), ("ca", ""), ("crt", ""), ("key", "")]);
        let path = dir.path().display().to_string();
        let files = Files::here();
        let got = kubeconfig::load(&files, &format!("{path}/config"))
            .and_then(|config| config.reach(&files))
            .map(|reach| reach.server)
            .map_err(|e| e.words.replace(&path, "DIR"));
        assert_eq!(got, want.map(str::to_owned).map_err(str::to_owned), "{text}");
    }
    let absent = kubeconfig::load(&Files::below(Path::new("/no-such")), "/etc/config");
    assert_eq!(absent.err().unwrap().words, "stat /etc/config: no such file or directory");
}

#[test]
fn pods_come_from_manifests_lists_and_templates_or_are_refused() {
    let list = r#"{"kind":"List","items":[
        {"kind":"Pod","metadata":{"name":"a","namespace":"n"},"spec":{"containers":[{"image":"x"}]}},
        {"kind":"CronJob","metadata":{"name":"c"},"spec":{"jobTemplate":{"spec":{"template":
            {"spec":{"initContainers":[{"image":"i"}],"containers":[{"image":"y"}]}}}}}},
        {"kind":"Service","metadata":{"name":"s"}}]}"#;
    let table: &[(&str, Result<&str, &str>)] = &[
        (list, Ok("n/a x; default/c-xxxxx y i; Service s")),
        (
            "kind: PodList\nitems: [{metadata: {name: r}, spec: {containers: [{image: a}]}}]",
            Ok("default/r a"),
        ),
        (
            "kind: Pod\nmetadata: {generateName: g-}\nspec: {containers: [{image: a}]}",
            Ok("default/g-xxxxx a"),
        ),
        ("---\nkind: Pod\nspec: {containers: [{image: a}]}\n---\n", Ok("default/Unknown a")),
        ("kind: Pod\nmetadata: {name: p}\nspec: {containers: []}", Err("p: it has no containers")),
        ("kind: Pod\nspec: {containers: {image: a}}", Err("its containers are no list")),
        ("kind: Pod\nspec: {containers: [{image: 7}]}", Err("an image is no text")),
        (
            "kind: Pod\nspec: {containers: [{image: a}], initContainers: [{image: no}]}",
            Err("an image is no text"),
        ),
        (
            "kind: Pod\nmetadata: {annotations: {a: yes}}\nspec: {containers: [{image: a}]}",
            Err("its annotation a is no text"),
        ),
        ("kind: Deployment\nmetadata: {name: d}", Err("Deployment d: it has no containers")),
    ];
    for (text, want) in table {
        let got = super::pod::read(text, "default").map(|(pods, others)| {
            let shown = pods.iter().map(|pod| {
                let asked = pod.asked(super::pod::Operation::Create).join(" ");
                format!("{}/{} {asked}", pod.namespace, pod.name)
            });
            shown.chain(others).collect::<Vec<_>>().join("; ")
        });
        match (want, got) {
            (Ok(want), Ok(got)) => assert_eq!(*want, got, "{text}"),
            (Err(want), Err(got)) => assert!(got.words.contains(want), "{}", got.words),
            (want, got) => panic!("{text}: wanted {want:?}, got {got:?}"),
        }
    }
}

proptest::proptest! {
    #[test]
    fn no_bytes_panic(bytes: Vec<u8>) {
        super::fuzz_files(&bytes);
        super::fuzz_reply(&bytes);
    }

    #[test]
    fn no_text_that_looks_like_one_of_the_files_panics(
        text in "(apiVersion: v1\n|kind: |Config|plugins|imagePolicy|: |- |\n|  |\\{|\\}|\\[|\\]|\"|&a |\\*a|<<|allowTTL|[0-9a-z.]{1,3}|status|allowed: true){0,40}"
    ) {
        super::fuzz_files(text.as_bytes());
        super::fuzz_reply(text.as_bytes());
    }
}
