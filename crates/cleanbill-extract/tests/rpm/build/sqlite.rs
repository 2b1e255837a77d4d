//! Writes a small SQLite database with the one table that is read, and a write-ahead log.

/// A database with these headers, numbered from 1.
pub fn database(page_size: usize, reserved: u8, blobs: &[Vec<u8>]) -> Vec<u8> {
    let usable = page_size - usize::from(reserved);
    let mut file = File { page_size, usable, pages: Vec::new() };
    let (schema, root) = (file.page(), file.page());
    let sql = "CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT,blob BLOB NOT NULL)";
    let mut row = vec![7, 23, 29, 29, 1];
    row.extend(varint(13 + 2 * sql.len() as u64));
    row.extend([b"table", &b"Packages"[..], b"Packages", &[u8::try_from(root).unwrap()]].concat());
    row.extend(sql.as_bytes());
    let cell = file.cell(1, &row);
    file.leaf(schema, 100, &[cell]);
    let (mut leaves, mut open) = (vec![Vec::new()], 0);
    for (number, blob) in (1u64..).zip(blobs) {
        let kind = varint(12 + 2 * blob.len() as u64);
        let head = u8::try_from(kind.len()).unwrap() + 2;
        let cell = file.cell(number, &[vec![head, 0], kind, blob.clone()].concat());
        if open + cell.len() + 2 > usable - 8 {
            leaves.push(Vec::new());
            open = 0;
        }
        open += cell.len() + 2;
        leaves.last_mut().unwrap().push((number, cell));
    }
    let cells = |leaf: &Vec<(u64, Vec<u8>)>| -> Vec<Vec<u8>> {
        leaf.iter().map(|(_, cell)| cell.clone()).collect()
    };
    if let [leaf] = &leaves[..] {
        file.leaf(root, 0, &cells(leaf));
    } else {
        let mut children = Vec::new();
        for leaf in &leaves {
            let page = file.page();
            file.leaf(page, 0, &cells(leaf));
            let key = leaf.last().map_or(0, |(number, _)| *number);
            children.push([page.to_be_bytes().to_vec(), varint(key)].concat());
        }
        let last = children.pop().unwrap();
        file.fill(root, 0, 5, &children);
        file.pages[root as usize - 1][8..12].copy_from_slice(&last[..4]);
    }
    let count = u32::try_from(file.pages.len()).unwrap().to_be_bytes();
    let head = &mut file.pages[0];
    head[..16].copy_from_slice(b"SQLite format 3\0");
    head[16..18].copy_from_slice(&u16::try_from(page_size % 65535).unwrap().to_be_bytes());
    head[18..24].copy_from_slice(&[2, 2, reserved, 64, 32, 32]);
    head[28..32].copy_from_slice(&count);
    head[59] = 1;
    file.pages.concat()
}

/// A log that brings these pages in one transaction, after which the database has `count`.
pub fn log(big_endian: bool, page_size: usize, pages: &[(u32, Vec<u8>)], count: u32) -> Vec<u8> {
    let mut log = Vec::new();
    let magic = 0x377f_0682 + u32::from(big_endian);
    for n in [magic, 3_007_000, u32::try_from(page_size).unwrap(), 0, 0xaaaa_0001, 0xbbbb_0002] {
        log.extend(n.to_be_bytes());
    }
    let mut sum = checksum(big_endian, (0, 0), &log);
    log.extend([sum.0.to_be_bytes(), sum.1.to_be_bytes()].concat());
    for (at, (number, page)) in pages.iter().enumerate() {
        let commit = if at + 1 == pages.len() { count } else { 0 };
        let head = [number.to_be_bytes(), commit.to_be_bytes()].concat();
        sum = checksum(big_endian, checksum(big_endian, sum, &head), page);
        log.extend(head);
        for n in [0xaaaa_0001, 0xbbbb_0002, sum.0, sum.1] {
            log.extend(u32::to_be_bytes(n));
        }
        log.extend(page);
    }
    log
}

fn checksum(big_endian: bool, (mut a, mut b): (u32, u32), bytes: &[u8]) -> (u32, u32) {
    for pair in bytes.chunks(8) {
        let word = |at: usize| {
            let word: [u8; 4] = pair[at..at + 4].try_into().unwrap();
            if big_endian { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) }
        };
        a = a.wrapping_add(word(0)).wrapping_add(b);
        b = b.wrapping_add(word(4)).wrapping_add(a);
    }
    (a, b)
}

struct File {
    page_size: usize,
    usable: usize,
    pages: Vec<Vec<u8>>,
}

impl File {
    /// The number of a new page.
    fn page(&mut self) -> u32 {
        self.pages.push(vec![0; self.page_size]);
        u32::try_from(self.pages.len()).unwrap()
    }

    /// A leaf's cell, with its overflow pages.
    fn cell(&mut self, number: u64, payload: &[u8]) -> Vec<u8> {
        let most = self.usable - 35;
        let mut cell = [varint(payload.len() as u64), varint(number)].concat();
        let here = if payload.len() <= most {
            payload.len()
        } else {
            let least = (self.usable - 12) * 32 / 255 - 23;
            let fits = least + (payload.len() - least) % (self.usable - 4);
            if fits <= most { fits } else { least }
        };
        cell.extend(&payload[..here]);
        let parts: Vec<&[u8]> = payload[here..].chunks(self.usable - 4).collect();
        let pages: Vec<u32> = parts.iter().map(|_| self.page()).collect();
        for (at, part) in parts.iter().enumerate() {
            let next = pages.get(at + 1).copied().unwrap_or(0);
            let page = &mut self.pages[pages[at] as usize - 1];
            page[..4].copy_from_slice(&next.to_be_bytes());
            page[4..4 + part.len()].copy_from_slice(part);
        }
        if let Some(first) = pages.first() {
            cell.extend(first.to_be_bytes());
        }
        cell
    }

    fn leaf(&mut self, page: u32, at: usize, cells: &[Vec<u8>]) {
        self.fill(page, at, 13, cells);
    }

    fn fill(&mut self, page: u32, at: usize, kind: u8, cells: &[Vec<u8>]) {
        let mut end = self.usable;
        let pointers = at + if kind == 5 { 12 } else { 8 };
        let page = &mut self.pages[page as usize - 1];
        page[at] = kind;
        page[at + 3..at + 5].copy_from_slice(&u16::try_from(cells.len()).unwrap().to_be_bytes());
        for (n, cell) in cells.iter().enumerate() {
            end -= cell.len();
            page[end..end + cell.len()].copy_from_slice(cell);
            let pointer = u16::try_from(end).unwrap().to_be_bytes();
            page[pointers + 2 * n..pointers + 2 * n + 2].copy_from_slice(&pointer);
        }
    }
}

/// SQLite's number of variable length, below 2^56.
fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = vec![u8::try_from(number & 0x7f).unwrap()];
    while number > 0x7f {
        number >>= 7;
        bytes.insert(0, u8::try_from(number & 0x7f).unwrap() | 0x80);
    }
    bytes
}
