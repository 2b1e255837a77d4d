//! `AdmissionReview` of `admission.k8s.io/v1`: the question and the answer on the wire.
//!
//! In the order of a request: [`keep`] (JSON, of which only what is needed stays), [`question`]
//! (what is asked; [`uid`]: by whom, where it cannot be read), [`places`] (where images stand, and which of them changed), [`pin`] (the
//! patch), [`answer`] (what the API server reads).
//!
//! Only pods run images. Templates are judged so that people hear of a refusal early; what runs
//! in the end is a pod that is asked about itself. Therefore objects without images are answered
//! "allowed", with a [`Nothing`] in place of a permit; why that is sound is said in
//! `docs/decisions/0008-nothing-to-judge.md`.
//!
//! Nothing here may contact anyone, judge, or say "allowed" without a [`Proof`].

pub mod answer;
mod keep;
pub mod pin;
pub mod places;
pub mod question;
pub mod uid;

pub use answer::{Answer, Proof, Warnings};
pub use pin::{Operation, patch};
pub use places::{Nothing, Place, Why};
pub use question::{Admission, Kind, Unreadable, parse};
pub use uid::early_uid;

/// The only version that is answered.
pub const API_VERSION: &str = "admission.k8s.io/v1";
/// The only kind.
pub const KIND: &str = "AdmissionReview";
