//! Patches: applied, and compared with what should come of them.

use cleanbill::serve::admission::{parse, patch};
use cleanbill_core::digest::Digest;
use cleanbill_core::reference::ImageRef;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::objects::{containers, create, pod, review, update, with, workload};
use crate::rfc6902::apply;

fn digest(n: u8) -> Digest {
    Digest::Sha256([n; 32])
}

/// The object of a review after the patch for these pins.
fn patched(body: &Value, pins: &[(String, Digest)]) -> Value {
    let admission = parse(body.to_string().as_bytes(), 500).unwrap();
    let steps = serde_json::to_value(patch(&admission, pins)).unwrap();
    apply(&body["request"]["object"], &steps).unwrap()
}

/// What becomes of one container's image that was judged to have digest 1.
fn check(image: &str, want: &str) {
    let body = create(&[image]);
    let after = patched(&body, &[(image.to_owned(), digest(1))]);
    let want = want.replace('#', &digest(1).to_string());
    assert_eq!(
        after,
        with(body["request"]["object"].clone(), "/spec/containers/0/image", json!(want)),
        "{image}"
    );
    let named: ImageRef =
        after["spec"]["containers"][0]["image"].as_str().unwrap().parse().unwrap();
    assert_eq!(named.name(), image.parse::<ImageRef>().unwrap().name());
}

#[test]
fn names_stay_as_they_were_written() {
    let pinned = format!("a.example/b:1@{}", digest(9));
    let pinned_only = format!("nginx@{}", digest(9));
    let table = [
        ("nginx:1", "nginx:1@#"),
        ("nginx", "nginx:latest@#"),
        ("docker.io/library/nginx:1", "docker.io/library/nginx:1@#"),
        ("index.docker.io/library/nginx", "index.docker.io/library/nginx:latest@#"),
        ("localhost:5000/app", "localhost:5000/app:latest@#"),
        ("localhost:5000/app:x", "localhost:5000/app:x@#"),
        ("[::1]:5000/a", "[::1]:5000/a:latest@#"),
        ("Registry.example/a", "Registry.example/a:latest@#"),
        ("a.example/b/c/d:v1.2_x-3", "a.example/b/c/d:v1.2_x-3@#"),
        (&pinned, &pinned),
        (&pinned_only, &pinned_only),
    ];
    for (image, want) in table {
        check(image, want);
    }
}

#[test]
fn a_patch_changes_what_was_judged_and_nothing_else() {
    let pins = |list: &[(&str, u8)]| -> Vec<(String, Digest)> {
        list.iter().map(|(image, n)| ((*image).to_owned(), digest(*n))).collect()
    };
    let (a, b) = (format!("a:1@{}", digest(1)), format!("b:1@{}", digest(2)));
    let both = pins(&[("a:1", 1), ("b:1", 2)]);
    let full = |images: &[&str; 4]| {
        let object =
            with(pod(&images[..1]), "/spec/initContainers", containers("i", &images[1..2]));
        let object = with(object, "/spec/ephemeralContainers", containers("e", &images[2..3]));
        with(object, "/spec/volumes", json!([{"name": "v", "image": {"reference": images[3]}}]))
    };
    let made = |gvk: &str, object| review(gvk, "CREATE", object, Value::Null);
    let [twice, same, odd, none] = [
        pins(&[("a:1", 1), ("a:1", 2)]),
        pins(&[("a:1", 1), ("a:1", 1)]),
        pins(&[("A b", 1)]),
        pins(&[]),
    ];
    let table = [
        (
            "every place",
            made("v1/Pod", full(&["a:1", "b:1", "a:1", "b:1"])),
            &both,
            full(&[&a, &b, &a, &b]),
        ),
        ("no pins", create(&["a:1"]), &none, pod(&["a:1"])),
        ("one that nodes have", create(&["a:1", "local:1"]), &both, pod(&[&a, "local:1"])),
        ("two digests for one name", create(&["a:1"]), &twice, pod(&["a:1"])),
        ("the same digest twice", create(&["a:1"]), &same, pod(&[&a])),
        ("an update", update(pod(&["a:0", "b:1"]), pod(&["a:1", "b:1"])), &both, pod(&[&a, "b:1"])),
        ("an update of nothing", update(pod(&["a:1"]), pod(&["a:1"])), &both, pod(&["a:1"])),
        (
            "a Deployment",
            made("apps/v1/Deployment", workload("Deployment", &["a:1"])),
            &both,
            workload("Deployment", &[&a]),
        ),
        (
            "a CronJob",
            made("batch/v1/CronJob", workload("CronJob", &["a:1", "b:1"])),
            &both,
            workload("CronJob", &[&a, &b]),
        ),
        ("no image name", create(&["A b"]), &odd, pod(&["A b"])),
    ];
    for (what, body, pins, want) in table {
        assert_eq!(patched(&body, pins), want, "{what}");
    }
}

#[test]
fn a_patch_that_meets_another_object_changes_nothing() {
    let body = create(&["a:1", "b:1"]);
    let admission = parse(body.to_string().as_bytes(), 500).unwrap();
    let pins = [("a:1".to_owned(), digest(1)), ("b:1".to_owned(), digest(2))];
    let steps = serde_json::to_value(patch(&admission, &pins)).unwrap();
    assert!(apply(&pod(&["a:1", "b:2"]), &steps).is_err());
    assert!(apply(&pod(&["a:1"]), &steps).is_err());
    assert!(apply(&pod(&["b:1", "a:1"]), &steps).is_err());
    assert!(apply(&pod(&["a:1", "b:1"]), &steps).is_ok());
}

proptest! {
    #[test]
    fn whatever_the_names_a_patch_applies_and_pins_by_the_digest_given(
        images in proptest::collection::vec("([a-z0-9.]{1,8}(:[0-9]{2,4})?/)?[a-z]{1,5}(:[a-zA-Z0-9._-]{0,5})?(@sha256:[0-9a-f]{64})?", 1..6),
    ) {
        let refs: Vec<&str> = images.iter().map(String::as_str).collect();
        let pins: Vec<(String, Digest)> = images.iter().map(|i| (i.clone(), digest(3))).collect();
        let after = patched(&create(&refs), &pins);
        for (at, image) in images.iter().enumerate() {
            let now = after["spec"]["containers"][at]["image"].as_str().unwrap();
            match image.parse::<ImageRef>() {
                Ok(name) if name.digest().is_none() => {
                    prop_assert!(now.starts_with(image.as_str()));
                    prop_assert_eq!(now.parse::<ImageRef>().unwrap(), name.pinned(digest(3)));
                }
                _ => prop_assert_eq!(now, image),
            }
        }
    }
}
