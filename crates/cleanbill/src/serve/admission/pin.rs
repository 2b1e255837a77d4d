//! The JSON patch (RFC 6902) that pins images to the digests that were judged.
//!
//! The name stays as it was written, with the digest behind it: `nginx:1` becomes
//! `nginx:1@sha256:…`. A name without a tag means `:latest`, and gets it, so that one can still
//! see which tag the digest once stood under; kubelet, containerd and CRI-O read both, and go by
//! the digest. Every change stands behind a `test` of what it changes, so that a patch that
//! meets another object fails as a whole.

use std::collections::BTreeSet;

use cleanbill_core::digest::Digest;
use cleanbill_core::reference::ImageRef;
use serde::Serialize;

use super::places::Place;
use super::question::Admission;

/// One step of a patch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Operation {
    op: &'static str,
    path: String,
    value: String,
}

/// The patch for the images of a request: those that were judged, have a digest in `pins`, and
/// none in their name. What `pins` names with several digests (an image that nodes have, not
/// registries), or not at all, is left alone.
pub fn patch(admission: &Admission, pins: &[(String, Digest)]) -> Vec<Operation> {
    let mut steps = Vec::new();
    for place in &admission.places {
        let mut digests = pins.iter().filter(|(image, _)| *image == place.image).map(|(_, d)| d);
        let Some(digest) = digests.next() else { continue };
        if digests.any(|other| other != digest) {
            continue;
        }
        let Some(pinned) = pinned(&place.image, digest) else { continue };
        let step = |op, value: &str| Operation {
            op,
            path: place.pointer.clone(),
            value: value.to_owned(),
        };
        steps.extend([step("test", &place.image), step("replace", &pinned)]);
    }
    steps
}

/// The images at these places that [`patch`] can pin: names without a digest.
pub fn pinnable(places: &[Place]) -> BTreeSet<String> {
    let by_tag = |image: &str| image.parse::<ImageRef>().is_ok_and(|name| name.digest().is_none());
    places.iter().map(|place| &place.image).filter(|image| by_tag(image)).cloned().collect()
}

/// Whether a patch pins all that it has to: each of these images, wherever it stands among the
/// places, to this digest. Read from the steps as they are sent, not from what made them.
pub(super) fn pins_all(places: &[Place], steps: &[Operation], pins: &[(String, Digest)]) -> bool {
    pins.iter().all(|(image, digest)| {
        let Ok(name) = image.parse::<ImageRef>() else { return false };
        let pinned = name.pinned(*digest);
        let mut places = places.iter().filter(|place| place.image == *image).peekable();
        // The last word on a place counts.
        let last =
            |place: &Place| steps.iter().rfind(|s| s.op == "replace" && s.path == place.pointer);
        places.peek().is_some()
            && places
                .all(|place| last(place).is_some_and(|s| s.value.parse() == Ok(pinned.clone())))
    })
}

/// The name with the digest; `None` where it has one, or is no name.
fn pinned(image: &str, digest: &Digest) -> Option<String> {
    let name: ImageRef = image.parse().ok()?;
    if name.digest().is_some() {
        return None;
    }
    // A colon behind the last slash is a tag's; one before it is a port's.
    let last = image.rsplit('/').next().unwrap_or(image);
    let tag = if last.contains(':') { "" } else { ":latest" };
    let pinned = format!("{image}{tag}@{digest}");
    // What was judged is what will be pulled: the same name, and this digest.
    let same = pinned.parse::<ImageRef>().is_ok_and(|reads| reads == name.pinned(*digest));
    same.then_some(pinned)
}
