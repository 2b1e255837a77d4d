//! How much of the lists of files of one package database is written out. A list may name a folder
//! once and then a file by a few bytes, so that a small database could ask for more memory and time
//! than there is.

use crate::facts::Facts;

/// The most bytes of paths of one database. A full workstation has 20 MiB; a hostile folder name
/// could be repeated a million times.
const ALL_MAX: usize = 64 << 20;
/// The most bytes of one path, as Linux has it.
const PATH_MAX: usize = 4096;

/// What is left of it.
pub(crate) struct Room {
    left: usize,
}

impl Room {
    /// All of it.
    pub(crate) fn new() -> Self {
        Self { left: ALL_MAX }
    }

    /// Takes room for a path of so many bytes. Where there is none, that is told, once.
    pub(crate) fn take(&mut self, length: usize, facts: &mut Facts) -> bool {
        match self.left.checked_sub(length).filter(|_| length <= PATH_MAX) {
            Some(left) => {
                self.left = left;
                true
            }
            None => {
                facts.over_limit(|| {
                    format!(
                        "its lists of files have a path of more than {PATH_MAX} bytes, or take more than {ALL_MAX}"
                    )
                });
                false
            }
        }
    }
}
