//! One source of `db update` tried: what it gives, or why it gives nothing.

use std::io::Read;
use std::path::{Path, PathBuf};

use cleanbill_advisory::update::{Bounds, Copies, Database, Plan, Turn, Updated};
use cleanbill_advisory::{Download, Say, Told};
use cleanbill_core::reference::ImageRef;
use cleanbill_trust::PublicKey;
use jiff::Timestamp;

use super::chosen::{Chosen, Flags, Way, chosen};
use super::config::{self, Config};
use super::origin::Origin;
use super::update::Args;
use super::{load, pull, status, wanted};
use crate::failure::{Failure, Result};
use crate::mirror::pull::Pull;
use crate::snapshot_choice::{self, failed, folder, make_room, updated_in};
use crate::{mirror, needs};

/// What a source gave.
pub(super) struct Got {
    /// What is in it.
    pub text: String,
    /// What was not brought up to date.
    pub kept: Vec<String>,
    /// What could not be had, and is not in it.
    pub missing: Vec<String>,
}

/// All that an update needs to know.
pub(super) struct Run {
    /// In the order in which they are tried.
    pub sources: Vec<Chosen>,
    plan: Plan,
    /// What is to be said of what publishers are asked for.
    note: Option<String>,
}

impl Run {
    /// What flags and the configuration mean; `say` is told which one that is.
    pub(super) fn new(args: Args, now: Timestamp, say: &mut Say<'_>) -> Result<Self> {
        let config = config::read(args.config.as_deref(), say)?;
        let access = args.access.clone().resolve(false)?;
        let flags = Flags { keys: &args.key, access, timeout: None };
        let sources = chosen(&args.from, &flags, &config)?;
        let (mut plan, note, ca) = plan(args, config, now)?;
        if sources.iter().any(|source| matches!(source, Chosen::Feeds)) {
            plan.agent = ca.map(|ca| cleanbill_oci::registry::agent(&[ca])).transpose()?;
        }
        Ok(Self { sources, plan, note })
    }

    /// The folder for what was fetched.
    pub(super) fn folder(&self) -> &Path {
        &self.plan.folder
    }

    /// Tries one source; `earlier` are those that gave nothing.
    pub(super) fn attempt(
        &self,
        source: &Chosen,
        earlier: &[&Origin],
        turn: &Turn,
        say: &mut Say<'_>,
    ) -> Result<Got> {
        let stands_in = (!earlier.is_empty()).then(|| Copies {
            feeds: earlier.contains(&&Origin::Feeds),
            database: earlier.iter().any(|o| matches!(o, Origin::Trivy(_))),
        });
        match source {
            Chosen::Feeds => {
                if let Some(note) = &self.note {
                    say(Told::Line(note));
                }
                let plan = Plan { stands_in, ..self.plan.clone() };
                let updated = turn.feeds(&plan, say).map_err(|e| next_step(&e))?;
                Ok(self.built(updated))
            }
            Chosen::Trivy(name, way) => self.database((name, way), stands_in, turn, say),
            Chosen::Snapshot(name, way, keys) => self.snapshot((name, way), keys, say),
        }
    }

    fn database(
        &self,
        (name, way): (&ImageRef, &Way),
        stands_in: Option<Copies>,
        turn: &Turn,
        say: &mut Say<'_>,
    ) -> Result<Got> {
        let found = mirror::trivy::find(name, &way.registry(name)?, &way.limits)?;
        let layer = &found.layer;
        let plan = Database {
            name: found.name.clone(),
            digest: layer.digest,
            out: self.plan.out.clone(),
            bounds: self.plan.bounds.clone(),
            stands_in,
        };
        let open = &mut |here: &mut dyn Read| found.rest(here);
        let source = match turn.has(&plan.digest).map_err(|e| failed(&e))? {
            true => None,
            false => Some(Download { digest: layer.digest, size: layer.size, open }),
        };
        let updated = turn.database(&plan, source, say).map_err(|e| next_step(&e))?;
        Ok(self.built(updated))
    }

    fn snapshot(
        &self,
        (name, way): (&ImageRef, &Way),
        keys: &[PublicKey],
        say: &mut Say<'_>,
    ) -> Result<Got> {
        let wanted = Pull { name, keys, out: self.plan.out.clone(), force: false };
        let pulled = mirror::pull::pull(&wanted, &way.registry(name)?, &way.limits, say)?;
        let text = load::said(&self.plan.out, &pulled.loaded) + &pull::said(name, &pulled);
        Ok(Got { text, kept: Vec::new(), missing: Vec::new() })
    }

    fn built(&self, updated: Updated) -> Got {
        let Updated { report, kept, missing } = updated;
        let mut text = status::table(&status::rows(&report.feeds, Some(self.plan.now)));
        let path = self.plan.out.display();
        text += &format!("{path}: {} bytes, {}\n", report.bytes, report.digest);
        Got { text, kept, missing }
    }
}

/// The plan, what is to be said of it, and the file of whom publishers' certificates may be of besides.
fn plan(
    args: Args,
    config: Config,
    now: Timestamp,
) -> Result<(Plan, Option<String>, Option<PathBuf>)> {
    let feeds = config.feeds();
    let folder = args.cache.or(config.cache).map_or_else(folder, Ok)?;
    // Noted where scans are done, wherever this update keeps its files.
    let noted = needs::file_in(&snapshot_choice::folder().unwrap_or_else(|_| folder.clone()));
    let ecosystems = or(args.ecosystems, feeds.ecosystems);
    let publishers = or(args.feeds, feeds.publishers);
    let wanted = wanted::wanted(&ecosystems, &publishers, &folder, &noted);
    let plan = Plan {
        publishers: wanted.publishers,
        sources: args.mirror.or(feeds.mirror).unwrap_or_default(),
        ecosystems: wanted.ecosystems,
        out: args.out.or(config.out).unwrap_or_else(|| updated_in(&folder)),
        folder,
        now,
        bounds: Bounds::default(),
        agent: None,
        stands_in: None,
    };
    Ok((plan, wanted.note, args.access.cacert.or(feeds.ca)))
}

/// What flags name, else what the configuration does.
fn or<T>(flags: Vec<T>, said: Vec<T>) -> Vec<T> {
    if flags.is_empty() { said } else { flags }
}

fn next_step(error: &cleanbill_advisory::Error) -> Failure {
    use cleanbill_advisory::ErrorKind;
    let failure = failed(error);
    match error.kind() {
        ErrorKind::Network => failure.next(
            "run it again, it goes on where it broke off; without a network: --mirror, or --db with a snapshot built elsewhere",
        ),
        ErrorKind::Older => failure.next(
            "run it again when they answer, or ask without them (--ecosystems, --feeds); what was in force stays as it was",
        ),
        ErrorKind::Malformed | ErrorKind::Damaged | ErrorKind::OverLimit => failure.next(
            "run it again later, or ask without it (--ecosystems, --feeds); a newer cleanbill may read it",
        ),
        ErrorKind::Full => {
            failure.next(format!("{}; what was in force stays as it was", make_room(error)))
        }
        ErrorKind::NotFound | ErrorKind::Io => failure.next("mend that and run it again"),
    }
}
