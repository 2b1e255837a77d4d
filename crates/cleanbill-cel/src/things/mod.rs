//! The helper types that Kubernetes adds to CEL: each read from a string by a small bounded
//! parser, and shown as a string that reads back the same.

mod cidr;
mod quantity;
mod semver;
mod url;

pub use cidr::Cidr;
pub(crate) use cidr::parse_ip;
pub use quantity::Quantity;
pub use semver::Semver;
pub use url::Url;
