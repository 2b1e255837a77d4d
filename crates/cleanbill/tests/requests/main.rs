//! One table of requests through one check: policy, facts and request → the exact answer.
//!
//! The rows are data, in `rows/*.yaml`; [`row`] says what they may hold, [`world`] which images
//! there are. Each row is asked of a gate of its own over TLS,
//! as the API server would, by `ImageReview` and by both webhooks: on the same facts they must not
//! differ, which [`never_differ`] asks of made-up policies and images too.

// Helpers of tests are tests, which clippy.toml cannot know of a whole file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod ask;
mod made_up;
mod never_differ;
#[path = "../admission/rfc6902.rs"]
mod rfc6902;
// Shared with the tests of the gate, which use all of it.
#[allow(dead_code)]
#[path = "../gate/rig.rs"]
mod rig;
mod row;
mod table;
#[path = "../admission/verify.rs"]
mod verify;
mod world;
