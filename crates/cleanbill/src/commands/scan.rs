//! `cleanbill scan` (alias `image`): what is in an image, and what is wrong with it.

use std::sync::Arc;

use cleanbill_core::Timestamp;
use cleanbill_core::platform::Platform;
use cleanbill_oci::image::{Layer, PinnedImage, PlatformChoice};

use crate::assess::{self, Against};
use crate::commands::facts::{Facts, FactsArgs};
use crate::commands::output::OutputArgs;
use crate::commands::source::{BoundsArgs, Source, SourceArgs, Wanted};
use crate::examine::{Examiner, examine_folder};
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::needs;
use crate::progress::Progress;
use crate::report::{ImageMetadata, LayerMetadata, ScanReport, SnapshotUse};
use crate::snapshot_choice;
use crate::subject::{self, Subject};

/// Examples under the help.
pub const AFTER: &str = "\
Examples:
  cleanbill image -s HIGH,CRITICAL nginx:alpine
  cleanbill image --input app.tar --exit-code 1 --accept-gaps stale-feed
  cleanbill image -f json -o report.json registry.example/app@sha256:…
  cleanbill image --vex app.vex.json --show-suppressed registry.example/app:1
In a pipe a finding is a line: package, id, severity, status, installed, fixed, where (by tabs).";

/// Arguments of `scan`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Name of the image
    image: Option<String>,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    facts: FactsArgs,
    #[command(flatten)]
    bounds: BoundsArgs,
}

/// Runs the command.
///
/// # Errors
/// When the image cannot be read or the report not be written.
pub fn run(args: Args) -> Result<Exit> {
    let source = args.source.resolve(args.image.as_deref(), &args.bounds)?;
    report(&source, &args.output, &args.facts)
}

/// Scans a source and writes the report: all that `scan` and `rootfs` have in common.
///
/// # Errors
/// When the image cannot be read or the report not be written.
pub fn report(source: &Source, output: &OutputArgs, facts: &FactsArgs) -> Result<Exit> {
    output.check()?;
    let facts = facts.wanted(output.max_age_days())?;
    // Before anything is scanned: a file that cannot be read costs no time.
    let given = output.suppress.read()?;
    let progress = Progress::new(!output.quiet && !output.no_progress);
    let report = examine(source, &facts, &progress)?;
    progress.clear();
    let inventory = &report.inventory;
    needs::note(inventory.distribution.as_ref(), &inventory.packages);
    output.write(&report, &given)
}

/// Reads a source and judges what is in it: the report, not yet filtered.
///
/// # Errors
/// When the image or the advisories cannot be read.
pub fn examine(source: &Source, facts: &Facts, progress: &Progress) -> Result<ScanReport> {
    let snapshot = snapshot_choice::choose(facts.snapshot.as_deref())?;
    let (now, max_feed_age_days) = (Timestamp::now(), facts.max_age_days);
    examine_by(source, Against { snapshot: &snapshot, now, max_feed_age_days }, progress)
}

/// The same by advisories that are open already.
///
/// # Errors
/// When the image or the advisories cannot be read.
pub fn examine_by(
    source: &Source,
    against: Against<'_>,
    progress: &Progress,
) -> Result<ScanReport> {
    let Against { snapshot, now, .. } = against;
    let snapshot_use = SnapshotUse {
        id: assess::snapshot_id(snapshot),
        file: (!snapshot.is_starter()).then(|| snapshot.name().into()),
    };
    let wanted = match &source.platform {
        Some(platform) => PlatformChoice::One(platform.clone()),
        None => PlatformChoice::Prefer(Platform::of_this_machine()),
    };
    let options = Examiner::options(&source.limits);
    let (artifact_name, image, inventory, evidence) = match &source.wanted {
        Wanted::Rootfs(root) => {
            progress.step("reading the folder");
            let limits = Arc::new(source.limits.clone());
            let (inventory, digest) = examine_folder(root, &limits, &options)?;
            let evidence = assess::judge_inventory(digest, &inventory, against)?;
            (root.display().to_string(), None, inventory, evidence)
        }
        Wanted::Input(_) | Wanted::Registry(_) => {
            progress.step("resolving the image");
            let subject = subject::open(source, &wanted)?;
            let Some(image) = subject.images.first() else {
                return Err(Failure::new(format!("{}: no image for this platform", subject.name)));
            };
            let store = match &source.wanted {
                // What a registry sends is worth keeping; a file is at hand.
                Wanted::Registry(_) => subject::own_store().unwrap_or_else(|e| {
                    // A cache that cannot be used (a home that is read-only) costs time only.
                    progress.note(&format!("what is read is not kept for the next scan: {e}"));
                    None
                }),
                Wanted::Input(_) | Wanted::Rootfs(_) => None,
            };
            let examiner = Examiner::new(options, store);
            let inventory = examiner.examine(image, &|step| {
                progress.step(&format!("read {} of {} layers", step.done, step.of));
            })?;
            let evidence = assess::judge(image, &inventory, against)?;
            (subject.name.clone(), Some(metadata(&subject, image)), inventory, evidence)
        }
    };
    let left = assess::left(&inventory, snapshot)?;
    Ok(ScanReport {
        artifact_name,
        created_at: now,
        image,
        inventory,
        evidence,
        left,
        snapshot: snapshot_use,
    })
}

/// What the image says about itself, for the report.
fn metadata(subject: &Subject, image: &PinnedImage) -> ImageMetadata {
    let layer = |layer: &Layer| LayerMetadata {
        diff_id: layer.diff_id,
        blob: subject.has_blobs.then_some(layer.blob.digest),
        size: subject.has_blobs.then_some(layer.blob.size),
    };
    let reference = subject.reference.as_ref();
    ImageMetadata {
        reference: reference.map(ToString::to_string),
        repo_tags: match reference {
            Some(name) => {
                name.tag().map(|tag| format!("{}:{tag}", name.name())).into_iter().collect()
            }
            None => subject.repo_tags.clone(),
        },
        repo_digests: reference
            .map(|name| format!("{}@{}", name.name(), subject.resolved))
            .into_iter()
            .collect(),
        image_id: image.config_digest,
        resolved: subject.resolved,
        config: Arc::clone(&image.config),
        layers: image.layers.iter().map(layer).collect(),
    }
}
