//! Small programs, built here byte by byte, in the forms that Go's linker has written.

use proptest::prelude::*;

use super::buildinfo::{END, START};
use super::scan;

const LIMIT: u64 = 4096;
const MODULES: &str = "path\ta\nmod\ta\tv1.0.0\th1:x=\ndep\tb\tv2.0.0\th1:y=\n";

#[derive(Clone, Copy, Debug)]
struct Form {
    wide: bool,
    big: bool,
    /// Strings after the header (Go 1.18) rather than pointers.
    inline: bool,
    /// The strings' headers stand before the build information, as GNU ld puts them.
    data_first: bool,
}

fn number(out: &mut Vec<u8>, n: u64, size: usize, big: bool) {
    let bytes = n.to_le_bytes();
    let bytes = &bytes[..size];
    if big { out.extend(bytes.iter().rev()) } else { out.extend(bytes) }
}

fn align(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(16), 0);
}

/// A program: headers, a text segment with the strings, a data segment with the build
/// information. Files are mapped at 0x400000 plus their offset.
fn program(Form { wide, big, inline, data_first }: Form, version: &str, modules: &str) -> Vec<u8> {
    const BASE: u64 = 0x40_0000;
    let word = if wide { 8 } else { 4 };
    let framed = [START, modules.as_bytes(), END].concat();
    // Text: the strings among others like them.
    let header = if wide { 64 + 2 * 56 } else { 64 + 2 * 32 };
    let mut text = vec![0; header];
    text.extend(b"go1.go1.0 wrong go1.2go1.99xx");
    let version_at = text.len() as u64;
    text.extend(version.as_bytes());
    text.extend(b"go1.1 other");
    let modules_at = text.len() as u64;
    text.extend(&framed);
    align(&mut text);
    // Data.
    let start = text.len() as u64;
    let mut data = b"some data of the program, then\xff Go buildinf: unaligned".to_vec();
    align(&mut data);
    let strings = |out: &mut Vec<u8>| {
        for (at, length) in [(version_at, version.len()), (modules_at, framed.len())] {
            number(out, BASE + at, word, big);
            number(out, length as u64, word, big);
        }
        align(out);
    };
    let mut strings_at = start + data.len() as u64;
    if data_first {
        strings(&mut data);
    } else {
        strings_at += 32;
    }
    data.extend(b"\xff Go buildinf:");
    data.push(u8::try_from(word).unwrap());
    data.push(u8::from(inline) << 1 | u8::from(big));
    if inline {
        data.extend([0; 16]);
        for bytes in [version.as_bytes(), &framed] {
            let mut length = bytes.len();
            while length >= 0x80 {
                data.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
                length >>= 7;
            }
            data.push(u8::try_from(length).unwrap());
            data.extend(bytes);
        }
    } else {
        number(&mut data, BASE + strings_at, word, big);
        number(&mut data, BASE + strings_at + 2 * word as u64, word, big);
        align(&mut data);
        if !data_first {
            strings(&mut data);
        }
    }
    data.extend(b"more data");
    // ELF and program headers.
    let mut head = b"\x7fELF".to_vec();
    head.extend([1 + u8::from(wide), 1 + u8::from(big), 1]);
    head.resize(16, 0);
    let put = |head: &mut Vec<u8>, n: u64, size| number(head, n, size, big);
    for (n, size) in [(2, 2), (62, 2), (1, 4), (0, word), (64, word), (0, word), (0, 4)] {
        put(&mut head, n, size);
    }
    for n in [if wide { 64 } else { 52 }, if wide { 56 } else { 32 }, 2, 0, 0, 0] {
        put(&mut head, n, 2);
    }
    head.resize(64, 0);
    for (offset, size, flags) in [(0, start, 5), (start, data.len() as u64, 6)] {
        put(&mut head, 1, 4);
        if wide {
            put(&mut head, flags, 4);
        }
        for n in [offset, BASE + offset, BASE + offset, size, size] {
            put(&mut head, n, word);
        }
        if !wide {
            put(&mut head, flags, 4);
        }
        put(&mut head, 4096, word);
    }
    text[..head.len()].copy_from_slice(&head);
    [text, data].concat()
}

fn forms() -> Vec<Form> {
    let mut all = Vec::new();
    for n in 0..16_u8 {
        let bit = |i: u8| n >> i & 1 == 1;
        all.push(Form { wide: bit(0), big: bit(1), inline: bit(2), data_first: bit(3) });
    }
    all
}

/// What a program says, as text; the same in chunks of any size.
fn says(bytes: &[u8]) -> Vec<String> {
    let text = |chunk| {
        scan(bytes, LIMIT, chunk).map(|facts| {
            let claims = facts.claims.iter().map(|c| format!("{} {}", c.name, c.version));
            claims.chain(facts.problems.iter().map(|p| p.detail.clone())).collect::<Vec<_>>()
        })
    };
    let whole = text(usize::MAX);
    for chunk in [1, 3, 16, 61, 100] {
        assert_eq!(text(chunk), whole, "in chunks of {chunk}");
    }
    whole.unwrap_or_default()
}

#[test]
fn every_form_of_build_information_is_read() {
    for form in forms() {
        let bytes = program(form, "go1.17.5", MODULES);
        assert_eq!(says(&bytes), ["stdlib v1.17.5", "a v1.0.0", "b v2.0.0"]);
    }
}

#[test]
fn what_cannot_be_read_is_told() {
    let form = Form { wide: true, big: false, inline: true, data_first: false };
    let old = Form { inline: false, ..form };
    let cut = |form, by| {
        let mut bytes = program(form, "go1.17.5", MODULES);
        bytes.truncate(bytes.len() - by);
        bytes
    };
    let info = "the build information of this Go program";
    let none = {
        let bytes = program(form, "go1.17.5", MODULES);
        let at = memchr::memmem::rfind(&bytes, b"\xff Go buildinf:").unwrap();
        let mut bytes = [&bytes[..at], &[0; 64][..]].concat();
        let note = memchr::memmem::find(&bytes, b"go1.go1.").unwrap();
        bytes[note..note + 8].copy_from_slice(b"\x04\0\0\0Go\0\0");
        bytes
    };
    let packed = {
        let mut bytes = none.clone();
        let note = memchr::memmem::find(&bytes, b"\x04\0\0\0Go\0\0").unwrap();
        bytes[note..note + 8].copy_from_slice(b"UPX!\0\0\0\0");
        bytes
    };
    let plain = {
        let mut bytes = none.clone();
        let note = memchr::memmem::find(&bytes, b"\x04\0\0\0Go\0\0").unwrap();
        bytes[note..note + 8].fill(0);
        bytes
    };
    let table: &[(Vec<u8>, &str)] = &[
        (cut(form, 80), &format!("{info} is cut off")),
        (cut(old, 41), &format!("{info} points outside of its data for the toolchain's version")),
        (
            program(old, "gone.17", MODULES),
            &format!("{info} points to a toolchain's version that is none of a release"),
        ),
        (
            program(old, "go1.17", &format!("path\t{}\n", "x".repeat(8 << 10))),
            &format!("{info} points to no list of modules within the limits"),
        ),
        (
            program(form, "go1.18", &format!("path\t{}\n", "x".repeat(8 << 10))),
            "its list of modules is longer than the limit of 4096 bytes",
        ),
        (none, "is a Go program without build information"),
        (packed, "is packed by UPX: what it was built from cannot be seen"),
    ];
    for (bytes, expected) in table {
        assert_eq!(says(bytes), [*expected]);
    }
    assert_eq!(says(&plain), [""; 0], "other programs are not ours to tell");
    assert_eq!(says(b"#!/bin/sh\n"), [""; 0]);
    assert_eq!(says(b"\x7fELF"), [""; 0]);
}

proptest! {
    #[test]
    fn damaged_programs_never_panic(
        form in prop::sample::select(forms()),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        chunk in 1_usize..300,
    ) {
        let mut bytes = program(form, "go1.17.5", MODULES);
        for (index, byte) in damage {
            // Half of it in the headers.
            let end = if byte & 1 == 0 { 200 } else { bytes.len() };
            let at = index.index(end);
            bytes[at] = byte;
        }
        let whole = scan(&bytes, LIMIT, usize::MAX);
        prop_assert_eq!(scan(&bytes, LIMIT, chunk), whole);
    }
}
