//! `cleanbill setup apply`: the change to a control-plane node that kubeadm made.

use std::path::PathBuf;
use std::time::Duration;

use super::say;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::report::text;
use crate::setup::apply::folder::Folder;
use crate::setup::apply::node::Node;
use crate::setup::apply::{Options, Watch, apply, roll_back};

/// Examples under the help.
pub const AFTER: &str = "\
Examples:
  cleanbill setup apply ./gate --dry-run     what would be refused, and what would be changed
  cleanbill setup apply ./gate               change it, prove it, or take it back
  cleanbill setup apply --rollback           as it was before

Start the gate first. What was cut off is brought to an end by the next apply or --rollback.";

/// Arguments of `setup apply`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder that setup wrote (--mode node or remote)
    #[arg(required_unless_present = "rollback")]
    dir: Option<PathBuf>,
    /// The node's root folder
    #[arg(long, value_name = "DIR", default_value = "/")]
    root: PathBuf,
    /// Kubeconfig of this node's own API server [default: /etc/kubernetes/admin.conf]
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Judge these pods, as `kubectl get pods -A -o json` prints them
    #[arg(long, value_name = "FILE")]
    pods: Option<PathBuf>,
    /// Go on although pods that run, not of kube-system, would be refused
    #[arg(long)]
    accept_refusals: bool,
    /// Prove with this image that pods are let in; else with one that runs
    #[arg(long, value_name = "NAME")]
    allowed_image: Option<String>,
    /// Seconds to wait for the API server, and for images that are being examined
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    wait: u64,
    /// Show what would be refused and changed, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Put everything back as it was
    #[arg(long, conflicts_with_all = ["dry_run", "pods", "accept_refusals", "allowed_image"])]
    rollback: bool,
}

/// Runs the command.
///
/// # Errors
/// When it was not done: then everything is as it was, or the error says what is left to do.
pub fn run(args: &Args) -> Result<Exit> {
    let node = Node::at(&args.root);
    let node = match &args.kubeconfig {
        Some(file) => node.asked_by(file),
        None => node,
    };
    let wait = Duration::from_secs(args.wait);
    // Each line at once: what follows may take minutes. Reasons quote images' and servers' words.
    let mut tell = |line: &str| {
        _ = say(&(text::printable_lines(line) + "\n"));
    };
    let mut watch = Watch { say: &mut tell, after: &mut |_| {} };
    if args.rollback {
        roll_back(&node, wait, &mut watch)?;
        return Ok(Exit::DONE);
    }
    let Some(dir) = &args.dir else {
        return Err(Failure::new("no folder is named").next("cleanbill setup apply DIR"));
    };
    let options = Options {
        pods: args.pods.clone(),
        accept_refusals: args.accept_refusals,
        allowed_image: args.allowed_image.clone(),
        wait,
        dry_run: args.dry_run,
    };
    apply(&node, &Folder::read(dir)?, &options, &mut watch)?;
    Ok(Exit::DONE)
}
