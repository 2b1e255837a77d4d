//! What an id of a CSAF document stands for: a package of a release of Red Hat Enterprise Linux, or
//! something else.

use std::collections::{BTreeSet, HashMap};

use cleanbill_core::ecosystem::{Ecosystem, Stream};
use cleanbill_core::matching::{red_hat, red_hat_release};
use cleanbill_core::purl::PackageUrl;

use super::super::SOURCE;
use super::super::csaf::document::Document;
use super::super::csaf::tree::Tree;
use super::super::errata::version;
use super::cpe::product;
use crate::gather::Gathered;

/// How many relationships may stand between a package and its product; a module is one.
const LEVELS: usize = 4;
/// The longest name, version, module or architecture that is kept, in bytes: it is kept for every
/// product that has the package.
const TEXT: usize = 256;

/// A package of a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Package {
    pub stream: Stream,
    pub name: String,
    /// The module stream that it is of, `nodejs:18`.
    pub module: Option<String>,
    /// `epoch:version-release`, where one is given.
    pub version: Option<String>,
    /// `src` is the source, which stands for all packages that are built from it. `None`: any.
    pub arch: Option<String>,
}

/// What the ids of a document stand for.
#[derive(Default)]
pub(super) struct Products<'d> {
    packages: HashMap<&'d str, Result<Package, String>>,
}

impl<'d> Products<'d> {
    /// Reads the tree.
    pub(super) fn read(document: &'d Document<'d>) -> Self {
        let tree = Tree::read(document);
        let meant = |id| Some((id, package(&tree, id)?));
        Self { packages: tree.ids().filter_map(meant).collect() }
    }

    /// The package that an id stands for; `None`: something else than a package of Red Hat
    /// Enterprise Linux.
    pub(super) fn get(&self, id: &str) -> Option<&Result<Package, String>> {
        self.packages.get(id)
    }
}

fn package(tree: &Tree<'_>, id: &str) -> Option<Result<Package, String>> {
    let (component, mut product) = tree.part(id)?;
    let mut module = None;
    for _ in 0..LEVELS {
        let Some((between, above)) = tree.part(product) else { break };
        module = module.or_else(|| module_stream(tree.purl(between)?));
        product = above;
    }
    let stream = stream(tree.cpe(product)?)?;
    let purl: PackageUrl = match tree.purl(component)?.parse() {
        Ok(purl) => purl,
        Err(e) => return Some(Err(format!("{e}"))),
    };
    match purl.kind() {
        "rpm" if purl.namespace() == "redhat" => Some(rpm(&purl, stream, module)),
        // `ruby:2.6/ruby`: the package ruby of the module stream ruby:2.6.
        "rpmmod" if !fits(&purl) => Some(Err(too_long(&purl))),
        "rpmmod" => {
            let module = purl.namespace().strip_prefix("redhat/").filter(|m| m.contains(':'))?;
            Some(Ok(Package {
                stream,
                name: purl.name().to_owned(),
                module: Some(module.to_owned()),
                version: None,
                arch: Some(SOURCE.to_owned()),
            }))
        }
        _ => None,
    }
}

/// The module stream that a component between a package and its product is.
fn module_stream(purl: &str) -> Option<String> {
    let purl: PackageUrl = purl.parse().ok()?;
    let stream = purl.version()?.split(':').next().filter(|stream| !stream.is_empty())?;
    (purl.kind() == "rpmmod").then(|| format!("{}:{stream}", purl.name()))
}

/// Whether all of it that is kept is within bounds.
fn fits(purl: &PackageUrl) -> bool {
    let kept = purl.qualifiers().filter(|(key, _)| matches!(*key, "arch" | "rpmmod"));
    let texts = kept.map(|(_, value)| value).chain(purl.version());
    texts.chain([purl.namespace(), purl.name()]).all(|text| text.len() <= TEXT)
}

fn too_long(purl: &PackageUrl) -> String {
    let shown: String = purl.name().chars().take(40).collect();
    format!("the package {shown:?} has something of more than {TEXT} bytes")
}

fn rpm(purl: &PackageUrl, stream: Stream, module: Option<String>) -> Result<Package, String> {
    if !fits(purl) {
        return Err(too_long(purl));
    }
    let get = |name: &str| purl.qualifiers().find(|(key, _)| *key == name).map(|(_, value)| value);
    let module = match get("rpmmod") {
        None => module,
        Some(text) => {
            let mut parts = text.split(':');
            match (parts.next(), parts.next()) {
                (Some(name), Some(stream)) if !name.is_empty() && !stream.is_empty() => {
                    Some(format!("{name}:{stream}"))
                }
                _ => return Err(format!("{text:?} is no module and stream")),
            }
        }
    };
    let version = match purl.version() {
        None => None,
        Some(text) => {
            let (upstream, release) = text.rsplit_once('-').unwrap_or((text, ""));
            let read = version(get("epoch").unwrap_or_default(), upstream, release);
            Some(read.ok_or_else(|| format!("{text:?} is no version with a release"))?)
        }
    };
    let arch = get("arch").map(str::to_owned);
    Ok(Package { stream, name: purl.name().to_owned(), module, version, arch })
}

/// The stream of a CPE of Red Hat Enterprise Linux, its streams with longer support included.
fn stream(cpe: &str) -> Option<Stream> {
    let product = product(cpe).filter(|product| red_hat_release(product).is_some())?;
    Some(Stream::release(Ecosystem::RedHat, product))
}

/// The streams that are covered where one of them is: a document speaks of every product of Red
/// Hat, so of which nothing is said has nothing to say. Its products are those of its repositories.
pub(super) fn covered_with(streams: &BTreeSet<Stream>, into: &Gathered) -> Vec<Stream> {
    let products: BTreeSet<String> = into.content_sets.values().flatten().cloned().collect();
    let releases: BTreeSet<&str> =
        streams.iter().filter_map(|s| red_hat_release(&s.release)).collect();
    let mut covered: Vec<Stream> = releases.iter().flat_map(|release| red_hat(release)).collect();
    let ours = |product: &String| red_hat_release(product).is_some_and(|of| releases.contains(of));
    for product in products.into_iter().filter(ours) {
        let whole = product.split("::").next().unwrap_or_default().to_owned();
        covered.extend([whole, product].map(|p| Stream::release(Ecosystem::RedHat, p)));
    }
    covered
}
