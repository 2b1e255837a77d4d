//! Every mode with every tool: all that is made is well-formed, and says one thing.

use std::path::Path;
use std::process::Command;

use cleanbill::serve::config_file;
use cleanbill::setup::manifest::{flags, needed};
use cleanbill::setup::mode::{Mode, Tool};
use cleanbill::setup::{Plan, make};
use serde_json::{Value, json};

use crate::made::{Made, documents, plan};

/// Every mode with every tool, and with none.
fn every() -> impl Iterator<Item = (Plan, Made)> {
    Mode::ALL.into_iter().flat_map(|mode| {
        let tools = Tool::ALL.map(Some).into_iter().chain([None]);
        tools.map(move |tool| {
            let plan = plan(mode, tool);
            let made = Made::of(&plan);
            (plan, made)
        })
    })
}

#[test]
fn every_file_is_well_formed_and_nothing_is_left_open() {
    for (plan, made) in every() {
        for (name, text) in made.files() {
            let what = format!("{:?} {:?} {name}", plan.mode, plan.tool);
            assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{what}");
            let gap = text.split('@').any(|part| {
                part.len() > 1 && part.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
            });
            assert!(!gap, "{what}: a gap of the template is left\n{text}");
            if name.ends_with(".yaml") || name == "kubeconfig" {
                documents(text);
            }
            if name.ends_with(".json") {
                serde_json::from_str::<Value>(text).unwrap();
            }
            let secret = name.ends_with(".key") || name.contains("21-certificates");
            assert_eq!(text.contains("PRIVATE KEY"), secret, "{what}");
        }
        for name in needed(plan.mode) {
            assert!(made.files().any(|(made, _)| made.starts_with(name)), "{name} is not made");
        }
    }
}

#[test]
fn the_admission_configuration_names_what_is_there() {
    for (plan, made) in every() {
        let config = made.yaml("admission-configuration.yaml");
        let json: Value = serde_json::from_str(made.text("admission-configuration.json")).unwrap();
        assert_eq!(config, json);
        let (kind, names): (&str, &[&str]) = if plan.mode.is_plugin() {
            ("", &["ImagePolicyWebhook"])
        } else {
            (
                "WebhookAdmissionConfiguration",
                &["ValidatingAdmissionWebhook", "MutatingAdmissionWebhook"],
            )
        };
        let plugins = config["plugins"].as_array().unwrap();
        let found: Vec<_> = plugins.iter().map(|p| p["name"].as_str().unwrap()).collect();
        assert_eq!(found, names);
        for plugin in plugins {
            let at = &plugin["configuration"];
            let at = if plan.mode.is_plugin() { &at["imagePolicy"] } else { at };
            assert_eq!(at["kubeConfigFile"], format!("{}/kubeconfig", plan.mount_dir));
            assert_eq!(at["kind"].as_str().unwrap_or_default(), kind);
            let folder = at["staticManifestsDir"].as_str();
            assert_eq!(folder.is_some(), plan.mode == Mode::StaticWebhook);
            let Some(folder) = folder else { continue };
            // A folder of one kind, which is that of the plug-in.
            let inside = folder.strip_prefix(&format!("{}/", plan.mount_dir)).unwrap();
            let kinds: Vec<Value> =
                made.below(inside).iter().map(|object| object["kind"].clone()).collect();
            let wanted = plugin["name"].as_str().unwrap().replace("Admission", "");
            assert_eq!(kinds, [format!("{wanted}Configuration")]);
        }
    }
}

#[test]
fn every_tool_hears_the_same_flags_and_folder() {
    for (plan, made) in every() {
        let plugin = plan.mode.is_plugin();
        let mut wanted: Vec<String> =
            flags(&plan).into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        for flag in &wanted {
            assert!(made.text("kube-apiserver.patch.md").contains(&format!("--{flag}\n")));
        }
        let appended: Vec<String> = made
            .yaml("kube-apiserver.patch.yaml")
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|op| Some(op["value"].as_str()?.trim_start_matches("--").to_owned()))
            .collect();
        assert_eq!(appended, wanted);
        if plugin {
            // Where the flag is set anew, what tools set by themselves stays.
            wanted[0] = "enable-admission-plugins=NodeRestriction,ImagePolicyWebhook".into();
        }
        let told = match plan.tool {
            None => continue,
            Some(Tool::Kind) => {
                let node = &made.yaml("kind.yaml")["nodes"][0];
                let mount = &node["extraMounts"][0];
                assert_eq!(mount["hostPath"], "/made/by a person/apiserver");
                assert_eq!(mount["containerPath"], json!(plan.mount_dir));
                let patches = node["kubeadmConfigPatches"].as_array().unwrap();
                let patches = patches.iter().map(|p| documents(p.as_str().unwrap()).remove(0));
                patches.map(|patch| kubeadm(&patch, &plan)).collect()
            }
            Some(Tool::Minikube) => {
                let script = made.text("minikube.sh");
                let at = script.find("exec minikube start").unwrap();
                let flags = script[at..].split("--extra-config=apiserver.").skip(1);
                let flags = flags.map(|f| f.trim_end_matches([' ', '\\', '\n']).to_owned());
                vec![flags.collect()]
            }
            Some(Tool::K3s) => {
                let list = made.yaml("k3s.yaml")["kube-apiserver-arg+"].clone();
                vec![serde_json::from_value::<Vec<String>>(list).unwrap()]
            }
            Some(Tool::Kubeadm) => {
                assert_eq!(
                    made.text("kubeadm/patches/kube-apiserver0+json.yaml"),
                    made.text("kube-apiserver.patch.yaml")
                );
                ["v1beta3", "v1beta4"]
                    .map(|version| {
                        let config = made.yaml(&format!("kubeadm/{version}.yaml"));
                        assert_eq!(config["apiVersion"], format!("kubeadm.k8s.io/{version}"));
                        kubeadm(&config, &plan)
                    })
                    .into()
            }
        };
        for told in told {
            assert_eq!(told, wanted, "{:?} {:?}", plan.mode, plan.tool);
        }
    }
}

/// The flags of a ClusterConfiguration, as a list or as a map; and its one volume is ours.
fn kubeadm(config: &Value, plan: &Plan) -> Vec<String> {
    assert_eq!(config["kind"], "ClusterConfiguration");
    let server = &config["apiServer"];
    assert_eq!(
        server["extraVolumes"],
        json!([{"name": "cleanbill", "hostPath": plan.mount_dir, "mountPath": plan.mount_dir,
                "readOnly": true, "pathType": "Directory"}])
    );
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let listed = config["apiVersion"] == "kubeadm.k8s.io/v1beta4";
    match &server["extraArgs"] {
        Value::Array(list) if listed => list
            .iter()
            .map(|arg| format!("{}={}", text(&arg["name"]), text(&arg["value"])))
            .collect(),
        Value::Object(map) if !listed => {
            // In the order of flags, which a map need not have.
            let mut args: Vec<_> = map.iter().map(|(k, v)| format!("{k}={}", text(v))).collect();
            args.sort_by_key(|arg| arg.starts_with("admission-control"));
            args
        }
        other @ (Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_)) => panic!("{other}"),
    }
}

#[test]
fn the_gates_configuration_is_one_that_serve_reads() {
    for (plan, made) in every() {
        let (text, path) = if plan.mode == Mode::Webhook {
            let map = made.yaml("cluster/20-configuration.yaml");
            (map["data"]["cleanbill.yaml"].as_str().unwrap().to_owned(), "/etc/cleanbill/config")
        } else {
            (made.text("cleanbill.yaml").to_owned(), "/etc/cleanbill")
        };
        let config = config_file::parse(&text, &Path::new(path).join("cleanbill.yaml")).unwrap();
        assert_eq!(config.listen.port(), 1234);
        assert_eq!(config.listen.ip().is_loopback(), plan.mode != Mode::Webhook);
        assert_eq!(config.kubernetes.is_some(), plan.mode == Mode::Webhook);
    }
}

#[test]
fn the_unit_is_one_that_systemd_takes_and_leaves_little_open() {
    let analyze = |args: &[&str]| Command::new("systemd-analyze").args(args).output();
    if analyze(&["--version"]).is_err() {
        println!("skipped: the_unit_is_one (systemd-analyze is not installed)");
        return;
    }
    for state_dir in ["/var/lib/cleanbill", "/srv/gate/state"] {
        let plan = Plan { state_dir: state_dir.into(), ..plan(Mode::Node, None) };
        let made = Made::of(&plan);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cleanbill.service");
        let unit = made.text("cleanbill.service");
        std::fs::write(&path, unit.replace("/usr/local/bin/cleanbill", "/bin/true")).unwrap();
        let path = path.to_str().unwrap();
        let out = analyze(&["verify", "--man=no", path]).unwrap();
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(out.status.success() && !said.contains("cleanbill.service"), "{said}");
        // Of 100; a service that does none of it has 96.
        let out = analyze(&["security", "--offline=true", "--threshold=20", path]);
        let said = out.unwrap();
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stdout));
    }
}

#[test]
fn the_static_pod_has_no_privilege_and_writes_into_one_folder() {
    for mode in [Mode::Node, Mode::StaticWebhook] {
        let made = Made::of(&plan(mode, None));
        let pod = made.yaml("cleanbill.pod.yaml");
        let spec = &pod["spec"];
        assert_eq!(pod["kind"], "Pod");
        assert_eq!(spec["hostNetwork"], true);
        assert_eq!(spec["securityContext"]["runAsNonRoot"], true);
        assert_eq!(spec["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
        let container = &spec["containers"][0];
        assert_eq!(
            container["securityContext"],
            json!({"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
                   "capabilities": {"drop": ["ALL"]}})
        );
        let mounts = container["volumeMounts"].as_array().unwrap();
        let written: Vec<_> = mounts.iter().filter(|m| m["readOnly"] != true).collect();
        let written: Vec<_> = written.iter().map(|m| m["mountPath"].as_str().unwrap()).collect();
        assert_eq!(written, ["/var/lib/cleanbill", "/tmp"]);
        let config = container["args"][2].as_str().unwrap();
        assert_eq!(config, "/etc/cleanbill/cleanbill.yaml");
    }
}

#[test]
fn what_does_not_fit_together_is_refused_with_words() {
    let webhook = || plan(Mode::Webhook, None);
    let table: &[(Plan, &str)] = &[
        (Plan { image: None, ..webhook() }, "needs the gate as an image"),
        (Plan { image: Some("no image".into()), ..webhook() }, "is no image's name"),
        (Plan { namespace: "Gate".into(), ..webhook() }, "--namespace \"Gate\""),
        (Plan { namespace: "a\nb".into(), ..webhook() }, "is no name of a namespace"),
        (Plan { pull_secrets_of: vec!["-x".into()], ..webhook() }, "--pull-secrets-of \"-x\""),
        (Plan { port: 443, ..webhook() }, "below 1024"),
        (Plan { state_dir: "/var/lib/a b".into(), ..webhook() }, "--state-dir"),
        (Plan { state_dir: "/var/lib/../x".into(), ..plan(Mode::Node, None) }, "--state-dir"),
        (Plan { image: Some("a".into()), ..plan(Mode::Remote, None) }, "--image belongs to"),
        (
            Plan { pull_secrets_of: vec!["x".into()], ..plan(Mode::Node, None) },
            "--pull-secrets-of belongs to",
        ),
        (
            Plan {
                values: cleanbill::setup::admission::Values {
                    default_allow: true,
                    ..Plan::default().values
                },
                ..plan(Mode::StaticWebhook, None)
            },
            "--default-allow belongs to",
        ),
    ];
    for (plan, words) in table {
        let said = make(plan, jiff::Timestamp::now()).map(|made| made.len());
        let said = said.unwrap_err().to_string();
        assert!(said.contains(words) && said.contains("next:"), "{said}");
    }
}
