//! `cleanbill register`: say which bytes an image is that no registry has.

use std::io::Write as _;
use std::sync::Arc;

use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use cleanbill_core::reference::ImageRef;
use serde_json::{Value, json};

use crate::commands::record::{self, Format, StateArgs};
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::report::text::{printable, printable_lines};
use crate::store::{ANY, Registration, Store};
use crate::wiring::Looking;

/// Examples under the help.
pub const AFTER: &str = "\
Examples:
  cleanbill register morc-api:0.1-5 --input morc-api.tar --node worker-1
  cleanbill register morc-api:0.1-5 --digest sha256:… --node worker-1 --note 'built from 3f2a'
  cleanbill register --list
  cleanbill register --remove morc-api:0.1-5 --node worker-1

For names under local_images in the policy. With --input the archive is examined as the gate
examines images, and registered under its image id (the digest of its configuration, as crictl and
docker show it); with --digest alone the gate knows nothing of what is in it. Who registered or
removed what, and when, stays in the gate's store: --list -f json --history.

Exit codes: 0 done; 2 failed, also where the policy's local_images does not have the name: the gate
would ask a registry for it; 3 registered, but the policy could not be read, so that nobody knows
whether the gate will look at the registration.";

/// Characters of a node's name or a note.
const TEXT_MAX: usize = 1024;

/// Arguments of `register`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The name that pods use
    #[arg(required_unless_present = "list")]
    name: Option<String>,
    /// Its archive (as for scan): what is in it is examined and judged
    #[arg(long, short = 'i', value_name = "PATH", conflicts_with_all = ["list", "remove"])]
    input: Option<String>,
    /// The digest of the image; with --input, it must be that one
    #[arg(long, value_name = "DIGEST", required_unless_present_any = ["list", "remove", "input"])]
    digest: Option<Digest>,
    /// The node that has it (with --input, not needed)
    #[arg(long, value_name = "NODE", required_unless_present_any = ["list", "remove", "input"])]
    node: Option<String>,
    /// Words to be kept with it
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    note: String,
    /// Take back what is registered under the name (with --digest, --node: only that)
    #[arg(long, conflicts_with_all = ["list", "note"])]
    remove: bool,
    /// List what is registered, of one name or of all
    #[arg(long, conflicts_with_all = ["digest", "node", "note"])]
    list: bool,
    /// With --list: everything that was ever registered or removed
    #[arg(long, requires = "list")]
    history: bool,
    /// With --list: table, or json: one a line
    #[arg(
        long,
        short = 'f',
        value_name = "FORMAT",
        value_enum,
        default_value = "table",
        hide_possible_values = true,
        requires = "list"
    )]
    format: Format,
    #[command(flatten)]
    state: StateArgs,
}

/// Runs the command.
///
/// # Errors
/// When the store cannot be used, the name is none or not one of `local_images`, or there is nothing
/// to remove.
pub fn run(args: Args) -> Result<Exit> {
    let now = Timestamp::now();
    let name = args.name.as_deref().map(complete).transpose()?;
    if args.list {
        let name = name.map(|name| name.to_string());
        return list(&args.state.look()?, name.as_deref(), args.history, args.format);
    }
    let name = name.ok_or_else(|| Failure::new("no image was named"))?;
    for text in [args.node.as_deref().unwrap_or("?"), &args.note] {
        if text.chars().count() > TEXT_MAX {
            return Err(Failure::new(format!("more than {TEXT_MAX} characters in one value")));
        }
    }
    let who = who()?;
    let store = Arc::new(args.state.open()?);
    // What does not count is taken back all the same.
    if args.remove {
        let (digest, node) = (args.digest.as_ref(), args.node.as_deref());
        let gone = store.unregister(&name.to_string(), digest, node, &who, now)?;
        if gone.is_empty() {
            let why =
                format!("nothing of the kind is registered under {}", short(&name.to_string()));
            return Err(Failure::new(why).next("cleanbill register --list"));
        }
        return record::done(&gone.iter().map(|r| row("removed", r)).collect::<String>());
    }
    let sure = is_local(&name, &args.state)?;
    let node = args.node.filter(|node| !node.is_empty());
    let (digest, node) = match (&args.input, args.digest, node) {
        (Some(path), promised, node) => {
            let looking = Looking::new(&args.state.configuration()?, Some(Arc::clone(&store)))?;
            (looking.take_in(&name, path, promised)?, node.unwrap_or_else(|| ANY.to_owned()))
        }
        (None, Some(digest), Some(node)) => (digest, node),
        (None, _, _) => return Err(Failure::new("--digest and --node are both needed")),
    };
    let (name, note) = (name.to_string(), args.note);
    let registration = Registration { name, digest, node, who, at: now, note };
    let replaced = store.register(&registration)?;
    let mut told: String = replaced.iter().map(|r| row("removed", r)).collect();
    told += &row("registered", &registration);
    let done = record::done(&told)?;
    Ok(if sure { done } else { Exit::GAPS })
}

/// Whether the gate's policy has it that no registry is asked for a name. `false`: it could not be
/// read, which is told.
fn is_local(name: &ImageRef, state: &StateArgs) -> Result<bool> {
    let policy = match state.policy() {
        Ok(policy) => policy,
        Err(why) => {
            let shown = format!(
                "warning: nobody knows whether the gate asks a registry for {}: its policy could \
                 not be read: {}",
                short(&name.to_string()),
                why.message(),
            );
            _ = writeln!(std::io::stderr().lock(), "{}", printable_lines(&shown));
            return Ok(false);
        }
    };
    if policy.is_local(name) {
        return Ok(true);
    }
    let shown = short(&name.to_string()).to_owned();
    let why =
        format!("the policy does not have {shown} under local_images: the gate asks a registry");
    Err(Failure::new(why).next(format!("add it there (such as \"{}\")", short(&name.name()))))
}

/// The whole name by which the gate looks registrations up, if it is one of an image without a
/// digest.
fn complete(name: &str) -> Result<ImageRef> {
    let reference: ImageRef = name.parse().map_err(|e| Failure::new(format!("{e}")))?;
    match reference.digest() {
        None => Ok(reference),
        Some(_) => Err(Failure::new(format!("{name} names a digest: that needs no registration"))
            .next("give the name as pods write it, and the digest with --digest")),
    }
}

/// A name as people write it: without what runtimes add.
fn short(name: &str) -> &str {
    let own = name.strip_prefix("docker.io/").unwrap_or(name);
    own.strip_prefix("library/").unwrap_or(own)
}

/// Who runs this: by the system's word, with the name he has there.
fn who() -> Result<String> {
    use std::os::unix::fs::MetadataExt as _;
    let me = std::fs::metadata("/proc/self")
        .map_err(|e| Failure::new(format!("it cannot be told who runs this: {e}")))?
        .uid();
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let named = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == me.to_string()).then(|| name.to_owned())
    });
    let mut who = match named {
        Some(name) => format!("{name} (uid {me})"),
        None => format!("uid {me}"),
    };
    // A hint on who is behind `sudo`; whoever may write here could have set it.
    if let Some(caller) = std::env::var_os("SUDO_USER").and_then(|v| v.into_string().ok()) {
        let caller: String = caller.chars().take(64).collect();
        who += &format!(", SUDO_USER={caller}");
    }
    Ok(who)
}

fn list(store: &Store, name: Option<&str>, history: bool, format: Format) -> Result<Exit> {
    let found: Vec<(&str, Registration)> = if history {
        let all = store.registration_history()?;
        let mut all: Vec<_> = all.into_iter().map(|(e, r)| (e.as_str(), r)).collect();
        all.retain(|(_, r)| name.is_none_or(|name| r.name == name));
        all
    } else {
        let now = match name {
            Some(name) => store.registrations(name)?,
            None => store.all_registrations()?,
        };
        now.into_iter().map(|r| ("registered", r)).collect()
    };
    let mut text = String::new();
    for (event, registration) in &found {
        text += &match format {
            Format::Table => row(event, registration),
            Format::Json => record::line(&value(event, registration))?,
        };
    }
    record::done(&text)
}

fn row(event: &str, r: &Registration) -> String {
    let at = r.at.strftime("%FT%TZ").to_string();
    let cells = [event, short(&r.name), &r.digest.to_string(), &r.node, &at, &r.who, &r.note];
    cells.map(printable).join("  ").trim_end().to_owned() + "\n"
}

fn value(event: &str, r: &Registration) -> Value {
    json!({
        "event": event,
        "name": r.name,
        "digest": r.digest,
        "node": r.node,
        "who": r.who,
        "at": r.at,
        "note": r.note,
    })
}
