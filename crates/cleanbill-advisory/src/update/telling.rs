//! Whose data tells of an ecosystem's flaws, where nobody says otherwise. Data, in one place.

use std::path::Path;

use cleanbill_core::ecosystem::Ecosystem;

use super::{FEEDS_FOLDER, Publisher};
use crate::partial::is_partial;

/// Ecosystems of which another than OSV tells, or nobody: whether OSV's zip is needed too. Red Hat's
/// own documents are not among them: to build from all of them takes gigabytes of memory, which
/// nobody should be surprised by.
const OWN: [(Ecosystem, bool, Option<Publisher>); 6] = [
    // They say more than OSV's zip of them.
    (Ecosystem::Debian, false, Some(Publisher::Debian)),
    (Ecosystem::AlmaLinux, false, Some(Publisher::AlmaLinux)),
    // OSV has nothing of them.
    (Ecosystem::AmazonLinux, false, Some(Publisher::Amazon)),
    (Ecosystem::OracleLinux, false, None),
    // Their publisher restricts what may be done with the data: that is for the user to decide.
    (Ecosystem::Chainguard, false, None),
    (Ecosystem::Wolfi, false, None),
];

/// Who tells of an ecosystem: OSV's zip of it, a publisher's own feed, both, or nobody whom an
/// update can ask.
pub fn telling(ecosystem: Ecosystem) -> (bool, Option<Publisher>) {
    let own = OWN.into_iter().find(|(of, ..)| *of == ecosystem);
    own.map_or((true, None), |(_, zip, publisher)| (zip, publisher))
}

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
