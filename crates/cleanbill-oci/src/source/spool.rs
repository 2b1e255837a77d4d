//! Standard input and compressed archives, spooled into one unlinked, bounded file.
//!
//! Layers of an archive are read in parallel and in any order, which neither a pipe nor a
//! compressed file allows. The file has no name, so nothing is left behind, whatever happens.

use std::fs::File;
use std::io::{Read, Write};

use crate::blob::{Clock, Raw};
use crate::error::{Error, ErrorKind, Result};
use crate::layer::Decoder;
use crate::limits::Limit;

/// Uncompressed bytes from which on the compression ratio is held against an archive.
const RATIO_FROM: u64 = 64 << 20;

/// Writes all of `reader`, uncompressed if it is gzip or zstd, into a file without a name.
///
/// # Errors
/// When it is damaged, over the limits on spooled bytes or ratio, or the disk is full.
pub(crate) fn spool(reader: Box<dyn Read + Send>, clock: &Clock) -> Result<File> {
    let failed = |e| {
        Error::new(ErrorKind::Io, "writing the temporary file failed (TMPDIR says where it is)")
            .because(e)
    };
    let limits = &clock.limits;
    let raw = Raw::new(reader, limits.spool_bytes, None, clock.clone());
    let mut decoder = Decoder::new(raw, None).map_err(|e| over(e, clock))?;
    let mut file = tempfile::tempfile().map_err(failed)?;
    let mut buffer = vec![0; 256 << 10];
    let mut total = 0_u64;
    loop {
        let n = decoder.fill(&mut buffer).map_err(|e| over(e, clock))?;
        if n == 0 {
            return Ok(file);
        }
        total += n as u64;
        if total > limits.spool_bytes {
            return Err(limits.over(Limit::SpoolBytes));
        }
        let taken = decoder.raw().map_or(0, |r| r.taken());
        if total > RATIO_FROM && total > taken.saturating_mul(limits.ratio) {
            return Err(limits.over(Limit::Ratio));
        }
        file.write_all(buffer.get(..n).unwrap_or_default()).map_err(failed)?;
    }
}

/// Here "more than stated" means more than may be spooled.
fn over(error: Error, clock: &Clock) -> Error {
    let stated = format!("more than the {} bytes that are stated", clock.limits.spool_bytes);
    if error.to_string() == stated { clock.limits.over(Limit::SpoolBytes) } else { error }
}
