//! `cleanbill setup apply`: the change to a running control plane, judged before, proved after, and
//! taken back by itself where it fails.
//!
//! Read top-down: [`apply`] and [`roll_back`] are lists of steps. Each step can be done again, and
//! the `journal` says which were begun, so that a run which was cut off anywhere is brought to an
//! end by the next one. Nothing is written before all that runs was judged.

pub mod diff;
pub mod edit;
pub mod folder;
mod journal;
mod judged;
pub mod node;
pub mod prove;
pub mod running;

use std::path::PathBuf;
use std::time::Duration;

use crate::failure::{Failure, Result};
use folder::Folder;
use journal::{Journal, Stage};
use judged::judged;
use node::Node;
use prove::Proof;

/// What is done, in this order; for whoever watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// All that runs was judged, and may go on.
    Judged,
    /// Backup and journal are on the disk.
    BackedUp,
    /// One of the files is where kube-apiserver reads it.
    Copied,
    /// The manifest is the new one.
    Changed,
    /// The gate is asked.
    Proved,
    /// The journal says that it is done.
    Applied,
    /// The journal says that it is taken back.
    RollingBack,
    /// The manifest is the old one.
    Restored,
    /// The API server is back without the gate.
    OldIsBack,
    /// The files are as they were.
    FilesBack,
    /// Backup and journal are gone.
    Cleared,
}

/// What a person chose.
#[derive(Clone, Debug)]
pub struct Options {
    /// The pods that run, as a file; else they are listed.
    pub pods: Option<PathBuf>,
    /// Whether to go on when pods that run would be refused.
    pub accept_refusals: bool,
    /// An image that the gate allows, for the proof; else one of those that run.
    pub allowed_image: Option<String>,
    /// How long to wait for the API server, and for images that are being examined.
    pub wait: Duration,
    /// Only judge and show.
    pub dry_run: bool,
}

/// Who is told of what is done.
pub struct Watch<'a> {
    /// A line for people.
    pub say: &'a mut dyn FnMut(&str),
    /// After each step.
    pub after: &'a mut dyn FnMut(Step),
}

/// Lets the API server of a node ask the gate of a folder.
///
/// # Errors
/// When it cannot be done, with the node as it was, or, where not even that worked, with what is
/// left to do.
pub fn apply(node: &Node, folder: &Folder, options: &Options, watch: &mut Watch<'_>) -> Result<()> {
    let _alone = node.alone()?;
    let backup = node.backup();
    if !options.dry_run {
        node.sweep(&folder.change.mount_dir);
        if backup.journal()?.is_some_and(|journal| journal.stage == Stage::RollingBack) {
            (watch.say)("an earlier change was being taken back: that is finished first");
            take_back(node, options.wait, watch)?;
        }
    }
    let text = node.read_manifest()?.ok_or_else(|| {
        Failure::new(format!("{} is not there", node.manifest().display()))
            .next("run it on a control-plane node that kubeadm made")
    })?;
    let journal = match backup.journal()? {
        Some(journal) if journal.stage == Stage::Begun => {
            resumable(node, folder, options, &text, &journal)?;
            (watch.say)("an earlier run was cut off: it goes on where it ended");
            journal
        }
        Some(journal) if journal.stage == Stage::RollingBack => {
            return Err(Failure::new("an earlier change is being taken back")
                .next("run `cleanbill setup apply --rollback`, or apply without --dry-run"));
        }
        Some(_) | None => {
            let wanted = edit::edit(&text, &folder.change)?;
            if wanted == text {
                return already(node, folder, options, watch);
            }
            let Some(journal) = begin(node, folder, options, &text, wanted, watch)? else {
                return Ok(());
            };
            journal
        }
    };
    let Err(failure) = forward(node, folder, options, journal, watch) else {
        return Ok(());
    };
    (watch.say)(&format!("it failed, and is taken back: {failure}"));
    match take_back(node, options.wait, watch) {
        Ok(()) => Err(Failure::new(format!("not applied; everything is as it was. {failure}"))),
        Err(worse) => {
            Err(Failure::new(format!("not applied: {failure}\nand not taken back: {worse}"))
                .next("look at the API server's log, then run `cleanbill setup apply --rollback`"))
        }
    }
}

/// Judges all that runs, and keeps the backup. `None`: only shown.
fn begin(
    node: &Node,
    folder: &Folder,
    options: &Options,
    text: &str,
    after: String,
    watch: &mut Watch<'_>,
) -> Result<Option<Journal>> {
    let allowed = judged(node, folder, options, watch)?;
    (watch.after)(Step::Judged);
    let mount_dir = &folder.change.mount_dir;
    if options.dry_run {
        let path = node.manifest();
        (watch.say)(diff::unified(&path.display().to_string(), text, &after).trim_end());
        for name in folder.names() {
            (watch.say)(&format!("would write {}", node.mounted(mount_dir, name).display()));
        }
        (watch.say)("nothing was written");
        return Ok(None);
    }
    let (mut made, mut kept) = (Vec::new(), Vec::new());
    for name in folder.names() {
        let path = node.mounted(mount_dir, name);
        if path.exists() {
            let old = std::fs::read_to_string(&path)
                .map_err(|e| Failure::new(format!("{} cannot be read: {e}", path.display())))?;
            kept.push(((*name).to_owned(), old));
        } else {
            made.push((*name).to_owned());
        }
    }
    let journal = Journal {
        stage: Stage::Begun,
        after,
        mount_dir: mount_dir.clone(),
        made,
        kept: kept.iter().map(|(name, _)| name.clone()).collect(),
        gate: folder.gate.clone(),
        allowed,
    };
    let backup = node.backup();
    backup.begin(text, &kept, &journal)?;
    (watch.say)(&format!("the manifest as it was is kept in {}", backup.folder().display()));
    (watch.after)(Step::BackedUp);
    Ok(Some(journal))
}

/// From the backup to the proof. Each step passes over what is done already.
fn forward(
    node: &Node,
    folder: &Folder,
    options: &Options,
    mut journal: Journal,
    watch: &mut Watch<'_>,
) -> Result<()> {
    for name in folder.names() {
        node.put(&journal.mount_dir, name, &folder.file(name)?)?;
        (watch.after)(Step::Copied);
    }
    if node.read_manifest()?.as_ref() != Some(&journal.after) {
        node.write_manifest(&journal.after)?;
    }
    (watch.after)(Step::Changed);
    (watch.say)("the manifest is changed; waiting for the API server to come back and ask");
    proof(node, &journal.gate, options.wait, |proof| proof.asked(&journal.allowed))?;
    (watch.after)(Step::Proved);
    journal.stage = Stage::Applied;
    node.backup().write(&journal)?;
    (watch.after)(Step::Applied);
    (watch.say)("applied: a pod that the gate denies was denied, one that it allows was let in");
    Ok(())
}

/// Puts everything back as it was before [`apply`], and waits until the API server is back.
///
/// # Errors
/// When nothing was applied, somebody changed the manifest since, or the API server does not come
/// back. It can be run again.
pub fn roll_back(node: &Node, wait: Duration, watch: &mut Watch<'_>) -> Result<()> {
    let _alone = node.alone()?;
    take_back(node, wait, watch)
}

fn take_back(node: &Node, wait: Duration, watch: &mut Watch<'_>) -> Result<()> {
    let backup = node.backup();
    let Some(mut journal) = backup.journal()? else {
        if let Some(text) = node.read_manifest()? {
            backup.sweep(&text);
        }
        return Err(Failure::new("nothing was applied here, so nothing is taken back")
            .next("setup apply keeps its backup in /etc/kubernetes/cleanbill-backup"));
    };
    node.sweep(&journal.mount_dir);
    let before = backup.manifest()?;
    let text = node.read_manifest()?;
    if text.as_ref().is_some_and(|text| *text != before && *text != journal.after) {
        return Err(changed_since(node));
    }
    journal.stage = Stage::RollingBack;
    backup.write(&journal)?;
    (watch.after)(Step::RollingBack);
    if text.as_ref() != Some(&before) {
        node.write_manifest(&before)?;
    }
    (watch.after)(Step::Restored);
    (watch.say)("the manifest is the old one; waiting for the API server to come back");
    proof(node, &journal.gate, wait, |proof| proof.not_asked())?;
    (watch.after)(Step::OldIsBack);
    for name in &journal.kept {
        node.put(&journal.mount_dir, name, &backup.file(name)?)?;
    }
    for name in &journal.made {
        node.take(&journal.mount_dir, name)?;
    }
    (watch.after)(Step::FilesBack);
    backup.clear()?;
    (watch.after)(Step::Cleared);
    (watch.say)("taken back: the API server runs as before and does not ask the gate");
    Ok(())
}

/// Whether a run that was cut off can go on.
fn resumable(
    node: &Node,
    folder: &Folder,
    options: &Options,
    text: &str,
    journal: &Journal,
) -> Result<()> {
    let before = node.backup().manifest()?;
    if text != before && text != journal.after {
        return Err(changed_since(node));
    }
    if edit::edit(&before, &folder.change)? != journal.after || folder.gate != journal.gate {
        return Err(Failure::new("an earlier run with another folder was cut off")
            .next("run `cleanbill setup apply --rollback` first"));
    }
    if options.dry_run {
        return Err(Failure::new("an earlier run was cut off in the middle")
            .next("apply without --dry-run to go on, or `cleanbill setup apply --rollback`"));
    }
    Ok(())
}

/// What was applied before is proved again; nothing is changed.
fn already(node: &Node, folder: &Folder, options: &Options, watch: &mut Watch<'_>) -> Result<()> {
    let mount_dir = &folder.change.mount_dir;
    for name in folder.names() {
        let path = node.mounted(mount_dir, name);
        if std::fs::read_to_string(&path).ok() != Some(folder.file(name)?) {
            return Err(Failure::new(format!(
                "the manifest has the change, but {} is not the folder's",
                path.display()
            ))
            .next(
                "for new certificates copy the files as `cleanbill setup renew` says; else roll \
                 back first",
            ));
        }
    }
    let allowed = judged(node, folder, options, watch)?;
    proof(node, &folder.gate, options.wait, |proof| proof.asked(&allowed))?;
    (watch.say)("it is applied already, and the gate is asked; nothing was changed");
    Ok(())
}

fn proof(
    node: &Node,
    gate: &str,
    wait: Duration,
    holds: impl Fn(&Proof<'_>) -> Result<()>,
) -> Result<()> {
    holds(&Proof { api: &|| node.api(), gate, wait })
}

fn changed_since(node: &Node) -> Failure {
    Failure::new(format!("{} was changed by somebody else since", node.manifest().display())).next(
        format!(
            "compare it with the copy in {}, take out by hand what kube-apiserver.patch.md lists, \
             and move that folder away",
            node.backup().folder().display()
        ),
    )
}
