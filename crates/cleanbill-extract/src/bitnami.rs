//! What Bitnami packaged: a document in SPDX's JSON beside each application
//! (`opt/bitnami/NAME/.spdx-NAME.spdx`), which names by package URLs the application and what it
//! brought along. Packages whose own files are read are not taken from it as well.

use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;

use cleanbill_core::gap::GapKind;
use cleanbill_core::package::PackageKind;
use cleanbill_core::purl::PackageUrl;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::extractors::{Extractor, Wanted};
use crate::facts::{Claim, Facts};

/// The documents.
pub(crate) const DOCUMENT: Extractor = Extractor {
    wanted: Wanted::BitnamiDocument,
    wants: |path| {
        let name = path.strip_prefix("opt/bitnami/").and_then(|rest| rest.rsplit('/').next());
        name.is_some_and(|name| name.starts_with(".spdx-") && name.ends_with(".spdx"))
    },
    read: |_, bytes| document(bytes),
};

/// SPDX 2.3, as far as it matters.
#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    packages: Found<Described>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    #[serde(default)]
    external_refs: Found<Reference>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    #[serde(default)]
    reference_type: String,
    #[serde(default)]
    reference_locator: String,
}

/// What may name a package by a URL.
trait Naming {
    /// The URL, if there is one.
    fn url(self) -> Option<String>;
}

impl Naming for Reference {
    fn url(self) -> Option<String> {
        (self.reference_type == "purl").then_some(self.reference_locator)
    }
}

impl Naming for Described {
    /// The first: others are the same package.
    fn url(self) -> Option<String> {
        self.external_refs.urls.into_iter().next()
    }
}

/// The URLs of a list, of which nothing else is held: an item of three bytes would take fifty.
struct Found<T> {
    urls: Vec<String>,
    of: PhantomData<T>,
}

impl<T> Default for Found<T> {
    fn default() -> Self {
        Self { urls: Vec::new(), of: PhantomData }
    }
}

impl<'de, T: Naming + Deserialize<'de>> Deserialize<'de> for Found<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Each<T>(Found<T>);
        impl<'de, T: Naming + Deserialize<'de>> Visitor<'de> for Each<T> {
            type Value = Found<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Found<T>, A::Error> {
                let Self(mut found) = self;
                while let Some(one) = list.next_element::<T>()? {
                    found.urls.extend(one.url());
                }
                Ok(found)
            }
        }
        from.deserialize_seq(Each(Self::default()))
    }
}

fn document(bytes: &[u8]) -> Facts {
    let mut facts = Facts::default();
    let document: Document = match serde_json::from_slice(bytes) {
        // A list would be taken for a document whose fields are all missing.
        Ok(document) if bytes.trim_ascii_start().starts_with(b"{") => document,
        Ok(_) => {
            facts.unreadable("is no SPDX document in JSON: it is no object");
            return facts;
        }
        Err(why) => {
            facts.unreadable(format!("is no SPDX document in JSON: {why}"));
            return facts;
        }
    };
    // Of what nothing is known here, the kinds are told once.
    let mut others = BTreeSet::new();
    let urls = document.packages.urls;
    if urls.is_empty() {
        facts.unreadable("names no package by a package URL");
    }
    for text in urls {
        match text.parse::<PackageUrl>() {
            Ok(url) => match kind(url.kind()) {
                Ok(kind) => claim(kind, &url, &text, &mut facts),
                Err(Other::ReadElsewhere) => {}
                Err(Other::Unknown) => {
                    others.insert(url.kind().to_owned());
                }
            },
            Err(why) => facts.unreadable(format!("{text:?} is no package URL: {why}")),
        }
    }
    if let Some(first) = others.first() {
        let detail =
            format!("names packages of {} kinds that are not known: {first}", others.len());
        facts.problem(GapKind::UnidentifiedVersion, detail);
    }
    facts
}

/// What is not taken from the document.
enum Other {
    /// What proves that it is there is read itself: the distribution's database, the program, the
    /// package's own manifest.
    ReadElsewhere,
    Unknown,
}

/// The kind of a package URL's type (purl-spec, "PURL-TYPES").
fn kind(name: &str) -> Result<PackageKind, Other> {
    Ok(match name {
        "bitnami" => PackageKind::Bitnami,
        "cargo" => PackageKind::Cargo,
        "maven" => PackageKind::Maven,
        "gem" => PackageKind::Gem,
        "nuget" => PackageKind::NuGet,
        "composer" => PackageKind::Composer,
        "hex" => PackageKind::Hex,
        "pub" => PackageKind::Pub,
        "swift" => PackageKind::Swift,
        "apk" | "deb" | "rpm" | "golang" | "npm" | "pypi" => return Err(Other::ReadElsewhere),
        _ => return Err(Other::Unknown),
    })
}

fn claim(kind: PackageKind, url: &PackageUrl, text: &str, facts: &mut Facts) {
    let Some(version) = url.version().filter(|version| !version.is_empty()) else {
        return facts.problem(GapKind::UnidentifiedVersion, format!("{text:?} has no version"));
    };
    let separator = if kind == PackageKind::Maven { ':' } else { '/' };
    let name = match url.namespace() {
        "" => url.name().to_owned(),
        namespace => format!("{namespace}{separator}{}", url.name()),
    };
    facts.claim(Claim {
        kind,
        name,
        version: version.to_owned(),
        source: None,
        arch: None,
        vendor: None,
        module: None,
    });
}

#[cfg(test)]
mod tests {
    use super::{DOCUMENT, document};

    /// A document of packages by their URLs, which names nothing else.
    fn of(urls: &[&str]) -> String {
        let packages: Vec<String> = urls
            .iter()
            .map(|url| {
                format!(
                    r#"{{"SPDXID":"x","name":"X","externalRefs":[
                        {{"referenceCategory":"SECURITY","referenceType":"cpe23Type","referenceLocator":"cpe:2.3:*"}},
                        {{"referenceCategory":"PACKAGE_MANAGER","referenceType":"purl","referenceLocator":"{url}"}}]}}"#
                )
            })
            .collect();
        format!(r#"{{"spdxVersion":"SPDX-2.3","packages":[{}]}}"#, packages.join(","))
    }

    fn check(text: &str, packages: &[&str], problems: &[&str]) {
        let facts = document(text.as_bytes());
        let got: Vec<_> = facts
            .claims
            .iter()
            .map(|c| format!("{} {} {}", c.kind.as_str(), c.name, c.version))
            .collect();
        assert_eq!(got, packages, "{text}");
        assert_eq!(facts.problems.len(), problems.len(), "{:?}", facts.problems);
        for (problem, want) in facts.problems.iter().zip(problems) {
            assert!(problem.detail.starts_with(want), "{}", problem.detail);
        }
    }

    #[test]
    fn documents_lie_beside_their_application() {
        let table = [
            ("opt/bitnami/nginx/.spdx-nginx.spdx", true),
            ("opt/bitnami/common/bin/.spdx-git.spdx", true),
            ("opt/bitnami/.spdx-x.spdx", true),
            ("opt/bitnami/nginx/nginx.spdx", false),
            ("opt/bitnami/nginx/.spdx-nginx.spdx/x", false),
            ("home/opt/bitnami/nginx/.spdx-nginx.spdx", false),
            ("opt/bitnami", false),
        ];
        for (path, wanted) in table {
            assert_eq!((DOCUMENT.wants)(path), wanted, "{path}");
        }
    }

    #[test]
    fn packages_are_taken_by_their_urls() {
        let nginx = "pkg:bitnami/nginx@1.25.4-2?arch=amd64&distro=debian-12";
        check(&of(&[nginx]), &["bitnami nginx 1.25.4-2"], &[]);
        check(
            &of(&[nginx, "pkg:maven/co.elastic.apm/apm-agent@1.36.0", "pkg:gem/rack@2.2.3"]),
            &["bitnami nginx 1.25.4-2", "maven co.elastic.apm:apm-agent 1.36.0", "gem rack 2.2.3"],
            &[],
        );
        // Their own files are read.
        check(
            &of(&["pkg:deb/debian/zlib1g@1?arch=amd64", "pkg:golang/a.b/c@v1.0.0", "pkg:npm/a@1"]),
            &[],
            &[],
        );
        check(&of(&["pkg:generic/a@1", "pkg:oci/b@1"]), &[], &["names packages of 2 kinds"]);
        check(&of(&["pkg:bitnami/nginx"]), &[], &["\"pkg:bitnami/nginx\" has no version"]);
        check(&of(&["nginx@1"]), &[], &["\"nginx@1\" is no package URL"]);
        check("{}", &[], &["names no package"]);
        // Of several the first counts, and what is empty takes nothing, however much of it there is.
        let purl = |url: &str| format!(r#"{{"referenceType":"purl","referenceLocator":"{url}"}}"#);
        let empty = "{},".repeat(200_000);
        let (a, b) = (purl("pkg:gem/a@1"), purl("pkg:gem/b@1"));
        let text = format!(r#"{{"packages":[{empty}{{"externalRefs":[{empty}{a},{b}]}}]}}"#);
        check(&text, &["gem a 1"], &[]);
        check(r#"{"packages":[{"name":"without a URL"}]}"#, &[], &["names no package"]);
    }

    #[test]
    fn what_is_no_document_is_told() {
        let deep = "[".repeat(100_000);
        let typed = r#"{"packages":[{"externalRefs":[{"referenceLocator":1}]}]}"#;
        for text in ["", "x", "[]", typed, r#"{"packages":{}}"#, &deep] {
            check(text, &[], &["is no SPDX document in JSON"]);
        }
        let long = format!("pkg:bitnami/{}@1", "x".repeat(10_000));
        assert_eq!(document(of(&[&long]).as_bytes()).problems.len(), 1);
        let many = vec!["nothing"; 1000];
        assert_eq!(document(of(&many).as_bytes()).problems.len(), 21, "bounded");
    }
}
