//! What the exit code means; `docs/exit-codes.md` and `--help` say the same.
//!
//! Nothing but a finished job ends in 0: errors are 2, and a panic, which would be a mistake of
//! ours, ends in Rust's 101.

use std::process::ExitCode;

/// The exit code of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit(u8);

impl Exit {
    /// Done; `check`: the image may run. `scan` without `--exit-code` ends so whatever it found.
    pub const DONE: Self = Self(0);
    /// `check`: the image may not run.
    pub const DENIED: Self = Self(1);
    /// The command failed: bad usage, unreadable input, no network. `check`: could not decide.
    pub const FAILED: Self = Self(2);
    /// `why`: the image is affected.
    pub const AFFECTED: Self = Self(1);
    /// `db search`: nothing of that name is in the snapshot.
    pub const NOTHING: Self = Self(1);
    /// `doctor`: something is wrong.
    pub const ERRORS: Self = Self(1);
    /// `scan --exit-code`: no finding is left, but something was not examined. `why`: that
    /// keeps the answer open. `doctor`: nothing could be looked at. `db update`: another source than
    /// the first, or the copy of an earlier update, had to do. `register`: done, but whether the
    /// gate will look at it is not known.
    pub const GAPS: Self = Self(3);

    /// What `--exit-code N` asks for when findings are left.
    pub fn chosen(code: u8) -> Self {
        Self(code)
    }

    /// The number.
    pub fn number(self) -> u8 {
        self.0
    }

    /// For `main`.
    pub fn code(self) -> ExitCode {
        ExitCode::from(self.0)
    }
}
