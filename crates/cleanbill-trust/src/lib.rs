//! Who said what about which digest: keys, signed statements, and the nouns of claims.
//!
//! [`key`] holds Ed25519 keys, [`breakglass`] tokens by which a person answers for an image,
//! [`dsse`] and [`statement`] receipts of decisions that anyone can check offline, and what is said
//! of snapshots of advisories. Nothing in this release verifies signatures that images bring along;
//! [`claim`] has the types for it, and a policy cannot ask for signers until a verifier here can
//! answer.
//!
//! This crate must not know policy: a [`Claim`] is a fact about an image, and whether it
//! suffices is the policy's question. It does no I/O and reads no clock; the one thing it takes
//! from the system is randomness.

pub mod breakglass;
pub mod claim;
pub mod dsse;
mod error;
mod json;
pub mod key;
pub mod statement;

pub use claim::{Claim, Identity, Scheme, Statement, Trust};
pub use error::{Error, ErrorKind, Result};
pub use key::{PublicKey, SigningKey};
