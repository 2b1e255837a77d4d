//! What a package is called, and which version of it is compared, in its advisories.

use crate::advisory::Advisory;
use crate::package::{Package, PackageKind};

use super::extras;

/// The name that advisories use: the source package for apk and dpkg; of languages, the name as
/// their ecosystem compares names.
pub(super) fn looked_up(package: &Package) -> String {
    match package.kind.ecosystem() {
        Some(ecosystem) => ecosystem.package_name(package.name.trim()).into_owned(),
        None if package.kind == PackageKind::Rpm => package.name.clone(),
        None => package.source_name().to_owned(),
    }
}

/// The version that is compared.
pub(super) fn compared(package: &Package) -> &str {
    let by_source = matches!(package.kind, PackageKind::Apk | PackageKind::Deb);
    if by_source { package.source_version() } else { &package.version }
}

/// Whether an advisory is about a source, and so about every package that is built from it: what
/// rpm calls `src` is an architecture that no installed package has.
pub(super) fn is_of_source(advisory: &Advisory) -> bool {
    matches!(advisory.arches.as_slice(), [only] if only == "src")
}

/// Whether an advisory is about packages of this one's architecture and module.
pub(super) fn concerns(advisory: &Advisory, package: &Package) -> bool {
    of_architecture(advisory, package) && of_module(advisory, package)
}

/// Packages of a module are another line than those outside of it, with versions of their own
/// (Fedora's modularity). A feed that does not name the module still shows by the fix's release
/// (`.module_el8…`) that it means one, but not which stream: then all of them are compared. An extra of
/// Amazon Linux 2 is such a line too.
fn of_module(advisory: &Advisory, package: &Package) -> bool {
    const BUILT_AS_MODULE: &str = ".module";
    let own = package.module.as_deref().or_else(|| extras::of(package));
    if let Some(module) = &advisory.module {
        let rest = own.and_then(|label| label.strip_prefix(module.as_str()));
        return rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'));
    }
    if package.kind != PackageKind::Rpm {
        return true;
    }
    let modular = own.is_some() || package.version.contains(BUILT_AS_MODULE);
    let mut ends = advisory.ranges.iter().filter_map(|range| range.end.version());
    // Where nothing is fixed, nothing tells which line is meant.
    ends.clone().next().is_none() || ends.any(|end| end.contains(BUILT_AS_MODULE) == modular)
}

/// Headers of the kernel, its documentation and its source are built from the kernel's source, and
/// hold none of its code.
pub(super) fn is_no_kernel(package: &Package) -> bool {
    let of = |names: &[&str], prefixes: &[&str]| {
        names.contains(&&*package.name) || prefixes.iter().any(|p| package.name.starts_with(p))
    };
    let from_kernel = || {
        matches!(package.source_name(), "linux" | "linux-signed-amd64")
            || package.source_name().starts_with("linux-")
    };
    let kind = package.kind;
    if kind == PackageKind::Deb {
        let prefixes = ["linux-headers-", "linux-doc", "linux-source-", "linux-compiler-"];
        from_kernel() && of(&["linux-libc-dev", "linux-libc-dev-cross"], &prefixes)
    } else if kind == PackageKind::Rpm {
        of(&["kernel-headers", "kernel-doc"], &["kernel-doc-"])
    } else {
        kind == PackageKind::Apk && of(&["linux-headers"], &[])
    }
}

/// `noarch` and `all` hold the same files everywhere, so what is said of any architecture is said
/// of them.
fn of_architecture(advisory: &Advisory, package: &Package) -> bool {
    // Whether it is built from that source is asked where it is looked up.
    if is_of_source(advisory) {
        return true;
    }
    let everywhere = |arch: &str| matches!(arch, "noarch" | "all");
    match package.arch.as_deref() {
        Some(arch) if !advisory.arches.is_empty() && !everywhere(arch) => {
            advisory.arches.iter().any(|of| of == arch || everywhere(of))
        }
        Some(_) | None => true,
    }
}

/// `toolchain` stands for the go command, which is not compiled into a program: what is, is
/// `stdlib`.
pub(super) fn is_no_module(package: &Package) -> bool {
    package.kind == PackageKind::Go && package.name == "toolchain"
}

/// Why a package's version says nothing about its place in the order of versions.
///
/// A `v0.0.0-…` pseudo-version is the ordinary version of a dependency that has no tags, and is
/// compared. Only with `+dirty` is it certain to be a main module's, stamped by a build that saw
/// no tag; an extractor knows a main module by other means too, and gives a gap instead of it.
pub(super) fn unidentified(package: &Package) -> Option<&'static str> {
    let version = compared(package).trim();
    if version.is_empty() {
        return Some("it carries no version");
    }
    if package.kind != PackageKind::Go {
        return None;
    }
    if version == "(devel)" || version.starts_with("devel") {
        return Some("it was built from a working copy, which has no version");
    }
    let untagged = version.starts_with("v0.0.0-") && version.ends_with("+dirty");
    untagged.then_some("it was built from a changed working copy without a tag")
}
