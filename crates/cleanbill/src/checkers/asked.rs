//! What a checker is asked, the same for all kinds: one image by digest, and who wants it.

use std::collections::BTreeMap;

use cleanbill_core::digest::Digest;
use cleanbill_core::reference::ImageRef;
use cleanbill_trust::breakglass;
use serde::Serialize;

/// The part of an annotation's key that the API server looks for before it sends it along in an
/// `ImageReview`.
const SENT: &str = ".image-policy.k8s.io/";

/// One question. Everything that an answer may depend on is in here, so it is also the key under
/// which an answer may be remembered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Asked {
    pub(super) image: ImageRef,
    pub(super) digest: Digest,
    pub(super) namespace: String,
    pub(super) annotations: BTreeMap<String, String>,
    pub(super) context: Option<Context>,
}

/// Who wants to run the image, as far as the question said. The pod's name is not in it: it is
/// another one for each replica, and often not yet given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Context {
    /// The user who made the request.
    pub user: String,
    /// The user's groups.
    pub groups: Vec<String>,
    /// The pod's service account; empty where none is named.
    pub service_account: String,
    /// The pod's labels.
    pub labels: BTreeMap<String, String>,
}

impl Asked {
    /// A question about the image that `name` was resolved to. Of the annotations those are told
    /// that an `ImageReview` would carry, so that a checker says the same whichever way the API
    /// server asked; but never a break-glass token.
    pub fn new(
        name: &ImageRef,
        digest: Digest,
        namespace: &str,
        annotations: &BTreeMap<String, String>,
        context: Option<Context>,
    ) -> Self {
        // A break-glass token is good for whoever has it, and no business of a checker's.
        let told = |key: &str| key.contains(SENT) && key != breakglass::ANNOTATION;
        let annotations = annotations.iter().filter(|(key, _)| told(key));
        Self {
            image: name.pinned(digest),
            digest,
            namespace: namespace.to_owned(),
            annotations: annotations.map(|(k, v)| (k.clone(), v.clone())).collect(),
            context,
        }
    }

    /// The image: `registry/repository:tag@sha256:…`.
    pub fn image(&self) -> String {
        self.image.to_string()
    }

    /// The same for a kind that is not told who asks.
    pub(super) fn without_context(self) -> Self {
        Self { context: None, ..self }
    }

    /// The question in our own format, `cleanbill.checker/v1`, with a newline at its end.
    pub(super) fn document(&self) -> Vec<u8> {
        let document = Document {
            api_version: super::answer::API_VERSION,
            kind: "Question",
            image: self.image(),
            registry: self.image.registry(),
            repository: self.image.repository(),
            tag: self.image.tag(),
            digest: self.digest.to_string(),
            namespace: &self.namespace,
            annotations: &self.annotations,
            context: self.context.as_ref(),
        };
        json(&document)
    }

    /// The question as an `ImageReview`, as the API server writes it.
    pub(super) fn image_review(&self) -> Vec<u8> {
        json(&Review {
            kind: crate::serve::review::KIND,
            api_version: crate::serve::review::API_VERSION,
            metadata: Empty {},
            spec: Spec {
                containers: [Container { image: self.image() }],
                annotations: &self.annotations,
                namespace: &self.namespace,
            },
            status: Status { allowed: false },
        })
    }
}

/// Strings and maps of strings serialize without failing; were it to fail all the same, an empty
/// question gets no answer that counts.
fn json(document: &impl Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(document).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    api_version: &'static str,
    kind: &'static str,
    image: String,
    registry: &'a str,
    repository: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<&'a str>,
    digest: String,
    namespace: &'a str,
    annotations: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<&'a Context>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Review<'a> {
    kind: &'static str,
    api_version: &'static str,
    metadata: Empty,
    spec: Spec<'a>,
    status: Status,
}

#[derive(Serialize)]
struct Empty {}

#[derive(Serialize)]
struct Spec<'a> {
    containers: [Container; 1],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: &'a BTreeMap<String, String>,
    namespace: &'a str,
}

#[derive(Serialize)]
struct Container {
    image: String,
}

#[derive(Serialize)]
struct Status {
    allowed: bool,
}
