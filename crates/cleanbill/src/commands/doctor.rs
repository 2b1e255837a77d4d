//! `cleanbill doctor`: what stands between an API server and its gate, with the fix.

use std::io::Write as _;
use std::path::PathBuf;

use cleanbill_core::Timestamp;

use crate::doctor::{Input, Network, examine};
use crate::exit::Exit;
use crate::failure::{Failure, Result};

/// Examples under the help.
pub const AFTER: &str = "\
Examples:
  cleanbill doctor --gate-config cleanbill.yaml      on a control-plane node
  cleanbill doctor --root ./copy-of-node --offline   on copied files
  cleanbill doctor --kubeconfig ~/.kube/config       from a laptop

Exit codes: 0 no error in what was looked at; 1 errors; 2 failed; 3 nothing could be looked at.";

/// Arguments of `doctor`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder that stands for the node's / (default: /, unless copies or a cluster are named)
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// A kube-apiserver manifest in place of the node's; repeatable, one for each API server
    #[arg(long, value_name = "FILE")]
    manifest: Vec<PathBuf>,
    /// The admission configuration, in place of where the flag leads
    #[arg(long, value_name = "FILE")]
    admission_config: Option<PathBuf>,
    /// The gate's configuration
    #[arg(long, value_name = "FILE")]
    gate_config: Option<PathBuf>,
    /// A kubeconfig of the cluster: reads flags, metrics and webhooks from the API server
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// A copy of the API server's metrics
    #[arg(long, value_name = "FILE")]
    metrics: Option<PathBuf>,
    /// The audit policy, in place of where the flag leads
    #[arg(long, value_name = "FILE")]
    audit_policy: Option<PathBuf>,
    /// An audit log to search for pods that were let in without an answer
    #[arg(long, value_name = "FILE")]
    audit_log: Option<PathBuf>,
    /// Ask the gate about this image; else no question is sent
    #[arg(long, value_name = "IMAGE", conflicts_with = "offline")]
    ask: Option<String>,
    /// Call nobody
    #[arg(long)]
    offline: bool,
    /// --root is this machine's, such as in a container: loopback is the node
    #[arg(long, requires = "root")]
    on_node: bool,
    /// text or json
    #[arg(long, short = 'f', value_name = "FORMAT", default_value = "text", value_parser = ["text", "json"], hide_possible_values = true)]
    format: String,
    /// Explain what is fine, too
    #[arg(long, short = 'v')]
    verbose: bool,
}

/// Runs the command.
///
/// # Errors
/// When the output cannot be written. What is wrong with what was looked at is no error.
pub fn run(args: Args) -> Result<Exit> {
    let copies = !args.manifest.is_empty() || args.admission_config.is_some();
    let here = args.root.is_none() && !copies && args.kubeconfig.is_none();
    let root = if here { Some(PathBuf::from("/")) } else { args.root };
    let absolute = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
    let report = examine(&Input {
        root: root.map(absolute),
        manifests: args.manifest,
        admission_config: args.admission_config.map(absolute),
        gate_config: args.gate_config.map(absolute),
        kubeconfig: args.kubeconfig,
        metrics: args.metrics,
        audit_policy: args.audit_policy,
        audit_log: args.audit_log,
        network: match (args.offline, here || args.on_node) {
            (true, _) => Network::Untouched,
            (false, true) => Network::OnNode,
            (false, false) => Network::Elsewhere,
        },
        ask: args.ask,
        now: Timestamp::now(),
    });
    let text = if args.format == "json" { report.json() } else { report.text(args.verbose) };
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("cannot write the report: {e}")))
        }
        _ => Ok(report.exit()),
    }
}
