//! What earlier updates left in the folder of updates.

use std::path::Path;

use cleanbill_core::ecosystem::Ecosystem;

use super::{FEEDS_FOLDER, Publisher};
use crate::partial::is_partial;

/// What earlier updates fetched into a folder: ecosystems of OSV, and publishers.
pub fn fetched(folder: &Path) -> (Vec<Ecosystem>, Vec<Publisher>) {
    let feeds = folder.join(FEEDS_FOLDER);
    // A download that failed leaves a folder with nothing whole in it.
    let there = |name: &str| {
        let entries = std::fs::read_dir(feeds.join(name)).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name()).any(|name| !is_partial(Path::new(&name)))
    };
    let ecosystems = Ecosystem::ALL.into_iter().filter(|e| there(&format!("osv/{e}"))).collect();
    let publishers = Publisher::ALL.into_iter().filter(|p| there(p.as_str())).collect();
    (ecosystems, publishers)
}
