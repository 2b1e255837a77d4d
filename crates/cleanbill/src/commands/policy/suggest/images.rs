//! Images that are named on the command line, from a file or a pipe, or as archives: each is
//! examined, or named among those that could not be.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use cleanbill_advisory::Snapshot;
use cleanbill_core::Timestamp;
use cleanbill_core::evidence::Evidence;
use cleanbill_core::policy::Policy;
use cleanbill_core::reference::ImageRef;
use cleanbill_core::verdict::{Outcome, Registered};
use cleanbill_oci::image::PlatformChoice;

use super::seen::Sight;
use super::{Args, Basis, NotExamined, Seen};
use crate::assess::{Against, judge_found};
use crate::commands::source::Wanted;
use crate::failure::{Failure, Result};
use crate::progress::Progress;
use crate::report::text::printable;
use crate::serve::access::Access;
use crate::serve::config::Config;
use crate::serve::examiner::Deadline;
use crate::serve::load;
use crate::snapshot_choice;
use crate::store::{Owner, Store};
use crate::trouble::Trouble;
use crate::wiring::{self, Looking};

/// The most images of one run, and the most bytes of their names.
const MOST: usize = 100_000;
const MOST_BYTES: u64 = 32 << 20;

/// Every name once. In files and pipes blanks part them as well as lines, as in what `kubectl`
/// prints by default.
pub(super) fn named(given: &[String], file: Option<&Path>) -> Result<Vec<String>> {
    let (mut names, mut known) = (Vec::new(), BTreeSet::new());
    let mut add = |name: &str| {
        if known.insert(name.to_owned()) {
            names.push(name.to_owned());
        }
        names.len() <= MOST
    };
    let mut texts = Vec::new();
    if let Some(path) = file {
        let cannot = |e| Failure::new(format!("{} cannot be read: {e}", path.display()));
        let file = std::fs::File::open(path).map_err(cannot)?;
        texts.push(text(file, &path.display().to_string())?);
    }
    for name in given {
        match name.as_str() {
            "-" => texts.push(text(std::io::stdin().lock(), "standard input")?),
            name => _ = add(name),
        }
    }
    let few = texts.iter().flat_map(|text| text.split_whitespace()).all(add);
    if few { Ok(names) } else { Err(Failure::new(format!("more than {MOST} images at once"))) }
}

fn text(from: impl Read, what: &str) -> Result<String> {
    let mut text = String::new();
    let read = from.take(MOST_BYTES + 1).read_to_string(&mut text);
    let length = read.map_err(|e| Failure::new(format!("{what} cannot be read: {e}")))?;
    if u64::try_from(length).is_ok_and(|n| n > MOST_BYTES) {
        return Err(Failure::new(format!("{what} has more than {MOST_BYTES} bytes of names")));
    }
    Ok(text)
}

/// How images are reached: as the gate's configuration says, or as `check` does.
struct Way<'a> {
    args: &'a Args,
    gate: Option<Gate>,
    choice: PlatformChoice,
    snapshot: Snapshot,
    now: Timestamp,
}

struct Gate {
    looking: Looking,
    policy: Policy,
    config: Config,
}

/// Looks at all of them.
pub(super) fn look(
    args: &Args,
    names: &[String],
    config: Option<&Path>,
    now: Timestamp,
) -> Result<Seen> {
    let way = Way::new(args, config, now)?;
    let basis = Basis {
        source: "the images that were named".to_owned(),
        kept_elsewhere: way
            .gate
            .iter()
            .flat_map(|gate| super::kept_elsewhere(&gate.policy))
            .collect(),
    };
    let mut seen = Seen { basis, ..Seen::default() };
    let progress = Progress::new(!args.quiet);
    let total = names.len() + args.input.len();
    for (at, name) in names.iter().enumerate() {
        progress.step(&format!("{} of {total}: {}", at + 1, printable(name)));
        seen.add(name, way.by_name(name), now);
    }
    for (at, input) in args.input.iter().enumerate() {
        progress.step(&format!("{} of {total}: {}", names.len() + at + 1, printable(input)));
        let (name, path) = split(input);
        match way.archive(name, path) {
            Ok((image, outcome)) => seen.add(&image, Ok(outcome), now),
            Err(why) => seen.add(name.unwrap_or(path), Err(why), now),
        }
    }
    progress.clear();
    Ok(seen)
}

impl Seen {
    fn add(&mut self, image: &str, looked: std::result::Result<Outcome, String>, at: Timestamp) {
        let image = image.to_owned();
        match (looked, image.parse::<ImageRef>()) {
            (Ok(outcome), Ok(name)) => self.sights.push(Sight::new(image, name, outcome, at)),
            (Err(why), _) => self.missing.push(NotExamined { image, why }),
            (Ok(_), Err(e)) => self.missing.push(NotExamined { image, why: e.to_string() }),
        }
    }
}

impl<'a> Way<'a> {
    fn new(args: &'a Args, config: Option<&Path>, now: Timestamp) -> Result<Self> {
        let named = args.looking.named_snapshot()?;
        let Some(path) = config else {
            let (choice, snapshot) = (args.looking.choice(), args.looking.snapshot()?);
            return Ok(Self { args, gate: None, choice, snapshot, now });
        };
        args.looking.only_facts("with --config images are reached as it says")?;
        let (mut config, policy) = load::load(path)?;
        config.db = named.or(config.db);
        let snapshot = snapshot_choice::choose(config.db.as_deref())?;
        // What is examined is kept for the gate, as by `warm`; where it never ran, nowhere.
        let store = match config.state_dir.exists() {
            true => Some(Arc::new(Store::open(&config.state_dir, Owner::Gate)?)),
            false => None,
        };
        let choice = wiring::choice(&config);
        let looking = Looking::new(&config, store)?;
        let gate = Some(Gate { looking, policy, config });
        Ok(Self { args, gate, choice, snapshot, now })
    }

    fn by_name(&self, image: &str) -> std::result::Result<Outcome, String> {
        let name: ImageRef = image.parse().map_err(|e| format!("{e}"))?;
        let examined = |evidence| Outcome::Examined(Arc::new(evidence));
        let Some(Gate { looking, policy, config }) = &self.gate else {
            let subject = self.args.looking.open(Wanted::Registry(name.clone()), &self.choice);
            let looked = subject.and_then(|subject| self.args.looking.look(&name, &subject));
            return looked.and_then(|found| self.judge(&name, &found)).map(examined).map_err(said);
        };
        if policy.is_local(&name) {
            return looking.registered(&name).map(Outcome::Registered).map_err(said);
        }
        let (access, until) = (Access::none(), || Deadline::after(config.work.examination));
        let digest = match name.digest() {
            Some(digest) => *digest,
            None => looking.resolve(&name, &access, until()).map_err(said)?,
        };
        let evidence = looking.examine(&name.pinned(digest), &access, until());
        evidence.map(examined).map_err(said)
    }

    /// An archive or layout, and the name that pods use for it.
    fn archive(
        &self,
        name: Option<&str>,
        path: &str,
    ) -> std::result::Result<(String, Outcome), String> {
        let wanted = Wanted::Input(path.to_owned());
        let subject = self.args.looking.open(wanted, &self.choice).map_err(said)?;
        let image = match (name, subject.repo_tags.as_slice()) {
            (Some(name), _) => name.to_owned(),
            (None, [only]) => only.clone(),
            (None, _) => {
                return Err(
                    "it gives its image no name, or several: write --input NAME=PATH".into()
                );
            }
        };
        let name: ImageRef = image.parse().map_err(|e| format!("{e}"))?;
        let found = self.args.looking.look(&name, &subject).map_err(said)?;
        let evidence = Arc::new(self.judge(&name, &found).map_err(said)?);
        let local = self.gate.as_ref().is_some_and(|gate| gate.policy.is_local(&name));
        let outcome = if local {
            let (digest, node) = (evidence.resolved, "any".to_owned());
            Outcome::Registered(vec![Registered { digest, node, evidence: Some(evidence) }])
        } else {
            Outcome::Examined(evidence)
        };
        Ok((image, outcome))
    }

    fn judge(
        &self,
        name: &ImageRef,
        found: &crate::assess::Found,
    ) -> std::result::Result<Evidence, Trouble> {
        // How old a feed may be is asked again by the judge, under each policy that is tried.
        let max_feed_age_days = u32::MAX;
        let against = Against { snapshot: &self.snapshot, now: self.now, max_feed_age_days };
        judge_found(name, found, against)
    }
}

fn said(trouble: Trouble) -> String {
    trouble.to_string()
}

/// `NAME=PATH`, or a path alone. A path with a `=` in it is written with `./` before it, which no
/// name begins with.
fn split(input: &str) -> (Option<&str>, &str) {
    match input.split_once('=') {
        Some((name, path)) if name.parse::<ImageRef>().is_ok() => (Some(name), path),
        Some(_) | None => (None, input),
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn a_name_before_a_path_is_told_from_a_path() {
        let table = [
            ("app.tar", (None, "app.tar")),
            ("r.example/app:1=app.tar", (Some("r.example/app:1"), "app.tar")),
            ("app=a=b.tar", (Some("app"), "a=b.tar")),
            ("./a=b.tar", (None, "./a=b.tar")),
            ("/a=b.tar", (None, "/a=b.tar")),
        ];
        for (input, want) in table {
            assert_eq!(split(input), want, "{input}");
        }
    }
}
