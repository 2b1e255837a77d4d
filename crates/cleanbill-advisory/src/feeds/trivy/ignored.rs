//! What of the database is not covered here, by its bucket: counted and named.

use std::collections::BTreeMap;

use crate::gather::Gathered;

/// Buckets named one by one; there are about a hundred in all.
const NAMED_MAX: usize = 200;

/// Entries by bucket and reason.
#[derive(Debug, Default)]
pub(super) struct Ignored {
    named: BTreeMap<(String, &'static str), u64>,
    others: u64,
}

impl Ignored {
    /// Adds entries of a bucket.
    pub(super) fn add(&mut self, bucket: &str, entries: u64, why: &'static str) {
        if entries == 0 {
            return;
        }
        // A name from the file that people will read.
        let bucket: String = bucket.chars().take(80).flat_map(char::escape_debug).collect();
        let room = self.named.len() < NAMED_MAX;
        match self.named.get_mut(&(bucket.clone(), why)) {
            Some(count) => *count += entries,
            None if room => drop(self.named.insert((bucket, why), entries)),
            None => self.others += entries,
        }
    }

    /// Tells the build's report and `db status`.
    pub(super) fn finish(self, into: &mut Gathered) {
        for ((bucket, why), entries) in self.named {
            into.ignored.push(format!("trivy: \"{bucket}\": {entries} entries: {why}"));
        }
        if self.others > 0 {
            into.ignored.push(format!("trivy: {} entries of further buckets", self.others));
        }
    }
}
