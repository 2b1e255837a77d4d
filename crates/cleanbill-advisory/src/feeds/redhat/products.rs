//! What an id of a CSAF document stands for: a package of a release of Red Hat Enterprise Linux, or
//! something else.

use std::collections::{BTreeSet, HashMap};

use cleanbill_core::ecosystem::{Ecosystem, Stream};
use cleanbill_core::matching::{red_hat, red_hat_minor, red_hat_release};
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

/// A product: a part of Red Hat Enterprise Linux, or of one of its streams with longer support.
#[derive(Debug)]
pub(super) struct Product {
    /// Where its fixes are kept.
    pub stream: Stream,
    /// Where what is not fixed is kept: of a minor release of the main stream apart.
    pub unfixed: Stream,
}

/// What a product has: a package, or packages that are built from a source.
#[derive(Debug)]
pub(super) struct Component {
    pub name: String,
    /// The module stream that it is of by its own words, `nodejs:18`.
    module: Option<String>,
    /// `epoch:version-release`, where one is given.
    pub version: Option<String>,
    /// `src` is the source, which stands for all packages that are built from it. `None`: any.
    pub arch: Option<String>,
}

/// What an id stands for.
pub(super) enum Meant<'p> {
    /// Something else than a package of Red Hat Enterprise Linux.
    Other,
    /// A component of a product, and the module stream that it is of.
    Package(&'p Product, &'p Component, Option<&'p str>),
    /// It cannot be understood; why.
    Wrong(&'p str),
}

/// What the ids of a document stand for.
pub(super) struct Products<'d> {
    tree: Tree<'d>,
    /// Each product, component and module once: they are named by many ids.
    products: HashMap<&'d str, Option<Product>>,
    components: HashMap<&'d str, Option<Result<Component, String>>>,
    modules: HashMap<&'d str, Option<String>>,
}

impl<'d> Products<'d> {
    /// Reads the tree.
    pub(super) fn read(document: &'d Document<'d>) -> Self {
        let tree = Tree::read(document);
        let (mut products, mut components) = (HashMap::new(), HashMap::new());
        let mut modules = HashMap::new();
        for id in tree.ids() {
            let Some(Path { component, between, product }) = path(&tree, id) else { continue };
            let known = products.entry(product).or_insert_with(|| read_product(&tree, product));
            if known.is_none() {
                continue;
            }
            let read = || tree.purl(component).and_then(read_component);
            components.entry(component).or_insert_with(read);
            for id in between.into_iter().flatten() {
                modules.entry(id).or_insert_with(|| module_stream(tree.purl(id)?));
            }
        }
        Self { tree, products, components, modules }
    }

    /// What an id stands for.
    pub(super) fn get(&self, id: &str) -> Meant<'_> {
        let Some(Path { component, between, product }) = path(&self.tree, id) else {
            return Meant::Other;
        };
        let Some(Some(product)) = self.products.get(product) else { return Meant::Other };
        match self.components.get(component) {
            Some(Some(Ok(component))) => {
                let module = |id| self.modules.get(id)?.as_deref();
                let module = || between.into_iter().flatten().find_map(module);
                let module = component.module.as_deref().or_else(module);
                Meant::Package(product, component, module)
            }
            Some(Some(Err(why))) => Meant::Wrong(why),
            Some(None) | None => Meant::Other,
        }
    }
}

/// What an id is made of: a component, what stands between, and a product.
struct Path<'d> {
    component: &'d str,
    between: [Option<&'d str>; LEVELS],
    product: &'d str,
}

fn path<'d>(tree: &Tree<'d>, id: &str) -> Option<Path<'d>> {
    let (component, mut product) = tree.part(id)?;
    let mut between = [None; LEVELS];
    for level in &mut between {
        let Some((id, above)) = tree.part(product) else { break };
        *level = Some(id);
        product = above;
    }
    Some(Path { component, between, product })
}

fn read_component(purl: &str) -> Option<Result<Component, String>> {
    let purl: PackageUrl = match purl.parse() {
        Ok(purl) => purl,
        Err(e) => return Some(Err(format!("{e}"))),
    };
    match purl.kind() {
        "rpm" if purl.namespace() == "redhat" => Some(rpm(&purl)),
        // `ruby:2.6/ruby`: the package ruby of the module stream ruby:2.6.
        "rpmmod" if !fits(&purl) => Some(Err(too_long(&purl))),
        "rpmmod" => {
            let module = purl.namespace().strip_prefix("redhat/").filter(|m| m.contains(':'))?;
            Some(Ok(Component {
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

fn rpm(purl: &PackageUrl) -> Result<Component, String> {
    if !fits(purl) {
        return Err(too_long(purl));
    }
    let get = |name: &str| purl.qualifiers().find(|(key, _)| *key == name).map(|(_, value)| value);
    let module = match get("rpmmod") {
        None => None,
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
    Ok(Component { name: purl.name().to_owned(), module, version, arch })
}

/// The product of an id by its CPE. Documents since 2026 name one for each minor release
/// (`rhel-9.8`, `rhel-9.7.z::appstream`, `rhel-br-9.2.0.z::baseos`), of which parts are told where
/// it is fixed, and then not all of them: it is said of the whole.
fn read_product(tree: &Tree<'_>, id: &str) -> Option<Product> {
    let cpe = tree.cpe(id)?;
    let of = product(cpe).filter(|product| red_hat_release(product).is_some())?;
    let major = red_hat_release(&of)?;
    let (named, is_new) = match id.strip_prefix("rhel-") {
        Some(rest) => (rest.strip_prefix("br-").unwrap_or(rest), true),
        None => (version_of(cpe), false),
    };
    let minor = named.strip_prefix(major).and_then(|rest| rest.strip_prefix('.'));
    let minor = minor.and_then(|rest| rest.split(['.', ':']).next()?.parse().ok());
    let (whole, _) = of.split_once("::").unwrap_or((&of, ""));
    let is_main = red_hat(major).last().is_some_and(|main| main.release == whole);
    let stream = Stream::release(Ecosystem::RedHat, if is_new { whole } else { &of });
    let apart = minor.filter(|_| is_main).and_then(|minor| red_hat_minor(major, minor));
    Some(Product { unfixed: apart.unwrap_or_else(|| stream.clone()), stream })
}

/// The version in a CPE, `10.1` of `cpe:/o:redhat:enterprise_linux:10.1`.
fn version_of(cpe: &str) -> &str {
    cpe.split(':').nth(4).unwrap_or_default()
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
