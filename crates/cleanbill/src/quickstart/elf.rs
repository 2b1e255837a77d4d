//! A program as Go's linker leaves it, as far as a scanner looks: an x86-64 ELF file whose
//! `.go.buildinfo` section says which modules it was built from. Ours, made here byte by byte; it
//! runs, and does nothing but end.
//!
//! Formats: System V ABI (ELF-64), Go's `debug/buildinfo` (inline form, since Go 1.18).

/// Where the file is mapped, and how far above it the part that may be written.
const BASE: u64 = 0x40_0000;
const DATA: u64 = BASE + 0x1000;
/// Go looks for the section at multiples of this.
const ALIGN: usize = 16;
const FILE_HEADER: usize = 64;
const PROGRAM_HEADER: usize = 56;
/// What stands around the module text, so that it can be found in memory.
const MODULES_BEGIN: [u8; 16] =
    *b"\x30\x77\xaf\x0c\x92\x74\x08\x02\x41\xe1\xc1\x07\xe6\xd6\x18\xe6";
const MODULES_END: [u8; 16] = *b"\xf9\x32\x43\x31\x86\x18\x20\x72\x00\x82\x42\x10\x41\x16\xd8\xf2";
/// `mov eax, 60; xor edi, edi; syscall`: exit(0).
const CODE: [u8; 9] = [0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05];
const NAMES: &[u8] = b"\0.go.buildinfo\0.shstrtab\0";

/// A program built by this toolchain (`go1.27.2`) from these modules: lines of `path`, `mod`,
/// `dep` and `build` as `go version -m` shows them, with tabs.
pub fn go_program(toolchain: &str, modules: &str) -> Vec<u8> {
    let mut info = b"\xff Go buildinf:\x08\x02".to_vec();
    info.resize(32, 0);
    string(&mut info, toolchain.as_bytes());
    string(&mut info, &[&MODULES_BEGIN, modules.as_bytes(), &MODULES_END[..]].concat());

    let code_at = FILE_HEADER + 2 * PROGRAM_HEADER;
    let info_at = (code_at + CODE.len()).next_multiple_of(ALIGN);
    let names_at = info_at + info.len();
    let sections_at = (names_at + NAMES.len()).next_multiple_of(8);

    let mut out = header(code_at, sections_at);
    // Code up to the build information, which is data, and nothing else is mapped.
    out.extend(segment(5, BASE, 0, info_at));
    out.extend(segment(6, DATA, info_at, info.len()));
    out.extend(CODE);
    out.resize(info_at, 0);
    out.extend_from_slice(&info);
    out.extend_from_slice(NAMES);
    out.resize(sections_at, 0);
    out.extend([0; 64]);
    // Section 1: bits of the program that are loaded and writable, as Go's linker marks it.
    out.extend(section(1, 1, 3, DATA + number(info_at), info_at, info.len()));
    // Section 2: the names.
    out.extend(section(15, 3, 0, 0, names_at, NAMES.len()));
    out
}

fn header(code_at: usize, sections_at: usize) -> Vec<u8> {
    let mut out = b"\x7fELF\x02\x01\x01".to_vec();
    out.resize(16, 0);
    out.extend([2u16, 62].iter().flat_map(|n| n.to_le_bytes())); // executable, x86-64
    out.extend(1u32.to_le_bytes());
    let places = [BASE + number(code_at), number(FILE_HEADER), number(sections_at)];
    out.extend(places.iter().flat_map(|n| n.to_le_bytes()));
    out.extend(0u32.to_le_bytes());
    out.extend([64u16, 56, 2, 64, 3, 2].iter().flat_map(|n| n.to_le_bytes()));
    out
}

/// A part of the file that is mapped, at the same distance from `base` as from the file's
/// beginning.
fn segment(flags: u32, base: u64, at: usize, size: usize) -> Vec<u8> {
    let mut out = [1, flags].iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<_>>();
    let address = base + number(at);
    let long = [number(at), address, address, number(size), number(size), 0x1000];
    out.extend(long.iter().flat_map(|n| n.to_le_bytes()));
    out
}

fn section(name: u32, kind: u32, flags: u64, address: u64, at: usize, size: usize) -> Vec<u8> {
    let mut out = [name, kind].iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<_>>();
    let long = [flags, address, number(at), number(size)];
    out.extend(long.iter().flat_map(|n| n.to_le_bytes()));
    out.extend([0u32; 2].iter().flat_map(|n| n.to_le_bytes()));
    out.extend([number(ALIGN), 0].iter().flat_map(|n| n.to_le_bytes()));
    out
}

fn number(n: usize) -> u64 {
    n as u64
}

/// A length as a base-128 varint, then the bytes.
fn string(out: &mut Vec<u8>, bytes: &[u8]) {
    let mut left = bytes.len();
    while left >= 0x80 {
        out.push((left & 0x7f) as u8 | 0x80);
        left >>= 7;
    }
    out.push(left as u8);
    out.extend_from_slice(bytes);
}
