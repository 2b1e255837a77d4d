//! What is kept, and how much of it: `decisions` and `facts`.

use super::Raw;
use crate::policy_file::node::Placed;
use crate::store::{Keep, Room};

const DECISION_KEYS: [&str; 3] = ["keep", "count", "snapshots"];
const FACT_KEYS: [&str; 1] = ["size"];
/// The least that facts may be given: what one layer may have, before compression.
const LEAST: u64 = 256 << 20;

impl Raw<'_> {
    pub(super) fn decisions(&mut self, node: &Placed, keep: &mut Keep, room: &mut Room) {
        for (key, value) in self.reader.entries(node, "\"decisions\"", &DECISION_KEYS) {
            match key {
                "count" => {
                    let mut count = 0;
                    self.count(key, value, 100_000_000, &mut count);
                    keep.count = u32::try_from(count).unwrap_or(keep.count).max(1);
                }
                "snapshots" => self.bytes(key, value, 0, &mut room.snapshots),
                _ => self.days(value, keep),
            }
        }
    }

    pub(super) fn facts(&mut self, node: &Placed, room: &mut Room) {
        for (key, value) in self.reader.entries(node, "\"facts\"", &FACT_KEYS) {
            self.bytes(key, value, LEAST, &mut room.facts);
        }
    }

    fn days(&mut self, value: &Placed, keep: &mut Keep) {
        let days = value.value.as_text().strip_suffix('d').and_then(|n| n.parse().ok());
        match days.filter(|days| (1..=36_500).contains(days)) {
            Some(days) => keep.days = days,
            None => self.reader.problem(
                value.referenced,
                "\"keep\" is no number of days".into(),
                "write it as 90d; from 1d to 36500d",
            ),
        }
    }
}
