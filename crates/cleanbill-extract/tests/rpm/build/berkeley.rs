//! Writes a small Berkeley DB of the hash layout: one page a bucket and, where that is full, a
//! chain of more.

/// A database with these headers, numbered from 1, in so many buckets.
pub fn database(big_endian: bool, page_size: usize, buckets: u32, blobs: &[Vec<u8>]) -> Vec<u8> {
    let mut file = File { big_endian, page_size, pages: vec![vec![0; page_size]] };
    for number in 1..=buckets {
        let page = file.page(13);
        assert_eq!(page, number);
    }
    let highest = u32::try_from(blobs.len()).unwrap().to_le_bytes().to_vec();
    file.add(1, [0; 4].to_vec(), highest);
    for (number, blob) in (1u32..).zip(blobs) {
        let key = file.u32(number);
        file.add(number % buckets + 1, key, blob.clone());
    }
    let last = u32::try_from(file.pages.len()).unwrap() - 1;
    let numbers = [(12, 0x0006_1561), (16, 9), (32, last), (72, buckets - 1)];
    for (at, number) in numbers.into_iter().chain((0..32).map(|n| (96 + 4 * n, 1))) {
        file.put(0, at, number);
    }
    file.put(0, 20, u32::try_from(page_size).unwrap());
    file.pages[0][25] = 8;
    file.pages.concat()
}

struct File {
    big_endian: bool,
    page_size: usize,
    pages: Vec<Vec<u8>>,
}

impl File {
    fn u32(&self, number: u32) -> Vec<u8> {
        if self.big_endian { number.to_be_bytes() } else { number.to_le_bytes() }.to_vec()
    }

    fn put(&mut self, page: u32, at: usize, number: u32) {
        let bytes = self.u32(number);
        self.pages[page as usize][at..at + 4].copy_from_slice(&bytes);
    }

    fn put16(&mut self, page: u32, at: usize, number: usize) {
        let number = u16::try_from(number).unwrap();
        let bytes = if self.big_endian { number.to_be_bytes() } else { number.to_le_bytes() };
        self.pages[page as usize][at..at + 2].copy_from_slice(&bytes);
    }

    fn get(&self, page: u32, at: usize, length: usize) -> usize {
        let bytes = &self.pages[page as usize][at..at + length];
        let fold = |n: usize, b: &u8| n << 8 | usize::from(*b);
        if self.big_endian { bytes.iter().fold(0, fold) } else { bytes.iter().rev().fold(0, fold) }
    }

    fn page(&mut self, kind: u8) -> u32 {
        let number = u32::try_from(self.pages.len()).unwrap();
        self.pages.push(vec![0; self.page_size]);
        self.put(number, 8, number);
        self.pages[number as usize][25] = kind;
        number
    }

    /// Puts a pair on a page or, where that is full, on the next one.
    fn add(&mut self, page: u32, key: Vec<u8>, value: Vec<u8>) {
        let key = [vec![1], key].concat();
        let value = if value.len() > self.page_size / 4 {
            let first = self.chain(&value);
            let length = u32::try_from(value.len()).unwrap();
            [vec![3, 0, 0, 0], self.u32(first), self.u32(length)].concat()
        } else {
            [vec![1], value].concat()
        };
        let mut page = page;
        loop {
            let items = self.get(page, 20, 2);
            let end =
                if items == 0 { self.page_size } else { self.get(page, 26 + 2 * (items - 1), 2) };
            if 26 + 2 * (items + 2) + key.len() + value.len() <= end {
                let at = [end - key.len(), end - key.len() - value.len()];
                self.put16(page, 26 + 2 * items, at[0]);
                self.put16(page, 28 + 2 * items, at[1]);
                self.put16(page, 20, items + 2);
                let bytes = &mut self.pages[page as usize];
                bytes[at[0]..end].copy_from_slice(&key);
                bytes[at[1]..at[0]].copy_from_slice(&value);
                return;
            }
            let next = self.get(page, 16, 4);
            page = if next == 0 {
                let new = self.page(13);
                self.put(page, 16, new);
                new
            } else {
                u32::try_from(next).unwrap()
            };
        }
    }

    fn chain(&mut self, value: &[u8]) -> u32 {
        let mut first = 0;
        let mut before = None;
        for part in value.chunks(self.page_size - 26) {
            let page = self.page(7);
            self.put16(page, 22, part.len());
            self.pages[page as usize][26..26 + part.len()].copy_from_slice(part);
            match before.replace(page) {
                None => first = page,
                Some(before) => self.put(before, 16, page),
            }
        }
        first
    }
}
