//! A gate, complete but for the registry, whose steps can be struck one at a time.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cleanbill::checkers::{CheckerConfig, KindConfig, ProgramConfig};
use cleanbill::kube::{Client, Holds, Reader};
use cleanbill::policy_file;
use cleanbill::serve::config::Bounds;
use cleanbill::serve::examiner::{Examiner, Failed};
use cleanbill::serve::record::Recorder;
use cleanbill::store::{Owner, Store};
use cleanbill_core::evidence::Evidence;
use cleanbill_core::finding::{Diagnosis, Finding, Status, Why};
use cleanbill_core::gap::{Gap, GapKind};
use cleanbill_core::reference::ImageRef;
use cleanbill_core::severity::Severity;
use cleanbill_core::verdict::Registered;
use cleanbill_oci::registry::{Credentials, Secret};
use serde_json::json;

use crate::points::{Fault, Point};
use crate::rig::{self, Choice, Rig, digest_of};
use crate::server::{self, Api, Mood, Objects, TOKEN};

/// The time from question to answer.
pub const BUDGET: Duration = Duration::from_millis(700);
/// The longest that anything hangs.
const HANG: Duration = Duration::from_secs(4);

/// The fault that is there now.
#[derive(Clone, Default)]
pub struct Armed(Arc<Mutex<Option<(Point, Fault)>>>);

impl Armed {
    pub fn set(&self, fault: Option<(Point, Fault)>) {
        *self.0.lock().unwrap() = fault;
    }

    fn at(&self, point: Point) -> Option<Fault> {
        let armed = *self.0.lock().unwrap();
        armed.filter(|(at, _)| *at == point).map(|(_, fault)| fault)
    }

    /// Panics or hangs if that is armed here; else the error or what is wrong.
    fn strike(&self, point: Point) -> Result<&'static str, Failed> {
        match self.at(point) {
            None => Ok(""),
            Some(Fault::Wrong(what)) => Ok(what),
            Some(Fault::Error) => Err(Failed::new("it failed", "unsaid")),
            Some(Fault::Panic) => panic!("armed: {point:?}"),
            Some(Fault::Hang) => {
                let began = Instant::now();
                while began.elapsed() < HANG && self.at(point) == Some(Fault::Hang) {
                    std::thread::sleep(Duration::from_millis(10));
                }
                Err(Failed::new("it took too long", "unsaid"))
            }
        }
    }
}

/// Everything of one gate.
pub struct Struck {
    pub rig: Rig,
    pub armed: Armed,
    pub state: PathBuf,
    cluster: Api,
    _folder: tempfile::TempDir,
}

/// A gate on whose way all points lie.
pub fn gate() -> Struck {
    let folder = tempfile::tempdir().unwrap();
    let (state, armed) = (folder.path().join("state"), Armed::default());
    let mode = folder.path().join("mode");
    std::fs::write(&mode, "agree").unwrap();
    let store = Arc::new(Store::open(&state, Owner::Gate).unwrap());
    let policy = "
        accept_gaps: [mutable-reference]
        local_images: [local/*]
        already_admitted: keep 12h
        checkers:
          - {names: [other], require: all, scope: {namespaces: [asks-others]}}
    ";
    let cluster = server::start(Objects::from([(SECRET.into(), (200, secret("")))]), false);
    let rig = rig::rig(Choice {
        examiner: examiner(&armed),
        kubernetes: Some(reader(&cluster, folder.path())),
        policy: policy_file::parse(policy, "policy").unwrap(),
        bounds: Bounds { budget: BUDGET, body_time: BUDGET, ..Bounds::default() },
        recorder: Recorder::into(store).unwrap(),
        checkers: vec![checker(&mode)],
        ..Choice::default()
    });
    Struck { rig, armed, state, cluster, _folder: folder }
}

fn examiner(armed: &Armed) -> Examiner {
    let at = || armed.clone();
    let (id, now, snapshot, resolve, examine) = (at(), at(), at(), at(), at());
    let (registered, admitted) = (at(), at());
    let ids = AtomicUsize::new(0);
    Examiner {
        resolve: Box::new(move |name, _, _| match resolve.strike(Point::Resolve)? {
            "" => Ok(digest_of(&name.to_string())),
            _ => Ok(digest_of("flawed")),
        }),
        examine: Box::new(move |name, access, _| {
            if name.repository().starts_with("private") && access.logins(name) != [login()] {
                return Err(Failed::new("the registry refuses access", "unsaid"));
            }
            let wrong = examine.strike(Point::Examine)?;
            Ok(spoil(evidence(name), wrong))
        }),
        snapshot: Box::new(move || {
            _ = snapshot.strike(Point::Snapshot);
            Some(rig::evidence(&pinned("x")).snapshot.digest)
        }),
        registered: Box::new(move |name| {
            let wrong = registered.strike(Point::Registered)?;
            if wrong == "nothing" {
                return Ok(Vec::new());
            }
            let digest = digest_of(&name.to_string());
            let seen = spoil(evidence(&name.pinned(digest)), wrong);
            let evidence = (wrong != "never examined").then(|| Arc::new(seen));
            Ok(vec![Registered { digest, node: "n".into(), evidence }])
        }),
        admitted: Box::new(move |namespace, _| {
            if namespace != "keeps" {
                return None;
            }
            let ago = match admitted.strike(Point::Admitted) {
                Err(_) => return None,
                Ok("") => 3600,
                Ok("long ago") => 100 * 3600,
                Ok(_) => -3600,
            };
            let at = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(ago);
            Some((at, "e0000000000000000000".into()))
        }),
        now: Box::new(move || {
            _ = now.strike(Point::Clock);
            let hours = match now.at(Point::Spend) {
                None => 0,
                // The first look after it was armed is the judgement's, the next one too late.
                Some(_) => LOOKS.fetch_add(1, SeqCst),
            };
            jiff::Timestamp::now() + jiff::SignedDuration::from_hours(hours)
        }),
        id: Box::new(move || match id.strike(Point::Id) {
            Err(_) => Err("no random numbers".into()),
            Ok("") => Ok(format!("d{:019}", ids.fetch_add(1, SeqCst))),
            Ok(_) => Ok(format!("d{:019}", 0)),
        }),
        ..rig::examiner(|_, _| unreachable!())
    }
}

/// Where the pull secret is.
const SECRET: &str = "/api/v1/namespaces/default/secrets/login";

/// Reads it anew each time.
fn reader(cluster: &Api, folder: &Path) -> Reader {
    let kubeconfig = folder.join("kubeconfig");
    let user = format!("    token: {TOKEN}\n");
    std::fs::write(&kubeconfig, cluster.kubeconfig(&user)).unwrap();
    let (client, none) = (Client::from_kubeconfig(&kubeconfig).unwrap(), Duration::ZERO);
    Reader::holding(client, Holds { found: none, none, failed: none })
}

fn login() -> Credentials {
    Credentials::none().with_login("registry.example", "user", Secret::new("unsaid"))
}

/// The pull secret, or what is wrong with it.
fn secret(wrong: &str) -> String {
    let (mut kind, mut place, mut login) = ("dockerconfigjson", "registry.example", "unsaid");
    match wrong {
        "no login" => kind = "other",
        "another's login" => place = "another.example",
        "another password" => login = "unsaid-either",
        _ => {}
    }
    let login = STANDARD.encode(format!("user:{login}"));
    let data = json!({ "auths": { place: { "auth": login } } }).to_string();
    let whole = json!({
        "type": format!("kubernetes.io/{kind}"),
        "data": { ".dockerconfigjson": STANDARD.encode(data) },
    });
    let whole = whole.to_string();
    let length = if wrong == "half of it" { whole.len() / 2 } else { whole.len() };
    whole[..length].to_owned()
}

/// Looks at the clock while [`Point::Spend`] is armed: each an hour later.
static LOOKS: std::sync::atomic::AtomicI64 = std::sync::atomic::AtomicI64::new(0);

fn pinned(name: &str) -> ImageRef {
    format!("registry.example/{name}@{}", digest_of(name)).parse().unwrap()
}

/// Clean, but for images called `flawed…` and the bytes that a lying registry gives.
fn evidence(name: &ImageRef) -> Evidence {
    let mut evidence = rig::evidence(name);
    let flawed = name.repository().contains("flawed");
    if flawed || evidence.resolved == digest_of("flawed") {
        evidence.platforms[0].findings.push(flaw());
    }
    evidence
}

fn flaw() -> Finding {
    Finding::new(
        cleanbill_core::package::Package {
            kind: cleanbill_core::package::PackageKind::Deb,
            name: "openssl".into(),
            version: "1".into(),
            source: None,
            arch: None,
            vendor: None,
            module: None,
            repository: None,
            purl: String::new(),
            layer: None,
            evidence: String::new(),
            owner: None,
            changed_from: None,
        },
        Diagnosis {
            id: "CVE-2026-0001".into(),
            aliases: Vec::new(),
            errata: Vec::new(),
            severity: Severity::Critical,
            cvss: None,
            status: Status::Affected,
            fixed_versions: Vec::new(),
            known_exploited: false,
            rated_by: String::new(),
            ratings: Vec::new(),
            epss: None,
            published: None,
            modified: None,
            why: Why {
                feed: "f".into(),
                stream: "Debian:12".parse().unwrap(),
                looked_up: "openssl".into(),
                compared: "1".into(),
                range: String::new(),
            },
        },
    )
}

fn spoil(mut evidence: Evidence, wrong: &str) -> Evidence {
    match wrong {
        "" | "never examined" => {}
        "other bytes" => evidence.resolved = digest_of("other bytes"),
        "no platform" => evidence.platforms.clear(),
        "another repository" => evidence.reference = pinned("another"),
        "half of the image" => {
            let gap = Gap::new(GapKind::OverLimit, "layer 2", "it is larger than 1 GB");
            evidence.platforms[0].gaps.push(gap);
        }
        _ => unreachable!("{wrong}"),
    }
    evidence
}

/// Does what the file says.
const OTHER: &str = r#"
image=$(sed 's/.*"image":"\([^"]*\)".*/\1/')
answer() {
    printf '{"apiVersion":"cleanbill.checker/v1","kind":"Answer","image":"%s","allowed":true}' "$1"
}
case $(cat "$0") in
    agree) answer "$image" ;;
    error) exit 1 ;;
    panic) kill -SEGV $$ ;;
    hang) exec sleep 20 ;;
    nonsense) echo "{]" ;;
    "another image") answer "registry.example/another@sha256:0" ;;
    nothing) ;;
    "1 GB") exec head -c 1000000000 /dev/zero ;;
esac
"#;

fn checker(mode: &Path) -> CheckerConfig {
    let argv = ["/bin/sh", "-c", OTHER, mode.to_str().unwrap()];
    let argv = argv.iter().map(|a| (*a).to_owned()).collect();
    CheckerConfig {
        name: "other".into(),
        kind: KindConfig::Program(ProgramConfig { argv, memory_bytes: 4 << 30 }),
        timeout: Duration::from_secs(3),
        remember: Duration::ZERO,
        parallel: 4,
    }
}

impl Struck {
    /// Arms what no closure reaches: the checker's program and the store. What comes back keeps
    /// it so.
    pub fn arm(&self, point: Point, fault: Fault) -> Option<rusqlite::Connection> {
        self.armed.set(Some((point, fault)));
        if point == Point::Spend {
            LOOKS.store(0, SeqCst);
        }
        if point == Point::Checker {
            let mode = match fault {
                Fault::Error => "error",
                Fault::Panic => "panic",
                Fault::Hang => "hang",
                Fault::Wrong(what) => what,
            };
            std::fs::write(self.mode(), mode).unwrap();
        }
        if point == Point::Secrets {
            let mut objects = self.cluster.objects.lock().unwrap();
            match fault {
                Fault::Hang => *self.cluster.mood.lock().unwrap() = Mood::Slow(BUDGET * 2),
                Fault::Wrong("nothing") => objects.clear(),
                Fault::Wrong(what) => _ = objects.insert(SECRET.into(), (200, secret(what))),
                Fault::Error | Fault::Panic => {
                    objects.insert(SECRET.into(), (500, "unsaid".into()));
                }
            }
        }
        (point == Point::Record).then(|| {
            let file = self.state.join(Owner::Gate.file_name());
            let other = rusqlite::Connection::open(file).unwrap();
            let harm = match fault {
                Fault::Error => {
                    "CREATE TRIGGER harm BEFORE INSERT ON blocks
                     BEGIN SELECT RAISE(ABORT, 'disk I/O error'); END"
                }
                Fault::Hang => "BEGIN IMMEDIATE",
                Fault::Panic | Fault::Wrong(_) => unreachable!(),
            };
            other.execute_batch(harm).unwrap();
            other
        })
    }

    pub fn disarm(&self, held: Option<rusqlite::Connection>) {
        self.armed.set(None);
        std::fs::write(self.mode(), "agree").unwrap();
        *self.cluster.mood.lock().unwrap() = Mood::Well;
        self.cluster.objects.lock().unwrap().insert(SECRET.into(), (200, secret("")));
        if let Some(other) = held {
            let mend = if other.is_autocommit() { "DROP TRIGGER harm" } else { "ROLLBACK" };
            other.execute_batch(mend).unwrap();
        }
    }

    fn mode(&self) -> PathBuf {
        self.state.with_file_name("mode")
    }

    /// Whether the decision is in the record as allowed.
    pub fn recorded(&self, id: &str) -> bool {
        let file = self.state.join(Owner::Gate.file_name());
        let look = rusqlite::Connection::open(file).unwrap();
        look.query_row("SELECT outcome FROM decisions WHERE id = ?1", [id], |row| {
            row.get::<_, String>(0)
        })
        .is_ok_and(|outcome| outcome == "allowed")
    }
}
