//! No secret in anything that the gate says or keeps: one of each kind is planted where it
//! belongs, all are put to use, things go wrong with them, and then every output is searched for
//! each, in the forms that a secret takes on its way.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cleanbill::store::Wanted;
use serde_json::{Value, json};

use crate::checker::program;
use crate::kubernetes;
use crate::registry::{Fault, Login, Registry, reached};
use crate::rig::{Choice, Gate, POLICY, cleanbill, question, run};

/// What may be seen, and is: if the search does not find it, the search is wrong.
const SEEN: &str = "namespace-that-may-be-seen";

/// The forms in which a secret may turn up.
fn forms(secret: &str) -> Vec<String> {
    let bytes = secret.as_bytes();
    let list: Vec<String> = bytes.iter().map(u8::to_string).collect();
    let mut forms = vec![secret.to_owned(), list.join(", ")];
    forms.push(bytes.iter().map(|b| format!("{b:02x}")).collect());
    // As a part of something longer, base64 depends on where it begins.
    for before in 0..3 {
        let padded = [&vec![b'.'; before], bytes].concat();
        let whole = STANDARD.encode(&padded[..padded.len() / 3 * 3]);
        forms.push(whole[if before == 0 { 0 } else { 4 }..].to_owned());
    }
    forms
}

fn finds(output: &[u8], secret: &str) -> bool {
    let holds = |form: &String| output.windows(form.len()).any(|w| w == form.as_bytes());
    forms(secret).iter().any(holds)
}

#[test]
fn the_search_finds_a_secret_in_every_form() {
    let secret = "S3cretOfTheSearch01";
    let outputs = [
        format!("password={secret} "),
        format!("Basic {}", STANDARD.encode(format!("puller:{secret}"))),
        format!("Basic {}", STANDARD.encode(format!("user:{secret}"))),
        format!("Basic {}", STANDARD.encode(format!("someone:{secret}"))),
        format!("{:?}", secret.as_bytes()),
        secret.bytes().map(|b| format!("{b:02x}")).collect(),
    ];
    for output in outputs {
        assert!(finds(output.as_bytes(), secret), "{output}");
        assert!(!finds(output.as_bytes(), "S3cretOfAnotherKind7"), "{output}");
    }
}

/// A made-up secret of this kind.
fn secret(kind: &str) -> String {
    format!("S3cret{kind}0123456789")
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

/// A pod whose image is pulled with the secret `pull`.
fn pod(image: &str, token: &str) -> Value {
    json!({
        "kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1",
        "request": {
            "uid": "u-1", "operation": "CREATE", "namespace": SEEN, "name": "web",
            "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "resource": {"group": "", "version": "v1", "resource": "pods"},
            "userInfo": {"username": "ada", "groups": ["dev"]},
            "object": {
                "apiVersion": "v1", "kind": "Pod",
                "metadata": {"name": "web", "annotations": {"breakglass.image-policy.k8s.io/token": token}},
                "spec": {"containers": [{"name": "c", "image": image}], "imagePullSecrets": [{"name": "pull"}]},
            },
        },
    })
}

#[test]
fn no_secret_is_in_anything_that_the_gate_says_or_keeps() {
    let (plain, bearer, pulled) = (Registry::start(), Registry::start(), Registry::start());
    let of = |kind| secret(kind);
    plain.login(Login { basic: basic("puller", &of("Basic")), ..Login::default() });
    bearer.login(Login {
        basic: basic("robot", &of("Realm")),
        realm: Some(format!("http://{}/token?app={}", bearer.host(), of("RealmQuery"))),
        token: of("Bearer"),
    });
    pulled.login(Login { basic: basic("pod", &of("Pull")), ..Login::default() });
    let auths = json!({"auths": {pulled.host(): {"username": "pod", "password": of("Pull")}}});
    let pull = json!({
        "kind": "Secret", "type": "kubernetes.io/dockerconfigjson",
        "data": {".dockerconfigjson": STANDARD.encode(auths.to_string())},
    });
    let path = format!("/api/v1/namespaces/{SEEN}/secrets/pull");
    let api = kubernetes::start([(path, (200, pull.to_string()))].into(), false);
    let kubeconfig = api.kubeconfig(&format!("    token: {}\n", kubernetes::TOKEN));

    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    run(cleanbill().args(["keygen", "--out", &file("glass.key")]));
    let public = fs::read_to_string(file("glass.key.pub")).unwrap();
    let issued = |namespace: &str, image: &str| {
        let token = run(cleanbill().args([
            "breakglass",
            "--key",
            &file("glass.key"),
            "--namespace",
            namespace,
            "--image",
            image,
            "--person",
            "anna@example.org",
            "--reason",
            "a test",
        ]));
        token.trim().to_owned()
    };
    let login = |host: &str, user: &str, file: &str| {
        let more = format!(", username: {user}, password_file: {file}");
        reached(host, &more).replace("registries:\n", "")
    };
    // They fail, so that what is known of them is logged. The last repeats its question.
    let checkers = format!(
        "checkers:\n- {{name: far, http: {{url: \"http://127.0.0.1:1/check?key={}\", token_file: token}}}}\n\
         - {{name: tls, imagereview: {{url: \"https://127.0.0.1:1/review\", ca: ca.crt, client_cert: client.crt, client_key: client.key}}}}\n{}",
        of("CheckerQuery"),
        program("echo", "cat >&2; exit 1"),
    );
    let keys = format!(
        "kubernetes: {{kubeconfig: kubeconfig}}\nregistries:\n{}{}{}{checkers}",
        login(&plain.host(), "puller", "plain"),
        login(&bearer.host(), "robot", "bearer"),
        reached(&pulled.host(), "").replace("registries:\n", ""),
    );
    let policy = format!(
        "{POLICY}checkers:\n- {{names: [far, tls, echo], require: all, scope: {{namespaces: [asking]}}}}\n\
         break_glass:\n  keys:\n  - |\n    {}\n",
        public.trim().replace('\n', "\n    "),
    );
    let gate = Gate::start(Choice {
        keys: keys.clone(),
        policy,
        log_level: "trace",
        files: vec![
            ("plain", of("Basic").into_bytes()),
            ("bearer", of("Realm").into_bytes()),
            ("token", of("CheckerToken").into_bytes()),
            ("kubeconfig", kubeconfig.into_bytes()),
        ],
        ..Choice::default()
    });

    // All are put to use.
    let mut said: Vec<u8> = Vec::new();
    let mut ask = |target: &str, body: &Value, allowed: bool| {
        let reply = gate.post(target, body).unwrap();
        let found = reply.body.contains("\"allowed\":true");
        assert_eq!(found, allowed, "{reply:?}\n{}", gate.log());
        said.extend(reply.body.as_bytes());
    };
    let (a, b, c) = (plain.clean("a"), bearer.clean("b"), pulled.clean("c"));
    let d = plain.clean("d");
    let glass = [issued(SEEN, &d), issued("elsewhere", &d), issued("asking", &a)];
    let asking = |image: &str, namespace: &str, token: &str| {
        let annotations = match token {
            "" => json!({}),
            token => json!({"breakglass.image-policy.k8s.io/token": token}),
        };
        let mut body = question(&[image], &annotations);
        body["spec"]["namespace"] = namespace.into();
        body
    };
    ask("/", &asking(&a, SEEN, ""), true);
    ask("/", &asking(&b, SEEN, ""), true);
    ask("/validate", &pod(&c, "cbg1.none.none"), true);
    // Checkers that fail, and what gets past them.
    ask("/", &asking(&a, "asking", ""), false);
    ask("/", &asking(&a, "asking", &glass[2]), true);
    // A registry that sends us elsewhere, with secrets in the address.
    let to = format!("http://u:{}@127.0.0.1:1/x?sig={}", of("Userinfo"), of("Signature"));
    plain.fault(Fault::Redirects(to.leak()));
    ask("/", &asking(&d, SEEN, &glass[1]), false);
    ask("/", &asking(&d, SEEN, &glass[0]), true);
    let to = format!("http://{}/gone?sig={}", plain.host(), of("Signature"));
    plain.fault(Fault::Redirects(to.leak()));
    ask("/", &asking(&plain.clean("e"), SEEN, ""), false);
    // Passwords and secrets that are refused.
    for registry in [&plain, &bearer, &pulled] {
        registry.login(Login { basic: "nobody".into(), ..Login::default() });
    }
    plain.fault(Fault::Nothing);
    ask("/", &asking(&plain.clean("f"), SEEN, ""), false);
    ask("/", &asking(&bearer.clean("g"), SEEN, ""), false);
    ask("/validate", &pod(&pulled.clean("h"), &glass[0]), false);
    // Questions and configurations with secrets where none belongs.
    ask("/", &question(&[&a], &json!(glass[0])), false);
    ask("/", &question(&[&a], &json!({"t.image-policy.k8s.io/x": {glass[0].as_str(): 1}})), false);
    ask("/", &json!({"kind": "ImageReview", "apiVersion": glass[0]}), false);
    for wrong in [
        keys.replace("password_file: plain", &format!("password: {}", of("Inline"))),
        keys.replace("http://127.0.0.1:1/check", &format!("http://u:{}@c.example/", of("Inline"))),
        keys.replace("file: token", &format!("file: {}", of("Inline"))).replace("tls,", ","),
    ] {
        let failures = |gate: &Gate| gate.metric("reload_failures_total{what=\"configuration\"}");
        let before = failures(&gate);
        gate.configure(&wrong);
        gate.signal("HUP");
        gate.until("refused", |gate| failures(gate) > before);
    }

    // That they were.
    let asked = [plain.asked(), bearer.asked(), pulled.asked()].concat().join("\n");
    let used = ["Basic", "Realm", "Bearer", "Pull", "RealmQuery"];
    for kind in used {
        assert!(finds(asked.as_bytes(), &of(kind)), "{kind} was never used:\n{asked}");
    }
    // The second question found the secret in memory.
    assert_eq!(api.asked.lock().unwrap().len(), 1);

    let mut secrets: Vec<(String, String)> = used.iter().map(|k| ((*k).into(), of(k))).collect();
    for kind in ["CheckerToken", "CheckerQuery", "Userinfo", "Signature", "Inline"] {
        secrets.push((kind.into(), of(kind)));
    }
    secrets.push(("API token".into(), kubernetes::TOKEN.into()));
    for (n, token) in glass.iter().enumerate() {
        let part = |at| token.split('.').nth(at).unwrap().to_owned();
        secrets.push((format!("token {n}"), part(1)));
        secrets.push((format!("signature {n}"), part(2)));
    }
    for name in ["server.key", "client.key", "ca.key"] {
        let pem = fs::read_to_string(gate.path(name)).unwrap();
        let lines = pem.lines().filter(|l| !l.starts_with('-') && l.len() > 20);
        secrets.extend(lines.map(|line| (name.to_owned(), line.to_owned())));
    }
    assert!(secrets.len() > 20, "{secrets:?}");
    search(&gate, said, &secrets);
}

/// Looks for every secret in every output.
fn search(gate: &Gate, said: Vec<u8>, secrets: &[(String, String)]) {
    let config = gate.path("cleanbill.yaml").display().to_string();
    let state = gate.state_dir().display().to_string();
    let by = |args: &[&str]| run(cleanbill().args(args).args(["--state-dir", &state])).into_bytes();
    let decisions = gate.store().decisions(&Wanted::default(), 100).unwrap();
    assert_eq!(decisions.len(), 13, "one for every question, and what is none is not recorded");
    let mut outputs = vec![
        ("the log".to_owned(), gate.log().into_bytes(), true),
        ("the answers".into(), said, false),
        ("/metrics".into(), gate.get("/metrics").body.into_bytes(), false),
        ("/readyz".into(), gate.get("/readyz").body.into_bytes(), false),
        ("decisions".into(), by(&["decisions", "-f", "json"]), true),
    ];
    for (_, decision) in &decisions {
        let seen = decision.namespace.as_deref() == Some(SEEN);
        outputs.push(("explain".into(), by(&["explain", &decision.id]), seen));
        outputs.push((
            "explain -f json".into(),
            by(&["explain", "-f", "json", &decision.id]),
            seen,
        ));
    }
    let mut kept = Vec::new();
    // Besides the store's files there may be a folder of advisories.
    let entries = fs::read_dir(gate.state_dir()).unwrap().map(|entry| entry.unwrap().path());
    for file in entries.filter(|path| path.is_file()) {
        kept.extend(fs::read(file).unwrap());
    }
    outputs.push(("the store".into(), kept, true));
    let check = cleanbill().args(["serve", "--check", "--config", &config]).output().unwrap();
    assert!(!check.status.success(), "the last configuration was a wrong one");
    outputs.push(("serve --check".into(), check.stderr, false));
    for (name, output, seen) in &outputs {
        assert!(!output.is_empty(), "{name}");
        assert!(!seen || finds(output, SEEN), "{name}: the search does not find what is there");
        for (kind, secret) in secrets {
            let text = || String::from_utf8_lossy(output);
            assert!(!finds(output, secret), "{kind} ({secret}) is in {name}:\n{}", text());
        }
    }
}
