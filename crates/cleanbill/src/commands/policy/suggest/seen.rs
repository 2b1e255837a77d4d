//! An image as it was seen: what was found in it, and when. Whether it passes a policy is for the
//! one judge to say.

use std::collections::BTreeSet;
use std::sync::Arc;

use cleanbill_core::Timestamp;
use cleanbill_core::asked::Asked;
use cleanbill_core::digest::Digest;
use cleanbill_core::evidence::Evidence;
use cleanbill_core::policy::{Action, Policy};
use cleanbill_core::reference::ImageRef;
use cleanbill_core::verdict::{Case, Denial, Outcome, Request, Verdict, decide};
use sha2::{Digest as _, Sha256};

/// An image that was examined.
#[derive(Clone, Debug)]
pub(super) struct Sight {
    /// As pods name it.
    pub(super) image: String,
    /// The same, completed.
    pub(super) name: ImageRef,
    /// What is known of it.
    pub(super) outcome: Outcome,
    /// The time at which it is judged: now, or when the gate judged it.
    pub(super) at: Timestamp,
}

impl Sight {
    /// An image as it was seen. Lists of packages are let go, which would be most of what ten
    /// thousand images weigh: nothing that is suggested asks for them.
    pub(super) fn new(image: String, name: ImageRef, outcome: Outcome, at: Timestamp) -> Self {
        Self { image, name, outcome: without_packages(outcome), at }
    }

    /// The repository, in full.
    pub(super) fn repository(&self) -> String {
        self.name.name()
    }

    /// Whether it is an image that no registry has.
    pub(super) fn is_local(&self) -> bool {
        match self.outcome {
            Outcome::Registered(_) => true,
            Outcome::Examined(_)
            | Outcome::NameRefused(_)
            | Outcome::NoReference(_)
            | Outcome::Failed(_) => false,
        }
    }

    /// Everything that was found under the name.
    pub(super) fn evidence(&self) -> impl Iterator<Item = &Evidence> {
        let (examined, registered) = match &self.outcome {
            Outcome::Examined(evidence) => (Some(evidence), None),
            Outcome::Registered(all) => (None, Some(all)),
            Outcome::NameRefused(_) | Outcome::NoReference(_) | Outcome::Failed(_) => (None, None),
        };
        let registered = registered.into_iter().flatten().filter_map(|r| r.evidence.as_ref());
        examined.into_iter().chain(registered).map(AsRef::as_ref)
    }

    /// Why the policy does not let it run; `None` where it does.
    pub(super) fn refused(&self, policy: &Policy) -> Option<Denial> {
        let fingerprint = Digest::Sha256(Sha256::digest(self.image.as_bytes()).into());
        let asked = Asked { namespace: "default".into(), ..Asked::default() };
        let request = Request { asked, ..Request::new(fingerprint, vec![self.image.clone()]) };
        let cases = [Case::new(self.image.clone(), self.outcome.clone())];
        match decide(&request, &cases, policy, self.at).verdict {
            Verdict::Allow(_) => None,
            Verdict::Deny(denial) | Verdict::Undecided(denial) => Some(denial),
        }
    }

    /// Whether any policy at all lets it run: not what could not be looked at.
    pub(super) fn is_examined(&self) -> bool {
        let local_images = locals(std::slice::from_ref(self));
        let loosest = Policy { action: Action::Audit, local_images, ..Policy::default() };
        self.refused(&loosest).is_none()
    }
}

fn without_packages(mut outcome: Outcome) -> Outcome {
    let slim = |evidence: &mut Arc<Evidence>| {
        for platform in &mut Arc::make_mut(evidence).platforms {
            platform.packages = Vec::new();
        }
    };
    match &mut outcome {
        Outcome::Examined(evidence) => slim(evidence),
        Outcome::Registered(all) => {
            all.iter_mut().filter_map(|r| r.evidence.as_mut()).for_each(slim);
        }
        Outcome::NameRefused(_) | Outcome::NoReference(_) | Outcome::Failed(_) => {}
    }
    outcome
}

/// The names among these that no registry has.
pub(super) fn locals(sights: &[Sight]) -> Vec<cleanbill_core::policy::NamePattern> {
    let names: BTreeSet<String> =
        sights.iter().filter(|s| s.is_local()).map(Sight::repository).collect();
    patterns(&names)
}

/// Each of these repositories, and no other.
pub(super) fn patterns(names: &BTreeSet<String>) -> Vec<cleanbill_core::policy::NamePattern> {
    // The name of an image is always a pattern; were one not, its image would fail the proof.
    names.iter().filter_map(|name| name.clone().try_into().ok()).collect()
}
