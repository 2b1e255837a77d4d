//! `cleanbill setup renew`: other certificates, while gate and API server run.

use std::path::PathBuf;

use cleanbill_core::Timestamp;

use super::say;
use crate::exit::Exit;
use crate::failure::Result;
use crate::setup::renew::{Came, begin, finish, switch};

/// Examples under the help.
pub const AFTER: &str = "\
Examples:
  cleanbill setup renew ./gate              a new authority, trusted besides the old one
  cleanbill setup renew ./gate --switch     then the new certificates
  cleanbill setup renew ./gate --finish     then the old authority goes

After each step bring the files to both sides, as it says, before you take the next.";

/// Arguments of `setup renew`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder that setup wrote
    dir: PathBuf,
    /// Put the new certificates in, when both sides trust the new authority
    #[arg(long, conflicts_with = "finish")]
    switch: bool,
    /// Take the old authority away, when both sides use the new certificates
    #[arg(long)]
    finish: bool,
    /// Days for which the new certificates are good
    #[arg(long, default_value_t = 365)]
    days: u32,
}

/// Runs the command.
///
/// # Errors
/// When the step is not the next one, or a file cannot be read or written.
pub fn run(args: &Args) -> Result<Exit> {
    let dir = &args.dir;
    let came = match (args.switch, args.finish) {
        (true, _) => switch(dir)?,
        (_, true) => finish(dir)?,
        (false, false) => begin(dir, args.days, Timestamp::now())?,
    };
    let dir = dir.display();
    let webhooks = "Where the gate is asked by webhooks: kubectl apply -f cluster/21-certificates.yaml\n\
         -f webhooks/, or copy the folders of static webhooks.\n";
    say(&match came {
        Came::Replaced => format!(
            "{dir} has new certificates of the same authority.\n\
             next: copy server.crt and server.key to the gate, which takes them within seconds, and\n\
             client.crt and client.key to every kube-apiserver, which takes them within 5 minutes.\n\
             In any order. {webhooks}"
        ),
        Came::Overlaps => format!(
            "{dir}/ca.crt holds a new authority and the old one; certificates are as they were.\n\
             next: copy ca.crt to the gate, which takes it within seconds, and to every kube-apiserver.\n\
             One of Kubernetes 1.36 or newer reads it again within 5 minutes; an older one has to be\n\
             started anew, or it will not know the gate after the next step. {webhooks}\
             Then: cleanbill setup renew {dir} --switch\n"
        ),
        Came::Switched => format!(
            "{dir} has the new certificates; both authorities are trusted.\n\
             next: copy server.crt and server.key to the gate, which takes them within seconds, and\n\
             client.crt and client.key to every kube-apiserver, which takes them within 5 minutes.\n\
             In any order. {webhooks}\
             When 5 minutes are over: cleanbill setup renew {dir} --finish\n"
        ),
        Came::Finished => format!(
            "{dir}/ca.crt holds the new authority alone.\n\
             next: copy ca.crt to the gate and to every kube-apiserver. An API server older than 1.36\n\
             trusts the old one until it is started anew. {webhooks}"
        ),
    })
}
