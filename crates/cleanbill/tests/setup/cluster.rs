//! The gate as pods, and the webhooks that lead to it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cleanbill::setup::Plan;
use cleanbill::setup::mode::Mode;
use serde_json::{Value, json};

use crate::made::{Made, plan};

fn one<'a>(objects: &'a [Value], kind: &str) -> &'a Value {
    let mut found = objects.iter().filter(|object| object["kind"] == kind);
    let first = found.next().unwrap_or_else(|| panic!("there is no {kind}"));
    assert!(found.next().is_none(), "there are two {kind}");
    first
}

#[test]
fn everything_that_the_gate_needs_is_there_and_belongs_together() {
    let plan = Plan { namespace: "gate".into(), ..plan(Mode::Webhook, None) };
    let made = Made::of(&plan);
    let all = made.below("cluster/");
    assert_eq!(all[0]["kind"], "Namespace", "made first");
    let kinds = [
        "ServiceAccount",
        "ClusterRole",
        "ConfigMap",
        "Secret",
        "Deployment",
        "Service",
        "PodDisruptionBudget",
        "NetworkPolicy",
    ];
    for kind in kinds {
        let object = one(&all, kind);
        let namespace = object["metadata"]["namespace"].as_str();
        assert_eq!(namespace, (kind != "ClusterRole").then_some("gate"), "{kind}");
    }
    let deployment = &one(&all, "Deployment")["spec"];
    let labels = &deployment["template"]["metadata"]["labels"];
    let selectors = [
        &deployment["selector"]["matchLabels"],
        &one(&all, "Service")["spec"]["selector"],
        &one(&all, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        &one(&all, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
    ];
    for selector in selectors {
        assert_eq!(selector, labels);
    }
    let pod = &deployment["template"]["spec"];
    assert_eq!(deployment["replicas"], 2);
    assert!(pod["affinity"]["podAntiAffinity"].is_object());
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
    let container = &pod["containers"][0];
    assert_eq!(
        container["securityContext"],
        json!({"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
               "capabilities": {"drop": ["ALL"]}})
    );
    for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
        assert_eq!(container[probe]["httpGet"]["port"], "metrics");
    }
    assert!(container["resources"]["limits"]["memory"].is_string());
    let account = &one(&all, "ServiceAccount")["metadata"]["name"];
    assert_eq!(pod["serviceAccountName"], *account);
    for (volume, name) in [("configMap", "name"), ("secret", "secretName")] {
        let volumes = pod["volumes"].as_array().unwrap().iter();
        let used = volumes.filter_map(|v| v[volume][name].as_str()).next().unwrap();
        let kind = if volume == "secret" { "Secret" } else { "ConfigMap" };
        assert_eq!(one(&all, kind)["metadata"]["name"], used);
    }
    let secret = &one(&all, "Secret")["stringData"];
    for name in ["ca.crt", "server.crt", "server.key"] {
        assert_eq!(secret[name], made.text(name), "{name}");
    }
    assert_eq!(secret.as_object().unwrap().len(), 3, "nothing of the API server's");
    assert_eq!(one(&all, "Service")["spec"]["ports"][0]["port"], 443);
}

#[test]
fn the_gate_may_read_what_it_was_given_and_nothing_else() {
    for given in [vec![], vec!["shop".to_owned(), "tools".to_owned()]] {
        let plan = Plan { pull_secrets_of: given.clone(), ..plan(Mode::Webhook, None) };
        let all = Made::of(&plan).below("cluster/");
        assert_eq!(
            one(&all, "ClusterRole")["rules"],
            json!([{"apiGroups": [""], "resources": ["secrets", "serviceaccounts"],
                    "verbs": ["get"]}])
        );
        assert!(all.iter().all(|object| object["kind"] != "ClusterRoleBinding"));
        let bindings = all.iter().filter(|object| object["kind"] == "RoleBinding");
        let there: Vec<_> =
            bindings.map(|b| b["metadata"]["namespace"].as_str().unwrap()).collect();
        assert_eq!(there, given);
        // Without any, it has no token to ask with.
        let pod = &one(&all, "Deployment")["spec"]["template"]["spec"];
        assert_eq!(pod["automountServiceAccountToken"], !given.is_empty());
        let map = &one(&all, "ConfigMap")["data"]["cleanbill.yaml"];
        assert_eq!(map.as_str().unwrap().contains("\nkubernetes:"), !given.is_empty());
    }
}

#[test]
fn webhooks_fail_closed_and_lead_to_the_gate() {
    for (mode, folders) in [
        (Mode::Webhook, ["webhooks/validating", "webhooks/mutating"]),
        (Mode::StaticWebhook, ["validating-webhooks/", "mutating-webhooks/"]),
    ] {
        let is_static = mode == Mode::StaticWebhook;
        let made = Made::of(&plan(mode, None));
        let ca = STANDARD.encode(made.text("ca.crt"));
        let user = made.yaml("kubeconfig");
        // A current context would show our certificate to webhooks of others.
        assert!(user["current-context"].is_null() && user["contexts"].is_null());
        let users = user["users"].as_array().unwrap();
        assert_eq!(users.len(), 1);
        let wanted = if is_static { "127.0.0.1:1234" } else { "cleanbill.cleanbill.svc" };
        assert_eq!(users[0]["name"], wanted);
        for (folder, path) in folders.into_iter().zip(["/validate", "/mutate"]) {
            let object = made.below(folder).remove(0);
            let name = object["metadata"]["name"].as_str().unwrap();
            assert_eq!(name.ends_with(".static.k8s.io"), is_static, "{name}");
            let hooks = object["webhooks"].as_array().unwrap();
            for hook in hooks {
                assert!(hook["name"].as_str().unwrap().split('.').count() >= 3);
                let client = &hook["clientConfig"];
                assert_eq!(client["caBundle"], ca);
                if is_static {
                    assert_eq!(client["url"], format!("https://127.0.0.1:1234{path}"));
                    assert!(client["service"].is_null() && hook["namespaceSelector"].is_null());
                } else {
                    let service = json!({"name": "cleanbill", "namespace": "cleanbill",
                                         "port": 443, "path": path});
                    assert_eq!(client["service"], service);
                    assert_eq!(
                        hook["namespaceSelector"]["matchExpressions"],
                        json!([{"key": "kubernetes.io/metadata.name", "operator": "NotIn",
                                "values": ["cleanbill"]}])
                    );
                }
                for (key, value) in [
                    ("failurePolicy", json!("Fail")),
                    ("sideEffects", json!("NoneOnDryRun")),
                    ("timeoutSeconds", json!(10)),
                    ("matchPolicy", json!("Equivalent")),
                    ("admissionReviewVersions", json!(["v1"])),
                ] {
                    assert_eq!(hook[key], value, "{key}");
                }
                let again = if path == "/mutate" { json!("IfNeeded") } else { Value::Null };
                assert_eq!(hook["reinvocationPolicy"], again);
            }
            let pods = &hooks[0]["rules"];
            assert_eq!(pods[0]["resources"], json!(["pods"]));
            assert_eq!(pods[0]["operations"], json!(["CREATE", "UPDATE"]));
            assert_eq!(pods[1]["resources"], json!(["pods/ephemeralcontainers"]));
            assert_eq!(pods[1]["operations"], json!(["UPDATE"]));
        }
    }
    let words = Made::of(&plan(Mode::Webhook, None)).text("kube-apiserver.patch.md").to_owned();
    assert!(words.contains("exempt") && words.contains("failurePolicy"), "{words}");
}
