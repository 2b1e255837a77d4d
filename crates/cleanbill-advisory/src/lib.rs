//! Advisory feeds to one immutable, dated, content-addressed snapshot file, and look-ups in it.
//!
//! * [`feeds`]: one file a feed, each reading its publisher's own layout into [`Gathered`].
//! * [`build`]: a folder of feeds to a snapshot file.
//! * [`bbolt`]: the file format of Trivy's database, read page by page.
//! * [`Snapshot`]: opened without parsing the data; implements
//!   [`Advisories`](cleanbill_core::advisory::Advisories).
//! * [`diff`]: what changed from one snapshot to another.
//! * [`load`]: puts a snapshot from elsewhere where commands look for it.
//! * [`update`]: fetches the feeds from their publishers, or a mirror with the same layout.
//!
//! This crate must not know images or packages' databases, must not judge, and must not keep
//! anything of a feed but facts: identifiers, package names, versions, severities and dates.
//! What a feed says and we cannot understand is kept as such, never dropped: see
//! [`Advisory::unreadable`](cleanbill_core::advisory::Advisory::unreadable).

pub mod bbolt;
pub mod build;
mod cvss;
pub mod diff;
mod error;
pub mod feeds;
mod gather;
mod limits;
pub mod load;
mod partial;
mod place;
mod positioned;
mod replace;
mod snapshot;
pub mod starter;
mod telling;
pub mod update;

pub use build::build;
pub use cvss::base_score;
pub use diff::diff;
pub use error::{Error, ErrorKind, Result};
pub use gather::Gathered;
pub use limits::Limits;
pub use load::load;
pub use partial::{Download, Open};
pub use snapshot::{Contents, Record, Snapshot, fuzz_parts as fuzz_snapshot_parts, write};
pub use telling::{Say, Told};
pub use update::update;
