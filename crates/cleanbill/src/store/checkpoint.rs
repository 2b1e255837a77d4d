//! Moves what was committed from the write-ahead log into the file, beside the journal, so that no
//! decision waits for it.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use rusqlite::Connection;

use super::open::{self, Sync};
use super::turn::Turn;
use crate::failure::Result;

/// It is done at least so often while there is something to move.
const AT_LEAST: Duration = Duration::from_secs(5);
/// Pages in the log (4 KiB each) past which the writers wait until all of it has been moved, since
/// the log can only be begun anew when nothing is left in it.
const LOG_PAGES: i64 = 16_384;

/// Runs until the other end of `wanted` is dropped; each word on it asks for one more time.
pub(super) fn run(path: &Path, wanted: &Receiver<()>, turn: &Arc<Turn>) {
    let mut connection = None;
    while !matches!(wanted.recv_timeout(AT_LEAST), Err(RecvTimeoutError::Disconnected)) {
        if let Err(e) = once(path, &mut connection, turn) {
            // The log grows meanwhile; when the disk is full, recording fails and says so.
            tracing::warn!(error = %e, "the log could not be moved into the store");
            connection = None;
        }
    }
}

fn once(path: &Path, kept: &mut Option<Connection>, turn: &Turn) -> Result<()> {
    let connection = match kept {
        Some(connection) => connection,
        None => kept.insert(open::again(path, Sync::Full)?),
    };
    let step = || {
        connection
            .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get::<_, i64>(1))
            .map_err(|e| open::wrong_sql(path, &e))
    };
    if step()? > LOG_PAGES {
        let _held = turn.wait();
        step()?;
    }
    Ok(())
}
