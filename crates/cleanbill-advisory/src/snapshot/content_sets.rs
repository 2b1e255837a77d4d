//! Repositories in the index: each product once, and of each repository the numbers of its own.

use std::collections::{BTreeMap, BTreeSet};

use cleanbill_core::advisory::ContentSet;
use cleanbill_core::ecosystem::{Ecosystem, Stream};

use super::codec::{Decoded, Reader, Writer};

/// Which products the repositories of Red Hat have.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ContentSets {
    products: Vec<String>,
    by_name: BTreeMap<String, Vec<u32>>,
}

impl ContentSets {
    pub(super) fn new(gathered: &BTreeMap<String, Vec<String>>) -> Self {
        let products: BTreeSet<&String> = gathered.values().flatten().collect();
        let numbers: BTreeMap<&String, u32> = products.iter().copied().zip(0..).collect();
        let of = |list: &Vec<String>| list.iter().filter_map(|p| numbers.get(p).copied()).collect();
        Self {
            by_name: gathered.iter().map(|(name, list)| (name.clone(), of(list))).collect(),
            products: products.into_iter().cloned().collect(),
        }
    }

    /// How many repositories are known.
    pub(super) fn len(&self) -> usize {
        self.by_name.len()
    }

    pub(super) fn get(&self, name: &str) -> ContentSet {
        if self.by_name.is_empty() {
            return ContentSet::NoList;
        }
        let Some(numbers) = self.by_name.get(name) else { return ContentSet::Unknown };
        let products = numbers.iter().filter_map(|n| self.products.get(*n as usize));
        let stream = |product: &String| Stream::release(Ecosystem::RedHat, product.clone());
        ContentSet::Products(products.map(stream).collect())
    }

    pub(super) fn encode(&self, w: &mut Writer) {
        w.num(self.products.len() as u64);
        for product in &self.products {
            w.text(product);
        }
        w.num(self.by_name.len() as u64);
        for (name, numbers) in &self.by_name {
            w.text(name);
            w.num(numbers.len() as u64);
            for number in numbers {
                w.num(u64::from(*number));
            }
        }
    }

    /// Reads what [`Self::encode`] writes of one repository or more.
    pub(super) fn decode(r: &mut Reader<'_>) -> Decoded<Self> {
        let mut sets = Self::default();
        for _ in 0..r.count()? {
            sets.products.push(r.text()?.to_owned());
        }
        for _ in 0..r.count()?.max(1) {
            let name = r.text()?.to_owned();
            if sets.by_name.last_key_value().is_some_and(|(last, _)| *last >= name) {
                return Err("its repositories are not in order");
            }
            let mut numbers = Vec::new();
            for _ in 0..r.count()? {
                let number = u32::try_from(r.num()?).ok();
                let known = number.filter(|n| (*n as usize) < sets.products.len());
                numbers.push(known.ok_or("a repository has a product that is not there")?);
            }
            sets.by_name.insert(name, numbers);
        }
        Ok(sets)
    }
}
