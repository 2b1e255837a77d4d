//! What SQLite keeps beside rpm's database: a write-ahead log with what is newer than it.
//!
//! A log was read together with the database that lies beside it in the same layer. Where the
//! database that counts is another layer's, nobody read the two together.

use cleanbill_core::gap::{Gap, GapKind};

use super::Finder;
use crate::extractors::Wanted;
use crate::rpm;

impl Finder<'_, '_> {
    /// Looks for the logs of every database in SQLite, which lie where the file really is.
    pub(super) fn rpm_logs(&mut self) {
        let live = self.merged.live.iter();
        let databases: Vec<_> = live
            .filter(|l| l.wanted == Wanted::RpmSqlite)
            .map(|l| (l.path.clone(), l.origin))
            .collect();
        for (database, origin) in databases {
            for ending in rpm::LOGS {
                self.look(&format!("{database}{ending}"), Wanted::RpmSqliteLog, false);
            }
            let log =
                self.merged.live.iter().find(|l| {
                    l.wanted == Wanted::RpmSqliteLog && rpm::is_log_of(&l.named, &database)
                });
            let Some(log) = log.filter(|l| !l.facts.is_empty()) else { continue };
            if log.origin.layer == origin.layer {
                // What it says is the whole database, and newer; unless it was not read, which
                // it then says.
                let read = !log.facts.claims.is_empty();
                self.merged
                    .live
                    .retain(|l| !read || (l.wanted, l.origin) != (Wanted::RpmSqlite, origin));
            } else {
                let detail = format!(
                    "holds a newer part of {database}, which is of another layer, and was not \
                     applied to it"
                );
                let gap = Gap::new(GapKind::UnreadableDatabase, &log.named, detail);
                self.merged.gaps.push(gap);
            }
        }
    }
}
