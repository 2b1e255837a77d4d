//! Writes rpm's ndb database.

const PAGE: usize = 4096;

/// A database with these headers, numbered from 1.
pub fn database(blobs: &[Vec<u8>]) -> Vec<u8> {
    // Two slots are the header's; some stay free.
    let pages = (blobs.len() + 8).div_ceil(PAGE / 16).max(1);
    let mut slots = Vec::new();
    let mut blocks = Vec::new();
    for (number, blob) in (1u32..).zip(blobs) {
        let first = u32::try_from((pages * PAGE + blocks.len()) / 16).unwrap();
        let length = u32::try_from(blob.len()).unwrap();
        let mut body = b"BlbS".to_vec();
        for n in [number, 7, length] {
            body.extend(n.to_le_bytes());
        }
        body.extend(blob);
        body.resize((body.len() + 12).next_multiple_of(16) - 12, 0);
        let sum = adler32(&body);
        body.extend(sum.to_le_bytes());
        body.extend(length.to_le_bytes());
        body.extend(b"BlbE");
        slots.extend(slot(number, first, u32::try_from(body.len() / 16).unwrap()));
        blocks.extend(body);
    }
    while slots.len() < pages * PAGE - 32 {
        slots.extend(slot(0, 0, 0));
    }
    let mut file = b"RpmP".to_vec();
    let next = u32::try_from(blobs.len()).unwrap() + 1;
    for n in [0, 9, u32::try_from(pages).unwrap(), next, 0, 0, 0] {
        file.extend(n.to_le_bytes());
    }
    [file, slots, blocks].concat()
}

fn slot(number: u32, first: u32, blocks: u32) -> Vec<u8> {
    let mut slot = b"Slot".to_vec();
    for n in [number, first, blocks] {
        slot.extend(n.to_le_bytes());
    }
    slot
}

/// Adler-32, the slow way.
fn adler32(bytes: &[u8]) -> u32 {
    let (mut a, mut b) = (1u64, 0u64);
    for byte in bytes {
        a = (a + u64::from(*byte)) % 65521;
        b = (b + a) % 65521;
    }
    u32::try_from(b << 16 | a).unwrap()
}
