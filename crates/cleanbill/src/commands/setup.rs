//! `cleanbill setup`: certificates, and every file by which an API server learns to ask the gate.

use std::io::Write as _;
use std::path::PathBuf;

use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::setup::admission::Values;
use crate::setup::{Plan, files, make};

/// Examples under the help.
pub const AFTER: &str = "\
Examples:
  cleanbill setup ./gate
  cleanbill setup ./gate --host 10.0.0.7 --host gate.example --port 8443
  cleanbill setup ./gate --allow-ttl 50 --deny-ttl 50 --retry-backoff 500 --default-allow false

Then read ./gate/kube-apiserver.patch.md, which says what to copy where.";

/// Arguments of `setup`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder to write into; made if it is missing
    dir: PathBuf,
    /// Name or address by which kube-apiserver reaches the gate; repeatable, the first is called
    #[arg(long, value_name = "NAME|IP", default_value = "127.0.0.1")]
    host: Vec<String>,
    /// Port of the gate
    #[arg(long, default_value_t = 1234)]
    port: u16,
    /// Name in kube-apiserver's certificate: the only one that the gate lets in
    #[arg(long, value_name = "NAME", default_value = "kube-apiserver")]
    client_name: String,
    /// Where kube-apiserver will find the files
    #[arg(long, value_name = "DIR", default_value = "/etc/kubernetes/cleanbill")]
    mount_dir: String,
    /// Where the gate will keep its evidence
    #[arg(long, value_name = "DIR", default_value = "/var/lib/cleanbill")]
    state_dir: String,
    /// Seconds kube-apiserver remembers "allowed" (1 to 1800, 0 default, -1 never)
    #[arg(long, value_name = "SECONDS", default_value_t = 60, allow_negative_numbers = true)]
    allow_ttl: i64,
    /// Seconds kube-apiserver remembers a denial (1 to 1800, 0 default, -1 never)
    #[arg(long, value_name = "SECONDS", default_value_t = 10, allow_negative_numbers = true)]
    deny_ttl: i64,
    /// Milliseconds before a failed call is repeated (1 to 300000, 0 default, -1 at once)
    #[arg(long, value_name = "MS", default_value_t = 500, allow_negative_numbers = true)]
    retry_backoff: i64,
    /// Whether pods are let in while the gate cannot be asked
    #[arg(long, value_name = "BOOL", default_value_t = false, action = clap::ArgAction::Set)]
    default_allow: bool,
    /// How "could not be examined now" is said: deny, or fail (not kept by the API server, and
    /// only with --default-allow false)
    #[arg(long, value_name = "HOW", default_value = "deny", value_parser = ["deny", "fail"])]
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

/// Runs the command.
///
/// # Errors
/// When a value is not one that kube-apiserver takes, a file is in the way, or writing fails.
pub fn run(args: Args) -> Result<Exit> {
    let Args { allow_ttl, deny_ttl, retry_backoff, default_allow, .. } = args;
    let plan = Plan {
        hosts: args.host,
        port: args.port,
        client_name: args.client_name,
        mount_dir: args.mount_dir,
        state_dir: args.state_dir,
        fail_when_unexamined: args.when_unexamined == "fail",
        values: Values { allow_ttl, deny_ttl, retry_backoff, default_allow },
        days: args.days,
        keep_ca_key: args.keep_ca_key,
    };
    let made = make(&plan, cleanbill_core::Timestamp::now())?;
    let mut said = String::new();
    for path in files::write(&args.dir, &made, args.force)? {
        said.push_str(&format!("wrote {}\n", path.display()));
    }
    let dir = args.dir.display();
    if default_allow {
        said.push_str("note: default-allow is true: while the gate is down, every image runs\n");
    }
    said.push_str(&format!(
        "next: read {dir}/policy.yaml, start `cleanbill serve --config {dir}/cleanbill.yaml`,\n      \
         and follow {dir}/kube-apiserver.patch.md\n"
    ));
    std::io::stdout()
        .lock()
        .write_all(said.as_bytes())
        .map_err(|e| Failure::new(format!("the files are written, but saying so failed: {e}")))?;
    Ok(Exit::DONE)
}
