//! The tour, step by step: what is in the images, by which policy they are judged, what the gate
//! answers, and what to do next. Cleans up behind itself, and ends well only if every answer of
//! the examples was the one that was promised.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cleanbill_core::Timestamp;
use cleanbill_core::platform::Platform;
use cleanbill_core::reference::ImageRef;
use cleanbill_oci::image::{PinnedImage, PlatformChoice};
use cleanbill_oci::limits::Limits;
use cleanbill_oci::source::{InputSpec, open_input};
use tempfile::TempDir;

use crate::checkers::Checkers;
use crate::commands::access::Access;
use crate::commands::facts::Facts;
use crate::commands::scan;
use crate::commands::source::{Source, Wanted};
use crate::failure::{Failure, Result};
use crate::progress::Progress;
use crate::quickstart::ask::{Answer, Asker};
use crate::quickstart::examples::ALL;
use crate::quickstart::registry::{Hosted, Registry};
use crate::report::{Filter, Format, Look, View, text};
use crate::serve::live::Rules;
use crate::serve::load;
use crate::serve::record::Recorder;
use crate::serve::start::{Parts, Started, start};
use crate::serve::tls::Material;
use crate::setup::files::{self, NewFile};
use crate::setup::pki::{Authority, Pair, Validity};
use crate::store::{Owner, Store};
use crate::wiring;

/// The policy of the tour: strict, except that the advisories may be old, in so many words.
pub const POLICY: &str = include_str!("policy.yaml");
/// The port of the documentation; any other, if it is taken.
const PORT: u16 = 1234;
const CLIENT: &str = "kube-apiserver";

/// What the tour is about.
#[derive(Clone, Debug)]
pub enum Theme {
    /// The two examples.
    Examples,
    /// An image file of the user's.
    File(PathBuf),
    /// An image of a registry.
    Image(ImageRef),
}

/// One image of the tour.
struct Stop {
    /// What it is called.
    title: String,
    /// Where it is scanned from.
    source: Source,
    /// Under which name the gate is asked.
    asked: String,
    /// What the gate has to say, where we know.
    promised: Option<bool>,
}

/// Walks through all of it.
///
/// # Errors
/// When a step fails, or an example was not answered as promised.
pub fn walk(theme: Theme, facts: &Facts) -> Result<()> {
    let dir = tempfile::Builder::new()
        .prefix("cleanbill-quickstart-")
        .tempdir()
        .map_err(|e| Failure::new(format!("cannot make a temporary folder: {e}")))?;
    let (stops, registry) = stops(&theme, dir.path())?;
    say("Cleanbill decides which images may run, and says why.")?;
    match theme {
        Theme::Image(_) => {
            say("This tour needs that image's registry, and leaves nothing behind.")?
        }
        Theme::Examples | Theme::File(_) => {
            say("This tour stays on this machine and leaves nothing behind.")?;
        }
    }
    for (n, stop) in stops.iter().enumerate() {
        head(&format!("1.{} What is in it? {}", n + 1, stop.title))?;
        scanned(stop, facts)?;
    }
    head("2. What must an image meet? The policy of this tour")?;
    say(POLICY.trim_end())?;
    gate(&stops, registry.as_ref(), facts, &dir)?;
    head("What to do next")?;
    say("\
Scan an image of yours            cleanbill image nginx:alpine
Fetch today's advisories          cleanbill db update
See what the gate would say       cleanbill check --policy policy.yaml IMAGE
Set the gate up for a cluster     cleanbill setup ./gate, then read ./gate/kube-apiserver.patch.md
Run it                            cleanbill serve --config ./gate/cleanbill.yaml")
}

fn stops(theme: &Theme, dir: &Path) -> Result<(Vec<Stop>, Option<Registry>)> {
    let source = |wanted| Source {
        wanted,
        platform: None,
        access: Access::default(),
        limits: Limits::default(),
    };
    // (name, title, file, promised)
    let files = match theme {
        Theme::Image(name) => {
            let wanted = Wanted::Registry(name.clone());
            let (title, asked) = (name.to_string(), name.to_string());
            return Ok((vec![Stop { title, source: source(wanted), asked, promised: None }], None));
        }
        Theme::File(path) => {
            vec![("image".to_owned(), path.display().to_string(), path.clone(), None)]
        }
        Theme::Examples => {
            let mut files = Vec::new();
            for example in ALL {
                let path = dir.join(format!("{}.tar", example.name));
                std::fs::write(&path, example.archive())
                    .map_err(|e| Failure::new(format!("cannot write {}: {e}", path.display())))?;
                let title = format!("{}: {}", example.name, example.about);
                files.push((example.name.to_owned(), title, path, Some(example.passes)));
            }
            files
        }
    };
    let mut hosted = Vec::new();
    let mut stops = Vec::new();
    for (name, title, path, promised) in files {
        let image = Hosted::new(&name, opened(&path)?);
        let asked = format!("{name}@{}", image.digest());
        hosted.push(image);
        let wanted = Wanted::Input(path.display().to_string());
        stops.push(Stop { title, source: source(wanted), asked, promised });
    }
    let registry = Registry::start(hosted)?;
    for stop in &mut stops {
        stop.asked = format!("{}/{}", registry.host(), stop.asked);
    }
    Ok((stops, Some(registry)))
}

fn opened(path: &Path) -> Result<PinnedImage> {
    let spec = InputSpec::parse(&path.display().to_string());
    let choice = PlatformChoice::Prefer(Platform::of_this_machine());
    let images = open_input(&spec, &choice, &Arc::new(Limits::default()))?.images;
    let none = || Failure::new(format!("{}: no image for this machine in it", path.display()));
    images.into_iter().next().ok_or_else(none)
}

fn scanned(stop: &Stop, facts: &Facts) -> Result<()> {
    let progress = Progress::new(true);
    let mut report = scan::examine(&stop.source, facts, &progress)?;
    progress.clear();
    // A temporary file's name means nothing to anybody.
    if stop.promised.is_some() {
        stop.title.split(':').next().unwrap_or_default().clone_into(&mut report.artifact_name);
    }
    let view = View::new(&report, Filter::default());
    say(Format::Table.write(&view, Look::of_stdout())?.trim_end())
}

/// Starts the gate, asks it about every stop, and once without a certificate.
fn gate(stops: &[Stop], registry: Option<&Registry>, facts: &Facts, dir: &TempDir) -> Result<()> {
    let authority = Authority::new(Validity::days(Timestamp::now(), 1)?)?;
    let client = authority.client(CLIENT, Validity::days(Timestamp::now(), 1)?)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::new(format!("no threads can be had: {e}")))?;
    let started = match runtime.block_on(start(parts(&authority, registry, facts, dir, PORT)?)) {
        Ok(started) => started,
        Err(_) => runtime.block_on(start(parts(&authority, registry, facts, dir, 0)?))?,
    };
    let asked = ask(&started, stops, &authority, client);
    runtime.block_on(started.stop());
    asked
}

fn ask(started: &Started, stops: &[Stop], authority: &Authority, client: Pair) -> Result<()> {
    let gate = started.address();
    head(&format!("3. The gate, on https://{gate}, asked as kube-apiserver asks it"))?;
    say("(ImageReview v1alpha1 over TLS; both sides have fresh certificates of one authority)")?;
    let ca = authority.certificate().into_bytes();
    let client = (client.certificate.into_bytes(), client.key.into_bytes());
    let asker = Asker { gate, ca, client };
    for stop in stops {
        say(&format!("\nMay {} run?", stop.asked))?;
        let (words, allowed) = match asker.ask(&stop.asked)? {
            Answer::Allowed => ("ALLOWED".to_owned(), true),
            Answer::Denied(why) => (format!("DENIED  {why}"), false),
        };
        indented(&words)?;
        if stop.promised.is_some_and(|promised| promised != allowed) {
            return Err(Failure::new(format!("{} was promised another answer", stop.title)));
        }
    }
    say("\nMay anybody ask, without a client certificate?")?;
    indented(&format!("REFUSED in the handshake: {}", asker.knock()?))
}

/// What a gate is made of, read from files as `cleanbill serve` reads them.
fn parts(
    authority: &Authority,
    registry: Option<&Registry>,
    facts: &Facts,
    dir: &TempDir,
    port: u16,
) -> Result<Parts> {
    let server = authority.server(&[], Validity::days(Timestamp::now(), 1)?)?;
    let registries = registry.map_or_else(String::new, |registry| {
        let host = registry.host();
        format!("registries:\n- host: \"{host}\"\n  plain_http: true\n  private: true\n")
    });
    let db = match &facts.snapshot {
        Some(path) => {
            let path = std::path::absolute(path)
                .map_err(|e| Failure::new(format!("{}: {e}", path.display())))?;
            format!("db: {}\n", serde_json::Value::from(path.display().to_string()))
        }
        None => String::new(),
    };
    // Port 0 is no setting that an operator may choose; it is put in below.
    let config = format!(
        "listen: \"127.0.0.1:{PORT}\"\n\
         tls:\n  cert: server.crt\n  key: server.key\n  client_ca: ca.crt\n  client_names: [{CLIENT}]\n\
         policy: policy.yaml\nstate_dir: state\n{db}{registries}"
    );
    let made = [
        NewFile::public("ca.crt", authority.certificate()),
        NewFile::public("server.crt", server.certificate),
        NewFile::secret("server.key", server.key),
        NewFile::public("policy.yaml", POLICY.to_owned()),
        NewFile::public("cleanbill.yaml", config),
    ];
    files::write(dir.path(), &made, true)?;
    let (config, policy) = load::load(&dir.path().join("cleanbill.yaml"))?;
    let tls = &config.tls;
    let names = tls.client_names.clone();
    let tls = Material::read(&tls.cert, &tls.key, &tls.client_ca, names)?.config()?;
    let store = Arc::new(Store::open(&config.state_dir, Owner::Gate)?);
    Ok(Parts {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        metrics_listen: None,
        tls,
        examiner: wiring::examiner(&config, Some(Arc::clone(&store)))?,
        rules: Rules::new(policy, Timestamp::now())?,
        checkers: Checkers::open(&[])?,
        kubernetes: None,
        recorder: Recorder::into(store)?,
        bounds: config.bounds,
        work: config.work,
    })
}

fn head(title: &str) -> Result<()> {
    say(&format!("\n{title}\n{}\n", "─".repeat(title.chars().count())))
}

fn indented(words: &str) -> Result<()> {
    let width = Look::of_stdout().width.unwrap_or(96).clamp(24, 96);
    let lines = text::wrap_words(&text::printable(words), width - 2);
    say(&format!("  {}", lines.join("\n  ")))
}

fn say(words: &str) -> Result<()> {
    match writeln!(std::io::stdout().lock(), "{words}") {
        // The reader has seen enough; the tour goes on, and cleans up.
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("cannot write: {e}")))
        }
        _ => Ok(()),
    }
}
