//! What may take long is done aside: the threads that answer are few, and all others who ask wait
//! for them.

use cleanbill_core::verdict::{Case, Outcome};

/// Bytes of JSON that are read in well under a millisecond.
pub(super) const SHORT: usize = 256 << 10;
/// Findings, gaps and (by eights) packages that are judged, and put into words, in well under a millisecond.
const FEW: usize = 500;

/// Does the work; where it may take `long`, so that another thread answers meanwhile.
pub(super) fn aside<R>(long: bool, work: impl FnOnce() -> R) -> R {
    if long { tokio::task::block_in_place(work) } else { work() }
}

/// Whether so much was found that judging it takes a while.
pub(super) fn is_much(cases: &[Case]) -> bool {
    let found = cases.iter().flat_map(|case| match &case.outcome {
        Outcome::Examined(evidence) => vec![evidence],
        Outcome::Registered(all) => all.iter().filter_map(|r| r.evidence.as_ref()).collect(),
        Outcome::NameRefused(_) | Outcome::NoReference(_) | Outcome::Failed(_) => Vec::new(),
    });
    let platforms = found.flat_map(|evidence| &evidence.platforms);
    platforms.map(|p| p.findings.len() + p.gaps.len() + p.packages.len() / 8).sum::<usize>() > FEW
}
