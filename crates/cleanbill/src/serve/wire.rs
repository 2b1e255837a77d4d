//! Which interface asked, and how a decision is said to it.

use cleanbill_core::digest::Digest;
use cleanbill_core::reference::ImageRef;

use super::admission::{self, Admission, Nothing, Proof, Warnings};
use super::config::Unexamined;
use super::judge::Decided;
use super::metrics::{self, Outcome};
use super::notes::{Note, Notes};
use super::review;
use crate::store::Api;

/// The path of a validating webhook.
pub const VALIDATE: &str = "/validate";
/// The path of a mutating webhook: the same judgement, and a patch that pins what it allows.
/// Every other path is an `ImageReview`'s.
pub const MUTATE: &str = "/mutate";

/// Which interface asked.
pub(super) enum Wire {
    /// `imagepolicy.k8s.io/v1alpha1`.
    ImageReview,
    /// `admission.k8s.io/v1`.
    Admission {
        /// The request's id, which every answer has to repeat.
        uid: String,
        /// Whether a patch may be given.
        mutate: bool,
        /// The request, where it could be read.
        asked: Option<Box<Admission>>,
    },
}

impl Wire {
    pub(super) fn api(&self) -> Api {
        match self {
            Self::ImageReview => Api::ImageReview,
            Self::Admission { .. } => Api::AdmissionReview,
        }
    }

    /// The same for metrics, which tell the two webhooks apart.
    pub(super) fn way(&self) -> metrics::Api {
        match self {
            Self::ImageReview => metrics::Api::ImageReview,
            Self::Admission { mutate: false, .. } => metrics::Api::Validate,
            Self::Admission { mutate: true, .. } => metrics::Api::Mutate,
        }
    }

    /// Whether the answer has an effect. An `ImageReview` does not tell a dry run from others.
    pub(super) fn is_enforced(&self) -> bool {
        match self {
            Self::ImageReview | Self::Admission { asked: None, .. } => true,
            Self::Admission { asked: Some(asked), .. } => !asked.dry_run,
        }
    }

    /// The pull secrets that the pod names, and for templates the service account whose secrets
    /// their pods will get. Into pods the API server has put them already.
    pub(super) fn pull_secrets(&self) -> (Vec<String>, Option<String>) {
        match self {
            Self::ImageReview | Self::Admission { asked: None, .. } => (Vec::new(), None),
            Self::Admission { asked: Some(asked), .. } => {
                let pod = asked.asked.pod.as_ref().filter(|_| !asked.is_pod());
                let account = pod.map(|pod| pod.service_account.clone());
                (asked.pull_secrets.clone(), account.filter(|a| !a.is_empty()))
            }
        }
    }

    /// The body that says the decision.
    ///
    /// # Errors
    /// Where it is to be said by a failure: the message.
    pub(super) fn say(
        &self,
        decided: Decided,
        when_unexamined: Unexamined,
    ) -> Result<Vec<u8>, String> {
        let Decided { outcome, proof, message, notes, warnings, rules, .. } = decided;
        match self {
            Self::ImageReview => match (outcome, proof) {
                (Outcome::Allowed, Some(proof)) => {
                    Ok(review::Answer::allowed(&proof, notes).body())
                }
                (Outcome::Undecided, _) if when_unexamined == Unexamined::Fail => Err(message),
                (
                    Outcome::Allowed | Outcome::Denied | Outcome::Undecided | Outcome::Malformed,
                    _,
                ) => Ok(review::Answer::refused(message, notes).body()),
            },
            Self::Admission { uid, mutate, asked } => {
                let lines = warnings.iter();
                let warnings = lines.fold(Warnings::none(), |all, line| all.with(line));
                let notes = notes.into_map();
                let answer = match (outcome, proof) {
                    (Outcome::Allowed, Some(proof)) => {
                        let is_local = |image: &str| {
                            let name = image.parse::<ImageRef>();
                            name.is_ok_and(|name| rules.policy.is_local(&name))
                        };
                        // What nodes have under a name cannot be pulled by its digest.
                        let pins: Vec<(String, Digest)> =
                            proof.images().iter().filter(|(i, _)| !is_local(i)).cloned().collect();
                        let patch = asked
                            .as_ref()
                            .filter(|_| *mutate)
                            .map_or_else(Vec::new, |asked| admission::patch(asked, &pins));
                        let places = asked.as_ref().map_or(&[][..], |asked| &asked.places);
                        let proof = Proof::Judged(&proof, places);
                        admission::Answer::allowed(proof, uid, warnings, notes, &patch)
                    }
                    (
                        Outcome::Allowed
                        | Outcome::Denied
                        | Outcome::Undecided
                        | Outcome::Malformed,
                        _,
                    ) => admission::Answer::refused(uid, message, warnings, notes),
                };
                Ok(answer.body())
            }
        }
    }
}

/// The body that allows what has nothing to judge. It is no decision, and is not recorded: it has
/// no id, which would lead to nothing.
pub(super) fn nothing(uid: &str, nothing: &Nothing) -> Vec<u8> {
    let said = format!("nothing to judge: {}", nothing.why().as_str());
    let notes = Notes::default().with(Note::Outcome, said);
    let proof = Proof::Nothing(nothing);
    admission::Answer::allowed(proof, uid, Warnings::none(), notes.into_map(), &[]).body()
}
