//! With whose logins the images of one pod are looked for.
//!
//! Logins that a pod brings (its pull secrets) are good for that pod's images and for nobody
//! else's: whatever is remembered of a registry's answers, flights included, has to have
//! [`Access::id`] in its key. An image for which the pod brings no login is looked for as for
//! everybody, and shares what everybody knows of it. No secret is shown by anything here.

use std::sync::LazyLock;

use cleanbill_core::digest::Digest;
use cleanbill_core::reference::ImageRef;
use cleanbill_oci::registry::Credentials;
use sha2::{Digest as _, Sha256};

/// Logins that are tried for one image at most.
const LOGINS_MAX: usize = 20;

/// Logins for the images of one pod, besides the gate's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    logins: Vec<Logins>,
    unread: Vec<String>,
}

/// The logins of one secret.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Logins {
    id: Digest,
    credentials: Credentials,
}

impl Access {
    /// The gate's own logins only.
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds logins, after those that are there. `source` are the bytes that they were read from:
    /// logins from the same bytes are the same access.
    #[must_use]
    pub fn with(mut self, credentials: Credentials, source: &[u8]) -> Self {
        if !credentials.is_empty() {
            self.logins.push(Logins { id: id(&[source]), credentials });
        }
        self
    }

    /// Adds a login that the pod names and that could not be read: a sentence without secrets
    /// for whoever is denied afterwards.
    #[must_use]
    pub fn without(mut self, why: impl Into<String>) -> Self {
        self.unread.push(why.into());
        self
    }

    /// What tells this access to an image from others, for keys of what is remembered in this
    /// process; `None` where only the gate's own logins are good for the image, whatever else the
    /// pod brings. It says nothing outside of this process: it is not to be stored.
    pub fn id(&self, image: &ImageRef) -> Option<Digest> {
        let ids: Vec<String> = self.of(image).map(|logins| logins.id.to_string()).collect();
        let ids: Vec<&[u8]> = ids.iter().map(String::as_bytes).collect();
        (!ids.is_empty()).then(|| id(&ids))
    }

    /// The logins that are good for an image besides the gate's own, each alone, in the order in
    /// which the kubelet tries them.
    pub fn logins(&self, image: &ImageRef) -> Vec<Credentials> {
        let all = self.logins.iter().map(|logins| &logins.credentials);
        let mut logins = Credentials::in_turn(all, image);
        logins.truncate(LOGINS_MAX);
        logins
    }

    fn of<'a>(&'a self, image: &'a ImageRef) -> impl Iterator<Item = &'a Logins> {
        self.logins.iter().filter(|logins| logins.credentials.serve(image))
    }

    /// What the pod names and could not be read. To be told with the denial when a registry
    /// refuses access, since it may be why.
    pub fn unread(&self) -> &[String] {
        &self.unread
    }
}

/// Passwords can be guessed, so a plain hash of them would tell them to whoever sees it. With a
/// key that dies with the process it does not.
static KEY: LazyLock<[u8; 16]> = LazyLock::new(|| {
    use std::hash::{BuildHasher as _, RandomState};
    let half = |n: u64| RandomState::new().hash_one(n).to_le_bytes();
    let mut key = [0; 16];
    for (place, byte) in key.iter_mut().zip(half(1).into_iter().chain(half(2))) {
        *place = byte;
    }
    key
});

fn id(sources: &[&[u8]]) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update(*KEY);
    for source in sources {
        // The length first, so that two sources are never one.
        hasher.update(source.len().to_le_bytes());
        hasher.update(source);
    }
    Digest::Sha256(hasher.finalize().into())
}

#[cfg(test)]
mod tests {
    use cleanbill_core::digest::Digest;
    use cleanbill_oci::registry::{Credentials, Secret};

    use super::{Access, LOGINS_MAX};

    fn login(place: &str) -> Credentials {
        Credentials::none().with_login(place, "user", Secret::new("hunter2"))
    }

    fn id(access: &Access, image: &str) -> Option<Digest> {
        access.id(&image.parse().unwrap())
    }

    #[test]
    fn the_same_sources_are_the_same_access_and_nothing_is_shown() {
        let access = |sources: &[&[u8]]| {
            let add = |all: Access, source: &&[u8]| all.with(login("a.example"), source);
            sources.iter().fold(Access::none(), add)
        };
        let one = access(&[b"hunter2", b"b"]);
        assert_eq!(one, access(&[b"hunter2", b"b"]));
        let of = |access: &Access| id(access, "a.example/x");
        assert_eq!(of(&one), of(&access(&[b"hunter2", b"b"])));
        for other in [&[b"hunter2b".as_slice()][..], &[b"hunter", b"2b"], &[b"b", b"hunter2"], &[]]
        {
            assert_ne!(of(&one), of(&access(other)), "{other:?}");
        }
        assert!(!format!("{one:?}").contains("hunter2"));
        assert_eq!(Access::none().with(Credentials::none(), b"x"), Access::none());
        assert_eq!(Access::none().without("why").unread(), ["why"]);
    }

    #[test]
    fn logins_for_other_images_change_nothing() {
        let one = Access::none().with(login("a.example"), b"1");
        let team = one.clone().with(login("b.example/team"), b"2");
        for (image, same) in [("a.example/x:1", true), ("b.example/team/x:1", false)] {
            assert_eq!(id(&one, image) == id(&team, image), same, "{image}");
        }
        for image in ["b.example/x", "b.example/teamwork", "a.example:5000/x", "x"] {
            assert_eq!(id(&team, image), None, "{image}");
            assert_eq!(team.logins(&image.parse().unwrap()), [], "{image}");
        }
        assert_eq!(team.logins(&"a.example/x".parse().unwrap()), [login("a.example")]);
    }

    #[test]
    fn so_many_logins_and_no_more_are_tried() {
        let add = |all: Access, n: usize| {
            let login =
                Credentials::none().with_login("a.example", &n.to_string(), Secret::new("x"));
            all.with(login, &n.to_le_bytes())
        };
        let many = (0..100).fold(Access::none(), add);
        assert_eq!(many.logins(&"a.example/x".parse().unwrap()).len(), LOGINS_MAX);
    }
}
