//! As whom a container of the image runs.

use cleanbill_core::image::{RunsAs, User};
use cleanbill_core::rootfs::Resolution;

use super::Merged;
use crate::extractors::Wanted;
use crate::passwd;

impl Merged<'_> {
    /// What `config.User` of the image means, where all of its layers are merged here: a number
    /// is decided by itself, a name by the `/etc/passwd` that a container would see.
    pub fn runs_as(&self, user: Option<&str>) -> RunsAs {
        let name = match User::parse(user) {
            User::Decided(number) => return number.into(),
            User::Named(name) => name,
        };
        let unknown = |why: &str| RunsAs::Unknown(format!("it runs as {name:?}, and {why}"));
        if !self.root.problems().is_empty() {
            // A runtime would see another tree, or none.
            return unknown("not every entry of its layers could be merged");
        }
        let file = self.live.iter().find(|l| l.wanted == Wanted::Passwd);
        match file.and_then(|l| l.facts.accounts.as_ref()) {
            Some(accounts) => accounts.runs_as(name),
            None => unknown(match self.root.resolve(passwd::PATH) {
                Resolution::NotThere => "there is no /etc/passwd",
                Resolution::File { .. } => "/etc/passwd was not read",
                Resolution::Directory(_) | Resolution::Special => "/etc/passwd is no regular file",
                Resolution::Dangling | Resolution::Cycle => "/etc/passwd is a link to nowhere",
            }),
        }
    }
}
