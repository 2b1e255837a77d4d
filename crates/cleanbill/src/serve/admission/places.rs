//! Where in an object images stand, and which of them are to be judged.
//!
//! The kinds that Kubernetes has are known, and are read strictly: what has not their form is
//! refused. Any other kind is looked through at the four places where pod specs stand, so that
//! Argo's Rollouts or Knative's Services are judged like Deployments, at all four, since nobody
//! knows which of them its controller makes pods from; what has no images there has nothing to judge.
//!
//! On UPDATE, an image is passed over only where the old object has the same text for the same
//! container: same pod spec, same list, same name, same image. A renamed container, or one that moved to
//! another list, is judged again; order does not count.

use std::collections::BTreeMap;

use super::keep::Node;

/// An image in the object under review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// JSON pointer (RFC 6901) within the object, as a patch needs it.
    pub pointer: String,
    /// The image as it is written there; may be empty.
    pub image: String,
    /// Its `imagePullPolicy` as it is written there, if it is.
    pub pull: Option<String>,
}

/// Proof that a request has nothing to judge: only reading a request makes one, and it is good
/// for that request alone. See `docs/decisions/0008-nothing-to-judge.md`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nothing {
    why: Why,
    uid: String,
}

impl Nothing {
    pub(super) fn new(why: Why, uid: &str) -> Self {
        Self { why, uid: uid.to_owned() }
    }

    /// Why there is nothing to judge.
    pub fn why(&self) -> Why {
        self.why
    }

    /// Whether it is about the request with this `uid`.
    pub(super) fn is_for(&self, uid: &str) -> bool {
        self.uid == uid
    }
}

/// Why a request has nothing to judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It is an UPDATE that leaves every image as it was.
    Unchanged,
    /// It is a DELETE: nothing runs by it.
    Deletes,
    /// It is a CONNECT (exec, attach, proxy): nothing new runs by it.
    Connects,
    /// The kind of object has no images.
    NoImages,
}

impl Why {
    /// The reason as it stands in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Deletes => "deletes",
            Self::Connects => "connects",
            Self::NoImages => "no-images",
        }
    }
}

/// Where a kind of object has its pod spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Room {
    /// It is a pod.
    Pod,
    /// `/spec/template`, as a Deployment.
    Template,
    /// `/spec/jobTemplate/spec/template`: a `CronJob`.
    CronJob,
    /// `/template`: a `PodTemplate`.
    PodTemplate,
    /// The object of `pods/ephemeralcontainers` before Kubernetes 1.22: a list of them alone.
    Ephemeral,
}

impl Room {
    const POD_SPECS: [Self; 4] = [Self::Pod, Self::Template, Self::CronJob, Self::PodTemplate];

    /// The room of a kind that Kubernetes has.
    pub fn known(group: &str, kind: &str) -> Option<Self> {
        match (group, kind) {
            ("", "Pod") => Some(Self::Pod),
            ("", "EphemeralContainers") => Some(Self::Ephemeral),
            ("", "PodTemplate") => Some(Self::PodTemplate),
            ("", "ReplicationController")
            | ("apps", "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet")
            | ("batch", "Job") => Some(Self::Template),
            ("batch", "CronJob") => Some(Self::CronJob),
            _ => None,
        }
    }

    /// The path to what has `metadata` and `spec` of a pod.
    pub fn path(self) -> &'static [&'static str] {
        match self {
            Self::Pod | Self::Ephemeral => &[],
            Self::Template => &["spec", "template"],
            Self::CronJob => &["spec", "jobTemplate", "spec", "template"],
            Self::PodTemplate => &["template"],
        }
    }

    fn pointer(self) -> String {
        let mut pointer: String = self.path().iter().map(|field| format!("/{field}")).collect();
        if self != Self::Ephemeral {
            pointer.push_str("/spec");
        }
        pointer
    }

    /// What has the lists of containers.
    pub fn spec(self, object: &Node) -> &Node {
        let pod = object.at(self.path());
        if self == Self::Ephemeral { pod } else { pod.get("spec") }
    }

    /// The rooms of an object of a kind that nobody knows: all that have an image.
    pub fn guessed(object: &Node) -> Vec<Self> {
        let named = |room: &Self| Images::lenient(&[*room], object).any_named();
        Self::POD_SPECS.into_iter().filter(named).collect()
    }
}

/// A list that images stand in.
#[derive(Clone, Copy)]
struct List {
    field: &'static str,
    /// The way from an entry to the image.
    image: &'static [&'static str],
    /// The way from an entry to when that is pulled.
    pull: &'static [&'static str],
}

impl List {
    const fn of_containers(field: &'static str) -> Self {
        Self { field, image: &["image"], pull: &["imagePullPolicy"] }
    }
}

const LISTS: [List; 4] = [
    List::of_containers("containers"),
    List::of_containers("initContainers"),
    List::of_containers("ephemeralContainers"),
    List { field: "volumes", image: &["image", "reference"], pull: &["image", "pullPolicy"] },
];

/// All images of one object.
#[derive(Debug, Default)]
pub(super) struct Images {
    images: Vec<Found>,
}

#[derive(Debug)]
struct Found {
    room: Room,
    list: &'static str,
    name: String,
    pointer: String,
    image: String,
    pull: Option<String>,
}

impl Found {
    /// The image of one entry of a list; `None` for a volume of another kind.
    fn read(room: Room, list: List, pointer: &str, entry: &Node) -> Result<Option<Self>, String> {
        entry.object().map_err(|what| format!("{pointer} is {what}"))?;
        let mut at = entry;
        let mut place = pointer.to_owned();
        for (step, field) in list.image.iter().enumerate() {
            at = at.get(field);
            place = format!("{place}/{field}");
            let inner = step + 1 < list.image.len();
            // A volume without `image` is another kind of volume; a container without one has
            // an image that is not said.
            if inner && *at == Node::Null {
                return Ok(None);
            }
            if inner {
                at.object().map_err(|what| format!("{place} is {what}"))?;
            }
        }
        let image = at.text().map_err(|what| format!("{place} is {what}"))?;
        let name = entry.get("name").text().map_err(|what| format!("{pointer}/name is {what}"))?;
        let (name, image) = (name.unwrap_or_default(), image.unwrap_or_default());
        let (name, image) = (name.to_owned(), image.to_owned());
        // What is no text is no policy that anybody knows, and no reason to pass an image over.
        let pull = match entry.at(list.pull).text() {
            Ok(text) => text.map(str::to_owned),
            Err(what) => Some(what.to_owned()),
        };
        Ok(Some(Self { room, list: list.field, name, pointer: place, image, pull }))
    }
}

impl Images {
    /// Of an object of a known kind.
    ///
    /// # Errors
    /// Where it has not the form of its kind: what a pod's author could hide an image with.
    pub fn strict(room: Room, object: &Node) -> Result<Self, String> {
        if let Err(what) = room.spec(object).object() {
            let pointer = room.pointer();
            let pointer = if pointer.is_empty() { "the object" } else { &pointer };
            return Err(format!("{pointer} is {what}: a pod's spec is expected"));
        }
        Self::collect(room, object, &Err)
    }

    /// Of an object that may be anything, in these rooms: what is no image is passed over.
    pub fn lenient(rooms: &[Room], object: &Node) -> Self {
        let of = |room: &Room| Self::collect(*room, object, &|_| Ok(())).unwrap_or_default().images;
        Self { images: rooms.iter().flat_map(of).collect() }
    }

    fn any_named(&self) -> bool {
        self.images.iter().any(|found| !found.image.is_empty())
    }

    fn collect(
        room: Room,
        object: &Node,
        wrong: &dyn Fn(String) -> Result<(), String>,
    ) -> Result<Self, String> {
        let (spec, prefix) = (room.spec(object), room.pointer());
        let mut images = Vec::new();
        for list in LISTS {
            let field = list.field;
            let entries = spec.get(field).list().or_else(|what| {
                wrong(format!("{prefix}/{field} is {what}"))?;
                Ok::<_, String>(None)
            })?;
            for (at, entry) in entries.unwrap_or_default().iter().enumerate() {
                let pointer = format!("{prefix}/{field}/{at}");
                match Found::read(room, list, &pointer, entry) {
                    Ok(found) => images.extend(found),
                    Err(why) => wrong(why)?,
                }
            }
        }
        Ok(Self { images })
    }

    /// Those that an older object did not have at the same container.
    pub fn changed_since(self, old: &Self) -> Self {
        // A name that stands twice is no name: nothing says which of the two is meant.
        let once = |images: &[Found]| {
            let mut names: BTreeMap<(Room, &'static str, String), Option<String>> = BTreeMap::new();
            for found in images {
                names
                    .entry((found.room, found.list, found.name.clone()))
                    .and_modify(|image| *image = None)
                    .or_insert_with(|| Some(found.image.clone()));
            }
            names
        };
        let (before, now) = (once(&old.images), once(&self.images));
        let kept = |found: &Found| {
            let key = (found.room, found.list, found.name.clone());
            let same = before.get(&key).is_some_and(|image| image.as_ref() == Some(&found.image));
            let alone = now.get(&key).is_some_and(Option::is_some);
            same && alone && !found.name.is_empty()
        };
        let mut images = self.images;
        images.retain(|found| !kept(found));
        Self { images }
    }

    /// Their places, in the order of the object's lists.
    pub fn places(self) -> Vec<Place> {
        let place = |Found { pointer, image, pull, .. }| Place { pointer, image, pull };
        self.images.into_iter().map(place).collect()
    }
}
