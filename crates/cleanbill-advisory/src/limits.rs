//! How much of a feed is read at most, and which dates are believed: feeds come over the network from
//! strangers.

use cleanbill_core::Timestamp;
use jiff::SignedDuration;

/// How far clocks may differ.
const GRACE: SignedDuration = SignedDuration::from_hours(24);

/// Bounds on the input of a build. Past one of them the build fails; nothing is cut short.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of one JSON document, uncompressed (default 64 MiB).
    pub document_bytes: u64,
    /// Documents in one zip (default 2 million).
    pub documents: u64,
    /// Bytes of all documents of one zip, uncompressed (default 32 GiB).
    pub total_bytes: u64,
    /// Advisories made of one database, and flaws described in it (default 20 million).
    pub entries: u64,
    /// Share of entries, in percent, that may be not understood (default 5).
    pub not_understood_percent: u64,
    /// The latest date of a feed or an entry that is one (default: a day from now, for clocks that
    /// differ). A later one says nothing of how old the feed's facts are: it is told, and the entry
    /// stays. Of input without such dates a snapshot is the same whenever it is built.
    pub latest: Timestamp,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            document_bytes: 64 << 20,
            documents: 2_000_000,
            total_bytes: 32 << 30,
            entries: 20_000_000,
            not_understood_percent: 5,
            latest: latest(Timestamp::now()),
        }
    }
}

/// The latest date that is believed at a time.
pub(crate) fn latest(now: Timestamp) -> Timestamp {
    now.checked_add(GRACE).unwrap_or(now)
}
