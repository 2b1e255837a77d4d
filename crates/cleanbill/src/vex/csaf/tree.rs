//! A CSAF document's tree of products: which package URLs an id of a product stands for.
//!
//! A relationship is a component within a product. Both must have package URLs, and neither may
//! be a relationship itself. An id that is defined twice stands for nothing.

use std::collections::HashMap;
use std::sync::Arc;

use cleanbill_core::purl::PackageUrl;
use cleanbill_core::suppression::{Place, Product};
use serde_json::Value;

use super::super::notes::{Notes, shown};
use super::super::{COUNT_MAX, Wrong, value};

/// The categories of relationships in which one product holds the other.
const CATEGORIES: [&str; 5] = [
    "default_component_of",
    "optional_component_of",
    "external_component_of",
    "installed_on",
    "installed_with",
];

/// Products by their ids.
pub(super) struct Tree<'v> {
    products: HashMap<&'v str, Result<Known, String>>,
    groups: HashMap<&'v str, Vec<&'v str>>,
}

/// What an id stands for.
#[derive(Clone)]
enum Known {
    Package(PackageUrl),
    Within(Arc<Product>),
}

impl<'v> Tree<'v> {
    /// Reads the tree.
    ///
    /// # Errors
    /// When it has a part that is none, or too many products.
    pub(super) fn read(tree: &'v Value, notes: &mut Notes) -> Result<Self, Wrong> {
        let wrong = |why| Wrong::new("#/product_tree", why, "write it as CSAF 2.0 has it");
        let mut names: Vec<&Value> = Vec::new();
        names.extend(value::list(tree, "full_product_names").map_err(wrong)?.unwrap_or_default());
        // The depth is bounded where the JSON is read.
        let mut open: Vec<&Value> = vec![tree];
        while let Some(branch) = open.pop() {
            names.extend(branch.get("product"));
            open.extend(value::list(branch, "branches").map_err(wrong)?.unwrap_or_default());
        }
        let relations = value::list(tree, "relationships").map_err(wrong)?.unwrap_or_default();
        let groups = value::list(tree, "product_groups").map_err(wrong)?.unwrap_or_default();
        if names.len() + relations.len() + groups.len() > COUNT_MAX {
            return Err(Wrong::over_limit("/product_tree", "products"));
        }
        let mut read = Self { products: HashMap::new(), groups: HashMap::new() };
        for name in names {
            let known = package(name).map(Known::Package);
            read.put(name, known, notes);
        }
        let mut within = Vec::new();
        for relation in relations {
            let name = relation.get("full_product_name").unwrap_or(&Value::Null);
            within.push((name, read.relation(relation)));
        }
        for (name, known) in within {
            read.put(name, known, notes);
        }
        for group in groups {
            let ids = value::texts(group, "product_ids").map_err(wrong)?;
            if let Some(id) = value::text(group, "group_id").map_err(wrong)? {
                read.groups.insert(id, ids);
            }
        }
        Ok(read)
    }

    fn put(&mut self, name: &'v Value, known: Result<Known, String>, notes: &mut Notes) {
        let Some(id) = name.get("product_id").and_then(Value::as_str) else {
            let place = Place::Pointer("/product_tree".to_owned());
            notes.tell(place, "a product has no product_id");
            return;
        };
        let twice = self.products.insert(id, known).is_some();
        if twice {
            let why = "its id stands for more than one product".to_owned();
            self.products.insert(id, Err(why));
        }
    }

    fn relation(&self, relation: &Value) -> Result<Known, String> {
        let text = |key| {
            value::text(relation, key)?.ok_or_else(|| format!("its relationship has no {key}"))
        };
        let category = text("category")?;
        if !CATEGORIES.contains(&category) {
            return Err(format!("\"{}\" is no category of a relationship", shown(category)));
        }
        let end = |key| match self.products.get(text(key)?) {
            Some(Ok(Known::Package(purl))) => Ok(purl.clone()),
            Some(Ok(Known::Within(_))) => Err("it is a relationship of relationships".to_owned()),
            Some(Err(why)) => Err(format!("its {key}: {why}")),
            None => Err(format!("its {key} is no product with a place of its own")),
        };
        let (purl, part) = (end("relates_to_product_reference")?, end("product_reference")?);
        Ok(Known::Within(Arc::new(Product { purl, subcomponents: vec![part] })))
    }

    /// What an id stands for.
    ///
    /// # Errors
    /// Says why it stands for nothing.
    pub(super) fn product(&self, id: &str) -> Result<Vec<Arc<Product>>, String> {
        match self.products.get(id) {
            None => Err("it is not in the product_tree".to_owned()),
            Some(Err(why)) => Err(why.clone()),
            Some(Ok(Known::Within(product))) => Ok(vec![Arc::clone(product)]),
            Some(Ok(Known::Package(purl))) => {
                Ok(vec![Arc::new(Product { purl: purl.clone(), subcomponents: Vec::new() })])
            }
        }
    }

    /// The ids of a group.
    pub(super) fn group(&self, id: &str) -> &[&'v str] {
        self.groups.get(id).map_or(&[], Vec::as_slice)
    }
}

fn package(name: &Value) -> Result<PackageUrl, String> {
    let helper = name.get("product_identification_helper").unwrap_or(&Value::Null);
    value::purl(value::text(helper, "purl")?.ok_or("it has no package URL")?)
}
