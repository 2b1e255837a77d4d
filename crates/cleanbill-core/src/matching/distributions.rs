//! Distributions: by the `ID` of os-release, which packages they have, in which streams their
//! advisories are, and who builds their packages. One list; what is not in it is a gap.

use crate::distribution::Distribution;
use crate::ecosystem::{Ecosystem, Stream};
use crate::package::PackageKind;

use super::flavours::FIPS_STREAMS;
use super::red_hat;
use super::vendors::{BESIDE_ALPINE, BESIDE_DEBIAN, Vendors};

/// What is known of one distribution.
pub(super) struct Known {
    id: &'static str,
    /// The kind of its packages.
    pub(super) kind: PackageKind,
    pub(super) ecosystem: Ecosystem,
    /// How its advisories name a release.
    names: Names,
    /// How its own packages are told from others'.
    vendors: Vendors,
}

/// How a release is named in advisories.
enum Names {
    /// There are no releases.
    None,
    /// `v3.19`, or a word such as `edge`.
    Alpine,
    /// As it is filed here: `12`, `9`.
    Release,
    /// The release, and with `:LTS` behind it, which the image does not tell; last what a
    /// subscription brings (Ubuntu Pro), see [`is_paid`], and what is said of its builds for FIPS.
    Ubuntu,
    /// The name for people without the vendor's: `Leap 15.6`.
    Pretty(&'static str),
    /// As above, and each of the modules that the release's packages are spread over, which the
    /// image does not tell; last what a subscription of longer support brings, see [`is_paid`].
    Suse,
    /// `24.03-LTS-SP1`, where the name for people is `openEuler 24.03 (LTS-SP1)`.
    OpenEuler,
    /// The repositories that a subscription of the release has, each a product of its own, and the
    /// release as a whole, of which what is not fixed is said.
    RedHat,
}

const fn row(
    id: &'static str,
    kind: PackageKind,
    ecosystem: Ecosystem,
    names: Names,
    vendors: Vendors,
) -> Known {
    Known { id, kind, ecosystem, names, vendors }
}

/// Every distribution whose packages can be matched. Vendors are as their packages' headers write
/// them (`rpm -qi`).
#[rustfmt::skip]
const ALL: &[Known] = &[
    row("alpine", PackageKind::Apk, Ecosystem::Alpine, Names::Alpine, Vendors::AllBut(BESIDE_ALPINE)),
    row("alpaquita", PackageKind::Apk, Ecosystem::Alpaquita, Names::Release, Vendors::Unnamed),
    row("chainguard", PackageKind::Apk, Ecosystem::Chainguard, Names::None, Vendors::Unnamed),
    row("minimos", PackageKind::Apk, Ecosystem::MinimOs, Names::None, Vendors::Unnamed),
    row("wolfi", PackageKind::Apk, Ecosystem::Wolfi, Names::None, Vendors::Unnamed),
    row("debian", PackageKind::Deb, Ecosystem::Debian, Names::Release, Vendors::AllBut(BESIDE_DEBIAN)),
    row("ubuntu", PackageKind::Deb, Ecosystem::Ubuntu, Names::Ubuntu, Vendors::Addresses(&["ubuntu.com", "canonical.com"])),
    row("almalinux", PackageKind::Rpm, Ecosystem::AlmaLinux, Names::Release, Vendors::Named(&["almalinux"])),
    row("amzn", PackageKind::Rpm, Ecosystem::AmazonLinux, Names::Release, Vendors::Named(&["amazon"])),
    row("azurelinux", PackageKind::Rpm, Ecosystem::AzureLinux, Names::Release, Vendors::Named(&["microsoft"])),
    row("mariner", PackageKind::Rpm, Ecosystem::AzureLinux, Names::Release, Vendors::Named(&["microsoft"])),
    row("mageia", PackageKind::Rpm, Ecosystem::Mageia, Names::Release, Vendors::Named(&["mageia"])),
    row("ol", PackageKind::Rpm, Ecosystem::OracleLinux, Names::Release, Vendors::Named(&["oracle"])),
    row("openeuler", PackageKind::Rpm, Ecosystem::OpenEuler, Names::OpenEuler, Vendors::Named(&["http://openeuler.org", "openeuler"])),
    row("opensuse-leap", PackageKind::Rpm, Ecosystem::OpenSuse, Names::Pretty("openSUSE "), Vendors::Named(&["opensuse", "suse"])),
    row("opensuse-tumbleweed", PackageKind::Rpm, Ecosystem::OpenSuse, Names::Pretty("openSUSE "), Vendors::Named(&["opensuse", "suse"])),
    row("photon", PackageKind::Rpm, Ecosystem::PhotonOs, Names::Release, Vendors::Named(&["vmware", "broadcom"])),
    row("rhel", PackageKind::Rpm, Ecosystem::RedHat, Names::RedHat, Vendors::Named(&["red hat"])),
    row("rocky", PackageKind::Rpm, Ecosystem::RockyLinux, Names::Release, Vendors::Named(&["rocky"])),
    row("sles", PackageKind::Rpm, Ecosystem::Suse, Names::Suse, Vendors::Named(&["suse"])),
];

/// Modules of SUSE Linux Enterprise 12 and 15 (<https://www.suse.com/products/server/modules/>).
const SUSE_MODULES: [&str; 20] = [
    "Basesystem",
    "Server Applications",
    "Development Tools",
    "Python 3",
    "Web and Scripting",
    "Containers",
    "Public Cloud",
    "Legacy",
    "Desktop Applications",
    "Systems Management",
    "Certifications",
    "Confidential Computing Technical Preview",
    "HPC",
    "Live Patching",
    "Transactional Server",
    "SAP Applications",
    "Python 2",
    "Advanced Systems Management",
    "Toolchain",
    "Package Hub",
];

/// The streams of a product of SUSE's, named without its maker (`Linux Enterprise Server 15 SP6`). The
/// modules of version 15 have service packs as it has, those of version 12 none.
pub fn suse(product: &str) -> Vec<Stream> {
    let one = |release: String| Stream::release(Ecosystem::Suse, release);
    let mut streams = vec![one(product.to_owned())];
    let version = product.strip_prefix("Linux Enterprise Server ").unwrap_or_default();
    let modules = match version.split(' ').next() {
        Some("15") => Some(version),
        Some("12") => Some("12"),
        Some(_) | None => None,
    };
    if let Some(version) = modules {
        let module = |name| one(format!("{MODULE}{name} {version}"));
        streams.extend(SUSE_MODULES.map(module));
    }
    streams.push(one(format!("{product}{LONGER}")));
    streams
}

/// What the release of a stream of a module of SUSE's begins with, and the module that every
/// installation of version 15 has.
const MODULE: &str = "Linux Enterprise Module for ";
const BASE: &str = "Basesystem ";
/// What the release of a stream of SUSE's ends with whose fixes need a subscription.
const LONGER: &str = "-LTSS";
/// What the release of a stream of Ubuntu's begins with whose fixes need a subscription.
const PAID: &str = "Pro:";

/// Whether the fixes of a stream need a subscription, so that not everybody can take them. What is
/// affected, it tells of every machine.
pub(super) fn is_paid(stream: &Stream) -> bool {
    let of = |ecosystem| stream.ecosystem == ecosystem;
    of(Ecosystem::Ubuntu) && stream.release.starts_with(PAID)
        || of(Ecosystem::Suse) && stream.release.ends_with(LONGER)
}

/// Whether a stream speaks of a part of a release, and is no other name of it: a release that only
/// such streams cover is not examined.
pub(super) fn is_beside(stream: &Stream) -> bool {
    let module = stream.release.strip_prefix(MODULE);
    let other = module.is_some_and(|module| !module.starts_with(BASE));
    is_paid(stream) || (stream.ecosystem == Ecosystem::Suse && other)
}

/// What is known of a distribution, if anything is.
pub(super) fn known(id: &str) -> Option<&'static Known> {
    ALL.iter().find(|known| known.id == id)
}

impl Known {
    /// Whether it has releases, which come to an end.
    pub(super) fn has_releases(&self) -> bool {
        !matches!(self.names, Names::None)
    }

    /// The streams of its advisories; several are other names of one release, or parts of it.
    /// Empty: the image names no release.
    pub(super) fn streams(&self, named: &Distribution) -> Vec<Stream> {
        let one = |release: &str| Stream::release(self.ecosystem, release);
        let release = named.release.as_str();
        let pretty = matches!(self.names, Names::None | Names::Pretty(_) | Names::Suse);
        if release.is_empty() && !pretty {
            return Vec::new();
        }
        match self.names {
            Names::None => vec![Stream::of(self.ecosystem)],
            Names::Alpine if release.starts_with(|c: char| c.is_ascii_digit()) => {
                vec![one(&format!("v{release}"))]
            }
            Names::Alpine | Names::Release => vec![one(release)],
            Names::Ubuntu => {
                let lts = format!("{release}:LTS");
                let paid = FIPS_STREAMS.iter().map(|start| format!("{start}{lts}"));
                let all = [release.to_owned(), lts.clone(), format!("{PAID}{lts}")];
                all.into_iter().chain(paid).map(|release| one(&release)).collect()
            }
            Names::Pretty(vendor) => {
                named.pretty_name.strip_prefix(vendor).map(one).into_iter().collect()
            }
            Names::Suse => named.pretty_name.strip_prefix("SUSE ").map(suse).unwrap_or_default(),
            Names::OpenEuler => {
                let pretty = named.pretty_name.split_once('(');
                let pack = pretty.and_then(|(_, pack)| pack.strip_suffix(')'));
                vec![one(&pack.map_or(release.to_owned(), |pack| format!("{release}-{pack}")))]
            }
            Names::RedHat => red_hat::main_stream(release),
        }
    }

    /// Whether its images may name the repositories that their packages come from, which tell more
    /// than the release.
    pub(super) fn names_content_sets(&self) -> bool {
        match self.names {
            Names::RedHat => true,
            Names::None | Names::Alpine | Names::Release => false,
            Names::Ubuntu | Names::Pretty(_) | Names::Suse | Names::OpenEuler => false,
        }
    }
}

/// Who built a package, if that was nobody whose packages these advisories speak of.
pub(super) fn other_vendor<'p>(
    ecosystem: Ecosystem,
    vendor: Option<&'p str>,
    version: &str,
) -> Option<&'p str> {
    let mut of = ALL.iter().filter(|known| known.ecosystem == ecosystem);
    let other = of.next()?.vendors.other(vendor, version)?;
    of.all(|known| known.vendors.other(vendor, version).is_some()).then_some(other)
}

#[cfg(test)]
mod tests {
    use super::ALL;
    use crate::distribution::packages_of;

    #[test]
    fn what_can_be_matched_can_be_read() {
        for known in ALL {
            assert_eq!(packages_of(known.id), Some(known.kind), "{}", known.id);
        }
    }
}
