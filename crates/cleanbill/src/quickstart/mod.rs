//! What `cleanbill quickstart` needs besides the program itself: two example images made of
//! facts, a registry in this process that has them, and a client that asks as the API server does.
//!
//! Nothing here judges. What the tour shows is done by the same code that does it in earnest.

pub mod ask;
pub mod elf;
pub mod examples;
pub mod registry;
pub mod tar;
pub mod tour;
