//! A writer of small bbolt files, for tests: what bbolt itself would write, without a free list.

use std::collections::BTreeMap;

use super::meta::fnv1a;
use super::page::{ELEMENT, HEADER, KIND_BRANCH, KIND_LEAF, KIND_META};

/// A bucket's entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tree(pub(crate) BTreeMap<Vec<u8>, Node>);

/// What stands behind a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    Value(Vec<u8>),
    Bucket(Tree),
}

impl Tree {
    /// Puts a value below a path of buckets and a key.
    pub(crate) fn put(&mut self, path: &[&str], value: &str) {
        let Some((first, rest)) = path.split_first() else { return };
        let key = first.as_bytes().to_vec();
        if rest.is_empty() {
            self.0.insert(key, Node::Value(value.as_bytes().to_vec()));
            return;
        }
        let node = self.0.entry(key).or_insert_with(|| Node::Bucket(Self::default()));
        if let Node::Bucket(tree) = node {
            tree.put(rest, value);
        }
    }

    /// The whole file.
    pub(crate) fn file(&self, page_size: usize) -> Vec<u8> {
        let mut file = Writer { page_size, pages: vec![0; 2 * page_size] };
        let root = file.bucket(self);
        let pages = (file.pages.len() / page_size) as u64;
        for (number, transaction) in [(0, 1), (1, 2)] {
            let meta = meta(number, page_size, root, pages, transaction);
            let at = number as usize * page_size;
            file.pages[at..at + meta.len()].copy_from_slice(&meta);
        }
        file.pages
    }
}

/// One meta page, as far as it is used.
pub(crate) fn meta(id: u64, size: usize, root: u64, pages: u64, transaction: u64) -> Vec<u8> {
    let mut meta = header(id, KIND_META, 0, 0);
    for number in [0xED0C_DAED, 2, size as u32, 0] {
        meta.extend(number.to_le_bytes());
    }
    for number in [root, 0, u64::MAX, pages, transaction] {
        meta.extend(number.to_le_bytes());
    }
    let sum = fnv1a(&meta[HEADER..]);
    meta.extend(sum.to_le_bytes());
    meta
}

pub(crate) fn header(id: u64, kind: u16, count: u16, overflow: u32) -> Vec<u8> {
    let mut out = id.to_le_bytes().to_vec();
    out.extend(kind.to_le_bytes());
    out.extend(count.to_le_bytes());
    out.extend(overflow.to_le_bytes());
    out
}

struct Writer {
    page_size: usize,
    pages: Vec<u8>,
}

/// Flags, key and value of a leaf's element.
type Leaf = (u32, Vec<u8>, Vec<u8>);

impl Writer {
    /// Writes a bucket's pages and returns its root.
    fn bucket(&mut self, tree: &Tree) -> u64 {
        let leaves: Vec<Leaf> = tree.0.iter().map(|(key, node)| self.leaf(key, node)).collect();
        let mut level: Vec<(Vec<u8>, u64)> = Vec::new();
        let (mut open, mut size): (Vec<Leaf>, usize) = (Vec::new(), HEADER);
        for leaf in leaves {
            let more = ELEMENT + leaf.1.len() + leaf.2.len();
            if size + more > self.page_size && !open.is_empty() {
                level.push(self.page_of(&std::mem::take(&mut open)));
                size = HEADER;
            }
            size += more;
            open.push(leaf);
        }
        level.push(self.page_of(&open));
        while level.len() > 1 {
            level = level.chunks(4).map(|below| self.branch(below)).collect();
        }
        level[0].1
    }

    fn leaf(&mut self, key: &[u8], node: &Node) -> Leaf {
        match node {
            Node::Value(value) => (0, key.to_vec(), value.clone()),
            Node::Bucket(tree) => {
                let plain: Option<Vec<Leaf>> = tree
                    .0
                    .iter()
                    .map(|(key, node)| match node {
                        Node::Value(value) => Some((0, key.clone(), value.clone())),
                        Node::Bucket(_) => None,
                    })
                    .collect();
                let inline = plain.map(|leaves| leaf_page(0, 0, &leaves));
                let (root, inside) = match inline {
                    Some(page) if page.len() <= self.page_size / 4 => (0, page),
                    _ => (self.bucket(tree), Vec::new()),
                };
                let mut value = root.to_le_bytes().to_vec();
                value.extend(0u64.to_le_bytes());
                value.extend(inside);
                (1, key.to_vec(), value)
            }
        }
    }

    fn page_of(&mut self, leaves: &[Leaf]) -> (Vec<u8>, u64) {
        let id = (self.pages.len() / self.page_size) as u64;
        let overflow = (leaf_page(0, 0, leaves).len() - 1) / self.page_size;
        let page = leaf_page(id, overflow as u32, leaves);
        self.append(page, overflow + 1);
        (leaves.first().map(|l| l.1.clone()).unwrap_or_default(), id)
    }

    fn branch(&mut self, below: &[(Vec<u8>, u64)]) -> (Vec<u8>, u64) {
        let id = (self.pages.len() / self.page_size) as u64;
        let mut page = header(id, KIND_BRANCH, below.len() as u16, 0);
        let mut at = HEADER + below.len() * ELEMENT;
        for (number, (key, child)) in below.iter().enumerate() {
            page.extend(((at - HEADER - number * ELEMENT) as u32).to_le_bytes());
            page.extend((key.len() as u32).to_le_bytes());
            page.extend(child.to_le_bytes());
            at += key.len();
        }
        page.extend(below.iter().flat_map(|(key, _)| key.clone()));
        self.append(page, 1);
        (below[0].0.clone(), id)
    }

    fn append(&mut self, mut page: Vec<u8>, pages: usize) {
        page.resize(pages * self.page_size, 0);
        self.pages.extend(page);
    }
}

/// A leaf page, not filled up to the page's size.
pub(crate) fn leaf_page(id: u64, overflow: u32, leaves: &[Leaf]) -> Vec<u8> {
    let mut page = header(id, KIND_LEAF, leaves.len() as u16, overflow);
    let mut at = HEADER + leaves.len() * ELEMENT;
    for (number, (flags, key, value)) in leaves.iter().enumerate() {
        page.extend(flags.to_le_bytes());
        page.extend(((at - HEADER - number * ELEMENT) as u32).to_le_bytes());
        page.extend((key.len() as u32).to_le_bytes());
        page.extend((value.len() as u32).to_le_bytes());
        at += key.len() + value.len();
    }
    page.extend(leaves.iter().flat_map(|(_, key, value)| [key.clone(), value.clone()].concat()));
    page
}
