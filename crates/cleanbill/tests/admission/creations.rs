//! What is created is judged whole: body → the places that are read from it.

use serde_json::{Value, json};

use crate::objects::{containers, create, pod, pod_with, review, spec, with, workload};
use crate::questions::check;

#[test]
fn what_is_created_is_judged_whole() {
    let made = |gvk: &str, object: Value| review(gvk, "CREATE", object, Value::Null);
    let new_pod = |object| made("v1/Pod", object);
    let of = |gvk: &str| made(gvk, workload(gvk.rsplit('/').next().unwrap(), &["a:1", "b:2"]));
    let template =
        "/spec/template/spec/containers/0/image=a:1 /spec/template/spec/containers/1/image=b:2";
    let image_volume = json!([
        {"name": "tmp", "emptyDir": {}},
        {"name": "data", "image": {"reference": "data:1", "pullPolicy": "Always"}},
    ]);
    let table: Vec<(&str, Value, &str)> = vec![
        ("one container", create(&["nginx"]), "/spec/containers/0/image=nginx"),
        (
            "the same image twice",
            create(&["a:1", "a:1"]),
            "/spec/containers/0/image=a:1 /spec/containers/1/image=a:1",
        ),
        (
            "init containers, ephemeral ones and image volumes",
            new_pod(with(
                with(
                    pod_with("initContainers", containers("i", &["i:1"])),
                    "/spec/ephemeralContainers",
                    containers("e", &["e:1"]),
                ),
                "/spec/volumes",
                image_volume,
            )),
            "/spec/containers/0/image=a:1 /spec/initContainers/0/image=i:1 \
             /spec/ephemeralContainers/0/image=e:1 /spec/volumes/1/image/reference=data:1",
        ),
        ("Deployment", of("apps/v1/Deployment"), template),
        ("ReplicaSet", of("apps/v1/ReplicaSet"), template),
        ("StatefulSet", of("apps/v1/StatefulSet"), template),
        ("DaemonSet", of("apps/v1/DaemonSet"), template),
        ("Job", of("batch/v1/Job"), template),
        ("ReplicationController", of("v1/ReplicationController"), template),
        (
            "CronJob",
            of("batch/v1/CronJob"),
            "/spec/jobTemplate/spec/template/spec/containers/0/image=a:1 \
             /spec/jobTemplate/spec/template/spec/containers/1/image=b:2",
        ),
        (
            "PodTemplate",
            made("v1/PodTemplate", json!({"metadata": {}, "template": {"spec": spec(&["a:1"])}})),
            "/template/spec/containers/0/image=a:1",
        ),
        ("an old Deployment", of("extensions/v1beta1/Deployment"), template),
        ("Argo's Rollout", of("argoproj.io/v1alpha1/Rollout"), template),
        ("Knative's Service", of("serving.knative.dev/v1/Service"), template),
        (
            "a stranger's CronJob",
            of("x.example/v1/CronJob"),
            "/spec/jobTemplate/spec/template/spec/containers/0/image=a:1 /spec/jobTemplate/spec/template/spec/containers/1/image=b:2",
        ),
        (
            "a stranger's kind like a pod",
            made("x.example/v1/Sandbox", pod(&["a:1"])),
            "/spec/containers/0/image=a:1",
        ),
        (
            "a stranger's kind with several pod specs",
            made(
                "x.example/v1/Thing",
                json!({
                    "spec": {
                        "containers": [{"image": "a:1"}],
                        "template": {"spec": spec(&["b:1"])},
                        "jobTemplate": {"spec": {"template": {"spec": spec(&["c:1"])}}},
                    },
                    "template": {"spec": spec(&["d:1"])},
                }),
            ),
            "/spec/containers/0/image=a:1 /spec/template/spec/containers/0/image=b:1 \
             /spec/jobTemplate/spec/template/spec/containers/0/image=c:1 \
             /template/spec/containers/0/image=d:1",
        ),
        (
            "a stranger's kind with one odd entry",
            made(
                "x.example/v1/Sandbox",
                json!({"spec": {"containers": [7, {"image": "a:1"}, {"image": 7}]}}),
            ),
            "/spec/containers/1/image=a:1",
        ),
        (
            "a stranger's spec that is a text",
            made("x.example/v1/X", json!({"spec": "containers"})),
            "nothing: no-images",
        ),
        (
            "a stranger's containers without images",
            made("metrics.k8s.io/v1/PodMetrics", json!({"spec": {"containers": [{"name": "a"}]}})),
            "nothing: no-images",
        ),
        (
            "a stranger's containers as an object",
            made("x.example/v1/X", json!({"spec": {"containers": {"a": {"image": "b"}}}})),
            "nothing: no-images",
        ),
        (
            "ConfigMap",
            made("v1/ConfigMap", json!({"data": {"image": "a:1", "A": "", "a": ""}})),
            "nothing: no-images",
        ),
        (
            "Lease",
            made("coordination.k8s.io/v1/Lease", json!({"spec": {"holderIdentity": "n"}})),
            "nothing: no-images",
        ),
        (
            "Scale",
            made("autoscaling/v1/Scale", json!({"spec": {"replicas": 3}})),
            "nothing: no-images",
        ),
        ("Binding", made("v1/Binding", json!({"target": {"name": "node"}})), "nothing: no-images"),
        (
            "a pod with no image said",
            new_pod(json!({"spec": {"containers": [{"name": "a"}]}})),
            "/spec/containers/0/image=",
        ),
        ("a pod with an empty image", create(&[""]), "/spec/containers/0/image="),
        (
            "a pod with a null image",
            new_pod(json!({"spec": {"containers": [{"image": null}]}})),
            "/spec/containers/0/image=",
        ),
        (
            "an image volume without reference",
            new_pod(pod_with("volumes", json!([{"name": "v", "image": {}}]))),
            "/spec/containers/0/image=a:1 /spec/volumes/0/image/reference=",
        ),
        (
            "a volume whose image is null",
            new_pod(pod_with("volumes", json!([{"name": "v", "image": null}]))),
            "/spec/containers/0/image=a:1",
        ),
        ("a pod without containers", new_pod(json!({"spec": {}})), ""),
        ("a pod with null containers", new_pod(json!({"spec": {"containers": null}})), ""),
        (
            "a pod without spec",
            new_pod(json!({"metadata": {}})),
            "refused: /spec is absent: a pod's spec is expected",
        ),
        ("no object", new_pod(Value::Null), "refused: /spec is absent: a pod's spec is expected"),
        (
            "an object that is a list",
            new_pod(json!([])),
            "refused: /spec is absent: a pod's spec is expected",
        ),
        (
            "a spec that is a text",
            new_pod(json!({"spec": "x"})),
            "refused: /spec is a text: a pod's spec is expected",
        ),
        (
            "a template that is a list",
            made("apps/v1/Deployment", json!({"spec": {"template": []}})),
            "refused: /spec/template/spec is absent: a pod's spec is expected",
        ),
        (
            "containers as an object",
            new_pod(json!({"spec": {"containers": {"a": 1}}})),
            "refused: /spec/containers is an object",
        ),
        (
            "a container that is a text",
            new_pod(json!({"spec": {"containers": ["a:1"]}})),
            "refused: /spec/containers/0 is a text",
        ),
        (
            "a container that is null",
            new_pod(json!({"spec": {"containers": [null]}})),
            "refused: /spec/containers/0 is absent",
        ),
        (
            "an image that is a number",
            new_pod(json!({"spec": {"containers": [{"image": 1}]}})),
            "refused: /spec/containers/0/image is a number",
        ),
        (
            "an image that is a list",
            new_pod(pod_with("initContainers", json!([{"image": ["a"]}]))),
            "refused: /spec/initContainers/0/image is a list",
        ),
        (
            "an image volume that is a text",
            new_pod(pod_with("volumes", json!([{"image": "a:1"}]))),
            "refused: /spec/volumes/0/image is a text",
        ),
        (
            "a name that is a number",
            new_pod(pod_with("initContainers", json!([{"name": 1, "image": "a"}]))),
            "refused: /spec/initContainers/0/name is a number",
        ),
        (
            "labels that are a list",
            new_pod(with(pod(&["a"]), "/metadata/labels", json!(["a"]))),
            "refused: the pod's labels are a list",
        ),
        (
            "labels of numbers",
            new_pod(with(pod(&["a"]), "/metadata/labels", json!({"a": 1}))),
            "refused: the pod's labels are an object of other things",
        ),
        (
            "an account that is a number",
            new_pod(pod_with("serviceAccountName", json!(1))),
            "refused: the pod's serviceAccountName is a number",
        ),
        (
            "a pull secret that is a number",
            new_pod(pod_with("imagePullSecrets", json!([{"name": 1}]))),
            "refused: the pod's name is a number",
        ),
        (
            "Image beside image",
            new_pod(
                json!({"spec": {"containers": [{"image": "a:1", "Image": "b:1"}], "Containers": [{"image": "c"}]}}),
            ),
            "/spec/containers/0/image=a:1",
        ),
        (
            "500 containers",
            create(&["a"; 500]),
            &(0..500)
                .map(|n| format!("/spec/containers/{n}/image=a"))
                .collect::<Vec<_>>()
                .join(" ")
                .leak()[..],
        ),
        (
            "501 containers",
            create(&["a"; 501]),
            "refused: 501 images are to be judged: at most 500 are",
        ),
        (
            "10,001 containers",
            create(&["a"; 10_001]),
            "refused: /spec/containers is a list of more than 10,000 entries",
        ),
    ];
    assert!(table.len() >= 50);
    for (what, body, want) in &table {
        check(what, body, want);
    }
}
