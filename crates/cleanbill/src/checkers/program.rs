//! A program on this machine that reads a question in our own format from standard input and
//! writes the answer to standard output (docs/checkers.md).

use std::time::Instant;

use super::config::ProgramConfig;
use super::run::{Ended, Runner};
use super::{Asked, Said, Silence, answer};

/// A program that answers in our own format.
pub(super) struct Program(Runner);

impl Program {
    /// Nothing is looked for yet: a program that is not there is silent when it is asked.
    pub(super) fn open(config: &ProgramConfig) -> Self {
        Self(Runner::new(config.clone()))
    }

    /// Asks until then. What the program started is gone afterwards.
    pub(super) fn ask(&self, asked: &Asked, until: Instant) -> std::result::Result<Said, Silence> {
        let run = self.0.run(&asked.document(), until)?;
        let log = format!("standard error: {}", String::from_utf8_lossy(&run.stderr));
        let said = match run.ended {
            Ended::Code(0) => answer::parse(&run.stdout, &asked.image()),
            Ended::Code(code) => Err(Silence::new(format!("it ended with exit code {code}"))),
            Ended::Signal(signal) => Err(Silence::new(format!("it was ended by signal {signal}"))),
        };
        said.map_err(|silence| if run.stderr.is_empty() { silence } else { silence.log(log) })
    }
}
