//! Arbitrary bytes as every kind of file: nothing panics, and nothing grows out of bounds.

mod support;

use cleanbill_extract::{Options, Wanted, merge, parse};
use proptest::prelude::*;
use support::{entry, examine, file, id};

/// Pieces of real files, so that more than the first line is reached.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    const WORDS: &[&str] = &[
        "P:",
        "V:",
        "F:",
        "R:",
        "o:",
        "\n",
        "\n\n",
        "Package: ",
        "Version: ",
        "Status: install ok ",
        "Source: a (",
        ")",
        ":",
        " ",
        "ID=",
        "\"",
        "\\",
        "http://a/alpine/v3.9/main",
        "Name: ",
        "app:x:",
        "Metadata-Version: 2.1\n",
        "{",
        "}",
        "\"name\":",
        "\"version\":",
        "\"content_sets\":",
        "[",
        "1",
        ",",
    ];
    prop_oneof![
        4 => prop::sample::select(WORDS).prop_map(|w| w.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..8),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn no_file_makes_an_extractor_panic(pieces in prop::collection::vec(piece(), 0..40)) {
        let bytes = pieces.concat();
        for wanted in Wanted::ALL {
            let (claims, problems) = parse(*wanted, "a/b.list", &bytes);
            prop_assert!(claims <= bytes.len() && problems <= 21);
            parse(*wanted, "a/b.egg", &bytes);
        }
    }

    #[test]
    fn no_manifests_name_more_content_sets_than_an_image_may_have(
        layers in prop::collection::vec(prop::collection::vec("[a-z]{1,3}", 0..190), 0..6),
        broken in 0..40usize,
    ) {
        let layers = layers.iter().enumerate().map(|(n, sets)| {
            let json = format!("{{\"content_sets\":{sets:?}}}");
            let mut layer = vec![file("usr/share/buildinfo/a.json", json)];
            layer.push(file("etc/os-release", "ID=rhel\nVERSION_ID=9.2\n"));
            let names = (0..broken).map(|n| format!("root/buildinfo/content_manifests/{n}.json"));
            layer.extend(names.map(|name| file(&name, "[")));
            (Some(id(n)), examine(&layer, &Options::default(), 7))
        });
        let facts: Vec<_> = layers.collect();
        let inventory = merge(&facts).inventory();
        let named = inventory.distribution.map_or(Vec::new(), |named| named.content_sets);
        prop_assert!(named.len() <= 200);
        prop_assert!(inventory.gaps.len() <= 23);
        prop_assert!(broken == 0 || facts.is_empty() || !inventory.gaps.is_empty());
    }

    #[test]
    fn no_layer_makes_an_examination_panic(
        names in prop::collection::vec("(etc/os-release|lib|lib/apk/db/installed|usr|a|package.json)", 0..8),
        bytes in prop::collection::vec(any::<u8>(), 0..100),
        target in "[a/.]{0,6}",
    ) {
        use cleanbill_core::layer::EntryKind::{Hardlink, Symlink};
        let mut layer = Vec::new();
        for (n, name) in names.iter().enumerate() {
            layer.push(match n % 3 {
                0 => file(name, &bytes),
                1 => entry(name, Symlink(target.clone())),
                _ => entry(name, Hardlink(target.clone())),
            });
        }
        let facts = [(Some(id(0)), examine(&layer, &Options::default(), 7))];
        merge(&facts).inventory();
    }
}
