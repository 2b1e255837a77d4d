//! Node packages as installed: every `package.json` that has a name and a version, wherever it
//! is (npm, "package.json"). Most are of an application or of tests and have neither.

use std::fmt;

use cleanbill_core::package::PackageKind;
use serde::Deserializer as _;
use serde::de::{IgnoredAny, MapAccess, Visitor};

use crate::extractors::{Extractor, Wanted};
use crate::facts::{Claim, Facts};

/// Manifests.
pub(crate) const PACKAGE: Extractor = Extractor {
    wanted: Wanted::NodePackage,
    wants: |path| path == "package.json" || path.ends_with("/package.json"),
    read: package,
};

fn package(named: &str, bytes: &[u8]) -> Facts {
    let mut facts = Facts::default();
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let manifest = json.deserialize_map(Manifest).and_then(|m| json.end().map(|()| m));
    // Only where npm puts packages is something wrong with one that cannot be read: elsewhere
    // lie templates, and broken ones for tests.
    let installed = is_installed(named);
    match manifest {
        Ok((Some(name), Some(version))) if is_name(&name) && !version.is_empty() => {
            let (kind, source, arch) = (PackageKind::Npm, None, None);
            facts.claim(Claim { kind, name, version, source, arch, vendor: None, module: None });
        }
        Ok((Some(name), Some(_))) if installed => {
            facts.unreadable(format!("{name:?} is no name of a package, or has no version"));
        }
        Ok((Some(name), None)) if installed => {
            facts.unreadable(format!("{name} has no version"));
        }
        Err(error) if installed => facts.unreadable(format!("is no JSON object: {error}")),
        Ok(_) | Err(_) => {}
    }
    facts
}

/// `…/node_modules/NAME/package.json` or `…/node_modules/@SCOPE/NAME/package.json`.
fn is_installed(path: &str) -> bool {
    let mut parts = path.rsplit('/').skip(1);
    let name = parts.next().unwrap_or_default();
    match parts.next() {
        Some("node_modules") => !name.starts_with('.'),
        Some(scope) => scope.starts_with('@') && parts.next() == Some("node_modules"),
        None => false,
    }
}

/// What npm has ever taken as a name: characters that need no escape in a URL, with a scope.
fn is_name(name: &str) -> bool {
    let good = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~!'()*".contains(&b))
    };
    match name.strip_prefix('@') {
        Some(scoped) => {
            scoped.split_once('/').is_some_and(|(scope, name)| good(scope) && good(name))
        }
        None => good(name) && !name.starts_with('.'),
    }
}

/// Takes `name` and `version` out of an object and holds nothing else of it. As for Node, the
/// last of two keys counts; a value that is no text is none.
struct Manifest;

impl<'de> Visitor<'de> for Manifest {
    type Value = (Option<String>, Option<String>);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut name, mut version) = (None, None);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "name" => name = text(map.next_value()?),
                "version" => version = text(map.next_value()?),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok((name, version))
    }
}

fn text(value: serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::String(text) => Some(text.trim().to_owned()),
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::Array(_)
        | serde_json::Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::package;

    #[test]
    fn manifests_with_name_and_version_are_packages() {
        let installed = "app/node_modules/a/package.json";
        let scoped = "app/node_modules/@s/a/package.json";
        let elsewhere = "app/package.json";
        let table: &[(&str, &str, &[&str], &[&str])] = &[
            (installed, r#"{"name":"a","version":"1.0.0"}"#, &["a 1.0.0"], &[]),
            (elsewhere, r#"{"name":"app","version":"1.0.0"}"#, &["app 1.0.0"], &[]),
            (scoped, r#"{"version":"v1","x":{"name":"no"},"name":"@s/a"}"#, &["@s/a v1"], &[]),
            (installed, r#"{"name":"b","name":"a","version":"1"}"#, &["a 1"], &[]),
            (installed, "\u{feff}{\"name\":\"a\",\"version\":\"1\"}", &["a 1"], &[]),
            (installed, "{}", &[], &[]),
            (elsewhere, r#"{"name":"a"}"#, &[], &[]),
            (installed, r#"{"name":"a"}"#, &[], &["a has no version"]),
            (installed, r#"{"name":"a","version":3}"#, &[], &["a has no version"]),
            (
                installed,
                r#"{"name":"a b","version":"1"}"#,
                &[],
                &[r#""a b" is no name of a package, or has no version"#],
            ),
            (elsewhere, "{bad", &[], &[]),
            (
                installed,
                "{bad",
                &[],
                &["is no JSON object: key must be a string at line 1 column 2"],
            ),
            (
                scoped,
                "[]",
                &[],
                &[
                    "is no JSON object: invalid type: sequence, expected an object at line 1 column 0",
                ],
            ),
            (
                installed,
                "",
                &[],
                &["is no JSON object: EOF while parsing a value at line 1 column 0"],
            ),
        ];
        for (path, text, packages, problems) in table {
            let facts = package(path, text.as_bytes());
            let got: Vec<_> =
                facts.claims.iter().map(|c| format!("{} {}", c.name, c.version)).collect();
            assert_eq!(got, *packages, "{text}");
            let got: Vec<_> = facts.problems.iter().map(|p| p.detail.as_str()).collect();
            assert_eq!(got, *problems, "{text}");
        }
        // Depth is no danger: what is passed over is not recursed into, and what is read is
        // bounded by the reader.
        for (key, error) in [
            ("x", "EOF while parsing a list at line 1 column 10005"),
            ("name", "recursion limit exceeded at line 1 column 135"),
        ] {
            let deep = format!("{{\"{key}\":{}", "[".repeat(10_000));
            let facts = package(installed, deep.as_bytes());
            assert_eq!(facts.problems[0].detail, format!("is no JSON object: {error}"));
        }
    }
}
