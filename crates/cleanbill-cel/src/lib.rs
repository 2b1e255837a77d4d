//! The Common Expression Language (CEL), for what a policy cannot say in YAML.
//!
//! A [`Program`] is parsed *and type-checked* against an [`Environment`] when it is loaded: all
//! its [`Mistake`]s come at once, with line and column. It runs under a [`Cost`] limit, since
//! operators write the expressions but what they look at (labels, package names) is hostile.
//! [`Program::loosens_on`] tells where a value that somebody else chooses could make a rule
//! stop refusing.
//!
//! This crate must not do I/O, read a clock or an environment, be async, or know what images,
//! packages and policies are. Nothing here recurses deeper than [`limits`] allow, and nothing
//! panics.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a type or value that an operation does not name is an error of it, also a new one; \
              where that is not so (`node`, `polarity`) every member is named"
)]

mod ast;
mod check;
mod environment;
mod eval;
mod fault;
mod functions;
mod fuzz;
mod lexer;
pub mod limits;
mod literal;
mod meter;
mod mistake;
mod node;
mod numbers;
mod parser;
mod polarity;
mod program;
mod record;
mod references;
mod show;
mod things;
mod types;
mod value;

pub use environment::{Environment, Field};
pub use fault::{Failure, Fault, Stopped};
pub use functions::{Described, described};
pub use fuzz::fuzz_cel;
pub use meter::Cost;
pub use mistake::Mistake;
pub use program::Program;
pub use record::{Key, Map, Record};
pub use things::{Cidr, Quantity, Semver, Url};
pub use types::Type;
pub use value::{TypeName, Value};
