//! Red Hat's list of its repositories, `repository-to-cpe.json`: of which products the packages of
//! each are. Images name the repositories that their packages come from (content sets).

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::de::{Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::cpe::product;
use crate::error::{Error, ErrorKind, Result};
use crate::feeds::{Tally, document, understood};
use crate::gather::Gathered;
use crate::limits::Limits;

/// The file's name in the feed's folder.
pub(crate) const FILE: &str = "repository-to-cpe.json";
/// What errors call the list.
const NAME: &str = "redhat's repositories";

/// The most repositories: Red Hat has some ten thousand.
const MAX_REPOSITORIES: usize = 100_000;
/// The most products of one; the most known has some twenty.
const MAX_PRODUCTS: usize = 100;
/// The longest name of a repository, in bytes.
const MAX_NAME: usize = 200;

/// Reads the list in `folder`; where there is none, nothing is known of repositories.
///
/// # Errors
/// When it is no such list, or too much of it is not understood.
pub(super) fn read(folder: &Path, limits: &Limits, into: &mut Gathered) -> Result<()> {
    let path = folder.join(FILE);
    match document(&path, limits) {
        Ok(bytes) => parse(&bytes, limits, into).map_err(|e| e.within(path.display())),
        Err(_) if !path.exists() => Ok(()),
        Err(e) => Err(e),
    }
}

/// Reads the list's bytes. A CPE that is not understood is kept as it is: no feed covers it, which
/// is a gap for an image of such a repository.
///
/// # Errors
/// As [`read`].
pub(super) fn parse(json: &[u8], limits: &Limits, into: &mut Gathered) -> Result<()> {
    let list: List = serde_json::from_slice(json)
        .map_err(|e| Error::malformed("no list of repositories with CPEs").because(e))?;
    if list.data.0.is_empty() {
        return Err(Error::malformed("a list of repositories that names none"));
    }
    if list.data.0.len() > MAX_REPOSITORIES {
        let message = format!("{NAME}: more than {MAX_REPOSITORIES}");
        return Err(Error::new(ErrorKind::OverLimit, message));
    }
    let mut tally = Tally::default();
    for (name, cpes) in list.data.0 {
        if cpes.len() > MAX_PRODUCTS {
            let message = format!("{NAME}: {name} has more than {MAX_PRODUCTS} CPEs");
            return Err(Error::new(ErrorKind::OverLimit, message));
        }
        let mut products = Vec::with_capacity(cpes.len());
        for cpe in cpes {
            match product(&cpe) {
                Some(product) => {
                    tally.took();
                    products.push(product);
                }
                None => {
                    tally.missed(|| format!("{name}: {cpe:?} is no CPE of a product"));
                    products.push(cpe.chars().take(100).flat_map(char::escape_debug).collect());
                }
            }
        }
        products.sort();
        products.dedup();
        into.content_sets.insert(name, products);
    }
    understood(NAME, tally.total, tally.not_understood, &tally.example, limits)
}

#[derive(Deserialize)]
struct List {
    data: Repositories,
}

/// The CPEs of each repository.
struct Repositories(BTreeMap<String, Vec<String>>);

impl<'de> Deserialize<'de> for Repositories {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = BTreeMap<String, Vec<String>>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of repositories")
            }

            fn visit_map<A: MapAccess<'de>>(
                self,
                mut map: A,
            ) -> std::result::Result<Self::Value, A::Error> {
                let mut all = BTreeMap::new();
                while let Some(name) = map.next_key::<String>()? {
                    if all.len() > MAX_REPOSITORIES {
                        // What is more than one too many is told by whoever counts.
                        map.next_value::<IgnoredAny>()?;
                        continue;
                    }
                    if name.is_empty() || name.len() > MAX_NAME {
                        let start: String = name.chars().take(80).collect();
                        let message = format!("{start:?} is no name of a repository");
                        return Err(A::Error::custom(message));
                    }
                    let Repository(cpes) = map.next_value()?;
                    if all.insert(name.clone(), cpes).is_some() {
                        return Err(A::Error::custom(format!("{name} is there twice")));
                    }
                }
                Ok(all)
            }
        }
        from.deserialize_map(Each).map(Self)
    }
}

/// The CPEs of one repository.
struct Repository(Vec<String>);

impl<'de> Deserialize<'de> for Repository {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        struct One;
        impl<'de> Visitor<'de> for One {
            type Value = Option<Vec<String>>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with the CPEs of a repository")
            }

            fn visit_map<A: MapAccess<'de>>(
                self,
                mut map: A,
            ) -> std::result::Result<Self::Value, A::Error> {
                let mut cpes = None;
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "cpes" => cpes = map.next_value::<Option<Cpes>>()?.map(|cpes| cpes.0),
                        _ => _ = map.next_value::<IgnoredAny>()?,
                    }
                }
                Ok(cpes)
            }
        }
        from.deserialize_map(One).map(|cpes| Self(cpes.unwrap_or_default()))
    }
}

/// A list of them; of those that are too many one is held.
struct Cpes(Vec<String>);

impl<'de> Deserialize<'de> for Cpes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Vec<String>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a sequence of CPEs")
            }

            fn visit_seq<A: SeqAccess<'de>>(
                self,
                mut list: A,
            ) -> std::result::Result<Self::Value, A::Error> {
                let mut cpes = Vec::new();
                while let Some(cpe) = list.next_element::<String>()? {
                    // What is more than one too many is told by whoever counts.
                    if cpes.len() <= MAX_PRODUCTS {
                        cpes.push(cpe);
                    }
                }
                Ok(cpes)
            }
        }
        from.deserialize_seq(Each).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::{FILE, parse, read};
    use crate::gather::Gathered;
    use crate::limits::Limits;

    /// The list → `repository: products`, or a part of the error.
    fn check(json: &str, limits: &Limits, want: Result<&[&str], &str>) {
        let mut into = Gathered::default();
        let start: String = json.chars().take(80).collect();
        match (parse(json.as_bytes(), limits, &mut into), want) {
            (Ok(()), Ok(want)) => {
                let sets = into.content_sets.iter();
                let got: Vec<_> = sets.map(|(n, p)| format!("{n}: {}", p.join(" "))).collect();
                assert_eq!(got, want, "{start}");
            }
            (Err(e), Err(part)) => {
                let mut told = e.to_string();
                let mut source = std::error::Error::source(&e);
                while let Some(cause) = source {
                    told = format!("{told}: {cause}");
                    source = cause.source();
                }
                assert!(told.contains(part), "{start}: {told}");
            }
            (got, want) => panic!("{start}: {got:?}, not {want:?}"),
        }
    }

    #[test]
    fn repositories_have_products() {
        let usual = Limits::default();
        let table: &[(&str, &[&str])] = &[
            (
                r#"{"data":{"rhel-9-for-x86_64-baseos-eus-rpms__9_DOT_2":{"cpes":["cpe:/o:redhat:rhel_eus:9.2::baseos"],"repo_relative_urls":["content/eus"]}}}"#,
                &["rhel-9-for-x86_64-baseos-eus-rpms__9_DOT_2: rhel_eus:9.2::baseos"],
            ),
            // Each once, whatever its minor release or kind of CPE.
            (
                r#"{"data":{"b":{"cpes":["cpe:/o:redhat:enterprise_linux:10.1","cpe:/a:redhat:enterprise_linux:10.0"]},"a":{"cpes":["cpe:/a:redhat:openshift:4.16::el9"]}}}"#,
                &["a: openshift:4.16::el9", "b: enterprise_linux:10"],
            ),
            (r#"{"data":{"a":{"cpes":[]},"b":{},"c":{"cpes":null}}}"#, &["a: ", "b: ", "c: "]),
            (
                r#"{"x":[[1]],"data":{"a":{"x":{},"cpes":["cpe:/a:redhat:quay:3"]}}}"#,
                &["a: quay:3"],
            ),
        ];
        for (json, want) in table {
            check(json, &usual, Ok(want));
        }
        // What is not understood is kept as it is, where it is little.
        let lax = Limits { not_understood_percent: 50, ..Limits::default() };
        let json = r#"{"data":{"a":{"cpes":["cpe:/a:redhat:quay:3","cpe:2.3:x\u001b"]}}}"#;
        check(json, &lax, Ok(&[r"a: cpe:2.3:x\u{1b} quay:3"]));
        check(json, &usual, Err("1 of 2 entries could not be understood"));
    }

    #[test]
    fn what_is_no_such_list_is_an_error() {
        let usual = Limits::default();
        let many: Vec<String> = (0..=100_000).map(|n| format!("\"{n}\":{{}}")).collect();
        let many = format!("{{\"data\":{{{}}}}}", many.join(","));
        let of = |count| {
            let cpes = vec!["\"cpe:/a:redhat:quay:3\""; count].join(",");
            format!("{{\"data\":{{\"a\":{{\"cpes\":[{cpes}]}}}}}}")
        };
        check(&of(100), &usual, Ok(&["a: quay:3"]));
        let (cpes, more_cpes) = (of(101), of(100_000));
        let long = format!("{{\"data\":{{\"{}\":{{}}}}}}", "a".repeat(201));
        let deep = format!("{{\"data\":{{\"a\":{{\"cpes\":{}", "[".repeat(200_000));
        let deep_beside = format!("{{\"x\":{}", "[".repeat(200_000));
        let table = [
            ("", "no list of repositories"),
            ("[]", "no list of repositories"),
            ("<html>", "no list of repositories"),
            ("{}", "missing field `data`"),
            (r#"{"data":[]}"#, "an object of repositories"),
            (r#"{"data":{}}"#, "names none"),
            (r#"{"data":{"a":[]}}"#, "an object with the CPEs"),
            (r#"{"data":{"a":null}}"#, "an object with the CPEs"),
            (r#"{"data":{"a":{"cpes":"cpe:/a:redhat:quay:3"}}}"#, "expected a sequence"),
            (r#"{"data":{"a":{"cpes":[1]}}}"#, "expected a string"),
            (r#"{"data":{"":{}}}"#, "no name of a repository"),
            (r#"{"data":{"a":{},"a":{}}}"#, "a is there twice"),
            (r#"{"data":{"a":{"cpes":["x"]}}}"#, "1 of 1 entries could not be understood"),
            (r#"{"data":{"a":{}}} x"#, "trailing characters"),
            (&many, "more than 100000"),
            (&cpes, "more than 100 CPEs"),
            (&more_cpes, "more than 100 CPEs"),
            (&long, "no name of a repository"),
            (&deep, "no list of repositories"),
            (&deep_beside, "no list of repositories"),
        ];
        for (json, want) in table {
            check(json, &usual, Err(want));
        }
    }

    #[test]
    fn a_list_that_is_too_large_is_an_error_and_one_that_is_not_there_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let mut into = Gathered::default();
        read(dir.path(), &Limits::default(), &mut into).unwrap();
        assert!(into.content_sets.is_empty());
        std::fs::write(dir.path().join(FILE), r#"{"data":{"a":{}}}"#).unwrap();
        let small = Limits { document_bytes: 10, ..Limits::default() };
        let error = read(dir.path(), &small, &mut into).unwrap_err().to_string();
        assert!(error.contains("larger than 10 bytes"), "{error}");
        read(dir.path(), &Limits::default(), &mut into).unwrap();
        assert_eq!(into.content_sets.len(), 1);
    }
}
