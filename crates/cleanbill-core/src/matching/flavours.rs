//! Flavours: builds of a source beside the plain ones, which bear the same names and versions of
//! their own. A fix of one flavour is not about packages of another.
//!
//! - **Oracle** puts an epoch before its builds for FIPS (`10:3.0.7-25.0.1.el9_3_fips`) and for Ksplice
//!   (`2:2.28-151.0.1.ksplice2.el8`), so that they stay installed; beside them any plain version is
//!   lower. Its errata name the fixes of all flavours under one name.
//! - **Ubuntu** files fixes of its builds for FIPS (`1.1.1f-1ubuntu2.fips.22`, and sources such as
//!   `linux-fips`) under streams of their own (`Ubuntu:Pro:FIPS-updates:20.04:LTS`); beside the
//!   plain versions they are higher, whatever they hold.
//!
//! Where fixes of a flaw are named and none is of a package's flavour, nobody says whether it has
//! one, and that is a gap: by the order of versions such a build would look clean, or be affected for
//! ever. Only of Oracle's builds the number tells more: it is, but for the epoch, that of the plain
//! build that they were made of, so one that is not below a plain fix holds it.

use crate::advisory::{Range, RangeEnd};
use crate::ecosystem::{Ecosystem, Stream};
use crate::package::{Package, PackageKind};
use crate::version::{Scheme, Version};

use super::flaws::Flaw;
use super::ranges::{self, Installed, Place};

/// What a package is built as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flavour {
    /// What nearly every package is.
    Plain,
    /// With cryptography as it was certified.
    Fips,
    /// To be patched while it runs.
    Ksplice,
}

/// What the release of a stream of Ubuntu's begins with that is about builds for FIPS.
const FIPS: &str = "Pro:FIPS";
/// What such a stream is called where its fixes are those that were certified, are made since, and
/// are to be certified.
pub(super) const FIPS_STREAMS: [&str; 3] = ["Pro:FIPS:", "Pro:FIPS-updates:", "Pro:FIPS-preview:"];

/// The flavour of a package.
pub(super) fn of(package: &Package) -> Flavour {
    if package.kind == PackageKind::Rpm {
        of_rpm(&package.version)
    } else if package.kind == PackageKind::Deb && is_fips_deb(package) {
        Flavour::Fips
    } else {
        Flavour::Plain
    }
}

fn is_fips_deb(package: &Package) -> bool {
    let mut parts = package.source_version().split(['+', '~', '.', '-']);
    let marks = |part: &str| part.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("fips"));
    parts.any(marks) || package.source_name().ends_with("-fips")
}

/// The flavour of a version of rpm, as Oracle writes them.
fn of_rpm(version: &str) -> Flavour {
    let release = version.rsplit_once('-').map_or("", |(_, release)| release);
    if release.contains("_fips") {
        Flavour::Fips
    } else if release.split('.').any(|part| part.starts_with("ksplice")) {
        Flavour::Ksplice
    } else {
        Flavour::Plain
    }
}

/// Whether a stream speaks of a package at all: those for FIPS do of such builds alone.
pub(super) fn speaks_of(stream: &Stream, package: &Package) -> bool {
    !is_fips(stream) || of(package) == Flavour::Fips
}

/// Whether a stream is about builds for FIPS.
pub(super) fn is_fips(stream: &Stream) -> bool {
    stream.ecosystem == Ecosystem::Ubuntu && stream.release.starts_with(FIPS)
}

/// Whether a range ends with a fix of another flavour than the installed version's. In dpkg's
/// versions the stream tells that, and not the fix.
pub(super) fn is_other(range: &Range, installed: &Installed<'_>) -> bool {
    match &range.end {
        RangeEnd::Fixed(fixed) => !is_own(fixed, installed),
        RangeEnd::LastAffected(_) | RangeEnd::Before(_) | RangeEnd::Open => false,
    }
}

/// Whether a fix is of the installed version's flavour.
pub(super) fn is_own(fixed: &str, installed: &Installed<'_>) -> bool {
    installed.scheme != Scheme::Rpm || of_rpm(fixed) == installed.flavour
}

/// Which advisory, and why, leaves open whether a build of another flavour than the plain one has a
/// flaw, which none of those that were asked calls it affected by.
pub(super) fn left_open(asked: &Flaw<'_>, installed: &Installed<'_>) -> Option<(String, String)> {
    if installed.flavour == Flavour::Plain {
        return None;
    }
    let mut open = None;
    for (why, advisory) in asked {
        let Some(version) = installed.of(advisory) else { continue };
        for range in &advisory.ranges {
            let RangeEnd::Fixed(fixed) = &range.end else { continue };
            if is_fips(&why.stream) || (installed.scheme == Scheme::Rpm && is_own(fixed, installed))
            {
                return None;
            }
            let place = ranges::place(advisory, range, version, installed.scheme);
            let concerns = matches!(place, Ok(Place::Inside | Place::Past));
            if concerns && !holds(installed, fixed) {
                open.get_or_insert((&advisory.id, fixed));
            }
        }
    }
    open.map(|(id, fixed)| {
        let why = format!(
            "its fix {fixed} is none of this build ({}), of which nothing is said",
            match installed.flavour {
                Flavour::Fips => "for FIPS",
                Flavour::Ksplice => "for Ksplice",
                Flavour::Plain => "a plain one",
            }
        );
        (id.clone(), why)
    })
}

/// Whether the number of a build tells that it holds a fix of another flavour.
fn holds(installed: &Installed<'_>, fixed: &str) -> bool {
    let parse = |text| Version::parse(installed.scheme, ranges::without_epoch(text)).ok();
    let (own, fixed) = (parse(&installed.text), parse(fixed));
    installed.scheme == Scheme::Rpm && own.zip(fixed).is_some_and(|(own, fixed)| own >= fixed)
}

#[cfg(test)]
mod tests {
    use super::{Flavour, of_rpm};

    #[test]
    fn the_flavour_of_a_version_of_rpm() {
        let table = [
            ("1:3.0.7-25.0.1.el9_3", Flavour::Plain),
            ("10:3.0.7-25.0.1.el9_3_fips", Flavour::Fips),
            ("10:3.6.16-4.0.1.el8_fips.2", Flavour::Fips),
            ("2:2.28-151.0.1.ksplice2.el8", Flavour::Ksplice),
            ("2:1.0.2k-22.ksplice1.el7_9", Flavour::Ksplice),
            // In the version it is a part of the name.
            ("1.0_fips-1.el9", Flavour::Plain),
            ("1.0.ksplice1-1.el9", Flavour::Plain),
            ("1.0-1.noksplice1.el9", Flavour::Plain),
            ("1.0", Flavour::Plain),
            ("", Flavour::Plain),
        ];
        for (version, want) in table {
            assert_eq!(of_rpm(version), want, "{version}");
        }
    }
}
