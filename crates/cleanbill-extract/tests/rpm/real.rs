//! The same packages through three databases, as rpm's own tools say that they are.

use cleanbill_core::package::{Package, PackageKind};

use crate::support::{Layer, file, gaps, inventory};
use crate::tools::{FILES, SMALL, made, metadata};
use crate::{ALMALINUX, BERKELEY, NDB, SQLITE, build};

/// A package as the query format of `tools` writes it.
fn as_rpm_says(package: &Package) -> String {
    let none = |text: &Option<String>| text.clone().unwrap_or_else(|| "(none)".into());
    let (epoch, rest) = package.version.split_once(':').unwrap_or(("0", &package.version));
    let (version, release) = rest.rsplit_once('-').unwrap();
    let source = package.source.as_ref().unwrap();
    let (vendor, module) = (none(&package.vendor), none(&package.module));
    format!(
        "{}|{epoch}|{version}|{release}|{}|{vendor}|{module}|{}-{}.src.rpm",
        package.name,
        none(&package.arch),
        source.name,
        source.version
    )
}

/// The Python distribution whose metadata is not what its package has.
const CHANGED: usize = 3;

/// The image has the database and the Python distributions that its packages own.
fn check(path: &str, database: Vec<u8>, says: &[String]) {
    let mut layer: Layer = vec![file("etc/os-release", ALMALINUX), file(path, database)];
    for n in 0..SMALL {
        let path = format!("usr/lib/python3/site-packages/sub{n}-1.dist-info/METADATA");
        // One was changed after its package had been installed.
        let edit = if n == CHANGED { "Summary: changed\n" } else { "" };
        layer.push(file(&path, metadata(n) + edit));
    }
    layer.push(file("opt/big/file-3000", "x"));
    let inventory = inventory(&[layer]);
    assert_eq!(gaps(&inventory), [""; 0], "{path}");
    let (rpms, python): (Vec<_>, Vec<_>) =
        inventory.packages.iter().partition(|p| p.kind == PackageKind::Rpm);
    let mut got: Vec<String> = rpms.into_iter().map(as_rpm_says).collect();
    got.sort();
    assert_eq!(got, says, "{path}");
    assert_eq!(python.len(), SMALL);
    for package in python {
        let number: usize = package.name.strip_prefix("sub").unwrap().parse().unwrap();
        let by = Some(format!("sub-{number:03}"));
        let (own, changed) = if number == CHANGED { (None, by) } else { (by, None) };
        assert_eq!((&package.owner, &package.changed_from), (&own, &changed), "{path}");
    }
}

#[test]
fn three_databases_of_the_same_packages_say_the_same() {
    let Some(made) = made() else { return };
    assert_eq!(made.says.len(), SMALL + 3, "{:?}", made.says);
    let big = made.blobs.iter().map(|(_, blob)| blob.len()).max().unwrap();
    assert!(big > 10 * FILES, "a header of many pages: {big}");
    let blobs: Vec<Vec<u8>> = made.blobs.iter().map(|(_, blob)| blob.clone()).collect();
    check(SQLITE, made.sqlite(), &made.says);
    check(NDB, build::ndb::database(&blobs), &made.says);
    check(BERKELEY, made.berkeley(4096, false), &made.says);
}

#[test]
fn every_size_of_page_and_order_of_bytes_is_read() {
    let Some(made) = made() else { return };
    for size in [512, 8192, 65536] {
        check(SQLITE, made.sqlite_of(size), &made.says);
        check(BERKELEY, made.berkeley(size, false), &made.says);
    }
    check(BERKELEY, made.berkeley(4096, true), &made.says);
}
