//! Why an image could not be examined, kept apart by whose words it is in: what the image or its
//! registry caused may name addresses and is not for whoever made a pod.

use std::fmt;

use crate::failure::Failure;

/// What stopped an examination. No verdict exists.
#[derive(Debug)]
pub enum Trouble {
    /// The image, or the way to it.
    Image(cleanbill_oci::Error),
    /// Our own side: the store, the advisories.
    Ours(Failure),
}

impl Trouble {
    /// A sentence for whoever made the pod: no address, no path, no server's words.
    pub fn public(&self) -> &'static str {
        match self {
            Self::Image(error) => cleanbill_oci::registry::public_message(error),
            Self::Ours(_) => "the gate could not examine it now",
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image(error) => error.fmt(f),
            Self::Ours(failure) => failure.fmt(f),
        }
    }
}

impl std::error::Error for Trouble {}

impl From<cleanbill_oci::Error> for Trouble {
    fn from(error: cleanbill_oci::Error) -> Self {
        Self::Image(error)
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Ours(failure)
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Image(error) => error.into(),
            Trouble::Ours(failure) => failure,
        }
    }
}
