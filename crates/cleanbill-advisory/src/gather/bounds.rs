//! How long what a feed writes may be: names, ids and versions come from strangers, and stay in memory,
//! in the snapshot and on somebody's screen.

use cleanbill_core::advisory::{Advisory, Range};
use cleanbill_core::version::MAX_LENGTH;

/// The longest id, in bytes; the longest that is known has some forty.
pub(crate) const ID: usize = 256;
/// The longest name of a package; npm's have 214 at most, and the longest that is known of Go's 92.
pub(crate) const NAME: usize = 1024;
/// The longest explanation, in characters.
const WHY: usize = 200;

/// The same advisory without what is too long. Whoever has the package is told by a gap, instead of
/// its looking clean; whether there was any.
pub(super) fn bounded(mut advisory: Advisory) -> (Advisory, bool) {
    let mut too_long = None;
    let mut over = |is: bool, what: &str, most: usize| {
        if is {
            too_long.get_or_insert_with(|| format!("{what} is longer than {most} bytes"));
        }
    };
    over(advisory.id.len() > ID, "its id", ID);
    shorten(&mut advisory.id);
    for list in [&mut advisory.aliases, &mut advisory.errata] {
        over(keep(list, |id| id.len() <= ID), "another id of it", ID);
    }
    over(keep(&mut advisory.versions, |v| v.len() <= MAX_LENGTH), "a version", MAX_LENGTH);
    over(keep(&mut advisory.ranges, is_short), "a version", MAX_LENGTH);
    // Of fewer architectures it would be silent of others.
    if keep(&mut advisory.arches, |arch| arch.len() <= ID) {
        over(true, "an architecture", ID);
        advisory.arches.clear();
    }
    if let Some(module) = &mut advisory.module {
        over(module.len() > ID, "its module", ID);
        shorten(module);
    }
    advisory.cvss = advisory.cvss.filter(|vector| vector.len() <= ID);
    let is = too_long.is_some();
    advisory.unreadable = advisory.unreadable.or(too_long);
    if let Some(why) = advisory.unreadable.as_mut().filter(|why| why.len() > WHY) {
        *why = why.chars().take(WHY).collect();
    }
    (advisory, is)
}

/// Whether something had to go.
fn keep<T>(list: &mut Vec<T>, which: impl FnMut(&T) -> bool) -> bool {
    let before = list.len();
    list.retain(which);
    list.len() < before
}

fn is_short(range: &Range) -> bool {
    let mut bounds = range.introduced.as_deref().into_iter().chain(range.end.version());
    bounds.all(|version| version.len() <= MAX_LENGTH)
}

/// Leaves the beginning of what is too long, and says that it is one.
fn shorten(text: &mut String) {
    if text.len() > ID {
        *text = text.chars().take(40).chain(['…']).collect();
    }
}
