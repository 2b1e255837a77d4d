//! How often kube-apiserver asks: what it remembers and for how long, and what it tries again.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;

use crate::assets::{OLDEST, Version, assets};
use crate::client::{Reply, pod};
use crate::cluster::{Admission, IMAGE_POLICY, Server, Setup};
use crate::webhook::{Answer, Webhook};

/// A setup that asks the webhook, with these values: allowTTL, denyTTL, retryBackoff.
fn setup(webhook: &Webhook, allow: i64, deny: i64, backoff: i64, open: bool) -> Setup {
    let text = json!({
        "apiVersion": "apiserver.config.k8s.io/v1", "kind": "AdmissionConfiguration",
        "plugins": [{"name": IMAGE_POLICY, "configuration": {"imagePolicy": {
            "kubeConfigFile": "FOLDER/webhook.kubeconfig", "allowTTL": allow, "denyTTL": deny,
            "retryBackoff": backoff, "defaultAllow": open,
        }}}],
    });
    Setup {
        admission: Admission::Text(text.to_string()),
        plugins: IMAGE_POLICY,
        files: vec![("webhook.kubeconfig".into(), webhook.kubeconfig())],
        ..Setup::default()
    }
}

/// Makes a pod of a new name with this image.
fn create(server: &Server, image: &str) -> Reply {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let name = format!("p{}", NEXT.fetch_add(1, Ordering::Relaxed));
    server.client().create(&name, &[image])
}

/// What comes of a failure: since which version, the answer, how often it is asked for one pod, and
/// whether `defaultAllow: true` would let the pod in.
type Row = (Version, Answer, usize, bool);

fn failures() -> Vec<Row> {
    let review = |status: &str| Answer("200 OK", "", format!("{{{status}}}"));
    let ours = r#""apiVersion": "imagepolicy.k8s.io/v1alpha1", "kind": "ImageReview""#;
    vec![
        // Tried again.
        (OLDEST, Answer::status("500 Internal Server Error"), 5, true),
        (OLDEST, Answer::status("502 Bad Gateway"), 5, true),
        (OLDEST, Answer::status("504 Gateway Timeout"), 5, true),
        (OLDEST, Answer::status("429 Too Many Requests"), 5, true),
        // Not tried again.
        (OLDEST, Answer::status("503 Service Unavailable"), 1, true),
        (OLDEST, Answer::status("400 Bad Request"), 1, true),
        (OLDEST, Answer::status("401 Unauthorized"), 1, true),
        (OLDEST, Answer::status("403 Forbidden"), 1, true),
        (OLDEST, Answer::status("404 Not Found"), 1, true),
        // No answers that can be read.
        (OLDEST, Answer::status("200 OK"), 1, true),
        (OLDEST, Answer("200 OK", "", "<html>".into()), 1, true),
        (
            OLDEST,
            review(r#""apiVersion": "imagepolicy.k8s.io/v2", "kind": "ImageReview""#),
            1,
            true,
        ),
        // Answers: a denial never opens, nor does one that is left out.
        (OLDEST, review(&format!(r#"{ours}, "status": {{"allowed": false}}"#)), 1, false),
        (OLDEST, review(ours), 1, false),
        // YAML is read too, and nothing needs to say what it is.
        (OLDEST, Answer("200 OK", "", "allowed: yes".into()), 1, false),
    ]
}

#[test]
fn what_is_tried_again_what_is_remembered_and_what_opens() {
    let Some(assets) = assets() else { return };
    let webhook = Webhook::start();
    let asked = || webhook.asked().len();

    // Remembered as long as can be.
    let long = setup(&webhook, 1800, 1800, 1, false);
    let mut server = Server::start(&assets, &long).unwrap();
    for _ in 0..3 {
        assert_eq!(create(&server, "registry.example/allowed:1").status, 201);
    }
    assert_eq!(asked(), 1, "allowed, and remembered");
    webhook.answer(Answer::allowed(false));
    for _ in 0..3 {
        let reply = create(&server, "registry.example/denied:1");
        assert_eq!(reply.status, 403);
        let words = "image policy webhook backend denied one or more images: as the test says";
        assert!(reply.message().ends_with(words), "{reply:?}");
    }
    assert_eq!(asked(), 1, "denied, and remembered");
    assert_eq!(create(&server, "registry.example/allowed:1").status, 201, "still remembered");
    assert_eq!(asked(), 0);
    // The key is the whole question.
    let two = server.client().create("two", &["registry.example/allowed:1", "x:1"]);
    assert_eq!((two.status, asked()), (403, 1));
    let mut ticket = pod("ticket", &["registry.example/allowed:1"]);
    ticket["metadata"]["annotations"] =
        json!({"a.image-policy.k8s.io/t": "T-1", "image-policy.k8s.io/u": "no", "other": "no"});
    assert_eq!(server.client().create_object(&ticket).status, 403);
    let spec = webhook.asked().pop().unwrap()["spec"].clone();
    let whole = json!({
        "containers": [{"image": "registry.example/allowed:1"}],
        "annotations": {"a.image-policy.k8s.io/t": "T-1"}, "namespace": "default",
    });
    assert_eq!(spec, whole);

    // Without a reason there are other words, and a failure that is a Status is shown as it is.
    let none = r#"{"status": {"allowed": false}}"#.to_owned();
    let status = r#"{"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403,
        "reason": "Forbidden", "message": "as the test says"}"#;
    let table = [
        (Answer("200 OK", "", none), "one or more images rejected by webhook backend"),
        (Answer("403 Forbidden", "", status.into()), "as the test says"),
        (Answer::status("403 Forbidden"), "unknown"),
    ];
    for (n, (answer, words)) in table.into_iter().enumerate() {
        webhook.answer(answer);
        let reply = create(&server, &format!("registry.example/words{n}:1"));
        assert!(reply.status == 403 && reply.message().ends_with(words), "{words}: {reply:?}");
        assert_eq!(asked(), 1, "{words}");
    }

    // Failures are not remembered, and some are tried again.
    for open in [false, true] {
        server.restart(&setup(&webhook, 1800, 1800, 1, open)).unwrap();
        for (n, (since, answer, times, opens)) in failures().into_iter().enumerate() {
            if assets.version < since {
                continue;
            }
            let case = format!("{answer:?}, defaultAllow: {open}");
            let remembered = !opens;
            webhook.answer(answer);
            let image = format!("registry.example/failure{n}:1");
            let status = if open && opens { 201 } else { 403 };
            assert_eq!(create(&server, &image).status, status, "{case}");
            assert_eq!(asked(), times, "{case}");
            assert_eq!(create(&server, &image).status, status, "{case}");
            assert_eq!(asked(), if remembered { 0 } else { times }, "{case}, a second time");
        }
    }

    // A restart forgets, so does time, and −1 remembers nothing.
    webhook.answer(Answer::allowed(true));
    server.restart(&setup(&webhook, 1, -1, -1, false)).unwrap();
    assert_eq!(create(&server, "registry.example/allowed:1").status, 201);
    assert_eq!(asked(), 1, "forgotten by the restart");
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(create(&server, "registry.example/allowed:1").status, 201);
    assert_eq!(asked(), 1, "forgotten after a second");
    webhook.answer(Answer::allowed(false));
    for _ in 0..3 {
        assert_eq!(create(&server, "registry.example/denied:1").status, 403);
    }
    assert_eq!(asked(), 3, "denied, and not remembered");
    let calls = server.metric("rest_client_requests_total", &[&format!(":{}\"", webhook.port)]);
    assert!(calls >= 5.0, "its own count is {calls}");
}

#[test]
fn an_api_server_that_cannot_take_its_configuration_says_why_and_ends() {
    let Some(assets) = assets() else { return };
    let webhook = Webhook::start();
    let broken = setup(&webhook, 1801, -1, -1, false);
    let said = Server::start(&assets, &broken).err().unwrap();
    assert!(said.contains("valid value is between 1s and 30m0s, got 30m1s"), "{said}");
}
