//! A running gate, a played API server and a registry that wants a login: with whose secrets whose
//! images are found, and that nobody gets in on the strength of another's.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cleanbill::kube::{Client, Holds, Reader};
use cleanbill::serve::config::Bounds;
use cleanbill::serve::config_file;
use cleanbill::serve::record::Recorder;
use cleanbill::store::{Owner, Store};
use cleanbill::wiring;
use cleanbill_core::policy::{Action, Policy};
use serde_json::{Value, json};

use crate::registry::{self, Login, Registry};
use crate::rig::{self, Choice, Rig, question};
use crate::secrets::json_secret;
use crate::server::{self, Api, Mood, Objects, TOKEN};

const PASSWORD: &str = "hunter2";

/// Everything that takes part.
struct Cluster {
    api: Api,
    registry: Registry,
    gate: Rig,
    _folder: tempfile::TempDir,
}

/// How long the gate holds what it read, so that a test can wait for it.
const HELD: Duration = Duration::from_millis(300);

fn secret_path(namespace: &str, name: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/secrets/{name}")
}

fn cluster(login: Login) -> Cluster {
    holding(login, HELD)
}

fn holding(login: Login, held: Duration) -> Cluster {
    knowing(login, held, "")
}

/// The same with a gate that has this to say of the registry.
fn knowing(login: Login, held: Duration, own: &str) -> Cluster {
    let registry = registry::start(login, PASSWORD);
    let account = |names: Value| (200, json!({ "imagePullSecrets": names }).to_string());
    let accounts = "/api/v1/namespaces/shop/serviceaccounts";
    let objects = Objects::from([
        (secret_path("shop", "login"), (200, json_secret(&registry.host, PASSWORD).to_string())),
        (format!("{accounts}/builder"), account(json!([{ "name": "login" }]))),
        (format!("{accounts}/default"), account(json!([]))),
    ]);
    let api = server::start(objects, false);
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = folder.path().join("kubeconfig");
    std::fs::write(&kubeconfig, api.kubeconfig(&format!("    token: {TOKEN}\n"))).unwrap();
    let client = Client::from_kubeconfig(&kubeconfig).unwrap();
    let holds = Holds { found: held, none: held, failed: held };

    let text = format!(
        "listen: \"127.0.0.1:1\"\ntls: {{cert: a, key: b, client_ca: c, client_names: [d]}}\n\
         policy: policy.yaml\nstate_dir: state\n\
         registries:\n- {{{own}host: \"{}\", plain_http: true, private: true}}\n",
        registry.host
    );
    std::fs::write(folder.path().join("password"), PASSWORD).unwrap();
    let config = config_file::parse(&text, &folder.path().join("cleanbill.yaml")).unwrap();
    let store = Arc::new(Store::open(&folder.path().join("state"), Owner::Gate).unwrap());
    let gate = rig::rig(Choice {
        examiner: wiring::examiner(&config, Some(Arc::clone(&store))).unwrap(),
        // Whatever can be examined is let in: then "allowed" says that it was found.
        policy: Policy { action: Action::Audit, ..Policy::default() },
        bounds: Bounds { budget: Duration::from_secs(8), ..Bounds::default() },
        recorder: Recorder::into(store).unwrap(),
        kubernetes: Some(Reader::holding(client, holds)),
        ..Choice::default()
    });
    Cluster { api, registry, gate, _folder: folder }
}

/// A pod of one image, or what makes such pods.
#[derive(Clone, Copy, Debug)]
struct Pod<'a> {
    namespace: &'a str,
    image: &'a str,
    secrets: &'a [&'a str],
    account: &'a str,
    template: bool,
}

impl Cluster {
    fn private(&self) -> String {
        format!("{}/private/app@{}", self.registry.host, self.registry.digest)
    }

    fn public(&self) -> String {
        format!("{}/public/app@{}", self.registry.host, self.registry.digest)
    }

    fn pod<'a>(&self, image: &'a str, secrets: &'a [&'a str]) -> Pod<'a> {
        Pod { namespace: "shop", image, secrets, account: "default", template: false }
    }

    /// The denial, or `None` where it is allowed.
    fn ask(&self, pod: Pod<'_>) -> Option<String> {
        let secrets: Vec<Value> = pod.secrets.iter().map(|name| json!({ "name": name })).collect();
        let spec = json!({
            "containers": [{ "name": "c", "image": pod.image }],
            "imagePullSecrets": secrets,
            "serviceAccountName": pod.account,
        });
        let (group, kind, spec) = if pod.template {
            ("apps", "Deployment", json!({ "template": { "spec": spec } }))
        } else {
            ("", "Pod", spec)
        };
        let review = json!({
            "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
            "request": {
                "uid": "u", "operation": "CREATE", "namespace": pod.namespace,
                "kind": { "group": group, "version": "v1", "kind": kind },
                "userInfo": { "username": "bob" },
                "object": { "metadata": { "name": "p" }, "spec": spec },
            },
        });
        let sent = review.to_string();
        let reply = self.gate.send(Some(&self.gate.client), "/validate", sent.as_bytes()).unwrap();
        for secret in [PASSWORD, TOKEN, "token-for"] {
            assert!(!reply.body.contains(secret), "{reply:?}");
        }
        let response = reply.json()["response"].clone();
        match response["allowed"].as_bool() {
            Some(true) => None,
            _ => Some(response["status"]["message"].as_str().unwrap().to_owned()),
        }
    }

    fn allows(&self, pod: Pod<'_>) {
        assert_eq!(self.ask(pod), None, "{pod:?}");
    }

    /// It is denied, and the denial says this.
    fn denies(&self, pod: Pod<'_>, says: &[&str]) {
        let Some(why) = self.ask(pod) else { panic!("allowed: {pod:?}") };
        assert!(why.contains("could not be judged"), "{pod:?}: {why}");
        assert!(says.iter().all(|says| why.contains(says)), "{pod:?}: {why}");
    }

    fn asked_for(&self, path: &str) -> usize {
        self.api.asked.lock().unwrap().iter().filter(|asked| *asked == path).count()
    }

    /// What is not at the API server any more, or is something else there.
    fn put(&self, path: &str, object: Option<String>) {
        let mut objects = self.api.objects.lock().unwrap();
        match object {
            Some(object) => objects.insert(path.to_owned(), (200, object)),
            None => objects.remove(path),
        };
    }

    fn until_forgotten(&self) {
        std::thread::sleep(HELD + Duration::from_millis(50));
    }
}

#[test]
fn a_pods_secrets_open_its_own_images_and_nobody_elses() {
    for login in [Login::Basic, Login::Token] {
        let cluster = cluster(login);
        let (private, public) = (cluster.private(), cluster.public());
        let tag = format!("{}/private/app:1", cluster.registry.host);
        let with = |image| cluster.pod(image, &["login"]);
        let without = |image| cluster.pod(image, &[]);
        // Nobody has looked yet, so nothing is remembered.
        cluster.denies(without(&private), &[]);
        cluster.allows(without(&public));
        cluster.allows(with(&private));
        cluster.allows(with(&tag));
        // Now it is, in memory and on the disk: for who has the same logins alone.
        cluster.allows(with(&private));
        let elsewhere = |pod| Pod { namespace: "other", ..pod };
        for image in [private.as_str(), &tag] {
            cluster.denies(without(image), &[]);
            cluster.denies(elsewhere(without(image)), &[]);
            let told = ["pull secret \"login\": there is none of that name"];
            cluster.denies(elsewhere(with(image)), &told);
            cluster.denies(cluster.pod(image, &["another"]), &["pull secret \"another\""]);
            // An ImageReview tells no secrets.
            let reply = cluster.gate.ask(&question(&[image]));
            assert!(!reply.allowed(), "{reply:?}");
        }
        // A secret of another namespace with another password is another login.
        let wrong = json_secret(&cluster.registry.host, "wrong").to_string();
        cluster.put(&secret_path("third", "login"), Some(wrong));
        cluster.denies(Pod { namespace: "third", ..with(&private) }, &[]);
        cluster.allows(with(&private));
        // Its own examination of the same image by another name has nothing from the first.
        let bare = format!("{}/private/app:1@{}", cluster.registry.host, cluster.registry.digest);
        cluster.denies(without(&bare), &[]);
        let logins = cluster.registry.asked.lock().unwrap().clone();
        assert!(logins.iter().any(|(path, login)| path.contains("/private/") && *login));
        let told = logins.iter().any(|(path, login)| path.contains("/public/") && *login);
        assert!(!told, "a login was sent where none is wanted");
    }
}

#[test]
fn a_login_for_another_registry_changes_nothing_for_an_image() {
    let cluster = cluster(Login::Basic);
    let public = cluster.public();
    for (name, place) in [("other", "other.example"), ("part", "private")] {
        let place = place.replace("private", &format!("{}/private", cluster.registry.host));
        cluster.put(&secret_path("shop", name), Some(json_secret(&place, PASSWORD).to_string()));
    }
    cluster.allows(cluster.pod(&public, &[]));
    cluster.registry.asked.lock().unwrap().clear();
    for secrets in [&["other"][..], &["part"], &["other", "part"]] {
        cluster.allows(cluster.pod(&public, secrets));
    }
    assert_eq!(*cluster.registry.asked.lock().unwrap(), [], "what is known is not asked for");
    // What nobody knows is another's still.
    cluster.denies(cluster.pod(&cluster.private(), &["other"]), &[]);
    cluster.allows(cluster.pod(&cluster.private(), &["other", "part"]));
    cluster.denies(cluster.pod(&cluster.private(), &["other"]), &[]);
}

#[test]
fn logins_are_tried_in_turn_until_one_opens_the_image() {
    for login in [Login::Basic, Login::Token] {
        let cluster = cluster(login);
        let (private, host) = (cluster.private(), cluster.registry.host.clone());
        let part = format!("{host}/private");
        let secrets = [("wrong", &host, "wrong"), ("part", &part, "outdated")];
        for (name, place, password) in secrets {
            let secret = json_secret(place, password).to_string();
            cluster.put(&secret_path("shop", name), Some(secret));
        }
        for secrets in [&["wrong"][..], &["part"], &["part", "wrong"], &["wrong", "none"]] {
            cluster.denies(cluster.pod(&private, secrets), &[]);
        }
        for secrets in [&["wrong", "login"][..], &["login", "part"], &["part", "wrong", "login"]] {
            cluster.allows(cluster.pod(&private, secrets));
        }
        // By then it is known, and to nobody with other logins.
        cluster.denies(cluster.pod(&private, &["part", "wrong"]), &[]);
    }
}

#[test]
fn the_gates_own_login_opens_what_a_pods_does_not() {
    let cluster = knowing(Login::Basic, HELD, "username: u, password_file: password, ");
    let private = cluster.private();
    let wrong = json_secret(&cluster.registry.host, "wrong").to_string();
    cluster.put(&secret_path("shop", "wrong"), Some(wrong));
    for secrets in [&["wrong"][..], &["none"], &[]] {
        cluster.allows(cluster.pod(&private, secrets));
    }
}

#[test]
fn a_template_gets_the_secrets_of_its_service_account_and_a_pod_does_not() {
    let cluster = cluster(Login::Basic);
    let private = cluster.private();
    let template = Pod { template: true, ..cluster.pod(&private, &[]) };
    cluster.denies(template, &[]);
    cluster.allows(Pod { account: "builder", ..template });
    cluster.denies(template, &[]);
    let nobody = Pod { account: "nobody", ..template };
    cluster.denies(nobody, &["service account \"nobody\": there is none of that name"]);
    // Into a pod the API server has put them already, if it was to have them.
    cluster.denies(Pod { account: "builder", template: false, ..template }, &[]);
    // The account of that name in another namespace.
    cluster.denies(Pod { account: "builder", namespace: "other", ..template }, &[]);
    cluster.allows(Pod { account: "nobody", secrets: &["login"], ..template });
}

#[test]
fn a_secret_that_is_changed_or_gone_opens_nothing_any_more() {
    let cluster = cluster(Login::Token);
    let (private, path) = (cluster.private(), secret_path("shop", "login"));
    let pod = cluster.pod(&private, &["login"]);
    cluster.allows(pod);
    cluster.put(&path, None);
    cluster.until_forgotten();
    cluster.denies(pod, &["pull secret \"login\": there is none of that name"]);
    let secret = |password| Some(json_secret(&cluster.registry.host, password).to_string());
    cluster.put(&path, secret("wrong"));
    cluster.until_forgotten();
    cluster.denies(pod, &[]);
    // The password was changed, at both ends.
    *cluster.registry.password.lock().unwrap() = "hunter3".into();
    cluster.put(&path, secret("hunter3"));
    cluster.until_forgotten();
    cluster.allows(pod);
    cluster.put(&path, Some("{\"type\":\"Opaque\"}".into()));
    cluster.until_forgotten();
    cluster.denies(pod, &["pull secret \"login\": it is no registry login"]);
}

#[test]
fn an_api_server_that_is_slow_or_down_stops_no_public_image_and_opens_no_private_one() {
    let cluster = cluster(Login::Basic);
    let (private, public) = (cluster.private(), cluster.public());
    for mood in [Mood::Down, Mood::Slow(Duration::from_secs(4))] {
        *cluster.api.mood.lock().unwrap() = mood;
        let began = Instant::now();
        let slow = Pod { secrets: &["login"], ..cluster.pod(&private, &[]) };
        cluster.denies(slow, &["could not be read"]);
        cluster.allows(Pod { image: &public, ..slow });
        // Well before the API server would give up on us.
        assert!(began.elapsed() < Duration::from_secs(20), "{mood:?}");
    }
    *cluster.api.mood.lock().unwrap() = Mood::Well;
    let recovered = || cluster.ask(cluster.pod(&private, &["login"])).is_none();
    let until = Instant::now() + Duration::from_secs(30);
    while !recovered() {
        assert!(Instant::now() < until, "it did not recover");
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn a_rollout_of_many_pods_asks_the_api_server_once() {
    let cluster = holding(Login::Basic, Duration::from_secs(3600));
    let private = cluster.private();
    *cluster.api.mood.lock().unwrap() = Mood::Slow(Duration::from_millis(200));
    std::thread::scope(|scope| {
        for _ in 0..40 {
            scope.spawn(|| cluster.allows(cluster.pod(&private, &["login"])));
        }
    });
    assert_eq!(cluster.asked_for(&secret_path("shop", "login")), 1);
    // What is held is the namespace's own.
    cluster.denies(Pod { namespace: "other", ..cluster.pod(&private, &["login"]) }, &[]);
    assert_eq!(cluster.asked_for(&secret_path("other", "login")), 1);
}
