//! `setup apply` on a folder that plays a node: what is done, what is refused, and what is taken
//! back.

mod killed;
mod rig;
mod supervisor;
mod tls;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use cleanbill::failure::Failure;
use cleanbill::setup::apply::edit::edit;
use cleanbill::setup::apply::folder::Folder;
use cleanbill::setup::apply::node::Node;
use cleanbill::setup::apply::{Options, Step, Watch, apply, roll_back};
use serde_json::json;

use crate::edit::MANIFEST;
use rig::{Mood, Rig};

fn options() -> Options {
    Options {
        pods: None,
        accept_refusals: false,
        allowed_image: None,
        wait: Duration::from_secs(20),
        dry_run: false,
    }
}

/// Applies; gives what was said, and how it ended.
fn run(rig: &Rig, options: &Options, mut after: impl FnMut(Step)) -> (String, Result<(), Failure>) {
    let mut said = String::new();
    let mut say = |line: &str| said.push_str(&format!("{line}\n"));
    let mut watch = Watch { say: &mut say, after: &mut after };
    let folder = Folder::read(rig.folder.path()).unwrap();
    let ended = apply(&Node::at(rig.root.path()), &folder, options, &mut watch);
    (said, ended)
}

fn back(rig: &Rig) -> Result<(), Failure> {
    let mut watch = Watch { say: &mut |_| {}, after: &mut |_| {} };
    roll_back(&Node::at(rig.root.path()), Duration::from_secs(20), &mut watch)
}

/// The manifest as it is to be.
fn changed(rig: &Rig) -> String {
    edit(MANIFEST, &Folder::read(rig.folder.path()).unwrap().change).unwrap()
}

/// Everything is applied, and nothing is left over.
fn is_applied(rig: &Rig) {
    assert_eq!(rig.manifest(), changed(rig));
    let folder = Folder::read(rig.folder.path()).unwrap();
    for name in folder.names() {
        let path = rig.path("etc/kubernetes/cleanbill").join(name);
        assert_eq!(fs::read_to_string(&path).unwrap(), folder.file(name).unwrap());
        let mode = path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, if name.ends_with(".key") { 0o600 } else { 0o644 });
    }
    let backup = rig.path("etc/kubernetes/cleanbill-backup");
    assert_eq!(fs::read_to_string(backup.join("kube-apiserver.yaml")).unwrap(), MANIFEST);
    assert_eq!(backup.metadata().unwrap().permissions().mode() & 0o077, 0, "root's alone");
    no_dots(rig);
    assert!(rig.asks());
}

/// Everything is as it was, and nothing is left over.
fn is_as_before(rig: &Rig) {
    assert_eq!(rig.manifest(), MANIFEST);
    assert!(!rig.path("etc/kubernetes/cleanbill").exists());
    assert!(!rig.path("etc/kubernetes/cleanbill-backup").exists());
    no_dots(rig);
    assert!(!rig.asks());
}

fn no_dots(rig: &Rig) {
    for path in rig.tree().keys() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        assert!(!name.starts_with('.'), "{}", path.display());
    }
}

#[test]
fn it_is_applied_proved_applied_again_and_taken_back() {
    let rig = Rig::new();
    let mut steps = Vec::new();
    let (said, ended) = run(&rig, &options(), |step| steps.push(step));
    ended.unwrap();
    assert!(said.contains("2 pods run; 0 of them would be refused"), "{said}");
    assert_eq!(
        steps,
        [
            vec![Step::Judged, Step::BackedUp],
            vec![Step::Copied; 5],
            vec![Step::Changed, Step::Proved, Step::Applied]
        ]
        .concat()
    );
    is_applied(&rig);
    let asked = rig.asked.lock().unwrap().concat().join(" ");
    assert!(
        asked.contains("etcd") && asked.contains("cart") && asked.contains("cleanbill.invalid")
    );

    let before = rig.tree();
    let (said, ended) = run(&rig, &options(), |step| panic!("{step:?}"));
    ended.unwrap();
    assert!(said.contains("it is applied already, and the gate is asked"), "{said}");
    assert_eq!(rig.tree(), before);
    // Applied, and the gate is away: that is told, and nothing changed.
    *rig.mood.lock().unwrap() = Mood::Down;
    let short = Options { wait: Duration::from_secs(1), ..options() };
    run(&rig, &short, |step| panic!("{step:?}")).1.unwrap_err();
    assert_eq!(rig.tree(), before);
    *rig.mood.lock().unwrap() = Mood::Well;

    back(&rig).unwrap();
    is_as_before(&rig);
    let said = back(&rig).unwrap_err().to_string();
    assert!(said.contains("nothing was applied here"), "{said}");
}

#[test]
fn files_that_were_there_come_back() {
    let rig = Rig::new();
    let mount = rig.path("etc/kubernetes/cleanbill");
    fs::create_dir(&mount).unwrap();
    fs::write(mount.join("ca.crt"), "mine").unwrap();
    fs::write(mount.join("notes"), "mine too").unwrap();
    let before = rig.tree();
    run(&rig, &options(), |_| {}).1.unwrap();
    assert_ne!(fs::read_to_string(mount.join("ca.crt")).unwrap(), "mine");
    back(&rig).unwrap();
    assert_eq!(rig.tree(), before);
}

#[test]
fn a_dry_run_judges_and_shows_and_writes_nothing() {
    let rig = Rig::new();
    let before = rig.tree();
    let dry = Options { dry_run: true, ..options() };
    let (said, ended) = run(&rig, &dry, |step| assert_eq!(step, Step::Judged));
    ended.unwrap();
    assert_eq!(rig.tree(), before);
    for part in [
        "2 pods run",
        "+    - --admission-control-config-file=",
        "client.key",
        "nothing was written",
    ] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
}

#[test]
fn what_runs_is_judged_first_and_nothing_is_written_when_it_would_be_refused() {
    let shop = ["shop", "cart-2", "registry.example/bad:1"];
    let vital = ["kube-system", "proxy-1", "registry.k8s.io/bad:1"];
    let accept = Options { accept_refusals: true, ..options() };
    let with = |image: &str| Options { allowed_image: Some(image.into()), ..options() };
    // What runs besides, the choice, and why it is refused.
    let table: Vec<(Vec<_>, Options, Mood, &str)> = vec![
        (vec![shop], options(), Mood::Well, "with --accept-refusals"),
        (vec![vital], options(), Mood::Well, "pods of kube-system would be refused"),
        (vec![shop, vital], accept.clone(), Mood::Well, "pods of kube-system would be refused"),
        (vec![], options(), Mood::Down, "the gate gives no answer"),
        (vec![], options(), Mood::AllowsAll, "it guards nothing"),
        (vec![], with("a/bad"), Mood::Well, "does not allow --allowed-image a/bad"),
    ];
    let rig = Rig::new();
    let (before, usual) = (rig.tree(), rig.pods.lock().unwrap().clone());
    for (more, options, mood, words) in table {
        *rig.pods.lock().unwrap() = [usual.clone(), more.clone()].concat();
        *rig.mood.lock().unwrap() = mood;
        let (said, ended) = run(&rig, &options, |step| panic!("{step:?}"));
        let why = ended.unwrap_err().to_string();
        assert!(why.contains(words) && why.contains("next:"), "{why}");
        for [namespace, name, _] in more {
            assert!(said.contains(&format!("  {namespace}/{name}: it is bad\n")), "{said}");
        }
        assert_eq!(rig.tree(), before, "{words}");
    }
    // From a file, which need not be of this cluster.
    *rig.mood.lock().unwrap() = Mood::Well;
    let file = rig.folder.path().join("pods.json");
    let list = |items: &[[&'static str; 3]]| {
        json!({"kind": "List", "items": items.iter().map(rig::pod).collect::<Vec<_>>()}).to_string()
    };
    let given = Options { pods: Some(file.clone()), ..options() };
    for (text, words) in [
        (list(&[vital]), "pods of kube-system would be refused"),
        ("{\"kind\":\"List\",\"items\":[{\"kind\":\"Node\"}]}".into(), "something else than pods"),
        ("{\"kind\":\"Pod\"}".into(), "the list of pods: it is none"),
        (list(&[]), "no image that runs would be allowed"),
        ("nonsense".into(), "pods.json: "),
    ] {
        fs::write(&file, text).unwrap();
        let why = run(&rig, &given, |step| panic!("{step:?}")).1.unwrap_err().to_string();
        assert!(why.contains(words), "{why}");
    }
    assert_eq!(rig.tree(), before);
    // And with the words that it needs, it goes on.
    *rig.pods.lock().unwrap() = [usual, vec![shop]].concat();
    run(&rig, &accept, |_| {}).1.unwrap();
    is_applied(&rig);
}

#[test]
fn every_failure_takes_it_back() {
    /// Makes something fail.
    type Fault = fn(&Rig);
    let table: [(&str, Step, Fault, &str); 7] = [
        (
            "the gate goes away",
            Step::BackedUp,
            |rig| *rig.mood.lock().unwrap() = Mood::Down,
            "a pod to be denied is answered 403",
        ),
        (
            "the gate lets everything in",
            Step::BackedUp,
            |rig| *rig.mood.lock().unwrap() = Mood::AllowsAll,
            "the gate is not asked",
        ),
        (
            "another plug-in refuses what the gate would let in",
            Step::BackedUp,
            |rig| *rig.mood.lock().unwrap() = Mood::AllowsAllBesidesAnother,
            "a pod to be denied is answered 403",
        ),
        (
            "the gate lets nothing in",
            Step::Changed,
            |rig| *rig.mood.lock().unwrap() = Mood::DeniesAll,
            "a pod to be allowed is answered 403",
        ),
        (
            "the API server does not come up",
            Step::Changed,
            |rig| fs::remove_file(rig.path("etc/kubernetes/cleanbill/kubeconfig")).unwrap(),
            "after 3 s the API server is not as it should be",
        ),
        (
            "a file cannot be written",
            Step::BackedUp,
            |rig| fs::write(rig.path("etc/kubernetes/cleanbill"), "").unwrap(),
            "etc/kubernetes/cleanbill",
        ),
        (
            "a file of the folder is gone",
            Step::BackedUp,
            |rig| fs::remove_file(rig.folder.path().join("client.key")).unwrap(),
            "client.key cannot be read",
        ),
    ];
    for (what, at, fault, words) in table {
        let rig = Rig::new();
        let short = Options { wait: Duration::from_secs(3), ..options() };
        let mut done = false;
        let (_, ended) = run(&rig, &short, |step| {
            if step == at && !std::mem::replace(&mut done, true) {
                fault(&rig);
            }
            assert_ne!(step, Step::Proved, "{what}");
        });
        let why = ended.unwrap_err().to_string();
        assert!(why.contains("everything is as it was") && why.contains(words), "{what}: {why}");
        *rig.mood.lock().unwrap() = Mood::Well;
        if rig.path("etc/kubernetes/cleanbill").is_file() {
            fs::remove_file(rig.path("etc/kubernetes/cleanbill")).unwrap();
        }
        is_as_before(&rig);
    }
}

#[test]
fn two_are_never_at_work_at_once() {
    let rig = Rig::new();
    let other = fs::File::open(rig.path("etc/kubernetes/manifests")).unwrap();
    other.lock().unwrap();
    for ended in [run(&rig, &options(), |step| panic!("{step:?}")).1, back(&rig)] {
        let said = ended.unwrap_err().to_string();
        assert!(said.contains("another cleanbill setup is at work here"), "{said}");
    }
    drop(other);
    is_as_before(&rig);
}

#[test]
fn what_somebody_else_changed_is_not_overwritten() {
    let rig = Rig::new();
    run(&rig, &options(), |_| {}).1.unwrap();
    let edited = rig.manifest().replace("90s", "91s");
    let path = rig.path("etc/kubernetes/manifests/kube-apiserver.yaml");
    fs::write(&path, &edited).unwrap();
    let said = back(&rig).unwrap_err().to_string();
    assert!(
        said.contains("was changed by somebody else since") && said.contains("next:"),
        "{said}"
    );
    assert_eq!(rig.manifest(), edited);
    // An upgrade that wrote the manifest anew is a manifest without the change.
    fs::write(&path, MANIFEST).unwrap();
    rig.settle();
    run(&rig, &options(), |_| {}).1.unwrap();
    assert_eq!(rig.manifest(), changed(&rig));
    // Other modes are not there yet, and say so.
    let folder = tempfile::tempdir().unwrap();
    let plan = crate::made::plan(cleanbill::setup::mode::Mode::StaticWebhook, None);
    let made = cleanbill::setup::make(&plan, jiff::Timestamp::now()).unwrap();
    cleanbill::setup::files::write(folder.path(), &made, false).unwrap();
    let said = Folder::read(folder.path()).map(drop).unwrap_err().to_string();
    assert!(said.contains("ImagePolicyWebhook (--mode node or remote) so far"), "{said}");
}
