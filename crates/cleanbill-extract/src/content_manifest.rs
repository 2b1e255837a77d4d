//! Content manifests of Red Hat's images: which repositories ("content sets") the packages of a
//! layer come from. Their form is that of
//! <https://github.com/containerbuildsystem/atomic-reactor/blob/master/atomic_reactor/schemas/content_manifest.json>;
//! nothing but `content_sets` is read. Builds put one into each layer that they add, of late under
//! the same name, so that those of layers below count although they are not to be seen any more.

use std::collections::BTreeSet;
use std::fmt;

use cleanbill_core::gap::{Gap, GapKind};
use serde::Deserializer as _;
use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::extractors::{Extractor, Wanted};
use crate::facts::{Facts, LayerFacts};

/// Where they lie, the newer places last.
const FOLDERS: [&str; 3] = [
    "root/buildinfo/content_manifests",
    "usr/share/buildinfo/content_manifests",
    "usr/share/buildinfo",
];
/// What lies there too, and is none.
const LABELS: &str = "labels.json";

/// The manifests.
pub(crate) const MANIFEST: Extractor =
    Extractor { wanted: Wanted::ContentManifest, wants: is_manifest, read };

/// The most content sets of one manifest, and of one image: real ones have two to ten.
const MAX_SETS: usize = 200;
/// The longest name of one, in bytes: real ones have up to 80.
const MAX_NAME: usize = 200;
/// The most manifests that are told one by one where they cannot be read.
const MAX_TOLD: usize = 20;

fn is_manifest(path: &str) -> bool {
    let Some((folder, name)) = path.rsplit_once('/') else { return false };
    FOLDERS.contains(&folder) && name.ends_with(".json") && name != LABELS
}

fn read(_: &str, bytes: &[u8]) -> Facts {
    let mut facts = Facts::default();
    let mut json = serde_json::Deserializer::from_slice(bytes);
    match json.deserialize_map(Manifest).and_then(|sets| json.end().map(|()| sets)) {
        Ok(sets) => facts.content_sets = sets,
        Err(e) => facts.unreadable(format!("no content manifest: {e}")),
    }
    facts
}

/// Takes `content_sets` out of an object, and holds nothing else of it.
struct Manifest;

impl<'de> Visitor<'de> for Manifest {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found: Option<Vec<String>> = None;
        while let Some(key) = map.next_key::<String>()? {
            if key != "content_sets" {
                map.next_value::<IgnoredAny>()?;
            } else if found.is_some() {
                return Err(A::Error::duplicate_field("content_sets"));
            } else {
                found = Some(map.next_value::<Sets>()?.0);
            }
        }
        Ok(found.unwrap_or_default())
    }
}

/// The names, within bounds, each once.
struct Sets(Vec<String>);

impl<'de> serde::Deserialize<'de> for Sets {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = BTreeSet<String>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of content sets")
            }

            /// `null`: it names none, as a manifest without the list.
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(BTreeSet::new())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut names = BTreeSet::new();
                while let Some(name) = list.next_element::<String>()? {
                    if !is_name(&name) {
                        let start: String = name.chars().take(80).collect();
                        return Err(A::Error::custom(format!("{start:?} is no content set")));
                    }
                    names.insert(name);
                    if names.len() > MAX_SETS {
                        let message = format!("more than {MAX_SETS} content sets");
                        return Err(A::Error::custom(message));
                    }
                }
                Ok(names)
            }
        }
        from.deserialize_any(Names).map(|names| Self(names.into_iter().collect()))
    }
}

/// Whether it is a name as repositories have them (`[…]` in yum.conf).
fn is_name(name: &str) -> bool {
    let good = |b: u8| b.is_ascii_alphanumeric() || b"-_.:+/".contains(&b);
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(good)
}

/// The content sets of an image: those of all its layers, sorted, each once. What of a layer could
/// not be read is told.
pub(crate) fn of_layers<'l>(
    layers: impl Iterator<Item = &'l LayerFacts>,
    gaps: &mut Vec<Gap>,
) -> Vec<String> {
    let (mut sets, mut unread) = (BTreeSet::new(), 0);
    for layer in layers {
        for file in layer.files.iter().filter(|f| f.wanted == Wanted::ContentManifest) {
            sets.extend(file.facts.content_sets.iter().cloned());
            let Some(problem) = file.facts.problems.first() else { continue };
            unread += 1;
            // To find a path takes as long as its layer has entries.
            if unread <= MAX_TOLD {
                let path = layer.listing.path(file.entry).unwrap_or_default();
                gaps.push(Gap::new(problem.kind, &path, &problem.detail));
            }
        }
    }
    if unread > MAX_TOLD {
        let detail = format!("{unread} content manifests could not be read");
        gaps.push(Gap::new(GapKind::UnreadableDatabase, "content manifests", detail));
    }
    if sets.len() > MAX_SETS {
        let detail =
            format!("{} of them; those after the first {MAX_SETS} were left out", sets.len());
        gaps.push(Gap::new(GapKind::OverLimit, "content sets", detail));
    }
    sets.into_iter().take(MAX_SETS).collect()
}

#[cfg(test)]
mod tests {
    use super::{MAX_NAME, MAX_SETS, is_manifest, read};

    #[test]
    fn manifests_are_known_by_their_place() {
        let table = [
            ("root/buildinfo/content_manifests/ubi9-container-9.4-1214.json", true),
            ("usr/share/buildinfo/content_manifests/a.json", true),
            ("usr/share/buildinfo/content-sets.json", true),
            ("usr/share/buildinfo/labels.json", false),
            ("usr/share/buildinfo/a/b.json", false),
            ("usr/share/buildinfo/Dockerfile", false),
            ("root/buildinfo/labels.json", false),
            ("root/buildinfo/content_manifests/a.json/b", false),
            ("opt/root/buildinfo/content_manifests/a.json", false),
            ("a.json", false),
        ];
        for (path, wanted) in table {
            assert_eq!(is_manifest(path), wanted, "{path}");
        }
    }

    #[test]
    fn a_manifest_names_content_sets_or_is_told() {
        let many: Vec<String> = (0..=MAX_SETS).map(|n| format!("\"a{n}\"")).collect();
        let (many, most) = (many.join(","), many.get(1..).unwrap().join(","));
        let many = format!(r#"{{"content_sets":[{many}]}}"#);
        let most = format!(r#"{{"content_sets":[{most}]}}"#);
        let long = format!(r#"{{"content_sets":["{}"]}}"#, "a".repeat(MAX_NAME + 1));
        let deep = format!(r#"{{"metadata":{}}}"#, "[".repeat(100_000));
        let deep_sets = format!(r#"{{"content_sets":{}}}"#, "[".repeat(100_000));
        let table: &[(&str, Result<usize, &str>)] = &[
            (
                r#"{"metadata":{"icm_version":1},"content_sets":["b-rpms","a-rpms","b-rpms"],"image_contents":[{"purl":"x"}]}"#,
                Ok(2),
            ),
            (
                r#"{"from_dnf_hint":true,"content_sets":["rhel-9-for-x86_64-baseos-eus-rpms__9_DOT_2"]}"#,
                Ok(1),
            ),
            (r#"{"content_sets":[]}"#, Ok(0)),
            (r#"{"content_sets":null}"#, Ok(0)),
            ("{}", Ok(0)),
            (&most, Ok(MAX_SETS)),
            (&many, Err("more than 200 content sets")),
            (&long, Err("is no content set")),
            (r#"{"content_sets":[""]}"#, Err("\"\" is no content set")),
            (r#"{"content_sets":["a b"]}"#, Err("is no content set")),
            (r#"{"content_sets":["a\u0000"]}"#, Err("is no content set")),
            (r#"{"content_sets":"a-rpms"}"#, Err("a list of content sets")),
            (r#"{"content_sets":{"a-rpms":1}}"#, Err("a list of content sets")),
            (r#"{"content_sets":[1]}"#, Err("expected a string")),
            (r#"{"content_sets":["a"],"content_sets":["b"]}"#, Err("duplicate field")),
            (r#"["a-rpms"]"#, Err("an object")),
            (r#"{"content_sets":["a"]} x"#, Err("trailing characters")),
            (r#"{"content_sets":["a"#, Err("EOF")),
            ("", Err("EOF")),
            ("\u{feff}{}", Err("no content manifest")),
            (&deep, Err("no content manifest")),
            (&deep_sets, Err("expected a string")),
        ];
        for (json, want) in table {
            let facts = read("usr/share/buildinfo/content-sets.json", json.as_bytes());
            let start: String = json.chars().take(80).collect();
            match want {
                Ok(count) => {
                    assert_eq!(facts.content_sets.len(), *count, "{start}");
                    assert!(facts.problems.is_empty(), "{start}: {:?}", facts.problems);
                }
                Err(part) => {
                    let told: Vec<_> = facts.problems.iter().map(|p| p.detail.as_str()).collect();
                    assert!(matches!(&*told, [one] if one.contains(part)), "{start}: {told:?}");
                    assert!(facts.content_sets.is_empty(), "{start}");
                }
            }
        }
    }
}
