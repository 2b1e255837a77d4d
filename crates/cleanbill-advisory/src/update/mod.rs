//! Fetching feeds from their publishers, or a mirror with the same layout, and building the
//! snapshot from them here.
//!
//! What was fetched is kept in a folder with its ETag, so that the next update asks only for what
//! has changed, and goes on with the copy of before where a publisher gives nothing, or without. Until
//! everything has been checked and built, the snapshot in use stays as it is; the one before is kept
//! as `.previous`.

use std::path::PathBuf;
use std::time::Duration;

use cleanbill_core::Timestamp;
use cleanbill_core::ecosystem::Ecosystem;

use crate::build::{Options, Report};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::Limits;
use crate::telling::Say;

mod asking;
mod back;
mod building;
mod course;
mod database;
mod documents;
mod earlier;
mod ends;
mod extras;
mod fetch;
mod hash;
mod missing;
mod publishers;
mod repository;
mod sources;
mod state;
mod turn;

pub use building::Copies;
pub use database::Database;
pub use earlier::fetched;
pub use publishers::{DEFAULT_ECOSYSTEMS, Publisher, telling};
pub use sources::Sources;
pub use turn::Turn;

use back::Before;
use building::Building;
use course::Course;
use database::DATABASE_FOLDER;
use fetch::Fetcher;
use state::State;

/// Where the feeds lie, in the folder of updates.
const FEEDS_FOLDER: &str = "feeds";
/// What is known of fetched files, there too.
const STATE: &str = "state.json";

/// How an update is done.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where feeds come from.
    pub sources: Sources,
    /// Whose advisories are fetched.
    pub ecosystems: Vec<Ecosystem>,
    /// Whose own feeds are fetched besides.
    pub publishers: Vec<Publisher>,
    /// Where fetched files and their state are kept.
    pub folder: PathBuf,
    /// The snapshot file to write.
    pub out: PathBuf,
    /// The day that a check of the end-of-life dates counts as.
    pub now: Timestamp,
    /// Bounds on one download and on the build.
    pub bounds: Bounds,
    /// Who speaks to them, which says whom to trust; `None`: Mozilla's roots are trusted. Bounds are
    /// set on each request.
    pub agent: Option<ureq::Agent>,
    /// What the feeds stand in for; `None`: they are the first choice.
    pub stands_in: Option<Copies>,
}

/// Bounds on the network.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Bytes of one download (default 4 GiB).
    pub download_bytes: u64,
    /// How often one download is tried again (default 5).
    pub retries: u32,
    /// The wait before the first retry, doubled each time (default 1 s).
    pub backoff: Duration,
    /// The longest that a server may have us wait before it is asked again (`Retry-After`, default
    /// 60 s); one that wants more is given up on.
    pub retry_after: Duration,
    /// Silence after which a server is given up on (default 60 s).
    pub silence: Duration,
    /// The longest that one request may take (default 1 h).
    pub request: Duration,
    /// Bounds on the build.
    pub limits: Limits,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            download_bytes: 4 << 30,
            retries: 5,
            backoff: Duration::from_secs(1),
            retry_after: Duration::from_secs(60),
            silence: Duration::from_secs(60),
            request: Duration::from_secs(3600),
            limits: Limits::default(),
        }
    }
}

/// What an update came to.
#[derive(Clone, Debug)]
pub struct Updated {
    /// The snapshot that was built.
    pub report: Report,
    /// Files that could not be brought up to date, each with the cause: the copy of an earlier
    /// update was taken, with its own date, so that the feed ages.
    pub kept: Vec<String>,
    /// Files that could not be had, each with the cause, and of which there was no earlier copy: what
    /// they are needed for is not in the snapshot.
    pub missing: Vec<String>,
}

/// Fetches what has changed and builds the snapshot; `say` is told what happens, a line each.
///
/// # Errors
/// When nothing at all can be fetched, or nothing that says which packages have flaws; when something of
/// what is in force would be lost that could not be fetched; and when nothing can be built. The snapshot
/// there before is untouched.
pub fn update(plan: &Plan, say: &mut Say<'_>) -> Result<Updated> {
    Turn::take(&plan.folder)?.feeds(plan, say)
}

impl Turn {
    /// The same for whoever has taken the turn in the folder of the plan.
    ///
    /// # Errors
    /// As [`update`], and when that is another folder.
    pub fn feeds(&self, plan: &Plan, say: &mut Say<'_>) -> Result<Updated> {
        if self.folder() != plan.folder {
            let message = format!("{}: the turn is for another folder", plan.folder.display());
            return Err(Error::new(ErrorKind::Io, message));
        }
        fetch_and_build(plan, say)
    }
}

fn fetch_and_build(plan: &Plan, say: &mut Say<'_>) -> Result<Updated> {
    let feeds = plan.folder.join(FEEDS_FOLDER);
    std::fs::create_dir_all(&feeds).map_err(|e| Error::io(&feeds, e))?;
    let fetcher = Fetcher::new(&plan.sources, plan.bounds.clone(), plan.agent.clone());
    let state = State::open(plan.folder.join(STATE))?;
    let mut options = Options { limits: plan.bounds.limits.clone(), ..Options::default() };
    let mut course = Course::new(fetcher, state, Before::new(&plan.folder), say);

    asking::zips(plan, &mut course, &mut options)?;
    asking::publishers(plan, &mut course, &mut options)?;
    asking::always(plan, &mut course)?;

    course.remember(&plan.folder)?;
    course.worth_it()?;
    let report = course.build(Building {
        name: "what the feeds give",
        folder: &plan.folder,
        own: &feeds,
        out: &plan.out,
        stands_in: plan.stands_in,
        options,
    })?;
    let (kept, missing) = course.told();
    Ok(Updated { report, kept, missing })
}
