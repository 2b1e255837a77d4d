//! Small programs, built here byte by byte, with the section that cargo-auditable writes.

use std::io::Write as _;

use proptest::prelude::*;

use super::scan;

const LIST: &str = r#"{"packages":[
    {"name":"app","version":"0.1.0","source":"local","dependencies":[1],"root":true},
    {"name":"time","version":"0.1.42","source":"crates.io"},
    {"name":"cc","version":"1.0.0","source":"crates.io","kind":"build"},
    {"name":"fork","version":"2.0.0","source":"git","kind":"runtime"}],"format":1}"#;

fn zlib(text: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    out.write_all(text).unwrap();
    out.finish().unwrap()
}

/// Forms of a file.
#[derive(Clone, Copy, Debug)]
struct Form {
    wide: bool,
    big: bool,
    /// The names of sections stand before the section itself.
    names_first: bool,
}

const FORMS: [Form; 5] = [
    Form { wide: true, big: false, names_first: false },
    Form { wide: true, big: true, names_first: false },
    Form { wide: false, big: false, names_first: false },
    Form { wide: false, big: true, names_first: false },
    Form { wide: true, big: false, names_first: true },
];

/// A program with these bytes in a section of this name.
fn program(form: Form, name: &[u8], section: &[u8]) -> Vec<u8> {
    let Form { wide, big, names_first } = form;
    let number = |out: &mut Vec<u8>, n: u64, size: usize| {
        let bytes = n.to_le_bytes();
        let bytes = &bytes[..size];
        if big { out.extend(bytes.iter().rev()) } else { out.extend(bytes) }
    };
    let word = if wide { 8 } else { 4 };
    let mut body = vec![b'x'; 500]; // what is mapped, with the headers before it
    let names = [b"\0.text\0.rela", name, b"\0.shstrtab\0"].concat();
    let head = if wide { 64 + 56 } else { 52 + 32 };
    let mut place = |bytes: &[u8]| {
        let at = head + body.len();
        body.extend(bytes);
        (at as u64, bytes.len() as u64)
    };
    let (named, listed) = if names_first {
        let named = place(&names);
        (named, place(section))
    } else {
        let listed = place(section);
        (place(&names), listed)
    };
    let table = head as u64 + body.len() as u64;
    let mapped = if names_first { named.0 } else { head as u64 + 500 };
    let name_at = names.windows(name.len()).position(|w| w == name).unwrap() as u64;
    let mut out = b"\x7fELF".to_vec();
    out.extend([if wide { 2 } else { 1 }, if big { 2 } else { 1 }, 1]);
    out.resize(16, 0);
    number(&mut out, 2, 2);
    number(&mut out, 62, 2);
    number(&mut out, 1, 4);
    number(&mut out, 0, word);
    number(&mut out, if wide { 64 } else { 52 }, word);
    number(&mut out, table, word);
    number(&mut out, 0, 4);
    for n in [0, if wide { 56 } else { 32 }, 1, if wide { 64 } else { 40 }, 3, 2] {
        number(&mut out, n, 2);
    }
    // One segment that is loaded, from the beginning on.
    number(&mut out, 1, 4);
    if wide {
        number(&mut out, 5, 4);
    }
    for n in [0, 0x40_0000, 0x40_0000, mapped, mapped] {
        number(&mut out, n, word);
    }
    out.resize(head, 0);
    out.extend(&body);
    for (name, (from, size)) in [(0, (0, 0)), (name_at, listed), (1, named)] {
        number(&mut out, name, 4);
        number(&mut out, 1, 4);
        for n in [0, 0, from, size] {
            number(&mut out, n, word);
        }
        out.resize(out.len() + if wide { 24 } else { 16 }, 0);
    }
    out
}

/// Packages and problems of a program.
fn told(bytes: &[u8], chunk: usize) -> Option<(Vec<String>, Vec<String>)> {
    let facts = scan(bytes, chunk)?;
    let packages = facts.claims.iter().map(|c| format!("{} {}", c.name, c.version)).collect();
    Some((packages, facts.problems.iter().map(|p| p.detail.clone()).collect()))
}

#[test]
fn the_section_is_found_in_every_form_of_file() {
    let want = ["app 0.1.0", "time 0.1.42", "fork 2.0.0"].map(str::to_owned).to_vec();
    for form in FORMS {
        let bytes = program(form, b".dep-v0", &zlib(LIST.as_bytes()));
        for chunk in [1, 7, 8, 100, 4096, usize::MAX] {
            assert_eq!(told(&bytes, chunk), Some((want.clone(), vec![])), "{form:?} {chunk}");
        }
    }
}

#[test]
fn what_has_no_such_section_is_nothing() {
    let [form, ..] = FORMS;
    let section = zlib(LIST.as_bytes());
    let good = program(form, b".dep-v0", &section);
    let with = |at: usize, bytes: &[u8]| {
        let mut changed = good.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        changed
    };
    let table = [
        program(form, b".dep-v1", &section),
        program(form, b".dep-v0", b""),
        good[..good.len() - 64].to_vec(), // its table is cut off
        good[..60].to_vec(),
        with(4, &[3]),        // of no class
        with(40, &[0xff; 8]), // the table begins nowhere
        with(58, &[1, 0]),    // entries of one byte
        with(60, &[0, 0]),    // no sections
        with(62, &[9, 0]),    // no such section has the names
        with(32, &[0xff; 8]), // the segments begin nowhere
        b"\x7fELF".to_vec(),
        b"#!/bin/sh\n.dep-v0\0".repeat(100),
        Vec::new(),
    ];
    for (row, bytes) in table.iter().enumerate() {
        for chunk in [1, 100, usize::MAX] {
            assert_eq!(told(bytes, chunk), None, "row {row} by {chunk}");
        }
    }
}

#[test]
fn lists_that_cannot_be_read_are_told() {
    let bomb = zlib(&b" ".repeat(9 << 20));
    let cut = &zlib(LIST.as_bytes())[..40];
    let damaged = "the list of crates of this Rust program is damaged";
    let table: [(&[u8], &str); 8] = [
        (b"not zlib at all", damaged),
        (cut, damaged),
        (&zlib(b"{}"), damaged),
        (&zlib(b"[]"), damaged),
        (&zlib(br#"{"packages":[{"name":1}]}"#), damaged),
        (&zlib("[".repeat(100_000).as_bytes()), damaged),
        (&bomb, "its list of crates is longer than the limit of 8388608 bytes"),
        (
            &zlib(br#"{"packages":[{"name":"","version":"1"}]}"#),
            "the crate \"\" \"1\" lacks a name or version",
        ),
    ];
    for (section, want) in table {
        let told = told(&program(FORMS[0], b".dep-v0", section), 1000).unwrap();
        assert!(told.0.is_empty() && told.1.len() == 1, "{told:?}");
        assert!(told.1[0].starts_with(want), "{told:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn flipped_bits_never_panic(
        form in prop::sample::select(&FORMS[..]),
        flips in prop::collection::vec((any::<prop::sample::Index>(), 0..8u32), 1..6),
        chunk in 1..5000usize,
    ) {
        let mut bytes = program(form, b".dep-v0", &zlib(LIST.as_bytes()));
        for (at, bit) in flips {
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
        }
        prop_assert_eq!(told(&bytes, chunk), told(&bytes, usize::MAX));
    }
}
