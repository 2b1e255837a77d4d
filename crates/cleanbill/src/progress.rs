//! What is being done, on one line of a terminal; silent everywhere else.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::report::text;

/// Tells a waiting person what is going on. Shared by reference between threads.
#[derive(Debug, Default)]
pub struct Progress {
    line: Option<Mutex<Line>>,
}

#[derive(Debug)]
struct Line {
    shown: bool,
    last: Option<Instant>,
}

/// No more often than this is the line drawn anew.
const EVERY: Duration = Duration::from_millis(50);
/// Longer lines would wrap, and then could not be wiped.
const COLUMNS: usize = 78;

impl Progress {
    /// Shown if standard error is a terminal and `wanted`.
    pub fn new(wanted: bool) -> Self {
        let shown = wanted && std::io::stderr().is_terminal();
        Self { line: shown.then(|| Mutex::new(Line { shown: false, last: None })) }
    }

    /// Shows what is being done now, unless something else was shown a moment ago.
    pub fn step(&self, what: &str) {
        let Some(line) = &self.line else { return };
        // A thread that panicked while drawing has spoilt nothing worth keeping.
        let mut line = line.lock().unwrap_or_else(|e| e.into_inner());
        if line.last.is_some_and(|t| t.elapsed() < EVERY) {
            return;
        }
        let mut shown = text::printable(what);
        shown.truncate(COLUMNS);
        // Progress is a courtesy: failing to show it is no reason to fail.
        _ = write!(std::io::stderr().lock(), "\r\x1b[2K{shown}");
        *line = Line { shown: true, last: Some(Instant::now()) };
    }

    /// Says something on standard error that is worth knowing and changes no result, on a terminal
    /// or not.
    pub fn note(&self, what: &str) {
        self.clear();
        _ = writeln!(std::io::stderr().lock(), "note: {}", text::printable_lines(what));
    }

    /// Wipes the line; call before printing anything else.
    pub fn clear(&self) {
        let Some(line) = &self.line else { return };
        let mut line = line.lock().unwrap_or_else(|e| e.into_inner());
        if line.shown {
            _ = write!(std::io::stderr().lock(), "\r\x1b[2K");
            line.shown = false;
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}
