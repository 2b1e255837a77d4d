//! Who said what about which digest: the nouns of signatures and attestations.
//!
//! Types only so far. Nothing in this release verifies a signature, and nothing reads these
//! types yet; a policy cannot ask for signers until a verifier here can answer.
//!
//! This crate must not know policy: a [`Claim`] is a fact about an image, and whether it
//! suffices is the policy's question. It does no I/O.

pub mod claim;

pub use claim::{Claim, Identity, Scheme, Statement, Trust};
