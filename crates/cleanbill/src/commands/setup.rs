//! `cleanbill setup`: certificates, and every file by which an API server learns to ask the gate.

mod apply;
mod renew;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Subcommand;

use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::setup::admission::Values;
use crate::setup::mode::{MOUNT_DIR, Mode, Tool};
use crate::setup::{Plan, files, make};

/// Examples under the help.
pub const AFTER: &str = "\
Examples:
  cleanbill setup ./gate --host 10.0.0.7 --host gate.example --port 8443
  cleanbill setup ./gate --mode node --for kubeadm
  cleanbill setup ./gate --mode webhook --image registry.example/cleanbill@sha256:…";

/// What else `setup` does.
#[derive(Debug, Subcommand)]
pub enum What {
    /// Replace certificates while gate and API server run
    #[command(after_help = renew::AFTER)]
    Renew(renew::Args),
    /// Change the API server of a kubeadm node, or nothing (also: setup --apply)
    #[command(long_flag = "apply", after_help = apply::AFTER)]
    Apply(apply::Args),
}

/// Arguments of `setup`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
    #[command(subcommand)]
    what: Option<What>,
    /// Folder to write into; made if it is missing
    #[arg(required = true)]
    dir: Option<PathBuf>,
    /// node, remote, webhook (as pods) or static-webhook (Kubernetes 1.36)
    #[arg(long, value_enum, default_value = "remote", hide_possible_values = true)]
    mode: Mode,
    /// Also write what kind, minikube, k3s or kubeadm needs
    #[arg(long = "for", value_name = "TOOL", value_enum, hide_possible_values = true)]
    tool: Option<Tool>,
    /// How kube-apiserver reaches the gate; repeatable, the first is called
    #[arg(long, value_name = "NAME|IP")]
    host: Vec<String>,
    /// Port of the gate
    #[arg(long, default_value_t = 1234)]
    port: u16,
    /// The gate as an image, whose entry point is the program
    #[arg(long, value_name = "NAME")]
    image: Option<String>,
    /// Namespace of the gate (webhook)
    #[arg(long, value_name = "NAME", default_value = "cleanbill")]
    namespace: String,
    /// Namespace whose pull secrets the gate may read (webhook)
    #[arg(long, value_name = "NAME")]
    pull_secrets_of: Vec<String>,
    /// The only name that the gate lets in
    #[arg(long, value_name = "NAME", default_value = "kube-apiserver")]
    client_name: String,
    /// Where kube-apiserver will find the files (/etc/kubernetes/cleanbill)
    #[arg(long, value_name = "DIR")]
    mount_dir: Option<String>,
    /// Where the gate will keep its evidence
    #[arg(long, value_name = "DIR", default_value = "/var/lib/cleanbill")]
    state_dir: String,
    /// How long "allowed" is kept (1 to 1800, 0, -1)
    #[arg(long, value_name = "SECONDS", default_value_t = 60, allow_negative_numbers = true)]
    allow_ttl: i64,
    /// How long a denial is kept (the same)
    #[arg(long, value_name = "SECONDS", default_value_t = 10, allow_negative_numbers = true)]
    deny_ttl: i64,
    /// Before a call is repeated (1 to 300000, 0, -1)
    #[arg(long, value_name = "MS", default_value_t = 500, allow_negative_numbers = true)]
    retry_backoff: i64,
    /// Let pods in while the gate cannot be asked
    #[arg(long, value_name = "BOOL", default_value_t = false, hide_possible_values = true)]
    #[arg(action = clap::ArgAction::Set)]
    default_allow: bool,
    /// Say "could not be examined now" by deny, or fail
    #[arg(long, value_name = "HOW", default_value = "deny", value_parser = ["deny", "fail"])]
    #[arg(hide_possible_values = true)]
    when_unexamined: String,
    /// Days for which the certificates are good
    #[arg(long, default_value_t = 365)]
    days: u32,
    /// Also write ca.key, with which more certificates can be made
    #[arg(long)]
    keep_ca_key: bool,
    /// Overwrite files that are there
    #[arg(long)]
    force: bool,
}

impl Args {
    fn plan(&self, dir: &Path) -> Result<Plan> {
        let Self { mode, tool, .. } = *self;
        let folder = std::path::absolute(dir)
            .map_err(|e| Failure::new(format!("{}: {e}", dir.display())))?;
        let folder = folder.to_str().ok_or_else(|| {
            Failure::new(format!("{}: its path is no text", folder.display()))
                .next("choose a folder whose path is UTF-8")
        })?;
        let mut hosts = self.host.clone();
        let own = mode.host(&self.namespace);
        match mode {
            // The Service's name is the one that kube-apiserver verifies.
            Mode::Webhook => {
                hosts.insert(0, own.clone());
                hosts.push(format!("{own}.cluster.local"));
            }
            Mode::Node | Mode::Remote | Mode::StaticWebhook if hosts.is_empty() => hosts.push(own),
            Mode::Node | Mode::Remote | Mode::StaticWebhook => {}
        }
        let mount_dir = tool.map_or(MOUNT_DIR, Tool::mount_dir);
        Ok(Plan {
            mode,
            tool,
            hosts,
            port: self.port,
            client_name: self.client_name.clone(),
            mount_dir: self.mount_dir.clone().unwrap_or_else(|| mount_dir.to_owned()),
            state_dir: self.state_dir.clone(),
            folder: folder.to_owned(),
            image: self.image.clone(),
            namespace: self.namespace.clone(),
            pull_secrets_of: self.pull_secrets_of.clone(),
            fail_when_unexamined: self.when_unexamined == "fail",
            values: Values {
                allow_ttl: self.allow_ttl,
                deny_ttl: self.deny_ttl,
                retry_backoff: self.retry_backoff,
                default_allow: self.default_allow,
            },
            days: self.days,
            keep_ca_key: self.keep_ca_key,
            ..Plan::default()
        })
    }
}

/// Runs the command.
///
/// # Errors
/// When a value is not one that kube-apiserver takes, a file is in the way, or writing fails.
pub fn run(args: &Args) -> Result<Exit> {
    match &args.what {
        Some(What::Renew(args)) => return renew::run(args),
        Some(What::Apply(args)) => return apply::run(args),
        None => {}
    }
    let Some(dir) = &args.dir else {
        return Err(Failure::new("no folder is named").next("cleanbill setup DIR"));
    };
    let plan = args.plan(dir)?;
    let made = make(&plan, cleanbill_core::Timestamp::now())?;
    let mut said = String::new();
    for path in files::write(dir, &made, args.force)? {
        said.push_str(&format!("wrote {}\n", path.display()));
    }
    let dir = dir.display();
    if plan.values.default_allow {
        said.push_str("note: default-allow is true: while the gate is down, every image runs\n");
    }
    if plan.mode.is_on_node() && plan.image.is_none() {
        said.push_str("note: no static pod manifest was written; --image NAME writes one too\n");
    }
    let (policy, start) = match plan.mode {
        Mode::Remote => (
            "policy.yaml",
            format!("start `cleanbill serve --config {dir}/cleanbill.yaml`,\n      and "),
        ),
        Mode::Node | Mode::StaticWebhook => ("policy.yaml", "and\n      ".to_owned()),
        Mode::Webhook => ("cluster/20-configuration.yaml", "and\n      ".to_owned()),
    };
    said.push_str(&format!(
        "next: read {dir}/{policy}, {start}follow {dir}/kube-apiserver.patch.md\n"
    ));
    say(&said)
}

/// Tells what was done.
fn say(text: &str) -> Result<Exit> {
    std::io::stdout()
        .lock()
        .write_all(text.as_bytes())
        .map_err(|e| Failure::new(format!("it is done, but saying so failed: {e}")))?;
    Ok(Exit::DONE)
}
