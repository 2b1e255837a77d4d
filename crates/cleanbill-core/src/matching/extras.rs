//! The extras of Amazon Linux 2: each is a repository with versions and errata of its own, and several
//! have packages of one name (`php`, `kernel`, `docker`). So an erratum of one says nothing of a package
//! of another, or of the core; and where nobody tells which of them a package is of, that is a gap.

use std::collections::BTreeSet;

use crate::advisory::Advisory;
use crate::ecosystem::{Ecosystem, Stream};
use crate::gap::{Gap, GapKind};
use crate::package::{Package, PackageKind};

use super::streams;

/// What the repository of an extra begins with, as yum names it.
const EXTRA: &str = "amzn2extra-";
/// The repository that is none.
const CORE: &str = "amzn2-core";
/// The release that has extras.
const RELEASE: &str = "2";
/// The extras that are named in a gap at most.
const NAMED: usize = 5;

/// What errata of an extra are labelled with ([`Advisory::module`]), and the stream that is covered
/// where they are read.
pub fn amazon_extra(topic: &str) -> (String, Stream) {
    let label = format!("{EXTRA}{topic}");
    let stream = covered_by(&label);
    (label, stream)
}

fn covered_by(label: &str) -> Stream {
    Stream::release(Ecosystem::AmazonLinux, format!("{RELEASE}::{label}"))
}

/// The extra that a package is of.
pub(super) fn of(package: &Package) -> Option<&str> {
    let repository = package.repository.as_deref();
    repository.filter(|_| package.kind == PackageKind::Rpm).filter(|r| r.starts_with(EXTRA))
}

/// What is not known of a package of this stream: its repository, where an extra has one of the same
/// name, or the errata of its extra. `found` is what the stream says of its name.
pub(super) fn gap<'a>(
    package: &Package,
    stream: &Stream,
    found: impl Iterator<Item = &'a Advisory>,
    covered: impl Fn(&Stream) -> bool,
) -> Option<Gap> {
    let extras = stream.ecosystem == Ecosystem::AmazonLinux && stream.release == RELEASE;
    if !extras || package.repository.as_deref() == Some(CORE) {
        return None;
    }
    if let Some(label) = of(package) {
        let stream = covered_by(label);
        return (!covered(&stream)).then(|| streams::not_covered(&stream));
    }
    let named: BTreeSet<&str> =
        found.filter_map(|a| a.module.as_deref()?.strip_prefix(EXTRA)).collect();
    let shown: Vec<&str> = named.iter().copied().take(NAMED).collect();
    let detail = format!(
        "it may be of the core or of one of the extras that have such a package ({}{}), whose errata \
         differ, and nothing tells which",
        shown.join(", "),
        if named.len() > NAMED { ", …" } else { "" }
    );
    let subject = format!("{} {}", package.name, package.version);
    (!named.is_empty()).then(|| Gap::new(GapKind::NoAdvisorySource, subject, detail))
}
