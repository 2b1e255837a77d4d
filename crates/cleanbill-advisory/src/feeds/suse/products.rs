//! What an id of a document of SUSE's stands for: a package of a product that images are looked up
//! in, or something else.
//!
//! A product's id is its name (`SUSE Linux Enterprise Server 15 SP6`), and an id of both is the name,
//! a colon, and the component (`libopenssl3-3.1.4-150600.5.7.1` where it is fixed, `libopenssl3` where
//! it is not). What a component is its package URL says (`pkg:rpm/suse/libopenssl3@3.1.4-150600.5.7.1`
//! with `upstream=openssl-3-3.1.4-150600.5.7.1.src.rpm`, the source), but for one trap: of a component
//! without a version a part of the name may stand for one (`pkg:rpm/suse/libpcre2@16-0` of
//! `libpcre2-16-0`). Such a URL names no source, which tells it apart.

use std::collections::HashMap;

use cleanbill_core::ecosystem::{Ecosystem, Stream};
use cleanbill_core::matching::suse;
use cleanbill_core::purl::PackageUrl;

use super::super::csaf::document::Document;
use super::super::csaf::tree::Tree;

/// The longest name of a package that is kept, in bytes.
const NAME: usize = 256;

/// A product that images are looked up in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Product {
    pub stream: Stream,
    /// The release that it belongs to: modules and longer support are of the server's release.
    pub release: String,
}

/// A component of a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Component {
    pub name: String,
    /// Its name where no version is meant.
    pub unversioned: String,
    /// `version-release`, where one is given.
    pub version: Option<String>,
    /// The source that it is built from, where that is told.
    pub source: Option<Source>,
}

/// The source of a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Source {
    pub name: String,
    pub version: Option<String>,
}

/// What an id stands for.
pub(super) enum Meant<'p> {
    /// Something that no image is looked up in.
    Other,
    Package(&'p Product, &'p Component),
    /// It cannot be understood; why.
    Wrong(&'p str),
}

/// What the ids of a document stand for.
pub(super) struct Products<'d> {
    tree: Tree<'d>,
    /// Each product and component once: they are named by many ids.
    products: HashMap<&'d str, Option<Product>>,
    components: HashMap<&'d str, Option<Result<Component, String>>>,
}

impl<'d> Products<'d> {
    /// Reads the tree.
    pub(super) fn read(document: &'d Document<'d>) -> Self {
        let tree = Tree::read(document);
        let (mut products, mut components) = (HashMap::new(), HashMap::new());
        for (of, id) in tree.ids().filter_map(|id| tree.part(id)) {
            let product = products.entry(id).or_insert_with(|| product(id));
            if product.is_some() {
                components.entry(of).or_insert_with(|| component(of, tree.purl(of)));
            }
        }
        Self { tree, products, components }
    }

    /// What an id stands for.
    pub(super) fn get(&self, id: &str) -> Meant<'_> {
        let parts = self.tree.part(id);
        let Some((component, product)) = parts else { return Meant::Other };
        let Some(Some(product)) = self.products.get(product) else { return Meant::Other };
        match self.components.get(component) {
            Some(Some(Ok(component))) => Meant::Package(product, component),
            Some(Some(Err(why))) => Meant::Wrong(why),
            Some(None) | None => Meant::Other,
        }
    }
}

/// The product of a name; `None`: none that an image is looked up in.
fn product(name: &str) -> Option<Product> {
    if let Some(release) = name.strip_prefix("openSUSE ") {
        let leap = release.strip_prefix("Leap ").is_some_and(is_release);
        let stream = Stream::release(Ecosystem::OpenSuse, release);
        return (leap || release == "Tumbleweed")
            .then(|| Product { stream, release: release.to_owned() });
    }
    // Of older products longer support is written without its hyphen, too.
    let name = match name.strip_suffix(" LTSS") {
        Some(release) => format!("{release}-LTSS"),
        None => name.to_owned(),
    };
    let name = name.strip_prefix("SUSE ")?;
    let release = name.strip_suffix("-LTSS").unwrap_or(name);
    let release = match release.strip_prefix(SERVER) {
        Some(release) => release.to_owned(),
        None => of_module(name.strip_prefix("Linux Enterprise Module for ")?)?,
    };
    let stream = Stream::release(Ecosystem::Suse, name);
    let looked_up = is_release(&release) && suse(&format!("{SERVER}{release}")).contains(&stream);
    looked_up.then_some(Product { stream, release })
}

/// What the name of the server begins with, without its maker's.
const SERVER: &str = "Linux Enterprise Server ";

/// The release that a module is of: `15 SP6` of `Basesystem 15 SP6`, `12` of `Containers 12`.
fn of_module(module: &str) -> Option<String> {
    match module.rsplit_once(" SP") {
        Some((rest, pack)) => Some(format!("{} SP{pack}", rest.rsplit_once(' ')?.1)),
        None => Some(module.rsplit_once(' ')?.1.to_owned()),
    }
}

/// Whether a text is a release: `15`, `15 SP6`, `16.0`.
fn is_release(text: &str) -> bool {
    let number = |text: &str| {
        !text.is_empty() && text.len() <= 3 && text.bytes().all(|b| b.is_ascii_digit())
    };
    match text.split_once(" SP").or_else(|| text.split_once('.')) {
        Some((major, minor)) => number(major) && number(minor),
        None => number(text),
    }
}

/// What a component is; `None`: no package by rpm.
fn component(id: &str, purl: Option<&str>) -> Option<Result<Component, String>> {
    let good = |name: &str| !name.is_empty() && name.len() <= NAME;
    let Some(purl) = purl else {
        let (name, unversioned) = (id.to_owned(), id.to_owned());
        let whole = Component { name, unversioned, version: None, source: None };
        return Some(if good(id) { Ok(whole) } else { Err(no_name(id)) });
    };
    let purl: PackageUrl = match purl.parse() {
        Ok(purl) => purl,
        Err(e) => return Some(Err(format!("{e}"))),
    };
    if purl.kind() != "rpm" || purl.namespace() != "suse" {
        return None;
    }
    let upstream = purl.qualifiers().find(|(key, _)| *key == "upstream").map(|(_, value)| value);
    let source = upstream.and_then(|upstream| source(upstream, purl.version().is_some()));
    let trap = purl.version().is_some() && source.is_none();
    let unversioned = if trap { id } else { purl.name() };
    if !good(purl.name()) || !good(unversioned) {
        return Some(Err(no_name(id)));
    }
    Some(Ok(Component {
        name: purl.name().to_owned(),
        unversioned: unversioned.to_owned(),
        version: purl.version().filter(|version| version.contains('-')).map(str::to_owned),
        source,
    }))
}

fn no_name(id: &str) -> String {
    let shown: String = id.chars().take(40).collect();
    format!("{shown:?} is no name of a package")
}

/// The source that a package URL names: `pcre.src.rpm`, or with its version
/// `pcre-8.39-8.3.1.src.rpm`.
fn source(upstream: &str, versioned: bool) -> Option<Source> {
    let file = upstream.strip_suffix(".src.rpm").or_else(|| upstream.strip_suffix(".nosrc.rpm"))?;
    let (name, version) = match versioned {
        true => {
            let (rest, release) = file.rsplit_once('-')?;
            let (name, version) = rest.rsplit_once('-')?;
            (name, Some(format!("{version}-{release}")))
        }
        false => (file, None),
    };
    let good = !name.is_empty() && name.len() <= NAME;
    good.then(|| Source { name: name.to_owned(), version })
}

#[cfg(test)]
mod tests {
    use super::{component, product};

    #[test]
    fn products_that_images_are_looked_up_in() {
        // name → stream and release
        let table = [
            (
                "SUSE Linux Enterprise Server 15 SP6",
                "SUSE:Linux Enterprise Server 15 SP6 of 15 SP6",
            ),
            ("SUSE Linux Enterprise Server 15", "SUSE:Linux Enterprise Server 15 of 15"),
            ("SUSE Linux Enterprise Server 16.0", "SUSE:Linux Enterprise Server 16.0 of 16.0"),
            (
                "SUSE Linux Enterprise Server 15 SP4-LTSS",
                "SUSE:Linux Enterprise Server 15 SP4-LTSS of 15 SP4",
            ),
            (
                "SUSE Linux Enterprise Server 11 SP1 LTSS",
                "SUSE:Linux Enterprise Server 11 SP1-LTSS of 11 SP1",
            ),
            ("SUSE Linux Enterprise Server 12-LTSS", "SUSE:Linux Enterprise Server 12-LTSS of 12"),
            (
                "SUSE Linux Enterprise Module for Basesystem 15 SP6",
                "SUSE:Linux Enterprise Module for Basesystem 15 SP6 of 15 SP6",
            ),
            (
                "SUSE Linux Enterprise Module for Python 3 15 SP6",
                "SUSE:Linux Enterprise Module for Python 3 15 SP6 of 15 SP6",
            ),
            (
                "SUSE Linux Enterprise Module for Web and Scripting 12",
                "SUSE:Linux Enterprise Module for Web and Scripting 12 of 12",
            ),
            ("openSUSE Leap 15.6", "openSUSE:Leap 15.6 of Leap 15.6"),
            ("openSUSE Tumbleweed", "openSUSE:Tumbleweed of Tumbleweed"),
            // Other products, and what is like a name of one.
            ("SUSE Linux Enterprise Server for SAP Applications 15 SP6", "-"),
            ("SUSE Linux Enterprise Server 12 SP5-LTSS Extended Security", "-"),
            ("SUSE Linux Enterprise Server 12 SP3-LTSS-TERADATA", "-"),
            ("SUSE Linux Enterprise Server 12 SP2-BCL", "-"),
            ("SUSE Linux Enterprise Server 11 SP1 for Teradata", "-"),
            ("SUSE Linux Enterprise Server for Raspberry Pi 12 SP2", "-"),
            ("SUSE Linux Enterprise Desktop 15 SP6", "-"),
            ("SUSE Linux Enterprise Module for Something New 15 SP6", "-"),
            ("SUSE Linux Enterprise Module for Basesystem 16.0", "-"),
            ("SUSE Linux Enterprise Module for Basesystem 15 SP6-LTSS", "-"),
            ("SUSE Linux Enterprise Module for 15 SP6", "-"),
            ("SUSE Linux Enterprise Module for Basesystem", "-"),
            ("SUSE Linux Enterprise Server 15 SP", "-"),
            ("SUSE Linux Enterprise Server 15 SP6 SP7", "-"),
            ("SUSE Linux Enterprise Server 1555 SP6", "-"),
            ("SUSE Linux Micro 6.1", "-"),
            ("openSUSE Leap", "-"),
            ("openSUSE Leap Micro 5.5", "-"),
            ("openSUSE Backports SLE-15-SP6", "-"),
            ("chost:amazon/suse-sles-15-sp1-chost", "-"),
            ("", "-"),
        ];
        for (name, want) in table {
            let said = product(name);
            let said = said.map_or("-".to_owned(), |p| format!("{} of {}", p.stream, p.release));
            assert_eq!(said, want, "{name}");
        }
        assert_eq!(product(&format!("openSUSE Leap {}", "1".repeat(1 << 20))), None);
    }

    /// `name unversioned version source source-version`.
    fn check(id: &str, purl: Option<&str>, want: &str) {
        let text = |text: Option<&str>| text.unwrap_or("-").to_owned();
        let said = match component(id, purl) {
            None => "none".to_owned(),
            Some(Err(why)) => why,
            Some(Ok(c)) => {
                let source = c.source.as_ref();
                let parts = [
                    c.name.clone(),
                    c.unversioned.clone(),
                    text(c.version.as_deref()),
                    text(source.map(|s| &*s.name)),
                    text(source.and_then(|s| s.version.as_deref())),
                ];
                parts.join(" ")
            }
        };
        assert_eq!(said, want, "{id} {purl:?}");
    }

    #[test]
    fn components_with_and_without_versions() {
        let table = [
            (
                "libpcre1-8.39-8.3.1",
                "pkg:rpm/suse/libpcre1@8.39-8.3.1?upstream=pcre-8.39-8.3.1.src.rpm",
                "libpcre1 libpcre1 8.39-8.3.1 pcre 8.39-8.3.1",
            ),
            (
                "libpcre1",
                "pkg:rpm/suse/libpcre1@?upstream=pcre.src.rpm",
                "libpcre1 libpcre1 - pcre -",
            ),
            (
                "liblzma5-x86-64-v3-5.8.1-160000.2.2",
                "pkg:rpm/suse/liblzma5-x86-64-v3@5.8.1-160000.2.2?upstream=xz-5.8.1-160000.2.2.src.rpm",
                "liblzma5-x86-64-v3 liblzma5-x86-64-v3 5.8.1-160000.2.2 xz 5.8.1-160000.2.2",
            ),
            (
                "kernel-default-6.4.0-1.1",
                "pkg:rpm/suse/kernel-default@6.4.0-1.1?upstream=kernel-default-6.4.0-1.1.nosrc.rpm",
                "kernel-default kernel-default 6.4.0-1.1 kernel-default 6.4.0-1.1",
            ),
            // A name whose end was taken for a version, with and without a hyphen in it.
            ("libpcre2-16-0", "pkg:rpm/suse/libpcre2@16-0", "libpcre2 libpcre2-16-0 16-0 - -"),
            ("libfoo-2", "pkg:rpm/suse/libfoo@2", "libfoo libfoo-2 - - -"),
            ("pcre2", "pkg:rpm/suse/pcre2@", "pcre2 pcre2 - - -"),
            // A source that is no file of a source says nothing.
            ("a", "pkg:rpm/suse/a@?upstream=a.tar.gz", "a a - - -"),
            ("a", "pkg:rpm/suse/a@?upstream=.src.rpm", "a a - - -"),
            ("a-1-1", "pkg:rpm/suse/a@1-1?upstream=a.src.rpm", "a a-1-1 1-1 - -"),
            ("a", "pkg:oci/suse/a", "none"),
            ("a", "pkg:rpm/opensuse/a@1-1", "none"),
            ("a", "no purl", "\"no purl\" is no package URL: it does not begin with pkg:"),
        ];
        for (id, purl, want) in table {
            check(id, Some(purl), want);
        }
        check("java-1_7_0-openjdk", None, "java-1_7_0-openjdk java-1_7_0-openjdk - - -");
        check("", None, "\"\" is no name of a package");
        let huge = "x".repeat(1 << 20);
        let shown = format!("{:?} is no name of a package", "x".repeat(40));
        check(&huge, None, &shown);
        check(&huge, Some("pkg:rpm/suse/a@1"), &shown);
        check(
            "a",
            Some(&format!("pkg:rpm/suse/{}", "x".repeat(300))),
            "\"a\" is no name of a package",
        );
        let version = format!("pkg:rpm/suse/a@{}-1", "1".repeat(1 << 20));
        let said = component("a", Some(&version)).unwrap().unwrap_err();
        assert!(said.ends_with("it is longer than 4096 bytes"), "{said}");
    }
}
