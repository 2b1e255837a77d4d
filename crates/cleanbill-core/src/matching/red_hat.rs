//! Red Hat's products: in which of them the packages of an image are looked up, by the release
//! alone, or by the repositories that it says they come from (content sets).
//!
//! Red Hat's guide for scanners
//! (<https://redhatproductsecurity.github.io/security-data-guidelines/>) has the rules: the
//! manifests in an image name repositories, a list that Red Hat publishes has the products of each,
//! and of products with extended support (EUS and its like) it says what they have fixed; what
//! is not fixed, or only in the main stream, is said of the main stream.
//!
//! **Minor releases.** Since 2026 what is not fixed is said of each minor release
//! (`enterprise_linux:9.8`), while a fix is one for all that come after it. That of the image's own
//! minor release counts beside the fixes; what is said of the others counts for a flaw of which
//! nothing else is said, so that no flaw is lost and what the next release has still to fix is not
//! held against this one ([decision 16](../../../../docs/decisions/0016-red-hats-minor-releases.md)).
//!
//! **Without the list** an image is looked up in the main stream, as one that names no repositories.
//! That makes no difference where all of them are the main stream's own, which their names tell
//! ([`is_main`]), and then nothing is said. Any other may hold packages, or fixes, of which the
//! main stream says nothing (version 7 under ELS, OpenShift): that is a gap.

use std::collections::BTreeSet;

use crate::advisory::{Advisories, ContentSet};
use crate::distribution::Distribution;
use crate::ecosystem::{Ecosystem, Stream};
use crate::gap::{Gap, GapKind};
use crate::package::Package;

mod minor;
mod repository;

pub(super) use minor::are_one_product;
use minor::{is_minor, minors};
pub use minor::{main_product, minor_stream};
use repository::{has_sources, is_main, without_suffix};

/// Products of Red Hat Enterprise Linux 8 and later that need nothing but its subscription
/// (`enterprise_linux:9::baseos`).
const MAIN: [&str; 4] = ["baseos", "appstream", "crb", "highavailability"];
/// The same of version 7.
const MAIN_7: [&str; 4] = ["server", "client", "workstation", "computenode"];

/// The first release whose products have no parts.
const WITHOUT_PARTS: u32 = 10;

/// What Red Hat Enterprise Linux is called.
const LINUX: &str = "enterprise_linux";
/// How the names of its streams with longer support begin, up to version 9 and since, and go on.
const EXTENDED: [&str; 2] = ["rhel_", "enterprise_linux_"];
const STREAMS: [&str; 7] = ["aus", "e4s", "e6s", "els", "eus", "eus_long_life", "tus"];

/// Products of one image that are looked up at most; Red Hat's images have ten and fewer, and every
/// package is looked up in each.
const MAX_PRODUCTS: usize = 64;

/// The streams of a release of Red Hat Enterprise Linux, the main stream: its parts, of which each
/// has to be covered, and the release as a whole, of which what is not fixed is said.
pub fn main_stream(release: &str) -> Vec<Stream> {
    let products: &[&str] = match release.parse::<u32>() {
        Ok(7) => &MAIN_7,
        Ok(number) if number >= WITHOUT_PARTS => &[],
        Ok(_) | Err(_) => &MAIN,
    };
    let whole = whole(release);
    let parts = products.iter().map(|product| stream(format!("{whole}::{product}")));
    parts.chain([stream(whole.clone())]).collect()
}

fn stream(release: String) -> Stream {
    Stream::release(Ecosystem::RedHat, release)
}

fn whole(release: &str) -> String {
    format!("{LINUX}:{release}")
}

/// Those of the streams of an image that have to be covered, each: all but the wholes of products
/// whose parts are looked up, and minor releases, of which nothing may have to be said.
pub(super) fn parts(streams: &[Stream]) -> impl Iterator<Item = &Stream> {
    let is_whole =
        |of: &Stream| streams.iter().any(|s| product(s).0 == of.release && product(s).1.is_some());
    let red_hat = streams.iter().filter(|stream| stream.ecosystem == Ecosystem::RedHat);
    red_hat.filter(move |stream| !is_whole(stream) && !is_minor(stream))
}

/// A product without its part, and the part (`baseos`).
fn product(stream: &Stream) -> (&str, Option<&str>) {
    match stream.release.split_once("::") {
        Some((whole, part)) => (whole, Some(part)),
        None => (&stream.release, None),
    }
}

/// Where the packages of an image are looked up.
pub(super) struct LookedUp {
    /// The streams; those that stand in come last.
    pub(super) streams: Vec<Stream>,
    /// How many of them, from the end, stand in for the others: they count for a flaw only where
    /// no other says anything of it.
    pub(super) stand_ins: usize,
    /// What could not be found out.
    pub(super) gaps: Vec<Gap>,
}

/// Where the packages of an image are looked up that names no repositories: in the main stream.
pub(super) fn by_release<A: Advisories>(named: &Distribution, advisories: &A) -> LookedUp {
    let mut found =
        LookedUp { streams: main_stream(&named.release), stand_ins: 0, gaps: Vec::new() };
    found.add_minors(named, advisories);
    found
}

impl LookedUp {
    /// Adds the minor releases that something is said of. The image's own counts like the others,
    /// unless those are the main stream's stand-ins; which it is has to be known.
    fn add_minors<A: Advisories>(&mut self, named: &Distribution, advisories: &A) {
        let (own, others) = minors(named, |stream| advisories.covering(stream).is_some());
        let is_main = self.stand_ins == 0;
        match own {
            Some(own) if is_main => {
                self.streams.extend(own);
                self.stand_ins = others.len();
                self.streams.extend(others);
            }
            own => {
                let all: Vec<Stream> = own.flatten().into_iter().chain(others).collect();
                self.stand_ins = if is_main { 0 } else { self.stand_ins + all.len() };
                self.streams.extend(all);
            }
        }
    }
}

/// Finds the products of an image's repositories.
///
/// Where none of them is the main stream's, or none holds the base of the system, which every image
/// has packages of, the main stream stands in for what they say nothing of.
pub(super) fn by_content_sets<A: Advisories>(
    named: &Distribution,
    advisories: &A,
) -> Result<LookedUp, A::Error> {
    let (mut own, mut sure, mut gaps) = (BTreeSet::new(), true, Vec::new());
    let mut gap = |set: &str, why: &str| {
        gaps.push(Gap::new(GapKind::NoAdvisorySource, set, why));
    };
    for set in &named.content_sets {
        match look_up(set, advisories)? {
            ContentSet::NoList if is_main(set, &named.release) => {}
            ContentSet::NoList => gap(
                set,
                "packages come from this repository of Red Hat's, and this snapshot does not know \
                 of which products its repositories are (`cleanbill db update --feeds redhat` \
                 fetches that): they were looked up in the main stream",
            ),
            ContentSet::Unknown if has_sources(set) => {}
            ContentSet::Unknown => gap(
                set,
                "packages come from this repository, which Red Hat's list of repositories does not \
                 have",
            ),
            ContentSet::Products(products) if products.is_empty() => gap(
                set,
                "packages come from this repository, of which Red Hat's list of repositories names \
                 no product",
            ),
            ContentSet::Products(products) => {
                let (_, minor) = without_suffix(set);
                let minor = minor.as_deref().unwrap_or(&named.version);
                let (counting, known) = that_count(products, minor);
                own.extend(counting);
                sure &= known;
            }
        }
    }
    if own.len() > MAX_PRODUCTS {
        let detail = format!(
            "its repositories are of {} products of Red Hat's; those after the first \
             {MAX_PRODUCTS} were not looked up",
            own.len()
        );
        gaps.push(Gap::new(GapKind::NoAdvisorySource, "content sets", detail));
    }
    let own: Vec<Stream> = own.into_iter().take(MAX_PRODUCTS).collect();
    let (streams, stand_ins) = with_main_stream(&named.release, own);
    let mut found = LookedUp { streams, stand_ins, gaps };
    found.add_minors(named, advisories);
    // Where the minor release is not known, the words of the others are not the last ones.
    if !sure {
        found.stand_ins = 0;
    }
    Ok(found)
}

/// What is known of a content set, by its name, else by that without what builds put behind it.
fn look_up<A: Advisories>(set: &str, advisories: &A) -> Result<ContentSet, A::Error> {
    let known = advisories.content_set(set)?;
    let (plain, _) = without_suffix(set);
    match known {
        ContentSet::Unknown if plain != set => advisories.content_set(plain),
        ContentSet::NoList | ContentSet::Unknown | ContentSet::Products(_) => Ok(known),
    }
}

/// Those of a repository's products that count for an image of this minor release, and whether it
/// is known which do.
///
/// A repository of a stream with longer support is all minor releases' in turn, and in version 7 the
/// main stream's too: of those of one minor release that release's count, and the main stream's
/// stands in.
fn that_count(products: Vec<Stream>, minor: &str) -> (Vec<Stream>, bool) {
    let version = |stream: &Stream| {
        let (_, version) = product(stream).0.split_once(':')?;
        (is_extended(stream) && version.contains('.')).then(|| version.to_owned())
    };
    let extended = products.iter().any(is_extended);
    let known = products.iter().filter_map(version).any(|version| version == minor);
    let unknown = !known && products.iter().filter_map(version).next().is_some();
    let counts = |stream: &Stream| match version(stream) {
        Some(version) => !known || version == minor,
        None => !extended || !is_main_stream(stream),
    };
    (products.into_iter().filter(counts).collect(), !unknown)
}

/// The streams of these products, with the products' wholes, and how many of them, from the end,
/// stand in.
fn with_main_stream(release: &str, own: Vec<Stream>) -> (Vec<Stream>, usize) {
    let main = main_stream(release);
    if own.is_empty() {
        return (main, 0);
    }
    // ELS goes on where the main stream has ended, so that its word is always the later one.
    let goes_on = own.iter().any(|stream| {
        is_extended(stream) && product(stream).0.split(':').any(|name| name.ends_with("_els"))
    });
    let (behind, mut streams): (Vec<Stream>, Vec<Stream>) =
        own.into_iter().partition(|stream| goes_on && is_main_stream(stream));
    let main_whole = whole(release);
    let complete =
        streams.iter().any(|stream| product(stream).0 == main_whole) && streams.iter().any(is_base);
    let wholes: BTreeSet<Stream> =
        streams.iter().map(|s| stream(product(s).0.to_owned())).collect();
    streams.extend(wholes.into_iter().filter(|whole| !streams.contains(whole)).collect::<Vec<_>>());
    let behind: BTreeSet<Stream> = match complete {
        true => BTreeSet::new(),
        false => main.into_iter().chain(behind).filter(|s| !streams.contains(s)).collect(),
    };
    let stand_ins = behind.len();
    streams.extend(behind);
    (streams, stand_ins)
}

/// The release of Red Hat Enterprise Linux that a product is of, of the main stream or one with
/// longer support: `9` of `rhel_eus:9.2::baseos`. `None`: it is another product.
pub fn release_of(product: &str) -> Option<&str> {
    let (name, rest) = product.split_once(':')?;
    let mut extended = EXTENDED.iter().filter_map(|start| name.strip_prefix(start));
    let is_linux = name == LINUX || extended.any(|stream| STREAMS.contains(&stream));
    let major = rest.split([':', '.']).next()?;
    let good = (1..=3).contains(&major.len()) && major.bytes().all(|b| b.is_ascii_digit());
    (good && is_linux).then_some(major)
}

fn is_main_stream(stream: &Stream) -> bool {
    stream.release.split(':').next() == Some(LINUX)
}

fn is_extended(stream: &Stream) -> bool {
    release_of(&stream.release).is_some() && !is_main_stream(stream)
}

/// Whether a product holds the base of the system. Since version 10 products have no parts.
fn is_base(stream: &Stream) -> bool {
    let part = product(stream).1;
    release_of(&stream.release).is_some()
        && part.is_none_or(|part| part == "baseos" || MAIN_7.contains(&part))
}

/// Whether a package is of a later minor release than an image's products with longer support are:
/// `…el9_4` in an image of 9.2. It came from elsewhere, and what those products say is not about it.
pub(super) fn is_later(package: &Package, products: &[Stream]) -> bool {
    let Some((major, minor)) = minor_release(&package.version) else { return false };
    let of = |stream: &Stream| {
        let (_, version) = product(stream).0.split_once(':')?;
        let (of, minor) = version.split_once('.')?;
        (of.parse() == Ok(major)).then(|| minor.parse::<u32>().ok())?
    };
    products.iter().filter_map(of).max().is_some_and(|last| minor > last)
}

/// The release that a package was built for, where its version tells: `1.0-2.el9_4.3`, and of a
/// module `1.0-2.module+el8.9.0+1234+ab`.
fn minor_release(version: &str) -> Option<(u32, u32)> {
    let (rest, between) = match version.rsplit_once(".module+el") {
        Some((_, rest)) => (rest, '.'),
        None => (version.rsplit_once(".el")?.1, '_'),
    };
    let (major, rest) = rest.split_once(between)?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    Some((major.parse().ok()?, rest.get(..end)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::{minor_release, release_of};

    #[test]
    fn the_release_that_a_package_was_built_for() {
        let table = [
            ("1:3.0.7-25.el9_4", Some((9, 4))),
            ("1.0-2.el8_10.3", Some((8, 10))),
            ("1.0-2.el10_0", Some((10, 0))),
            ("1.0-2.module+el8.9.0+1234+ab", Some((8, 9))),
            ("1.0-2.el9", None),
            ("1.0-2.el9.4", None),
            ("1.0-2.el9_", None),
            ("1.0-2.elx_4", None),
            ("1.0-2.el9_99999999999", None),
            ("1.0", None),
            ("", None),
        ];
        for (version, want) in table {
            assert_eq!(minor_release(version), want, "{version}");
        }
    }

    #[test]
    fn the_release_that_a_product_is_of() {
        let table = [
            ("enterprise_linux:9::baseos", Some("9")),
            ("enterprise_linux:10", Some("10")),
            ("rhel_eus:9.2::appstream", Some("9")),
            ("rhel_aus:8.6::baseos", Some("8")),
            ("rhel_eus_long_life:8.4::appstream", Some("8")),
            ("rhel_els:7", Some("7")),
            ("enterprise_linux_eus:10.0", Some("10")),
            ("enterprise_linux_ai:1.4::el9", None),
            ("rhel_software_collections:3::el7", None),
            ("rhel_extras_other:7", None),
            ("rhel_eus:x", None),
            ("rhel_eus:", None),
            ("rhel_eus", None),
            ("openshift:4.16::el9", None),
            ("cpe:/a:other", None),
            ("", None),
        ];
        for (product, want) in table {
            assert_eq!(release_of(product), want, "{product}");
        }
    }
}
