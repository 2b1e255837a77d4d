//! The validating and the mutating webhook with the configurations of `examples/webhook`, registered
//! by kubectl, and the real gate behind them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::assets::{Assets, assets};
use crate::client::{Reply, Said, pod};
use crate::cluster::{Admission, Server, Setup};
use crate::registry::{Image, Registry};
use crate::rig::{Choice, Gate, POLICY};

const VALIDATING: &str = include_str!("../../../../examples/webhook/validating.yaml");
const MUTATING: &str = include_str!("../../../../examples/webhook/mutating.yaml");

/// Since when the API server knows the key `matchConditions`; before, it is dropped.
const MATCH_CONDITIONS: (u32, u32) = (1, 28);
/// Since when every namespace has its own name as a label.
const NAME_LABEL: (u32, u32) = (1, 21);

/// What the policy refuses by its name.
const BAD: &str = "elsewhere.example/app:1";

/// By which certificate webhooks are called, or by none.
fn setup(assets: &Assets, gate: &Gate, with_certificate: bool) -> Setup {
    let user = json!({
        "client-certificate": gate.path("client.crt"), "client-key": gate.path("client.key"),
    });
    // Chosen by the address that the webhook's configuration names.
    let users = json!([{"name": gate.address().to_string(), "user": user}]);
    let config = json!({"apiVersion": "v1", "kind": "Config", "users": users}).to_string();
    let plugin = |name: &str| {
        json!({"name": name, "configuration": {
            "apiVersion": "apiserver.config.k8s.io/v1", "kind": "WebhookAdmissionConfiguration",
            "kubeConfigFile": "FOLDER/webhooks.kubeconfig",
        }})
    };
    let admission = json!({
        "apiVersion": "apiserver.config.k8s.io/v1", "kind": "AdmissionConfiguration",
        "plugins": [plugin("ValidatingAdmissionWebhook"), plugin("MutatingAdmissionWebhook")],
    });
    Setup {
        admission: match with_certificate {
            true => Admission::Text(admission.to_string()),
            false => Admission::None,
        },
        files: vec![("webhooks.kubeconfig".into(), config)],
        flags: assets.ephemeral_containers(),
        ..Setup::default()
    }
}

/// Registers one of the examples for this gate.
fn register(assets: &Assets, server: &Server, gate: &Gate, example: &str) {
    let bundle = STANDARD.encode(std::fs::read(gate.path("ca.crt")).unwrap());
    let text = example
        .replace("https://cleanbill.example:8443", &format!("https://{}", gate.address()))
        .replace("caBundle: \"\"", &format!("caBundle: {bundle}"));
    let mut args = vec!["apply", "-f", "-"];
    if assets.version < MATCH_CONDITIONS && text.contains("matchConditions") {
        let said = server.kubectl_with(&args, &text);
        assert!(!said.done && said.err.contains("unknown field \"matchConditions\""), "{said:?}");
        args.push("--validate=false");
    }
    let said = server.kubectl_with(&args, &text);
    assert!(said.done, "{said:?}");
}

fn denied(webhook: &str) -> String {
    format!("admission webhook \"{webhook}.cleanbill.example\" denied the request: ")
}

/// The images of a pod's containers, ephemeral ones last.
fn images(server: &Server, name: &str) -> Vec<String> {
    let path = format!("/api/v1/namespaces/default/pods/{name}");
    let spec = server.client().get(&path).unwrap().body["spec"].take();
    let lists = [&spec["containers"], &spec["ephemeralContainers"]];
    let all = lists.into_iter().filter_map(Value::as_array).flatten();
    all.map(|container| container["image"].as_str().unwrap().to_owned()).collect()
}

fn patch_image(server: &Server, name: &str, image: &str) -> Reply {
    let path = format!("/api/v1/namespaces/default/pods/{name}");
    let patch = json!([{"op": "replace", "path": "/spec/containers/0/image", "value": image}]);
    let kind = "application/json-patch+json";
    server.client().request("PATCH", &path, kind, &patch.to_string()).unwrap()
}

fn debug(server: &Server, name: &str, image: &str) -> Said {
    server.kubectl(&["debug", name, "--image", image, "--attach=false"])
}

#[test]
fn registered_webhooks_deny_and_pin() {
    let Some(assets) = assets() else { return };
    let registry = Registry::start();
    let policy = format!("{POLICY}allowed: [\"{}/*\"]\n", registry.host());
    let mut gate = Gate::start(Choice { keys: registry.key(), policy, ..Choice::default() });
    let mut server = Server::start(&assets, &setup(&assets, &gate, true)).unwrap();
    let image = Image::clean("app");
    let good = registry.push(&image);
    let tagged = format!("{}/app:1", registry.host());
    let pinned = format!("{tagged}@{}", image.digest());
    assert_eq!(server.client().create("before", &[BAD]).status, 201, "nobody is asked yet");

    // Validating alone.
    register(&assets, &server, &gate, VALIDATING);
    gate.until("the webhook is called", |_| {
        let reply = server.client().create("try", &[BAD]);
        let name = "/api/v1/namespaces/default/pods/try?gracePeriodSeconds=0";
        let gone = server.client().request("DELETE", name, "application/json", "").unwrap();
        assert!([200, 404].contains(&gone.status), "{gone:?}");
        reply.status == 403
    });
    let said = server.kubectl(&["run", "bad", "--image", BAD]);
    let words = denied("pods") + BAD + ": images may only come from";
    assert!(!said.done && said.err.contains(&words), "{said:?}");
    let reply = server.client().create("good", &[&good]);
    assert_eq!(reply.status, 201, "{reply:?}\n{}", gate.log());
    let noted = server.annotations("create", "good");
    let id = noted["pods.cleanbill.example/decision-id"].as_str().unwrap_or_default();
    assert!(gate.recorded(id).is_some(), "{noted}");
    let reply = server.client().create("tagged", &[&tagged]);
    assert_eq!((reply.status, images(&server, "tagged")), (201, vec![tagged.clone()]));

    // The gate's own namespace is not guarded, where it can be told by its label.
    assert!(server.kubectl(&["create", "namespace", "cleanbill"]).done);
    let exempt = || server.kubectl(&["-n", "cleanbill", "run", "any", "--image", BAD]);
    if assets.version < NAME_LABEL {
        let said = exempt();
        assert!(!said.done && said.err.contains(&denied("pods")), "{said:?}");
        let label = "kubernetes.io/metadata.name=cleanbill";
        assert!(server.kubectl(&["label", "namespace", "cleanbill", label]).done);
    }
    gate.until("the namespace is exempt", |_| exempt().done);

    // A pod that should not be there can be changed, but not to another such image.
    assert_eq!(server.client().label("before", "a").status, 200);
    let reply = patch_image(&server, "before", "elsewhere.example/other:1");
    assert!(reply.status == 403 && reply.message().contains(&denied("pods")), "{reply:?}");
    assert_eq!(patch_image(&server, "before", &good).status, 200);

    // What pods are made from, so that people hear of it.
    let said = server.kubectl(&["create", "deployment", "d", "--image", BAD]);
    assert!(!said.done && said.err.contains(&(denied("workloads") + BAD)), "{said:?}");
    let said = server.kubectl(&["create", "deployment", "d", "--image", &good]);
    assert!(said.done, "{said:?}");

    // Ephemeral containers.
    let said = debug(&server, "good", BAD);
    assert!(!said.done && said.err.contains(&(denied("pods") + BAD)), "{said:?}");
    let said = debug(&server, "good", &good);
    assert!(said.done, "{said:?}");
    assert_eq!(images(&server, "good"), [good.clone(), good.clone()]);

    // And pinned.
    register(&assets, &server, &gate, MUTATING);
    gate.until("the mutating webhook is called", |_| {
        server.client().create("bad", &[BAD]).message().contains(&denied("pin"))
    });
    let mut both = pod("both", &[&tagged, &good]);
    both["spec"]["initContainers"] = json!([{"name": "i", "image": tagged}]);
    assert_eq!(server.client().create_object(&both).status, 201, "{}", gate.log());
    assert_eq!(images(&server, "both"), [pinned.clone(), good.clone()]);
    let init = server.client().get("/api/v1/namespaces/default/pods/both").unwrap().body;
    assert_eq!(init["spec"]["initContainers"][0]["image"], pinned);
    let said = debug(&server, "both", &tagged);
    assert!(said.done, "{said:?}\n{}", gate.log());
    assert_eq!(images(&server, "both"), [pinned.clone(), good.clone(), pinned.clone()]);
    // An image that did not change stays as it is, since a new name would restart its container.
    assert_eq!(server.client().label("tagged", "a").status, 200);
    assert_eq!(images(&server, "tagged"), vec![tagged.clone()]);

    // Without the gate pods wait, and deployments do not.
    gate.kill();
    let reply = server.client().create("killed", &[&good]);
    let words = "failed calling webhook \"pin.cleanbill.example\"";
    assert!(reply.status == 500 && reply.message().contains(words), "{reply:?}");
    let said = server.kubectl(&["create", "deployment", "e", "--image", BAD]);
    assert!(said.done, "{said:?}");
    gate.open();
    // A connection of before may be tried once more: Go does not repeat a POST on another.
    gate.until("the gate is asked again", |_| {
        server.client().create("again", &[&good]).status == 201
    });

    // An API server that was not told which certificate to show is no client of the gate.
    server.restart(&setup(&assets, &gate, false)).unwrap();
    gate.until("the webhook is called", |_| {
        let reply = server.client().create("stranger", &[&good]);
        reply.status == 500 && reply.message().contains("failed calling webhook")
    });
    // With TLS 1.3 the client may have sent its question before it hears why it is refused, and
    // then sees a broken pipe instead.
    gate.until("the certificate is asked for", |_| {
        let reply = server.client().label("again", "b");
        assert_eq!(reply.status, 500, "{reply:?}");
        reply.message().contains("certificate")
    });
}
