//! `cleanbill check`: exactly what the gate would say about an image, and why.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use cleanbill_core::Timestamp;
use cleanbill_core::asked::Asked;
use cleanbill_core::digest::Digest;
use cleanbill_core::evidence::Evidence;
use cleanbill_core::policy::Policy;
use cleanbill_core::reference::ImageRef;
use cleanbill_core::verdict::{Case, Denial, Outcome, Request, Verdict, decide, refuse_by_name};
use cleanbill_oci::image::PlatformChoice;
use cleanbill_oci::registry::Registry;
use sha2::{Digest as _, Sha256};

use crate::assess::{self, Against};
use crate::commands::facts::FactsArgs;
use crate::commands::source::{BoundsArgs, Source, SourceArgs, Wanted};
use crate::examine::Examiner;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::progress::Progress;
use crate::report::verdict::{self, Said};
use crate::serve::{load, words};
use crate::snapshot_choice;
use crate::subject::{self, Subject};
use crate::trouble::Trouble;
use crate::wiring;

/// Examples under the help.
pub const AFTER: &str = "\
Examples:
  cleanbill check --config cleanbill.yaml registry.example/app@sha256:…
  cleanbill check --policy policy.yaml --input app.tar

Exit codes: 0 the gate would allow it; 1 it would not; 2 could not decide (or bad usage).";

/// Arguments of `check`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Name of the image
    image: Option<String>,
    #[command(flatten)]
    source: SourceArgs,
    /// Judge by this policy file
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    policy: Option<PathBuf>,
    /// Judge by the policy that this configuration of the gate names
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Namespace of the pod
    #[arg(long, short = 'n', value_name = "NS", default_value = "default")]
    namespace: String,
    #[command(flatten)]
    facts: FactsArgs,
    #[command(flatten)]
    bounds: BoundsArgs,
    /// Show no progress
    #[arg(long, short = 'q')]
    quiet: bool,
}

/// Runs the command.
///
/// # Errors
/// When there is nothing to judge by, or the image cannot be examined: could not decide.
pub fn run(args: Args) -> Result<Exit> {
    let rules = Rules::of(&args)?;
    let Args { image, source, facts, bounds, quiet, namespace, .. } = args;
    // With --input, a name beside it is the one that a pod would use.
    let by_file = source.input.is_some();
    let source = source.resolve(image.as_deref().filter(|_| !by_file), &bounds)?;
    let progress = Progress::new(!quiet);
    progress.step("examining the image");
    let subject = match &source.wanted {
        Wanted::Input(_) => Some(subject::open(&source, &rules.choice)?),
        Wanted::Registry(_) | Wanted::Rootfs(_) => None,
    };
    let asked = match (image, &subject) {
        (Some(image), _) => image,
        (None, Some(subject)) => only_name(subject)?,
        (None, None) => return Err(Failure::new("no image was named")),
    };
    let snapshot = snapshot_choice::choose(facts.snapshot()?.as_deref())?;
    let (now, policy) = (Timestamp::now(), &rules.policy);
    let max_feed_age_days = policy.max_feed_age_days;
    let against = Against { snapshot: &snapshot, now, max_feed_age_days };
    let (outcome, public) = rules.examine(&source, subject, &asked, against);
    progress.clear();
    let fingerprint = Digest::Sha256(Sha256::digest(asked.as_bytes()).into());
    let told = Asked { namespace, ..Asked::default() };
    let request = Request { asked: told, ..Request::new(fingerprint, vec![asked.clone()]) };
    let cases = [Case::new(asked.clone(), outcome)];
    let [Case { outcome, .. }] = &cases;
    let evidence = match outcome {
        Outcome::Examined(evidence) => Some(&**evidence),
        Outcome::Registered(_)
        | Outcome::NameRefused(_)
        | Outcome::NoReference(_)
        | Outcome::Failed(_) => None,
    };
    // The paragraph has what the gate would tell; the detail it keeps for its log stands above.
    let say = |denial: &Denial| {
        let mut denial = denial.clone();
        for (_, why) in &mut denial.undecided {
            *why = public.unwrap_or(why).to_owned();
        }
        words::denial(&denial, policy, "not recorded, as this was a check", None)
    };
    let judgement = decide(&request, &cases, policy, now);
    let besides = verdict::besides(&judgement.noted, &judgement.leaned);
    let (answer, exit) = match judgement.verdict {
        Verdict::Allow(permit) => {
            permit.spend(&request.fingerprint, now).map_err(Failure::new)?;
            (verdict::write(&asked, policy, evidence, Said::Allowed), Exit::DONE)
        }
        Verdict::Deny(denial) => {
            let said = say(&denial);
            let said = Said::Denied(&denial, &said);
            (verdict::write(&asked, policy, evidence, said), Exit::DENIED)
        }
        Verdict::Undecided(denial) => {
            let said = say(&denial);
            let said = Said::Undecided(&denial, &said);
            (verdict::write(&asked, policy, evidence, said), Exit::FAILED)
        }
    };
    match std::io::stdout().lock().write_all(format!("{answer}{besides}").as_bytes()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("cannot write the answer: {e}")))
        }
        _ => Ok(exit),
    }
}

/// The name that an archive gives its image, where it gives exactly one.
fn only_name(subject: &Subject) -> Result<String> {
    match subject.repo_tags.as_slice() {
        [only] => Ok(only.clone()),
        _ => Err(Failure::new(format!("{}: it gives its image no name, or several", subject.name))
            .next("add the name that a pod would use: cleanbill check --input PATH NAME")),
    }
}

/// What is judged by, and how registries are reached.
struct Rules {
    policy: Policy,
    choice: PlatformChoice,
    /// The gate's own way to registries, where its configuration was given.
    registry: Option<Registry>,
}

impl Rules {
    fn of(args: &Args) -> Result<Self> {
        let (policy, registry, choice) = match (&args.policy, &args.config) {
            (Some(file), _) => (load::policy(file)?, None, PlatformChoice::All),
            (None, Some(file)) => {
                let (config, policy) = load::load(file)?;
                (policy, Some(wiring::registry(&config)?), wiring::choice(&config))
            }
            (None, None) => (Policy::default(), None, PlatformChoice::All),
        };
        let choice = match &args.source.platform {
            Some(platform) => PlatformChoice::Listed(vec![platform.clone()]),
            None => choice,
        };
        Ok(Self { policy, choice, registry })
    }

    /// How far we come with an image: the name first, as the gate does. What goes wrong comes
    /// in full, and as the gate would tell it.
    fn examine(
        &self,
        source: &Source,
        subject: Option<Subject>,
        asked: &str,
        against: Against<'_>,
    ) -> (Outcome, Option<&'static str>) {
        let reference: ImageRef = match asked.parse() {
            Ok(reference) => reference,
            Err(e) => return (Outcome::NoReference(format!("{e}")), None),
        };
        if refuse_by_name(&reference, &self.policy).is_some() {
            return (Outcome::NameRefused(reference), None);
        }
        match self.evidence(source, subject, &reference, against) {
            Ok(evidence) => (Outcome::Examined(Arc::new(evidence)), None),
            Err(trouble) => (Outcome::Failed(trouble.to_string()), Some(trouble.public())),
        }
    }

    fn evidence(
        &self,
        source: &Source,
        subject: Option<Subject>,
        name: &ImageRef,
        against: Against<'_>,
    ) -> std::result::Result<Evidence, Trouble> {
        let examiner = Examiner::new(Examiner::options(&source.limits), None);
        let limits = Arc::new(source.limits.clone());
        let subject = match (subject, &self.registry) {
            (Some(subject), _) => subject,
            (None, None) => subject::open(source, &self.choice)?,
            (None, Some(gates)) => {
                return assess::assess(name, gates, &self.choice, &limits, &examiner, against);
            }
        };
        let Subject { images, resolved, .. } = subject;
        assess::evidence(name, resolved, &images, &examiner, against)
    }
}
