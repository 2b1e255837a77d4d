//! How long a snapshot takes to open, to judge one image, and to judge ten thousand anew:
//! `judge SNAPSHOT`. Of the packages every third is one that the snapshot's own advisories name; of
//! these every fourth has the lowest version that they name, and the others the highest.
#![allow(clippy::print_stdout, clippy::unwrap_used)] // A measurement, for whoever develops.

use std::path::Path;
use std::time::{Duration, Instant};

use cleanbill_advisory::Snapshot;
use cleanbill_core::Timestamp;
use cleanbill_core::advisory::RangeEnd;
use cleanbill_core::distribution::Distribution;
use cleanbill_core::inventory::Inventory;
use cleanbill_core::matching::Matcher;
use cleanbill_core::package::{Package, PackageKind};
use cleanbill_core::version::Version;

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Inventories that are judged anew, and packages in each.
const INVENTORIES: usize = 10_000;
const PACKAGES: usize = 500;
const THREADS: usize = 2;

fn main() {
    let Some(file) = std::env::args().nth(1) else {
        println!("usage: judge SNAPSHOT");
        return;
    };
    let file = Path::new(&file);
    let mut opened: Vec<Duration> =
        (0..101).map(|_| time(|| Snapshot::open(file).unwrap()).0).collect();
    opened.sort();
    println!("open: {}", ms(&opened));
    let snapshot = Snapshot::open(file).unwrap();
    let known = known(&snapshot);
    println!("{} packages with advisories", known.len());
    for fresh in [true, false] {
        let mut took = Vec::new();
        for round in 0..21 {
            let image = inventory((0..1000).map(|n| distinct(&known, n * 97 + round)).collect());
            let anew = fresh.then(|| Snapshot::open(file).unwrap());
            let snapshot = anew.as_ref().unwrap_or(&snapshot);
            let (time, found) = time(|| judge(snapshot, std::slice::from_ref(&image)));
            took.push(time);
            std::hint::black_box(found);
        }
        took.sort();
        let how = if fresh { "nothing decoded yet" } else { "decoded before" };
        println!("1000 packages, {how}: {}", ms(&took));
    }
    for pool in [5_000, 100_000] {
        let inventories: Vec<Inventory> = (0..INVENTORIES)
            .map(|image| {
                // A step that shares no factor with the pool: all packages of an image differ.
                let packages = (0..PACKAGES).map(|n| (image * 7_919 + n * 10_007) % pool);
                inventory(packages.map(|n| distinct(&known, n)).collect())
            })
            .collect();
        let (all, found) = time(|| {
            std::thread::scope(|scope| {
                let parts = inventories.chunks(INVENTORIES.div_ceil(THREADS));
                let parts: Vec<_> =
                    parts.map(|part| scope.spawn(|| judge(&snapshot, part))).collect();
                parts.into_iter().map(|part| part.join().unwrap()).sum::<usize>()
            })
        });
        println!(
            "{INVENTORIES} inventories of {PACKAGES} packages, {pool} distinct, {THREADS} threads: \
             {:.2} s, {found} findings",
            all.as_secs_f64()
        );
    }
}

/// Packages that can be installed, with the lowest and the highest version that ends a range.
fn known(snapshot: &Snapshot) -> Vec<(PackageKind, String, [String; 2])> {
    let mut out = Vec::new();
    snapshot
        .for_each(|stream, name, advisories| {
            let kind = match stream {
                "Go" => PackageKind::Go,
                "PyPI" => PackageKind::Python,
                "npm" => PackageKind::Npm,
                "Alpine:v3.11" => PackageKind::Apk,
                _ => return,
            };
            let ends = advisories.iter().flat_map(|a| &a.ranges).map(|range| &range.end);
            let version = ends.filter_map(RangeEnd::version).map(str::to_owned);
            let mut versions: Vec<_> = version
                .filter_map(|text| Some((Version::parse(kind.scheme(), &text).ok()?, text)))
                .collect();
            versions.sort();
            if let (Some((_, low)), Some((_, high))) = (versions.first(), versions.last()) {
                out.push((kind, name.to_owned(), [(*low).clone(), (*high).clone()]));
            }
        })
        .unwrap();
    out
}

/// The package of a number: known ones first, then with other versions, and every third of a name
/// that no advisory knows, as most packages of an image are.
fn distinct(known: &[(PackageKind, String, [String; 2])], number: usize) -> Package {
    let (kind, name, [low, high]) = &known[number % known.len()];
    let round = number / known.len();
    let mut name = name.clone();
    if !number.is_multiple_of(3) {
        name.push_str("-other");
    }
    let version = match round {
        0 if number.is_multiple_of(4) => low.clone(),
        0 => high.clone(),
        _ => format!("{round}.{number}.0"),
    };
    Package {
        kind: *kind,
        name,
        version,
        source: None,
        arch: None,
        purl: String::new(),
        layer: None,
        evidence: "proof".into(),
        owner: None,
        changed_from: None,
        module: None,
        repository: None,
        vendor: None,
    }
}

fn inventory(packages: Vec<Package>) -> Inventory {
    let distribution = Some(Distribution {
        id: "alpine".into(),
        version: "3.11.0".into(),
        release: "3.11".into(),
        pretty_name: "Alpine Linux v3.11".into(),
        evidence: "etc/os-release".into(),
        content_sets: Vec::new(),
    });
    Inventory { packages, distribution, ..Inventory::default() }
}

fn judge(snapshot: &Snapshot, inventories: &[Inventory]) -> usize {
    let mut matcher = Matcher::new(snapshot);
    let now: Timestamp = "2026-11-29T00:00:00Z".parse().unwrap();
    let found = inventories.iter().map(|i| matcher.inventory(i, now, 7).unwrap().findings.len());
    found.sum()
}

fn time<T>(of: impl FnOnce() -> T) -> (Duration, T) {
    let began = Instant::now();
    let value = of();
    (began.elapsed(), value)
}

fn ms(sorted: &[Duration]) -> String {
    let ms = |at: usize| sorted[at].as_secs_f64() * 1e3;
    let last = sorted.len() - 1;
    format!("{:.2} / {:.2} / {:.2} ms (min / median / max)", ms(0), ms(last / 2), ms(last))
}
