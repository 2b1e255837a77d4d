//! The parts of a CSAF document that count. Texts are borrowed from it, since one may have a hundred
//! thousand of them; descriptions, notes and references are not looked at.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use cleanbill_core::Timestamp;
use serde::Deserialize;
use serde::de::{Deserializer, Visitor};

/// A text of the document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::feeds) struct Text<'d>(pub Cow<'d, str>);

impl<'de: 'd, 'd> Deserialize<'de> for Text<'d> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Borrowed;
        impl<'de> Visitor<'de> for Borrowed {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        from.deserialize_str(Borrowed)
    }
}

#[derive(Deserialize)]
pub(in crate::feeds) struct Document<'d> {
    #[serde(borrow)]
    document: Meta<'d>,
    #[serde(borrow, default)]
    pub product_tree: Branch<'d>,
    #[serde(borrow, default)]
    pub vulnerabilities: Vec<Vulnerability<'d>>,
}

#[derive(Deserialize)]
struct Meta<'d> {
    #[serde(borrow)]
    category: Text<'d>,
    #[serde(borrow)]
    tracking: Tracking<'d>,
}

#[derive(Deserialize)]
struct Tracking<'d> {
    #[serde(borrow, default)]
    status: Text<'d>,
    #[serde(borrow, default)]
    current_release_date: Text<'d>,
}

/// A branch of the tree of products; the tree itself is one, with relationships.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(in crate::feeds) struct Branch<'d> {
    #[serde(borrow)]
    pub branches: Vec<Branch<'d>>,
    #[serde(borrow)]
    pub product: Option<Product<'d>>,
    #[serde(borrow)]
    pub full_product_names: Vec<Product<'d>>,
    #[serde(borrow)]
    pub relationships: Vec<Relationship<'d>>,
}

#[derive(Deserialize)]
pub(in crate::feeds) struct Product<'d> {
    #[serde(borrow)]
    pub product_id: Text<'d>,
    #[serde(borrow, default)]
    pub product_identification_helper: Option<Helper<'d>>,
}

#[derive(Deserialize)]
pub(in crate::feeds) struct Helper<'d> {
    #[serde(borrow, default)]
    pub cpe: Option<Text<'d>>,
    #[serde(borrow, default)]
    pub purl: Option<Text<'d>>,
}

/// A component as a part of a product.
#[derive(Deserialize)]
pub(in crate::feeds) struct Relationship<'d> {
    #[serde(borrow)]
    pub full_product_name: FullName<'d>,
    #[serde(borrow)]
    pub product_reference: Text<'d>,
    #[serde(borrow)]
    pub relates_to_product_reference: Text<'d>,
}

#[derive(Deserialize)]
pub(in crate::feeds) struct FullName<'d> {
    #[serde(borrow)]
    pub product_id: Text<'d>,
}

#[derive(Deserialize)]
pub(in crate::feeds) struct Vulnerability<'d> {
    #[serde(borrow, default)]
    pub cve: Option<Text<'d>>,
    #[serde(borrow, default)]
    pub release_date: Option<Text<'d>>,
    #[serde(borrow, default)]
    pub discovery_date: Option<Text<'d>>,
    #[serde(borrow, default)]
    pub product_status: Statuses<'d>,
    #[serde(borrow, default)]
    pub remediations: Vec<Remediation<'d>>,
    #[serde(borrow, default)]
    pub scores: Vec<Score<'d>>,
    #[serde(borrow, default)]
    pub threats: Vec<Threat<'d>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(in crate::feeds) struct Statuses<'d> {
    #[serde(borrow)]
    pub fixed: Vec<Text<'d>>,
    #[serde(borrow)]
    pub recommended: Vec<Text<'d>>,
    #[serde(borrow)]
    pub first_fixed: Vec<Text<'d>>,
    #[serde(borrow)]
    pub known_affected: Vec<Text<'d>>,
    #[serde(borrow)]
    pub known_not_affected: Vec<Text<'d>>,
    #[serde(borrow)]
    pub under_investigation: Vec<Text<'d>>,
}

/// The ids of a list, each once: to name one a million times takes but a few megabytes.
pub(in crate::feeds) fn once<'d>(ids: &'d [Text<'_>]) -> impl Iterator<Item = &'d str> {
    let mut seen = HashSet::new();
    ids.iter().map(|id| &*id.0).filter(move |id| seen.insert(*id))
}

#[derive(Deserialize)]
pub(in crate::feeds) struct Remediation<'d> {
    #[serde(borrow)]
    pub category: Text<'d>,
    #[serde(borrow, default)]
    pub details: Text<'d>,
    #[serde(borrow, default)]
    pub url: Option<Text<'d>>,
    #[serde(borrow, default)]
    pub product_ids: Vec<Text<'d>>,
}

#[derive(Deserialize)]
pub(in crate::feeds) struct Score<'d> {
    #[serde(borrow, default)]
    pub cvss_v3: Option<Cvss<'d>>,
    #[serde(borrow, default)]
    pub cvss_v2: Option<Cvss<'d>>,
    #[serde(borrow, default)]
    pub products: Vec<Text<'d>>,
}

#[derive(Deserialize)]
pub(in crate::feeds) struct Cvss<'d> {
    #[serde(borrow, rename = "vectorString", default)]
    pub vector: Text<'d>,
}

#[derive(Deserialize)]
pub(in crate::feeds) struct Threat<'d> {
    #[serde(borrow)]
    pub category: Text<'d>,
    #[serde(borrow, default)]
    pub details: Text<'d>,
    #[serde(borrow, default)]
    pub product_ids: Vec<Text<'d>>,
}

impl Document<'_> {
    /// Whether it is of the one kind that is read here.
    pub(in crate::feeds) fn is_expected(&self) -> Result<(), String> {
        match &*self.document.category.0 {
            "csaf_vex" => Ok(()),
            other => {
                let other: String = other.chars().take(40).collect();
                Err(format!("a document of the category {other:?}, not csaf_vex"))
            }
        }
    }

    /// Whether its publisher took it back.
    pub(in crate::feeds) fn is_deleted(&self) -> bool {
        self.document.tracking.status.0 == "deleted"
    }

    /// When it was last changed.
    pub(in crate::feeds) fn date(&self) -> Option<Timestamp> {
        self.document.tracking.current_release_date.0.parse().ok()
    }
}
