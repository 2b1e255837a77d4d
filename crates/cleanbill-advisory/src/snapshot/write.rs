//! Writing a snapshot.

use std::io::Write;

use cleanbill_core::digest::Digest;
use sha2::{Digest as _, Sha256};

use super::block::BlockWriter;
use super::content_sets::ContentSets;
use super::flaws;
use super::index::{Entry, Index};
use super::{BLOCK_MAX, BLOCK_TARGET, MAGIC, header};
use crate::error::{Error, ErrorKind, Result};
use crate::gather::Gathered;

/// Slow to write, as fast to read as any other level: snapshots are read far more often.
const LEVEL: i32 = 19;
/// Flaws in a block: with an EPSS and two ratings each about as much as other blocks hold.
const FLAWS: usize = 4096;

/// Writes what was gathered, and returns the snapshot's digest. The same facts (after
/// [`Gathered::sort`]) always give the same bytes.
///
/// # Errors
/// When writing fails, or one package has more advisories than a block can hold.
pub fn write(gathered: &Gathered, out: &mut dyn Write) -> Result<Digest> {
    let mut sink = Sink { out, offset: 0 };
    sink.put(&header())?;
    let mut index = Index {
        feeds: gathered.feeds.clone(),
        lives: gathered.lives.clone(),
        exploited: gathered.flaws.values().filter(|facts| facts.exploited).count() as u64,
        blocks: Vec::new(),
        flaws: Vec::new(),
        ignored: gathered.ignored.clone(),
        content_sets: ContentSets::new(&gathered.content_sets),
    };
    let mut open: Option<((String, String), BlockWriter)> = None;
    for ((stream, name), advisories) in &gathered.advisories {
        let (_, block) =
            open.get_or_insert_with(|| ((stream.clone(), name.clone()), BlockWriter::default()));
        block.push(stream, name, advisories);
        if block.len() >= BLOCK_TARGET
            && let Some((first, block)) = open.take()
        {
            index.blocks.push(sink.block(first, &block.finish())?);
        }
    }
    if let Some((first, block)) = open.filter(|(_, b)| !b.is_empty()) {
        index.blocks.push(sink.block(first, &block.finish())?);
    }
    let flaws: Vec<_> = gathered.flaws.iter().collect();
    for some in flaws.chunks(FLAWS) {
        let first = some.first().map(|(id, _)| (*id).clone()).unwrap_or_default();
        index.flaws.push(sink.block((String::new(), first), &flaws::encode(some))?);
    }
    let encoded = index.encode();
    let digest: [u8; 32] =
        Sha256::new().chain_update(header()).chain_update(&encoded).finalize().into();
    let at = sink.offset;
    sink.put(&encoded)?;
    sink.put(&at.to_le_bytes())?;
    sink.put(&(encoded.len() as u64).to_le_bytes())?;
    sink.put(&digest)?;
    sink.put(&MAGIC)?;
    Ok(Digest::Sha256(digest))
}

struct Sink<'w> {
    out: &'w mut dyn Write,
    offset: u64,
}

impl Sink<'_> {
    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.offset += bytes.len() as u64;
        self.out
            .write_all(bytes)
            .map_err(|e| Error::unwritten("the snapshot could not be written", e))
    }

    fn block(&mut self, first: (String, String), plain: &[u8]) -> Result<Entry> {
        if plain.len() > BLOCK_MAX {
            let message = format!(
                "the advisories of {} {} take {} bytes: at most {BLOCK_MAX} fit a block",
                first.0,
                first.1,
                plain.len()
            );
            return Err(Error::new(ErrorKind::OverLimit, message));
        }
        let stored = zstd::bulk::compress(plain, LEVEL)
            .map_err(|e| Error::new(ErrorKind::Io, "a block could not be compressed").because(e))?;
        let entry = Entry {
            first,
            offset: self.offset,
            stored: stored.len() as u64,
            plain: plain.len() as u64,
            hash: Sha256::digest(&stored).into(),
        };
        self.put(&stored)?;
        Ok(entry)
    }
}
