//! Which advisories are used, and how old they may be.

use std::path::PathBuf;

use crate::commands::access::variable;
use crate::failure::Result;

/// Flags about advisories.
#[derive(Debug, clap::Args)]
pub struct FactsArgs {
    /// Advisory snapshot (or CLEANBILL_DB; default: newest, else starter)
    #[arg(long, value_name = "FILE")]
    pub db: Option<PathBuf>,
}

impl FactsArgs {
    /// The snapshot file that is asked for; `None`: the default one.
    ///
    /// # Errors
    /// When the environment names one that cannot be a path.
    pub fn snapshot(&self) -> Result<Option<PathBuf>> {
        match &self.db {
            Some(path) => Ok(Some(path.clone())),
            None => Ok(variable("CLEANBILL_DB")?.map(PathBuf::from)),
        }
    }
}

/// Which advisories are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The snapshot file; `None`: the default one.
    pub snapshot: Option<PathBuf>,
    /// How old a feed may be, in days, before its use is a gap.
    pub max_age_days: u32,
}

impl FactsArgs {
    /// What is wanted, complete.
    ///
    /// # Errors
    /// As [`FactsArgs::snapshot`].
    pub fn wanted(&self, max_age_days: u32) -> Result<Facts> {
        Ok(Facts { snapshot: self.snapshot()?, max_age_days })
    }
}
