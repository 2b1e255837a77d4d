//! The nouns of Cleanbill and its judgements.
//!
//! *Matching* turns an [`Inventory`](inventory::Inventory) and advisories into findings;
//! *deciding* turns [`Evidence`](evidence::Evidence) and a [`Policy`](policy::Policy) into a
//! [`Verdict`](verdict::Verdict). Both are plain functions over plain data, so that any answer
//! can be computed again later from what was recorded. For reports alone, [`suppression`] says
//! which findings a caller leaves out; the verdict knows nothing of it.
//!
//! This crate must not do I/O, read a clock, be async or know a wire format: time is an
//! argument, and `serde` derives only describe shapes for whoever stores them.
//!
//! Three outcomes are never mixed: an *error* (the operation failed, no verdict exists), a
//! [`Gap`](gap::Gap) (a verdict exists but this part was not examined) and a
//! [`Reason`](verdict::Reason) (examined, and refused by a rule).

pub mod advisory;
pub mod asked;
mod clock;
pub mod digest;
pub mod distribution;
pub mod ecosystem;
pub mod evidence;
pub mod finding;
pub mod gap;
pub mod glob;
pub mod grant;
pub mod image;
pub mod inventory;
pub mod layer;
pub mod matching;
pub mod opinion;
pub mod package;
pub mod platform;
pub mod policy;
pub mod purl;
pub mod reference;
pub mod rootfs;
pub mod severity;
pub mod suppression;
pub mod verdict;
pub mod version;

pub use jiff::Timestamp;
pub use jiff::civil::Date;
