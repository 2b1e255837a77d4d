//! The snapshot file: sorted blocks of advisories and a small index, in the manner of an SSTable.
//!
//! ```text
//! header   magic (8), format version (u32 LE)
//! blocks   each zstd-compressed, about 64 KiB before, with the records of consecutive keys
//! flaws    blocks of the same kind, with what is known of consecutive flaws
//! index    feeds, lives; per block: first key, offset, lengths, SHA-256; what was left out;
//!          products of repositories
//! footer   offset and length of the index (u64 LE each), digest (32), magic (8)
//! ```
//!
//! The digest is SHA-256 over the header and the index; since the index holds the hash of every
//! block, it names the whole content. Opening reads footer and index; a look-up reads one block
//! by position, checks its hash and keeps it decoded for the next one. The same facts always
//! give the same bytes. A file that was damaged gives an error, never an empty list. The hashes
//! prove integrity, not who wrote the file.
//!
//! Nothing here may panic or allocate past its bounds on any bytes: see [`Snapshot::from_bytes`].

mod block;
mod cache;
mod codec;
mod content_sets;
mod flaws;
mod index;
mod read;
mod walk;
mod write;

pub use read::Snapshot;
pub use walk::{Contents, Record};
pub use write::write;

const MAGIC: [u8; 8] = *b"CBSNAP\r\n";
/// 3: what is said of a source package is marked as such. Files of before would seem to know nothing of the
/// packages that are built from it.
const FORMAT: u32 = 3;
const HEADER: usize = 12;
const FOOTER: usize = 56;
/// Where a block is closed: what a look-up has to decompress, against what zstd can share.
const BLOCK_TARGET: usize = 64 << 10;
/// No block is larger before compression: one package with more advisories cannot be written.
const BLOCK_MAX: usize = 64 << 20;
/// No index is larger.
const INDEX_MAX: u64 = 256 << 20;

/// Reads any bytes as each of the parts behind the hashes, which no mutated file would get past: the
/// entry for fuzzing.
pub fn fuzz_parts(bytes: &[u8]) {
    drop(flaws::Flaws::parse(bytes));
    drop(index::Index::decode(bytes, HEADER as u64));
    if let Ok(block) = block::Block::parse(bytes.to_vec()) {
        _ = block.check();
        let key = block.first_key().map(|(stream, name)| (stream.to_owned(), name.to_owned()));
        drop(key.map(|(stream, name)| block.get(&stream, &name)));
    }
}

fn header() -> [u8; HEADER] {
    let mut out = [0; HEADER];
    let (magic, format) = out.split_at_mut(8);
    magic.copy_from_slice(&MAGIC);
    format.copy_from_slice(&FORMAT.to_le_bytes());
    out
}

#[cfg(test)]
mod tests;
