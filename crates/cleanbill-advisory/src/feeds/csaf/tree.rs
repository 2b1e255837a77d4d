//! The tree of products of a document: what an id is a part of, and by which CPE or package URL a
//! part of it is known elsewhere.

use std::collections::HashMap;

use super::document::{Branch, Document, Helper};

/// The tree, by id.
pub(in crate::feeds) struct Tree<'d> {
    helpers: HashMap<&'d str, &'d Helper<'d>>,
    /// Components and what they are a part of, by the id of both together.
    parts: HashMap<&'d str, (&'d str, &'d str)>,
}

impl<'d> Tree<'d> {
    /// Reads the tree of a document.
    pub(in crate::feeds) fn read(document: &'d Document<'d>) -> Self {
        let mut helpers: HashMap<&str, &Helper<'_>> = HashMap::new();
        // The depth is bounded where the JSON is read.
        let mut open: Vec<&Branch<'_>> = vec![&document.product_tree];
        while let Some(branch) = open.pop() {
            for product in branch.product.iter().chain(&branch.full_product_names) {
                if let Some(helper) = &product.product_identification_helper {
                    helpers.insert(&product.product_id.0, helper);
                }
            }
            open.extend(&branch.branches);
        }
        let relationships = &document.product_tree.relationships;
        let parts = relationships
            .iter()
            .map(|r| {
                let of = (&*r.product_reference.0, &*r.relates_to_product_reference.0);
                (&*r.full_product_name.product_id.0, of)
            })
            .collect();
        Self { helpers, parts }
    }

    /// The ids of the component and the product that an id stands for together.
    pub(in crate::feeds) fn part(&self, id: &str) -> Option<(&'d str, &'d str)> {
        self.parts.get(id).copied()
    }

    /// Every id that stands for a component and a product together.
    pub(in crate::feeds) fn ids(&self) -> impl Iterator<Item = &'d str> {
        self.parts.keys().copied()
    }

    /// The CPE of a product.
    pub(in crate::feeds) fn cpe(&self, id: &str) -> Option<&'d str> {
        self.helpers.get(id)?.cpe.as_ref().map(|cpe| &*cpe.0)
    }

    /// The package URL of a component.
    pub(in crate::feeds) fn purl(&self, id: &str) -> Option<&'d str> {
        self.helpers.get(id)?.purl.as_ref().map(|purl| &*purl.0)
    }
}
