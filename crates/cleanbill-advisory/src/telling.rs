//! What whoever waits is told.

use std::time::{Duration, Instant};

/// A word about what is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told<'a> {
    /// Something has happened: a line.
    Line(&'a str),
    /// So many bytes of something are here, of as many as its server says: worth a glance, and old in
    /// a moment.
    Received {
        /// What it is.
        name: &'a str,
        /// What is here.
        have: u64,
        /// The size of the whole.
        whole: Option<u64>,
    },
}

/// Who is told.
pub type Say<'a> = dyn FnMut(Told<'_>) + 'a;

/// No more often than this is it told how far a download is: of a small one not at all.
const EVERY: Duration = Duration::from_millis(200);

/// One download, of which it is told now and then how far it is.
pub(crate) struct Meter<'m, 's> {
    name: &'m str,
    say: &'m mut Say<'s>,
    last: Instant,
}

impl<'m, 's> Meter<'m, 's> {
    pub(crate) fn new(name: &'m str, say: &'m mut Say<'s>) -> Self {
        Self { name, say, last: Instant::now() }
    }

    /// So many bytes are here.
    pub(crate) fn at(&mut self, have: u64, whole: Option<u64>) {
        if self.last.elapsed() >= EVERY {
            self.last = Instant::now();
            (self.say)(Told::Received { name: self.name, have, whole });
        }
    }
}
