//! What bounding facts costs: `facts DIR IMAGES KIBIBYTES`.
//!
//! Fills a store with facts of that size, reads all of them a day later, marks them as used, and
//! lets half of them go; says how much was written and how long others had to wait.
#![allow(clippy::print_stdout, clippy::unwrap_used)] // A measurement, for whoever develops.

use std::path::Path;
use std::time::{Duration, Instant};

use cleanbill::store::{Owner, Room, Store};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [dir, images, size] = arguments.as_slice() else {
        println!("usage: facts DIR IMAGES KIBIBYTES");
        return;
    };
    let (images, size): (u64, usize) = (images.parse().unwrap(), size.parse().unwrap());
    let dir = Path::new(dir);
    let store = Store::open(dir, Owner::Gate).unwrap();
    let mut state = 1_u64;
    for image in 0..images {
        let mut noise = String::with_capacity(size << 11);
        while noise.len() < size << 11 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695);
            noise.push(char::from(b'a' + (state >> 60) as u8));
        }
        store.put_image(&image, &noise).unwrap();
    }
    let raw = rusqlite::Connection::open(dir.join("evidence.db")).unwrap();
    raw.execute_batch("UPDATE images SET used = used - 90000; PRAGMA wal_checkpoint(TRUNCATE)")
        .unwrap();
    let wal = || dir.join("evidence.db-wal").metadata().map_or(0, |meta| meta.len());
    let whole = store.facts_size().unwrap();
    println!("{images} rows, {} MiB", whole >> 20);
    let began = Instant::now();
    for image in 0..images {
        store.image::<String>(&image).unwrap().unwrap();
    }
    println!("read in {:?}, {} bytes written", began.elapsed(), wal());
    let (pieces, longest) = each(|| store.mark_used().unwrap());
    println!("marked in {pieces} pieces, the longest {longest:?}, {} bytes written", wal());
    raw.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let store = store.within(Room { facts: whole / 2, ..Room::default() });
    let (pieces, longest) = each(|| store.make_room().unwrap());
    println!("half gone in {pieces} pieces, the longest {longest:?}, {} bytes written", wal());
    let began = Instant::now();
    let left = store.facts_size().unwrap();
    println!("{} MiB left, counted in {:?}", left >> 20, began.elapsed());
}

fn each(mut piece: impl FnMut() -> bool) -> (u32, Duration) {
    let (mut pieces, mut longest) = (0, Duration::ZERO);
    loop {
        let began = Instant::now();
        let more = piece();
        longest = longest.max(began.elapsed());
        pieces += 1;
        if !more {
            return (pieces, longest);
        }
    }
}
