//! Objects and reviews as the API server writes them.

use serde_json::{Value, json};

/// The id of every request here.
pub const UID: &str = "705ab4f5-6393-11e8-b7cc-42010a800002";

/// A pod's spec with containers `c0`, `c1`, … of these images.
pub fn spec(images: &[&str]) -> Value {
    json!({ "containers": containers("c", images), "serviceAccountName": "default" })
}

/// Containers of these images, named by a prefix and their number.
pub fn containers(prefix: &str, images: &[&str]) -> Value {
    let one = |(at, image): (usize, &&str)| json!({"name": format!("{prefix}{at}"), "image": image, "resources": {}});
    images.iter().enumerate().map(one).collect()
}

/// A pod of these images.
pub fn pod(images: &[&str]) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web", "namespace": "shop", "labels": {"app": "web"}},
        "spec": spec(images),
    })
}

/// An object of this kind that makes pods of these images, as `Deployment` does.
pub fn workload(kind: &str, images: &[&str]) -> Value {
    let template = json!({"metadata": {"labels": {"app": "web"}}, "spec": spec(images)});
    let spec = match kind {
        "CronJob" => {
            json!({"schedule": "* * * * *", "jobTemplate": {"spec": {"template": template}}})
        }
        _ => json!({"replicas": 2, "template": template}),
    };
    json!({"apiVersion": "x", "kind": kind, "metadata": {"name": "web"}, "spec": spec})
}

/// The value with another one put at a pointer, whose parent has to be there.
pub fn with(mut value: Value, pointer: &str, new: Value) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match value.pointer_mut(parent).unwrap() {
        Value::Object(fields) => {
            fields.insert(key.to_owned(), new);
        }
        Value::Array(list) => list[key.parse::<usize>().unwrap()] = new,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => panic!("{pointer}"),
    }
    value
}

/// A review of a request: `group/version/Kind` (`v1/Pod`), operation, object and old object.
pub fn review(gvk: &str, operation: &str, object: Value, old: Value) -> Value {
    let parts: Vec<&str> = gvk.split('/').collect();
    let (group, version, kind) = match parts[..] {
        [version, kind] => ("", version, kind),
        [group, version, kind] => (group, version, kind),
        _ => panic!("{gvk}"),
    };
    let resource = format!("{}s", kind.to_lowercase());
    json!({
        "kind": "AdmissionReview",
        "apiVersion": "admission.k8s.io/v1",
        "request": {
            "uid": UID,
            "kind": {"group": group, "version": version, "kind": kind},
            "resource": {"group": group, "version": version, "resource": resource},
            "requestKind": {"group": group, "version": version, "kind": kind},
            "requestResource": {"group": group, "version": version, "resource": resource},
            "name": "web",
            "namespace": "shop",
            "operation": operation,
            "userInfo": {"username": "ada", "uid": "u-1", "groups": ["dev", "system:authenticated"]},
            "object": object,
            "oldObject": old,
            "dryRun": false,
            "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"},
        }
    })
}

/// The making of a pod of these images.
pub fn create(images: &[&str]) -> Value {
    review("v1/Pod", "CREATE", pod(images), Value::Null)
}

/// The change of one pod into another.
pub fn update(old: Value, new: Value) -> Value {
    review("v1/Pod", "UPDATE", new, old)
}

/// A pod whose spec has this besides one container.
pub fn pod_with(field: &str, value: Value) -> Value {
    with(pod(&["a:1"]), &format!("/spec/{field}"), value)
}
