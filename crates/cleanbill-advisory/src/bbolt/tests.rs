//! What is in a file is read in order; what a hostile one says is an error that names the page.

use proptest::prelude::*;

use super::testing::{Node, Tree, leaf_page, meta};
use super::{Bucket, Database, Value, Walk, count};

const SIZE: usize = 1024;

/// Buckets of every form: inline, on a page, with branches, with a value that overflows.
fn sample() -> Tree {
    let mut tree = Tree::default();
    tree.put(&["inline", "a"], "1");
    tree.put(&["inline", "b"], "2");
    tree.put(&["empty", "x"], "");
    for number in 0..120 {
        tree.put(&["large", &format!("key {number:03}")], &"v".repeat(number));
    }
    tree.put(&["outer", "inner", "deep", "k"], "v");
    tree.put(&["long", "value"], &"0123456789".repeat(500));
    tree
}

fn read(database: &Database) -> crate::Result<Tree> {
    fn bucket(walk: &mut Walk<'_>, from: &Bucket) -> crate::Result<Tree> {
        let mut cursor = walk.cursor(from)?;
        let mut tree = Tree::default();
        while let Some((key, value)) = cursor.next(walk)? {
            let node = match value {
                Value::Bytes(value) => Node::Value(value),
                Value::Bucket(inner) => Node::Bucket(bucket(walk, &inner)?),
            };
            tree.0.insert(key, node);
        }
        Ok(tree)
    }
    let mut walk = database.walk();
    let root = walk.root();
    bucket(&mut walk, &root)
}

fn read_bytes(bytes: &[u8]) -> crate::Result<Tree> {
    read(&Database::from_bytes(bytes.to_vec())?)
}

#[test]
fn what_was_written_is_read_from_pages_of_every_size() {
    for size in [1024, 4096, 16384] {
        let tree = sample();
        let file = tree.file(size);
        assert_eq!(read_bytes(&file).unwrap(), tree, "{size}");
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        std::fs::write(&path, &file).unwrap();
        let database = Database::open(&path).unwrap();
        assert_eq!(read(&database).unwrap(), tree, "{size}");
        assert_eq!(count(&database).unwrap(), 125);
        assert_eq!(database.used_bytes(), file.len() as u64);
    }
}

#[test]
fn of_two_meta_pages_the_newest_valid_one_counts() {
    let file = sample().file(SIZE);
    let empty = Tree::default().file(SIZE);
    let old_root = (file.len() / SIZE) as u64;
    // A leaf without entries behind the rest, as the root of another transaction.
    let mut both = file.clone();
    both.extend(leaf_page(old_root, 0, &[]));
    both.resize((old_root as usize + 1) * SIZE, 0);
    let put = |bytes: &mut Vec<u8>, place: usize, transaction| {
        let other = meta(0, SIZE, old_root, old_root + 1, transaction);
        bytes[place..place + other.len()].copy_from_slice(&other);
    };
    let none = Tree::default();
    // (which place another transaction is written to, its number, a byte that is broken) → what
    // is read
    let table = [
        (0, 1, None, sample()),
        (0, 3, None, none.clone()),
        (SIZE, 0, None, sample()),
        (SIZE, 9, None, none.clone()),
        (SIZE, 9, Some(SIZE + 40), sample()),
        (0, 9, Some(40), sample()),
        (0, 1, Some(SIZE + 70), none),
    ];
    for (place, transaction, broken, wanted) in table {
        let mut bytes = both.clone();
        put(&mut bytes, place, transaction);
        if let Some(at) = broken {
            bytes[at] ^= 1;
        }
        assert_eq!(read_bytes(&bytes).unwrap(), wanted, "{place} {transaction} {broken:?}");
    }
    assert_eq!(read_bytes(&empty).unwrap(), Tree::default());
}

/// The error of a file of pages of 1 KiB whose root is page 2.
fn refused(pages: &[Vec<u8>]) -> String {
    let mut file = vec![0; 2 * SIZE];
    for page in pages {
        let end = (file.len() + page.len()).next_multiple_of(SIZE);
        file.extend(page);
        file.resize(end, 0);
    }
    let meta = meta(0, SIZE, 2, (file.len() / SIZE) as u64, 1);
    file[..meta.len()].copy_from_slice(&meta);
    match Database::from_bytes(file).and_then(|d| read(&d)) {
        Ok(tree) => format!("read {tree:?}"),
        Err(e) => e.to_string().replace("these bytes: ", ""),
    }
}

#[test]
fn a_hostile_page_is_refused_by_its_number() {
    let leaf = |id, entries: &[(u32, &str, &[u8])]| {
        let entries: Vec<_> =
            entries.iter().map(|(f, k, v)| (*f, k.as_bytes().to_vec(), v.to_vec())).collect();
        leaf_page(id, 0, &entries)
    };
    let to = |root: u64| [root.to_le_bytes(), [0; 8]].concat();
    // A page with one number of its header or first element replaced.
    let with = |mut page: Vec<u8>, at: usize, bytes: &[u8]| {
        page[at..at + bytes.len()].copy_from_slice(bytes);
        page
    };
    let one = || leaf(2, &[(0, "a", b"1")]);
    let branch = |id: u64, children: &[u64]| {
        let mut page = super::testing::header(id, 1, children.len() as u16, 0);
        for (number, child) in children.iter().enumerate() {
            let place = (children.len() - number) as u32 * 16 + number as u32;
            page.extend(place.to_le_bytes());
            page.extend(1u32.to_le_bytes());
            page.extend(child.to_le_bytes());
        }
        page.extend((0..children.len()).map(|n| b'a' + n as u8));
        page
    };
    let inline = |page: &[u8]| [&to(0), page].concat();
    let chain: Vec<Vec<u8>> = (2..80).map(|id| branch(id, &[id + 1])).collect();
    let table: Vec<(Vec<Vec<u8>>, &str)> = vec![
        (vec![], "page 2: there is no such page of data"),
        (vec![with(one(), 0, &[9])], "page 2: it has the number of another page"),
        (vec![with(one(), 8, &[4])], "page 2: it is neither a branch nor a leaf"),
        (vec![with(one(), 8, &[3])], "page 2: it is neither a branch nor a leaf"),
        (vec![with(one(), 8, &[1])], "page 2: a key is inside its table of elements"),
        (vec![with(one(), 10, &[255, 255])], "page 2: it has more elements than fit it"),
        (vec![with(one(), 12, &[1])], "page 2: it overflows past the end"),
        (vec![with(one(), 12, &[255; 4])], "page 2: it overflows past the end"),
        (vec![with(one(), 16, &[2])], "page 2: an element of it cannot be read"),
        (vec![with(one(), 20, &[255; 4])], "page 2: a key is outside it"),
        (vec![with(one(), 20, &[0; 4])], "page 2: a key is inside its table of elements"),
        (vec![with(one(), 24, &[255; 4])], "page 2: a key is outside it"),
        (vec![with(one(), 28, &[255; 4])], "page 2: a value is outside it"),
        (vec![with(one(), 8, &[1, 0, 0, 0])], "page 2: it is a branch with nothing below"),
        (vec![leaf(2, &[(0, "b", b""), (0, "a", b"")])], "page 2: its keys are not in order"),
        (vec![leaf(2, &[(0, "a", b""), (0, "a", b"")])], "page 2: its keys are not in order"),
        (vec![branch(2, &[2])], "page 2: it is reached a second time"),
        (vec![branch(2, &[3, 3]), leaf(3, &[])], "page 3: it is reached a second time"),
        (vec![branch(2, &[0])], "page 0: there is no such page of data"),
        (vec![branch(2, &[u64::MAX])], "page 18446744073709551615: there is no such page of data"),
        (
            vec![branch(2, &[3, 4]), leaf(3, &[(0, "b", b"")]), leaf(4, &[(0, "a", b"")])],
            "page 4: its keys do not follow those before it",
        ),
        (chain, "page 65: there are too many branches above it"),
        (vec![leaf(2, &[(1, "a", b"")])], "page 2: a bucket in it is shorter than its header"),
        (
            vec![leaf(2, &[(1, "a", &to(0))])],
            "page 2: a bucket in it has neither a page nor one inside",
        ),
        (vec![leaf(2, &[(1, "a", &to(2))])], "page 2: it is reached a second time"),
        (vec![leaf(2, &[(1, "a", &to(7))])], "page 7: there is no such page of data"),
        (
            vec![leaf(2, &[(1, "a", &to(3)), (1, "b", &to(3))]), leaf(3, &[])],
            "page 3: it is reached a second time",
        ),
        (
            vec![leaf(2, &[(1, "a", &inline(&branch(0, &[3])))]), leaf(3, &[])],
            "page 2: a bucket inside it has branches",
        ),
        (
            vec![leaf(2, &[(1, "a", &inline(&with(one(), 28, &[255])))])],
            "page 2: a value is outside it",
        ),
        (
            // The second element is inside of the first one's value.
            vec![with(
                leaf(2, &[(0, "a", &[b'b'; 600]), (0, "b", &[])]),
                36,
                &[17, 0, 0, 0, 1, 0, 0, 0, 0x26, 2],
            )],
            "page 2: its elements are longer together than it is",
        ),
    ];
    for (pages, wanted) in table {
        assert_eq!(refused(&pages), wanted);
    }
}

#[test]
fn a_file_that_is_none_says_why() {
    let good = sample().file(SIZE);
    let meta_at = |at: usize, bytes: &[u8]| {
        let mut file = good.clone();
        for place in [at, at + SIZE] {
            file[place..place + bytes.len()].copy_from_slice(bytes);
        }
        file
    };
    let zero_size = [meta(0, 0, 2, 3, 1), vec![0; 4 * SIZE]].concat();
    let table = [
        (Vec::new(), "it is too short"),
        (vec![0; 79], "it is too short"),
        (vec![0; 5000], "it begins with other bytes"),
        (meta_at(16, b"x"), "it begins with other bytes"),
        (meta_at(20, &[3]), "it is of another version than 2"),
        (meta_at(32, &[9]), "its meta page does not have the sum that it was written with"),
        (meta_at(8, &[2]), "its first page is no meta page"),
        (zero_size, "its pages are of a size that is not known"),
    ];
    for (file, why) in table {
        let error = Database::from_bytes(file).err().unwrap().to_string();
        assert_eq!(error, format!("these bytes is no bbolt file: {why}"));
    }
}

#[test]
fn a_file_cut_short_is_an_error_wherever_it_is_cut() {
    let mut tree = Tree::default();
    tree.put(&["a", "b"], "c");
    tree.put(&["large", "value"], &"x".repeat(3000));
    let file = tree.file(SIZE);
    assert_eq!(read_bytes(&file).unwrap(), tree);
    for length in 0..file.len() {
        assert!(read_bytes(&file[..length]).is_err(), "{length}");
    }
}

/// The fuzzer's seeds are files of this writer, so that it begins with what is well formed. With
/// `CLEANBILL_WRITE_SEEDS` set, they are written anew.
#[test]
fn the_seeds_of_the_fuzzer_are_whole() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/seeds/bbolt");
    let mut small = Tree::default();
    small.put(&["inline", "a"], "1");
    let mut branches = Tree::default();
    for number in 0..40 {
        branches.put(&["b", &format!("key {number:02}")], &"v".repeat(100));
    }
    let mut long = small.clone();
    long.put(&["long"], &"x".repeat(1500));
    for (name, tree) in [("inline", small), ("branches", branches), ("overflow", long)] {
        let path = format!("{folder}/{name}");
        if std::env::var_os("CLEANBILL_WRITE_SEEDS").is_some() {
            std::fs::create_dir_all(folder).unwrap();
            std::fs::write(&path, tree.file(SIZE)).unwrap();
        }
        assert_eq!(read_bytes(&std::fs::read(path).unwrap()).unwrap(), tree, "{name}");
    }
}

proptest! {
    #[test]
    fn no_flipped_bits_make_it_panic_or_go_on_for_ever(
        flips in proptest::collection::vec((any::<prop::sample::Index>(), 0u8..8), 1..12),
    ) {
        let mut file = sample().file(SIZE);
        for (at, bit) in flips {
            // Past the meta pages, whose sum would find it.
            let at = 2 * SIZE + at.index(file.len() - 2 * SIZE);
            file[at] ^= 1 << bit;
        }
        drop(read_bytes(&file));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        drop(read_bytes(&bytes));
        let mut file = sample().file(SIZE);
        file.truncate(3 * SIZE);
        file.extend(bytes);
        drop(read_bytes(&file));
    }

    #[test]
    fn any_tree_is_read_as_it_was_written(
        entries in proptest::collection::vec(
            (proptest::collection::vec("[a-c]{1,3}", 1..4), ".{0,300}"), 0..60),
    ) {
        let mut tree = Tree::default();
        for (path, value) in entries {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            tree.put(&path, &value);
        }
        prop_assert_eq!(read_bytes(&tree.file(SIZE)).unwrap(), tree);
    }
}
