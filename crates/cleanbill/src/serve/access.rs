//! With whose logins the images of one pod are looked for.
//!
//! Logins that a pod brings (its pull secrets) are good for that pod's images and for nobody
//! else's: whatever is remembered of a registry's answers, flights included, has to have
//! [`Access::id`] in its key. No secret is shown by anything here.

use std::sync::LazyLock;

use cleanbill_core::digest::Digest;
use cleanbill_oci::registry::Credentials;
use sha2::{Digest as _, Sha256};

/// Logins for the images of one pod, besides the gate's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    id: Option<Digest>,
    credentials: Option<Credentials>,
    unread: Vec<String>,
}

impl Access {
    /// The gate's own logins only.
    pub fn none() -> Self {
        Self::default()
    }

    /// These logins too. `sources` are the bytes that they were read from: logins from the same
    /// bytes are the same access.
    pub fn with(credentials: Credentials, sources: &[&[u8]]) -> Self {
        if credentials.is_empty() {
            return Self::none();
        }
        Self { id: Some(id(sources)), credentials: Some(credentials), unread: Vec::new() }
    }

    /// Adds a login that the pod names and that could not be read: a sentence without secrets
    /// for whoever is denied afterwards.
    #[must_use]
    pub fn without(mut self, why: impl Into<String>) -> Self {
        self.unread.push(why.into());
        self
    }

    /// What tells this access from others, for keys of what is remembered in this process;
    /// `None` for the gate's own logins. It says nothing outside of this process: it is not to
    /// be stored.
    pub fn id(&self) -> Option<Digest> {
        self.id
    }

    /// The logins, if there are any besides the gate's own.
    pub fn credentials(&self) -> Option<&Credentials> {
        self.credentials.as_ref()
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
    use cleanbill_oci::registry::{Credentials, Secret};

    use super::Access;

    #[test]
    fn the_same_sources_are_the_same_access_and_nothing_is_shown() {
        let login = Credentials::none().with_login("a.example", "user", Secret::new("hunter2"));
        let access = |sources: &[&[u8]]| Access::with(login.clone(), sources);
        let one = access(&[b"hunter2", b"b"]);
        assert_eq!(one, access(&[b"hunter2", b"b"]));
        assert_ne!(one.id(), access(&[b"hunter2b"]).id());
        assert_ne!(one.id(), access(&[b"hunter", b"2b"]).id());
        assert_ne!(one.id(), Access::none().id());
        assert!(!format!("{one:?}").contains("hunter2"));
        assert_eq!(Access::with(Credentials::none(), &[b"x"]), Access::none());
        assert_eq!(Access::none().without("why").unread(), ["why"]);
    }
}
