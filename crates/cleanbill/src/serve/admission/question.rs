//! What the API server asks.

use std::collections::{BTreeMap, BTreeSet};

use cleanbill_core::asked::{Asked, Pod};
use cleanbill_core::reference::ImageRef;
use serde::Serialize;

use super::keep::{Node, Shape, keep};
use super::pin::pinnable;
use super::places::{Images, Nothing, Place, Room, Why};
use super::uid::{UID_MAX, early_uid};
use super::{API_VERSION, KIND};
use crate::serve::question::{Pull, Question};

/// A group, version and kind (or resource), as the API server tells them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Kind {
    /// The API group; empty for the core.
    pub group: String,
    /// The version.
    pub version: String,
    /// The kind, or the plural name of a resource.
    pub kind: String,
}

/// One request for admission.
///
/// Only [`parse`] makes one: whether there is anything to judge is not for others to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admission {
    /// The request's id, which the answer repeats.
    pub uid: String,
    /// The kind of the object.
    pub kind: Kind,
    /// The resource that was asked for.
    pub resource: Kind,
    /// The subresource (`ephemeralcontainers`), or empty.
    pub sub_resource: String,
    /// What is to be done with the object.
    pub operation: Operation,
    /// The namespace of the object; empty for what is in none.
    pub namespace: String,
    /// The object's name; empty where the API server is to make one up.
    pub name: String,
    /// Whether nothing will come of it whatever the answer.
    pub dry_run: bool,
    /// Where the images to be judged stand: on UPDATE only those that changed.
    pub places: Vec<Place>,
    /// The images to be judged, in the order of their places, duplicates kept.
    pub images: Vec<String>,
    /// Who asks, and what the pod or its template says of itself. Of the annotations those that
    /// `ImageReview` would tell too, so that both are judged by the same facts.
    pub asked: Asked,
    /// The names of the pull secrets that the pod or its template names, in its namespace.
    /// (Before Kubernetes 1.22, a request for ephemeral containers tells nothing of the pod: then
    /// this, its labels, annotations and service account are empty.)
    pub pull_secrets: Vec<String>,
    nothing: Option<Nothing>,
}

/// What is done with an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Operation {
    /// It is made.
    Create,
    /// It is changed.
    Update,
    /// It is deleted.
    Delete,
    /// It is connected to.
    Connect,
}

impl Admission {
    /// The proof that there is nothing to judge, where that is so.
    pub fn nothing_to_judge(&self) -> Option<&Nothing> {
        self.nothing.as_ref()
    }

    /// Whether the object is a pod, and not what pods are made from.
    pub fn is_pod(&self) -> bool {
        let room = Room::known(&self.kind.group, &self.kind.kind);
        matches!(room, Some(Room::Pod | Room::Ephemeral))
    }

    /// The question as the judge takes it; `pinning`: a patch may pin what is allowed.
    pub fn question(&self, pinning: bool) -> Question {
        let pinned = if pinning { pinnable(&self.places) } else { BTreeSet::new() };
        let (images, asked) = (self.images.clone(), self.asked.clone());
        Question { images, asked, pinned, pulls: self.pulls() }
    }

    /// When nodes pull which image: by the worst of the places where it stands.
    fn pulls(&self) -> BTreeMap<String, Pull> {
        let mut pulls = BTreeMap::new();
        for place in &self.places {
            let name = place.image.parse::<ImageRef>().ok();
            let pull = name.and_then(|name| Pull::of(place.pull.as_deref(), &name));
            let Some(pull) = pull else { continue };
            let worst = pulls.entry(place.image.clone()).or_insert(pull);
            *worst = pull.max(*worst);
        }
        pulls
    }
}

/// Why a body is not answered as a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// It is no `AdmissionReview` of our version, or has no `uid`: no answer of ours would be
    /// understood, so it is an HTTP error, and `failurePolicy` decides. A pod's author has no
    /// influence on this.
    Foreign(String),
    /// It cannot be read as it stands. Answered with a denial where the request's `uid` could be
    /// read, else by an HTTP error.
    Malformed {
        /// The request's id.
        uid: Option<String>,
        /// What is wrong.
        why: String,
    },
}

/// What the keys of annotations that count contain: those the API server tells in `ImageReview`.
const OF_IMAGE_POLICY: &str = ".image-policy.k8s.io/";

macro_rules! pod_spec {
    ($($more:tt)*) => {
        Shape::Object(&[
            ("containers", Shape::List(&CONTAINER)),
            ("initContainers", Shape::List(&CONTAINER)),
            ("ephemeralContainers", Shape::List(&CONTAINER)),
            ("volumes", Shape::List(&VOLUME)),
            ("imagePullSecrets", Shape::List(&NAMED)),
            ("serviceAccountName", Shape::Text),
            ("serviceAccount", Shape::Text),
            $($more)*
        ])
    };
}

static CONTAINER: Shape = Shape::Object(&[
    ("name", Shape::Text),
    ("image", Shape::Text),
    ("imagePullPolicy", Shape::Text),
]);
static VOLUME: Shape = Shape::Object(&[
    ("name", Shape::Text),
    ("image", Shape::Object(&[("reference", Shape::Text), ("pullPolicy", Shape::Text)])),
]);
static NAMED: Shape = Shape::Object(&[("name", Shape::Text)]);
const META: Shape =
    Shape::Object(&[("name", Shape::Text), ("labels", Shape::Map), ("annotations", Shape::Map)]);
const TEMPLATE: Shape = Shape::Object(&[("metadata", META), ("spec", pod_spec!())]);
const JOB_TEMPLATE: Shape = Shape::Object(&[("spec", Shape::Object(&[("template", TEMPLATE)]))]);
const OBJECT: Shape = Shape::Object(&[
    ("metadata", META),
    ("spec", pod_spec!(("template", TEMPLATE), ("jobTemplate", JOB_TEMPLATE),)),
    ("template", TEMPLATE),
    ("ephemeralContainers", Shape::List(&CONTAINER)),
]);
const GROUP_KIND: Shape = Shape::Object(&[
    ("group", Shape::Text),
    ("version", Shape::Text),
    ("kind", Shape::Text),
    ("resource", Shape::Text),
]);
static REVIEW: Shape = Shape::Object(&[
    ("apiVersion", Shape::Text),
    ("kind", Shape::Text),
    (
        "request",
        Shape::Object(&[
            ("uid", Shape::Text),
            ("kind", GROUP_KIND),
            ("resource", GROUP_KIND),
            ("subResource", Shape::Text),
            ("name", Shape::Text),
            ("namespace", Shape::Text),
            ("operation", Shape::Text),
            ("dryRun", Shape::Flag),
            ("userInfo", Shape::Object(&[("username", Shape::Text), ("groups", Shape::Texts)])),
            ("object", OBJECT),
            ("oldObject", OBJECT),
        ]),
    ),
]);

/// Reads a question about an object of at most `most` images.
///
/// # Errors
/// See [`Unreadable`].
pub fn parse(body: &[u8], most: usize) -> Result<Admission, Unreadable> {
    use Unreadable::{Foreign, Malformed};
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(Foreign("the body is empty: an AdmissionReview in JSON is expected".into()));
    }
    let review = keep(body, &REVIEW).map_err(|e| Malformed {
        uid: early_uid(body),
        why: format!("the question is no valid JSON: {e}"),
    })?;
    for (field, wanted) in [("apiVersion", API_VERSION), ("kind", KIND)] {
        let got = match review.get(field).text() {
            Ok(Some(text)) if text == wanted => continue,
            Ok(Some(text)) => format!("\"{}\"", short(text)),
            Ok(None) => "absent".into(),
            Err(what) => what.into(),
        };
        return Err(Foreign(format!("{field} is {got}: only {wanted} is answered")));
    }
    let request = review.get("request");
    let uid = request.get("uid").text().ok().flatten();
    let Some(uid) = uid.filter(|uid| !uid.is_empty() && uid.len() <= UID_MAX) else {
        return Err(Foreign("request.uid is missing: no answer could be matched".into()));
    };
    read(request, uid, most).map_err(|why| Malformed { uid: Some(uid.to_owned()), why })
}

fn read(request: &Node, uid: &str, most: usize) -> Result<Admission, String> {
    let operation = match text(request, "operation")? {
        "CREATE" => Operation::Create,
        "UPDATE" => Operation::Update,
        "DELETE" => Operation::Delete,
        "CONNECT" => Operation::Connect,
        other => return Err(format!("the operation \"{}\" is not known", short(other))),
    };
    let dry_run = request.get("dryRun").flag().map_err(|e| format!("request.dryRun is {e}"))?;
    let kind = group_kind(request.get("kind"), "kind")?;
    if kind.kind.is_empty() {
        return Err("request.kind has no kind".into());
    }
    let (object, old) = (request.get("object"), request.get("oldObject"));
    let known = Room::known(&kind.group, &kind.kind);
    let rooms = match (operation, known) {
        (Operation::Delete | Operation::Connect, _) => Vec::new(),
        (Operation::Create | Operation::Update, Some(room)) => vec![room],
        (Operation::Create | Operation::Update, None) => Room::guessed(object),
    };
    let images = match (rooms.first(), known) {
        (Some(room), Some(_)) => Images::strict(*room, object)?,
        (None, _) | (_, None) => Images::lenient(&rooms, object),
    };
    let (images, compared) = match (operation, old) {
        (Operation::Update, Node::Object(_)) => {
            (images.changed_since(&Images::lenient(&rooms, old)), true)
        }
        _ => (images, false),
    };
    let places = images.places();
    if places.len() > most {
        return Err(format!("{} images are to be judged: at most {most} are", places.len()));
    }
    let why = match operation {
        Operation::Delete => Some(Why::Deletes),
        Operation::Connect => Some(Why::Connects),
        Operation::Create | Operation::Update if rooms.is_empty() => Some(Why::NoImages),
        Operation::Create | Operation::Update => {
            (compared && places.is_empty()).then_some(Why::Unchanged)
        }
    };
    let nothing = why.map(|why| Nothing::new(why, uid));
    let namespace = text(request, "namespace")?.to_owned();
    let strict = known.is_some() && nothing.is_none();
    let told = Told::read(&rooms, object, strict)?;
    let user = request.get("userInfo");
    let groups = user.get("groups").list();
    let groups = groups.map_err(|e| format!("request.userInfo.groups is {e}"))?.unwrap_or_default();
    let group = |node: &Node| match node.text() {
        Ok(group) => group.map(str::to_owned).ok_or_else(|| "a group is absent".to_owned()),
        Err(what) => Err(format!("a group is {what}")),
    };
    let pod = Pod {
        user: text(user, "username")?.to_owned(),
        groups: groups.iter().map(group).collect::<Result<_, _>>()?,
        labels: told.labels,
        service_account: told.service_account,
    };
    Ok(Admission {
        uid: uid.to_owned(),
        kind,
        resource: group_kind(request.get("resource"), "resource")?,
        sub_resource: text(request, "subResource")?.to_owned(),
        operation,
        name: text(request, "name")?.to_owned(),
        dry_run: dry_run.unwrap_or_default(),
        images: places.iter().map(|place| place.image.clone()).collect(),
        places,
        asked: Asked {
            namespace: namespace.clone(),
            annotations: told.annotations,
            pod: Some(pod),
        },
        namespace,
        pull_secrets: told.pull_secrets,
        nothing,
    })
}

/// What a pod, or what pods are made from, says besides images.
#[derive(Default)]
struct Told {
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    service_account: String,
    pull_secrets: Vec<String>,
}

impl Told {
    /// Of several pod specs the first one's word counts, and the pull secrets of all. What is wrong
    /// in it counts only where there is something to judge and the kind is known.
    fn read(rooms: &[Room], object: &Node, strict: bool) -> Result<Self, String> {
        let mut all: Option<Self> = None;
        for room in rooms {
            let told = match Self::of(*room, object) {
                Err(why) if strict => return Err(format!("the pod's {why}")),
                told => told.unwrap_or_default(),
            };
            match &mut all {
                Some(first) => first.pull_secrets.extend(told.pull_secrets),
                None => all = Some(told),
            }
        }
        Ok(all.unwrap_or_default())
    }

    fn of(room: Room, object: &Node) -> Result<Self, String> {
        let (pod, spec) = (object.at(room.path()), room.spec(object));
        let mut annotations = map(pod.get("metadata").get("annotations"), "annotations")?;
        annotations.retain(|key, _| key.contains(OF_IMAGE_POLICY));
        // `serviceAccount` is the older name, which the API server keeps equal. A pod that
        // names none runs as "default".
        let account = match (text(spec, "serviceAccountName")?, text(spec, "serviceAccount")?) {
            ("", "") if room == Room::Ephemeral => "",
            ("", "") => "default",
            ("", older) => older,
            (name, _) => name,
        };
        let named = spec.get("imagePullSecrets").list();
        let named = named.map_err(|e| format!("imagePullSecrets is {e}"))?.unwrap_or_default();
        let name = |entry: &Node| text(entry, "name").map(str::to_owned);
        let pull_secrets = named.iter().map(name).collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            labels: map(pod.get("metadata").get("labels"), "labels")?,
            annotations,
            service_account: account.to_owned(),
            pull_secrets: pull_secrets.into_iter().filter(|name| !name.is_empty()).collect(),
        })
    }
}

fn group_kind(node: &Node, what: &str) -> Result<Kind, String> {
    let field =
        |name| text(node, name).map(str::to_owned).map_err(|e| format!("request.{what}.{e}"));
    let kind = if what == "kind" { field("kind") } else { field("resource") };
    Ok(Kind { group: field("group")?, version: field("version")?, kind: kind? })
}

/// A text; empty where there is none.
fn text<'n>(node: &'n Node, field: &str) -> Result<&'n str, String> {
    let text = node.get(field).text().map_err(|what| format!("{field} is {what}"))?;
    Ok(text.unwrap_or_default())
}

fn map(node: &Node, what: &str) -> Result<BTreeMap<String, String>, String> {
    let map = node.map().map_err(|found| format!("{what} are {found}"))?;
    Ok(map.cloned().unwrap_or_default())
}

/// A stranger's word, for messages.
fn short(text: &str) -> String {
    text.chars().take(80).flat_map(char::escape_debug).collect()
}
