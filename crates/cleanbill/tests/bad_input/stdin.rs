//! An image on standard input, spooled into one bounded file that leaves nothing behind.

use cleanbill_oci::testing::{ImageBuilder, TarBuilder, gzip, zstd};

use crate::program::{Place, Want, holds};

const FINDING: &[[&str; 3]] = &[["musl", "CVE-2019-14697", "1.1.20-r3"]];

/// Running out of time is an error and no gap: it says nothing of the image.
#[test]
fn a_slow_image_is_an_error() {
    let archive = ImageBuilder::new("linux/amd64").docker_archive("a.example/b:1");
    let (first, rest) = archive.split_at(1000);
    let place = Place::new();
    let pause = std::time::Duration::from_millis(1200);
    let said = place.run_slowly("image -q --input - --timeout 1s", first, pause, rest);
    let why = "standard input: more than 1 seconds for one image (raise with --timeout)";
    holds("slow", &said, &Want::Error(why.into()));
}

#[test]
fn standard_input_is_read_in_every_compression() {
    let tar = TarBuilder::new()
        .file("etc/os-release", "ID=alpine\nVERSION_ID=3.9.4\n")
        .file("lib/apk/db/installed", "P:musl\nV:1.1.20-r3\nA:x86_64\no:musl\n\n")
        .build();
    let archive = ImageBuilder::new("linux/amd64").layer(tar).docker_archive("a.example/b:1");
    let cut = &archive[..archive.len() - 3000];
    let error = |message: &str| Want::Error(format!("standard input{message}"));
    let over = error(
        ": more than 1024 bytes spooled from standard input or a compressed archive (raise with \
         --limit spool-bytes=N)",
    );
    let small = "--limit spool-bytes=1K";
    let empty = error(
        ": not an image archive: it is empty (expected a docker archive or an OCI layout, as a \
         tar, plain or with gzip or zstd)",
    );
    let gz = gzip(&archive);
    let table: Vec<(&str, &[u8], &str, &str, Want)> = vec![
        ("plain", &archive, "-", "", Want::Findings(FINDING)),
        ("gzip", &gz, "-", "", Want::Findings(FINDING)),
        ("by tag", &archive, "-:1", "", Want::Findings(FINDING)),
        ("another tag", &archive, "-:2", "", error(":2: no such image in it, only a.example/b:1")),
        ("empty", b"", "-", "", empty),
        ("cut", cut, "-", "", error(": the tar is cut off")),
        ("cut gzip", &gz[..gz.len() - 20], "-", "", error(": the gzip data is cut off")),
        ("over the bound", &archive, "-", small, over),
    ];
    let zst = zstd(&archive);
    let table = table.into_iter().chain([("zstd", &*zst, "-", "", Want::Findings(FINDING))]);
    for (name, bytes, input, flags, want) in table {
        let place = Place::new();
        let flags = format!("--exit-code 1 --max-age 100000 --accept-gaps end-of-life {flags}");
        holds(name, &place.run(&format!("image -q --input={input} {flags}"), bytes), &want);
        let left = std::fs::read_dir(place.path("")).unwrap().count();
        assert_eq!(left, 0, "{name}: nothing is left behind");
    }
}
