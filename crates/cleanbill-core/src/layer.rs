//! The entries of one layer, as its tar lists them: the raw material of a merged root
//! filesystem. Paths are relative to the image's root, `/`-separated, without `.` or `..`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// What one entry of a layer is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EntryKind {
    /// A directory.
    Directory,
    /// A regular file.
    File,
    /// A symbolic link with its target as written (may be absolute or climb).
    Symlink(String),
    /// A hard link to another path of the image's root, as written but normalised.
    Hardlink(String),
    /// A device, pipe or socket.
    Special,
    /// OCI whiteout (`.wh.NAME`): the path of this entry is `NAME`, gone from lower layers.
    Whiteout,
    /// Opaque whiteout (`.wh..wh..opq`): the path is the directory whose lower content is gone.
    Opaque,
}

/// One entry: where and what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The normalised path; empty for the root itself.
    pub path: String,
    /// What it is.
    pub kind: EntryKind,
    /// Size of the content in bytes (zero for everything but files).
    pub size: u64,
    /// Permission bits.
    pub mode: u32,
}

/// Many paths in little memory: each is kept as the number of bytes that it shares with the
/// path before it, and the rest. Can only be read from the beginning.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paths {
    text: String,
    count: u32,
    /// The last path pushed; only the writer needs it, and without it merely shares nothing.
    #[serde(skip)]
    last: String,
}

/// The most bytes that are shared: what fits in two bytes of UTF-8 as a `char`.
const SHARED_MAX: usize = 0x7ff;

impl Paths {
    /// Adds a path. A NUL byte, which no path of a file system can hold, becomes U+FFFD.
    pub fn push(&mut self, path: &str) {
        let clean;
        let path = if path.contains('\0') {
            clean = path.replace('\0', "\u{fffd}");
            &clean
        } else {
            path
        };
        let same = |(a, b): &(u8, u8)| a == b;
        let mut shared =
            path.bytes().zip(self.last.bytes()).take(SHARED_MAX).take_while(same).count();
        while !path.is_char_boundary(shared) {
            shared -= 1;
        }
        self.text.push(u32::try_from(shared).ok().and_then(char::from_u32).unwrap_or('\0'));
        self.text.push_str(path.get(shared..).unwrap_or_default());
        self.text.push('\0');
        self.last.truncate(shared);
        self.last.push_str(path.get(shared..).unwrap_or_default());
        self.count += 1;
    }

    /// Gives back spare memory when no more is pushed.
    pub fn seal(&mut self) {
        self.last = String::new();
        self.text.shrink_to_fit();
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Reads them from the first on.
    pub fn cursor(&self) -> PathCursor<'_> {
        PathCursor { rest: &self.text, path: String::new() }
    }

    /// Bytes of memory held, for measurements.
    pub fn bytes(&self) -> usize {
        self.text.capacity() + self.last.capacity()
    }
}

impl<'a> FromIterator<&'a str> for Paths {
    fn from_iter<I: IntoIterator<Item = &'a str>>(iter: I) -> Self {
        let mut paths = Self::default();
        iter.into_iter().for_each(|p| paths.push(p));
        paths.seal();
        paths
    }
}

/// A reading position in [`Paths`].
#[derive(Clone, Debug)]
pub struct PathCursor<'a> {
    rest: &'a str,
    path: String,
}

impl PathCursor<'_> {
    /// The next path, valid until the one after it is asked for.
    #[expect(clippy::should_implement_trait, reason = "it lends its buffer, an iterator cannot")]
    pub fn next(&mut self) -> Option<&str> {
        let mut chars = self.rest.chars();
        let shared = chars.next()? as usize;
        let (suffix, rest) = chars.as_str().split_once('\0')?;
        // What was stored and read back may be damaged: never slice past the end.
        if !self.path.is_char_boundary(shared) {
            return None;
        }
        self.path.truncate(shared);
        self.path.push_str(suffix);
        self.rest = rest;
        Some(&self.path)
    }
}

/// The entries of one layer in the order of its tar, in little memory: about 20 bytes an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    paths: Paths,
    /// One ASCII letter an entry.
    kinds: String,
    /// The targets of links, in order.
    targets: Paths,
}

impl Listing {
    /// Adds an entry.
    pub fn push(&mut self, entry: &Entry) {
        self.paths.push(&entry.path);
        self.kinds.push(match &entry.kind {
            EntryKind::Directory => 'd',
            EntryKind::File => 'f',
            EntryKind::Symlink(_) => 'l',
            EntryKind::Hardlink(_) => 'h',
            EntryKind::Special => 's',
            EntryKind::Whiteout => 'w',
            EntryKind::Opaque => 'o',
        });
        if let EntryKind::Symlink(target) | EntryKind::Hardlink(target) = &entry.kind {
            self.targets.push(target);
        }
    }

    /// Gives back spare memory when no more is pushed.
    pub fn seal(&mut self) {
        self.paths.seal();
        self.targets.seal();
        self.kinds.shrink_to_fit();
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.paths.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// Reads them from the first on.
    pub fn cursor(&self) -> ListingCursor<'_> {
        ListingCursor {
            paths: self.paths.cursor(),
            kinds: self.kinds.bytes(),
            targets: self.targets.cursor(),
        }
    }

    /// The path of the entry with this number, counted from 0. Takes time in its number.
    pub fn path(&self, entry: u32) -> Option<String> {
        self.paths_at(&BTreeSet::from([entry])).remove(&entry)
    }

    /// The paths of the entries with these numbers, in one reading.
    pub fn paths_at(&self, entries: &BTreeSet<u32>) -> BTreeMap<u32, String> {
        let (mut cursor, mut at) = (self.paths.cursor(), 0);
        let mut found = BTreeMap::new();
        for entry in entries {
            while at < *entry && cursor.next().is_some() {
                at += 1;
            }
            let Some(path) = cursor.next() else { break };
            found.insert(*entry, path.to_owned());
            at += 1;
        }
        found
    }

    /// Bytes of memory held, for measurements.
    pub fn bytes(&self) -> usize {
        self.paths.bytes() + self.kinds.capacity() + self.targets.bytes()
    }
}

/// A reading position in a [`Listing`].
#[derive(Clone, Debug)]
pub struct ListingCursor<'a> {
    paths: PathCursor<'a>,
    kinds: std::str::Bytes<'a>,
    targets: PathCursor<'a>,
}

impl ListingCursor<'_> {
    /// The next entry's path and kind, valid until the one after it is asked for.
    #[expect(clippy::should_implement_trait, reason = "it lends its buffer, an iterator cannot")]
    pub fn next(&mut self) -> Option<(&str, EntryKind)> {
        let kind = match self.kinds.next()? {
            b'd' => EntryKind::Directory,
            b'f' => EntryKind::File,
            b'l' => EntryKind::Symlink(self.targets.next()?.to_owned()),
            b'h' => EntryKind::Hardlink(self.targets.next()?.to_owned()),
            b's' => EntryKind::Special,
            b'w' => EntryKind::Whiteout,
            b'o' => EntryKind::Opaque,
            _ => return None,
        };
        Some((self.paths.next()?, kind))
    }
}

#[cfg(test)]
mod tests {
    use super::{Entry, EntryKind, Listing, Paths};
    use proptest::prelude::*;

    #[test]
    fn a_listing_of_many_entries_is_small() {
        let mut listing = Listing::default();
        for n in 0..100_000 {
            let path = format!("usr/lib/node_modules/package-{:05}/dist/file{:02}.js", n / 20, n);
            listing.push(&Entry { path, kind: EntryKind::File, size: 1, mode: 0o644 });
        }
        listing.seal();
        assert_eq!(listing.len(), 100_000);
        assert!(listing.bytes() < 3 << 20, "{} bytes", listing.bytes());
        assert_eq!(
            listing.path(99_999).as_deref(),
            Some("usr/lib/node_modules/package-04999/dist/file99999.js")
        );
        assert_eq!(listing.path(100_000), None);
    }

    fn kind() -> impl Strategy<Value = EntryKind> {
        prop_oneof![
            Just(EntryKind::Directory),
            Just(EntryKind::File),
            "[a-é/.]{0,8}".prop_map(EntryKind::Symlink),
            "[a-c/]{0,8}".prop_map(EntryKind::Hardlink),
            Just(EntryKind::Special),
            Just(EntryKind::Whiteout),
            Just(EntryKind::Opaque),
        ]
    }

    proptest! {
        #[test]
        fn what_is_pushed_comes_back(entries in prop::collection::vec(("[a-bé/]{0,12}", kind()), 0..40)) {
            let mut listing = Listing::default();
            for (path, kind) in &entries {
                let (path, kind) = (path.clone(), kind.clone());
                listing.push(&Entry { path, kind, size: 0, mode: 0 });
            }
            listing.seal();
            let json = serde_json::to_string(&listing).unwrap();
            let listing: Listing = serde_json::from_str(&json).unwrap();
            let mut cursor = listing.cursor();
            for (path, kind) in entries {
                let (p, k) = cursor.next().unwrap();
                prop_assert_eq!((p, k), (path.as_str(), kind));
            }
            prop_assert!(cursor.next().is_none());
        }

        #[test]
        fn damaged_paths_never_panic(text in ".{0,40}", count in 0u32..5) {
            let json = serde_json::json!({ "text": text, "count": count }).to_string();
            let paths: Paths = serde_json::from_str(&json).unwrap();
            let mut cursor = paths.cursor();
            while cursor.next().is_some() {}
        }
    }
}
