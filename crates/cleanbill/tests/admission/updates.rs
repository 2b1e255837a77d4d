//! Of an update, only what changed is judged: body → the places that are read from it.

use serde_json::{Value, json};

use crate::objects::{containers, pod, pod_with, review, spec, update, with, workload};
use crate::questions::check;

#[test]
fn of_an_update_only_what_changed_is_judged() {
    let two = || pod(&["a:1", "b:1"]);
    let rename = |name: &str| with(two(), "/spec/containers/0/name", json!(name));
    let reversed = || {
        let mut pod = two();
        pod["spec"]["containers"].as_array_mut().unwrap().reverse();
        pod
    };
    let debugged =
        |images: &[&str]| with(two(), "/spec/ephemeralContainers", containers("d", images));
    let sub = |mut review: Value, name: &str| {
        review["request"]["subResource"] = json!(name);
        review
    };
    let volume = |name: &str, image: &str| {
        pod_with("volumes", json!([{"name": name, "image": {"reference": image}}]))
    };
    let ephemeral = |images: &[&str]| json!({"metadata": {"name": "web"}, "ephemeralContainers": containers("d", images)});
    let both =
        |one: &str, two: &str| with(pod(&[one]), "/spec/template", json!({"spec": spec(&[two])}));
    let cron = |images: &[&str]| workload("CronJob", images);
    let deploy = |old, new| review("apps/v1/Deployment", "UPDATE", new, old);
    let table: Vec<(&str, Value, &str)> = vec![
        ("the same", update(two(), two()), "nothing: unchanged"),
        (
            "a label",
            update(two(), with(two(), "/metadata/labels/x", json!("y"))),
            "nothing: unchanged",
        ),
        (
            "a finalizer removed",
            update(with(two(), "/metadata/finalizers", json!(["x"])), two()),
            "nothing: unchanged",
        ),
        (
            "status",
            sub(update(two(), with(two(), "/status", json!({"phase": "Running"}))), "status"),
            "nothing: unchanged",
        ),
        (
            "resize",
            sub(
                update(
                    two(),
                    with(two(), "/spec/containers/0/resources", json!({"limits": {"cpu": 1}})),
                ),
                "resize",
            ),
            "nothing: unchanged",
        ),
        ("one image", update(two(), pod(&["a:1", "b:2"])), "/spec/containers/1/image=b:2"),
        (
            "both images",
            update(two(), pod(&["a:2", "b:2"])),
            "/spec/containers/0/image=a:2 /spec/containers/1/image=b:2",
        ),
        (
            "the images swapped",
            update(two(), pod(&["b:1", "a:1"])),
            "/spec/containers/0/image=b:1 /spec/containers/1/image=a:1",
        ),
        ("the order", update(two(), reversed()), "nothing: unchanged"),
        ("a container renamed", update(two(), rename("x")), "/spec/containers/0/image=a:1"),
        (
            "a container without a name",
            update(rename(""), rename("")),
            "/spec/containers/0/image=a:1",
        ),
        (
            "a name twice, new",
            update(two(), rename("c1")),
            "/spec/containers/0/image=a:1 /spec/containers/1/image=b:1",
        ),
        (
            "a name twice, old",
            update(rename("c1"), two()),
            "/spec/containers/0/image=a:1 /spec/containers/1/image=b:1",
        ),
        ("a container less", update(two(), pod(&["a:1"])), "nothing: unchanged"),
        ("a container more", update(pod(&["a:1"]), two()), "/spec/containers/1/image=b:1"),
        (
            "a container more with an image of the first",
            update(pod(&["a:1"]), pod(&["a:1", "a:1"])),
            "/spec/containers/1/image=a:1",
        ),
        (
            "moved to the init containers",
            update(
                two(),
                with(
                    pod(&["a:1"]),
                    "/spec/initContainers",
                    json!([{"name": "c1", "image": "b:1"}]),
                ),
            ),
            "/spec/initContainers/0/image=b:1",
        ),
        (
            "no old object",
            update(Value::Null, two()),
            "/spec/containers/0/image=a:1 /spec/containers/1/image=b:1",
        ),
        (
            "an old object of another form",
            update(json!({"spec": []}), pod(&["a:1"])),
            "/spec/containers/0/image=a:1",
        ),
        (
            "an ephemeral container",
            sub(update(two(), debugged(&["sh:1"])), "ephemeralcontainers"),
            "/spec/ephemeralContainers/0/image=sh:1",
        ),
        (
            "a second ephemeral container",
            sub(update(debugged(&["sh:1"]), debugged(&["sh:1", "sh:2"])), "ephemeralcontainers"),
            "/spec/ephemeralContainers/1/image=sh:2",
        ),
        (
            "an ephemeral container before 1.22",
            sub(
                review(
                    "v1/EphemeralContainers",
                    "UPDATE",
                    ephemeral(&["sh:1", "sh:2"]),
                    ephemeral(&["sh:1"]),
                ),
                "ephemeralcontainers",
            ),
            "/ephemeralContainers/1/image=sh:2",
        ),
        (
            "none before 1.22",
            sub(
                review("v1/EphemeralContainers", "UPDATE", json!(7), ephemeral(&[])),
                "ephemeralcontainers",
            ),
            "refused: the object is a number: a pod's spec is expected",
        ),
        (
            "an image volume",
            update(volume("v", "d:1"), volume("v", "d:2")),
            "/spec/volumes/0/image/reference=d:2",
        ),
        (
            "an image volume renamed",
            update(volume("v", "d:1"), volume("w", "d:1")),
            "/spec/volumes/0/image/reference=d:1",
        ),
        (
            "an image volume as it was",
            update(volume("v", "d:1"), volume("v", "d:1")),
            "nothing: unchanged",
        ),
        (
            "replicas",
            deploy(
                workload("Deployment", &["a:1"]),
                with(workload("Deployment", &["a:1"]), "/spec/replicas", json!(0)),
            ),
            "nothing: unchanged",
        ),
        (
            "a rollout",
            deploy(workload("Deployment", &["a:1"]), workload("Deployment", &["a:2"])),
            "/spec/template/spec/containers/0/image=a:2",
        ),
        (
            "a CronJob's image",
            review("batch/v1/CronJob", "UPDATE", cron(&["a:2", "b:1"]), cron(&["a:1", "b:1"])),
            "/spec/jobTemplate/spec/template/spec/containers/0/image=a:2",
        ),
        (
            "a stranger's image",
            review("x.example/v1/X", "UPDATE", workload("X", &["a:2"]), workload("X", &["a:1"])),
            "/spec/template/spec/containers/0/image=a:2",
        ),
        (
            "a stranger's as it was",
            review("x.example/v1/X", "UPDATE", workload("X", &["a:1"]), workload("X", &["a:1"])),
            "nothing: unchanged",
        ),
        (
            "one of a stranger's two pod specs",
            review("x.example/v1/X", "UPDATE", both("a:1", "b:2"), both("a:1", "b:1")),
            "/spec/template/spec/containers/0/image=b:2",
        ),
        (
            "a stranger's image under the same name in another pod spec",
            review("x.example/v1/X", "UPDATE", both("a:1", "a:1"), pod(&["a:1"])),
            "/spec/template/spec/containers/0/image=a:1",
        ),
        (
            "a stranger's two pod specs as they were",
            review("x.example/v1/X", "UPDATE", both("a:1", "b:1"), both("a:1", "b:1")),
            "nothing: unchanged",
        ),
        (
            "10,000 images as they were",
            update(pod(&["a"; 10_000]), pod(&["a"; 10_000])),
            "nothing: unchanged",
        ),
        (
            "bad labels as they were",
            update(two(), with(two(), "/metadata/labels", json!([]))),
            "nothing: unchanged",
        ),
        ("deletion", review("v1/Pod", "DELETE", Value::Null, two()), "nothing: deletes"),
        (
            "deletion of what is odd",
            review("v1/Pod", "DELETE", Value::Null, json!({"spec": 1})),
            "nothing: deletes",
        ),
        (
            "deletion of a Deployment",
            review("apps/v1/Deployment", "DELETE", Value::Null, workload("Deployment", &["a"])),
            "nothing: deletes",
        ),
        (
            "exec",
            sub(
                review(
                    "v1/PodExecOptions",
                    "CONNECT",
                    json!({"container": "c0", "command": ["sh"]}),
                    Value::Null,
                ),
                "exec",
            ),
            "nothing: connects",
        ),
    ];
    assert!(table.len() >= 35);
    for (what, body, want) in &table {
        check(what, body, want);
    }
}
