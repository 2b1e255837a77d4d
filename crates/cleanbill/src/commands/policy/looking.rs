//! How the policy commands look at images: archives and layouts, and registries as `check` asks
//! them without the gate's configuration. No login can be named, since many registries may be
//! asked and it would be sent to each: Docker's own configuration says which login is whose.

use std::path::PathBuf;

use cleanbill_advisory::Snapshot;
use cleanbill_core::platform::Platform;
use cleanbill_core::reference::ImageRef;
use cleanbill_oci::image::PlatformChoice;

use crate::assess::{self, Found};
use crate::commands::access::Access;
use crate::commands::facts::FactsArgs;
use crate::commands::source::{BoundsArgs, Source, Wanted};
use crate::examine::Examiner;
use crate::failure::{Failure, Result};
use crate::snapshot_choice;
use crate::subject::{self, Subject};
use crate::trouble::Trouble;

/// Flags about how images are looked at.
#[derive(Debug, clap::Args)]
pub struct LookingArgs {
    /// Platform of multi-platform images (default: all of them)
    #[arg(long, value_name = "OS/ARCH")]
    platform: Option<Platform>,
    /// Speak plain HTTP with this registry (repeatable)
    #[arg(long, value_name = "HOST[:PORT]")]
    plain_http: Vec<String>,
    /// Trust the authorities in this PEM file as well
    #[arg(long, value_name = "FILE")]
    cacert: Option<PathBuf>,
    #[command(flatten)]
    facts: FactsArgs,
    #[command(flatten)]
    bounds: BoundsArgs,
}

impl LookingArgs {
    /// The advisories to match with.
    ///
    /// # Errors
    /// When they cannot be opened.
    pub fn snapshot(&self) -> Result<Snapshot> {
        snapshot_choice::choose(self.facts.snapshot()?.as_deref())
    }

    /// The advisories that the command line names.
    ///
    /// # Errors
    /// When the environment names what cannot be a path.
    pub fn named_snapshot(&self) -> Result<Option<PathBuf>> {
        self.facts.snapshot()
    }

    /// Opens an image. Its layers are not read yet.
    ///
    /// # Errors
    /// When it cannot be reached, or is none.
    pub fn open(
        &self,
        wanted: Wanted,
        choice: &PlatformChoice,
    ) -> std::result::Result<Subject, Trouble> {
        subject::open(&self.source(wanted)?, choice)
    }

    /// What is in an opened image, under this name.
    ///
    /// # Errors
    /// When a layer cannot be read.
    pub fn look(&self, name: &ImageRef, subject: &Subject) -> std::result::Result<Found, Trouble> {
        let limits = self.bounds.limits()?;
        let examiner = Examiner::new(Examiner::options(&limits), None);
        assess::look_into(name, subject.resolved, &subject.images, &examiner)
    }

    /// The platforms that are looked at.
    pub fn choice(&self) -> PlatformChoice {
        match &self.platform {
            Some(platform) => PlatformChoice::Listed(vec![platform.clone()]),
            None => PlatformChoice::All,
        }
    }

    /// Sees to it that no flag is passed over where only the advisories can be chosen.
    ///
    /// # Errors
    /// Names the flag that has no meaning here.
    pub fn only_facts(&self, why: &str) -> Result<()> {
        let given = [
            ("--platform", self.platform.is_some()),
            ("--plain-http", !self.plain_http.is_empty()),
            ("--cacert", self.cacert.is_some()),
            ("--timeout", self.bounds.timeout.is_some()),
            ("--limit", !self.bounds.limit.is_empty()),
        ];
        match given.iter().find(|(_, given)| *given) {
            Some((flag, _)) => {
                Err(Failure::new(format!("{flag} has no place here: {why}"))
                    .next("leave the flag out"))
            }
            None => Ok(()),
        }
    }

    fn source(&self, wanted: Wanted) -> Result<Source> {
        let access = Access {
            login: None,
            plain_http: self.plain_http.clone(),
            cacert: self.cacert.clone(),
        };
        let (platform, limits) = (self.platform.clone(), self.bounds.limits()?);
        Ok(Source { wanted, platform, access, limits })
    }
}
