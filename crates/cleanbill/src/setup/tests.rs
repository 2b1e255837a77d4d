//! What is made is what kube-apiserver takes: read back with other eyes than those that wrote it.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use serde_json::Value;

use super::admission::Values;
use super::{Plan, files, make};

fn plan() -> Plan {
    Plan {
        hosts: vec!["10.0.0.7".into(), "gate.example".into(), "fd00::7".into()],
        days: 30,
        ..Plan::default()
    }
}

fn text(made: &[files::NewFile], name: &str) -> String {
    made.iter().find(|f| f.name() == name).map(|f| f.text().to_owned()).unwrap()
}

fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

#[test]
fn yaml_and_json_say_the_same_and_what_was_asked_for() {
    let made = make(&plan(), now()).unwrap();
    let yaml = yaml(&text(&made, "admission-configuration.yaml"));
    let json: Value = serde_json::from_str(&text(&made, "admission-configuration.json")).unwrap();
    assert_eq!(yaml, json);
    assert_eq!(json["apiVersion"], "apiserver.config.k8s.io/v1");
    assert_eq!(json["kind"], "AdmissionConfiguration");
    assert_eq!(json["plugins"][0]["name"], "ImagePolicyWebhook");
    let values = &json["plugins"][0]["configuration"]["imagePolicy"];
    assert_eq!(
        *values,
        serde_json::json!({
            "kubeConfigFile": "/etc/kubernetes/cleanbill/kubeconfig",
            "allowTTL": 60, "denyTTL": 10, "retryBackoff": 500, "defaultAllow": false
        })
    );
}

#[test]
fn the_kubeconfig_has_a_current_context_that_leads_somewhere() {
    let made = make(&plan(), now()).unwrap();
    let config = yaml(&text(&made, "kubeconfig"));
    let named = |list: &str, name: &Value| {
        let entries = config[list].as_array().unwrap();
        entries.iter().find(|e| e["name"] == *name).unwrap_or_else(|| panic!("no {name}")).clone()
    };
    let context = named("contexts", &config["current-context"])["context"].clone();
    let cluster = named("clusters", &context["cluster"])["cluster"].clone();
    let user = named("users", &context["user"])["user"].clone();
    assert_eq!(cluster["server"], "https://10.0.0.7:1234/review");
    for path in
        [&cluster["certificate-authority"], &user["client-certificate"], &user["client-key"]]
    {
        let name = path.as_str().unwrap().strip_prefix("/etc/kubernetes/cleanbill/").unwrap();
        assert!(made.iter().any(|f| f.name() == name), "{name} is not made");
    }
    let v6 = Plan { hosts: vec!["fd00::7".into()], ..plan() };
    assert_eq!(v6.server(), "https://[fd00::7]:1234/review");
}

#[test]
fn the_patch_appends_to_what_a_static_pod_has() {
    let made = make(&plan(), now()).unwrap();
    let patch = yaml(&text(&made, "kube-apiserver.patch.yaml"));
    let operations = patch.as_array().unwrap();
    let mut paths: Vec<&str> = Vec::new();
    for operation in operations {
        assert_eq!(operation["op"], "add");
        paths.push(operation["path"].as_str().unwrap());
    }
    assert_eq!(
        paths,
        [
            "/spec/containers/0/command/-",
            "/spec/containers/0/command/-",
            "/spec/containers/0/volumeMounts/-",
            "/spec/volumes/-"
        ]
    );
    assert_eq!(operations[0]["value"], "--enable-admission-plugins=ImagePolicyWebhook");
    assert_eq!(operations[2]["value"]["name"], operations[3]["value"]["name"]);
    assert_eq!(operations[2]["value"]["mountPath"], operations[3]["value"]["hostPath"]["path"]);
    let words = text(&made, "kube-apiserver.patch.md");
    for operation in operations.iter().take(2) {
        assert!(words.contains(operation["value"].as_str().unwrap()));
    }
}

#[test]
fn values_are_checked_by_the_api_servers_rules() {
    let good = plan().values;
    let table: &[(Values, Option<&str>)] = &[
        (Values { allow_ttl: 0, deny_ttl: -1, retry_backoff: -1, ..good }, None),
        (Values { allow_ttl: 1800, deny_ttl: 1, retry_backoff: 300_000, ..good }, None),
        (Values { allow_ttl: 1801, ..good }, Some("--allow-ttl 1801")),
        (Values { deny_ttl: -2, ..good }, Some("--deny-ttl -2")),
        (Values { retry_backoff: 300_001, ..good }, Some("--retry-backoff 300001")),
    ];
    for (values, wrong) in table {
        let checked = values.check().map_err(|e| e.to_string());
        match wrong {
            None => assert_eq!(checked, Ok(())),
            Some(words) => assert!(checked.unwrap_err().starts_with(words)),
        }
    }
    let bad: &[Plan] = &[
        Plan { hosts: vec![], ..plan() },
        Plan { hosts: vec!["https://gate.example".into()], ..plan() },
        Plan { hosts: vec!["gate.example:1234".into()], ..plan() },
        Plan { hosts: vec!["[fd00::7]".into()], ..plan() },
        Plan { port: 0, ..plan() },
        Plan { client_name: "a\nb".into(), ..plan() },
        Plan { client_name: String::new(), ..plan() },
        Plan { mount_dir: "relative".into(), ..plan() },
        Plan { days: 0, ..plan() },
    ];
    for plan in bad {
        assert!(make(plan, now()).is_err(), "{plan:?}");
    }
}

#[test]
fn files_are_written_all_or_none_and_keys_are_private() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("made");
    let made = make(&plan(), now()).unwrap();
    files::write(&target, &made, false).unwrap();
    for file in &made {
        let path = target.join(file.name());
        let mode = path.metadata().unwrap().permissions().mode() & 0o777;
        let wanted = if file.name().ends_with(".key") { 0o600 } else { 0o644 };
        assert_eq!(mode, wanted, "{}", file.name());
        assert_eq!(std::fs::read_to_string(path).unwrap(), file.text());
    }
    assert!(!target.join("ca.key").exists());
    assert_eq!(std::fs::read_dir(&target).unwrap().count(), made.len(), "nothing is left over");

    let again = make(&plan(), now()).unwrap();
    let refused = files::write(&target, &again, false).unwrap_err().to_string();
    assert!(refused.contains("ca.crt") && refused.contains("--force"), "{refused}");
    assert_eq!(std::fs::read_to_string(target.join("ca.crt")).unwrap(), text(&made, "ca.crt"));

    files::write(&target, &again, true).unwrap();
    assert_eq!(std::fs::read_to_string(target.join("ca.crt")).unwrap(), text(&again, "ca.crt"));
    assert_eq!(std::fs::read_dir(&target).unwrap().count(), made.len());

    // One file in the way is enough for none to be written.
    let partly = dir.path().join("partly");
    std::fs::create_dir(&partly).unwrap();
    std::fs::write(partly.join("policy.yaml"), "mine").unwrap();
    files::write(&partly, &made, false).unwrap_err();
    assert_eq!(std::fs::read_dir(&partly).unwrap().count(), 1);
    assert_eq!(std::fs::read_to_string(partly.join("policy.yaml")).unwrap(), "mine");
}

#[test]
fn the_authoritys_key_is_kept_only_when_asked() {
    let kept = make(&Plan { keep_ca_key: true, ..plan() }, now()).unwrap();
    assert!(kept.iter().any(|f| f.name() == "ca.key"));
    let made = make(&plan(), now()).unwrap();
    assert_eq!(made.iter().filter(|f| f.text().contains("PRIVATE KEY")).count(), 2);
}

#[test]
fn openssl_agrees_about_the_certificates() {
    let openssl = |args: &[&str]| {
        let out = Command::new("openssl").args(args).output();
        out.map(|o| (o.status.success(), String::from_utf8_lossy(&o.stdout).into_owned()))
    };
    if openssl(&["version"]).is_err() {
        println!("skipped: the_certificates (openssl is not installed)");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    files::write(dir.path(), &make(&plan(), now()).unwrap(), false).unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (ca, server, client) = (path("ca.crt"), path("server.crt"), path("client.crt"));
    let table: &[(&str, &str, bool)] = &[
        ("sslserver", &server, true),
        ("sslclient", &client, true),
        ("sslclient", &server, false),
        ("sslserver", &client, false),
    ];
    for (purpose, certificate, good) in table {
        let args = ["verify", "-x509_strict", "-CAfile", &ca, "-purpose", purpose, certificate];
        assert_eq!(openssl(&args).unwrap().0, *good, "{purpose} {certificate}");
    }
    let (_, shown) = openssl(&["x509", "-in", &server, "-noout", "-text"]).unwrap();
    for part in [
        "IP Address:10.0.0.7",
        "DNS:gate.example",
        "IP Address:FD00:0:0:0:0:0:0:7",
        "DNS:localhost",
        "IP Address:127.0.0.1",
        "prime256v1",
        "TLS Web Server Authentication",
        "CA:FALSE",
    ] {
        assert!(shown.contains(part), "{part} is not in {shown}");
    }
    let (_, shown) = openssl(&["x509", "-in", &client, "-noout", "-subject"]).unwrap();
    assert!(shown.contains("CN = kube-apiserver"), "{shown}");
    let days = |certificate: &str, seconds: &str| {
        openssl(&["x509", "-in", certificate, "-noout", "-checkend", seconds]).unwrap().0
    };
    assert!(days(&client, "2500000") && !days(&client, "2600000"), "30 days are 2,592,000 s");
}

#[test]
fn a_failure_is_chosen_only_where_it_keeps_pods_out() {
    for (fail, default_allow, written) in [
        (false, false, Some("when_unexamined: deny")),
        (false, true, Some("when_unexamined: deny")),
        (true, false, Some("when_unexamined: fail")),
        (true, true, None),
    ] {
        let values = Values { default_allow, ..plan().values };
        let plan = Plan { fail_when_unexamined: fail, values, ..plan() };
        match (make(&plan, now()), written) {
            (Ok(made), Some(line)) => {
                let config = text(&made, "cleanbill.yaml");
                assert!(config.contains(line), "{config}");
                let config = crate::serve::config_file::parse(&config, std::path::Path::new("c"));
                assert!(config.is_ok(), "{config:?}");
            }
            (Err(e), None) => assert!(e.to_string().contains("lets in"), "{e}"),
            (made, _) => panic!("{fail} {default_allow}: {:?}", made.map(|m| m.len())),
        }
    }
}
