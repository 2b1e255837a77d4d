//! What a package is called, and which version of it is compared, in its advisories.

use std::borrow::Cow;

use crate::advisory::Advisory;
use crate::package::{Package, PackageKind};

use super::{extras, signed};

/// The name that advisories use: the source package for apk and dpkg, and what a source only signs; of
/// languages, the name as their ecosystem compares names.
pub(super) fn looked_up(package: &Package) -> String {
    match package.kind.ecosystem() {
        Some(ecosystem) => ecosystem.package_name(package.name.trim()).into_owned(),
        None if package.kind == PackageKind::Rpm => package.name.clone(),
        None => match signed::original(package) {
            Some((name, _)) => name.into_owned(),
            None => package.source_name().to_owned(),
        },
    }
}

/// The version that is compared.
pub(super) fn compared(package: &Package) -> Cow<'_, str> {
    let by_source = matches!(package.kind, PackageKind::Apk | PackageKind::Deb);
    match signed::original(package) {
        Some((_, version)) => version,
        None if by_source => Cow::Borrowed(package.source_version()),
        None => Cow::Borrowed(&package.version),
    }
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

/// Headers of the kernel, its documentation, its source and what builds modules for it are built from
/// the kernel's source, and hold none of its code. Nor do packages that only name the newest one
/// (`linux-image-amd64`).
pub(super) fn is_no_kernel(package: &Package) -> bool {
    let name = &*package.name;
    if package.kind == PackageKind::Deb {
        let source = package.source_name();
        (source == "linux" || source.starts_with("linux-")) && is_no_kernel_of_debian(name)
    } else if package.kind == PackageKind::Rpm {
        // `kernel-headers`, Amazon's `kernel6.12-headers`, SUSE's `kernel-docs-html`.
        let rest = name.strip_prefix("kernel").unwrap_or_default();
        let part = |end: &str| rest.ends_with(end);
        rest.starts_with(|c: char| c == '-' || c.is_ascii_digit())
            && (part("-headers") || part("-doc") || part("-docs") || rest.starts_with("-doc"))
    } else {
        package.kind == PackageKind::Apk && name == "linux-headers"
    }
}

fn is_no_kernel_of_debian(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("linux-") else { return false };
    if let Some(image) = rest.strip_prefix("image-") {
        return !image.contains('.');
    }
    let parts =
        ["libc-dev", "doc", "source", "compiler-", "kbuild-", "config-", "support-", "headers-"];
    // Ubuntu puts the line before it: `linux-hwe-6.5-headers-6.5.0-14`.
    parts.iter().any(|part| rest.starts_with(part)) || rest.contains("-headers-")
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
    let version = compared(package);
    let version = version.trim();
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
