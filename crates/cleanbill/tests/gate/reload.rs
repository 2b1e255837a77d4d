//! Certificates and policy are replaced under load: nothing is lost, and what is broken is
//! refused while the old one stays.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use cleanbill::serve::config::Config;
use cleanbill::serve::config_file;
use cleanbill::serve::reload::Reloader;
use cleanbill::setup::pki::{Authority, Pair};
use rustls::version::TLS13;

use crate::rig::{CLIENT, Choice, Reply, Rig, evidence, examiner, good, question, rig, validity};

const OBSERVE: &str = "name: NAME\nhighest_severity: none\n";

/// A gate with its files, and what looks at them.
struct Files {
    rig: Rig,
    dir: tempfile::TempDir,
    reloader: Reloader,
}

impl Files {
    fn new(choice: Choice) -> Self {
        let rig = rig(choice);
        let dir = tempfile::tempdir().unwrap();
        let pair = rig.authority.server(&["127.0.0.1".into()], validity(-60, 3600)).unwrap();
        put(dir.path(), "ca.crt", &rig.authority.certificate());
        put(dir.path(), "policy.yaml", &OBSERVE.replace("NAME", "first"));
        server(dir.path(), &pair);
        let text = "listen: \"127.0.0.1:1\"\nstate_dir: state\npolicy: policy.yaml\n\
            tls: {cert: server.crt, key: server.key, client_ca: ca.crt, client_names: [kube-apiserver]}\n";
        put(dir.path(), "cleanbill.yaml", text);
        let path = dir.path().join("cleanbill.yaml");
        let config: Config = config_file::parse(text, &path).unwrap();
        let mut reloader = Reloader::new(&path, config, rig.handles());
        reloader.look(false);
        Self { rig, dir, reloader }
    }

    fn put(&self, name: &str, text: &str) {
        put(self.dir.path(), name, text);
    }

    /// Looks as often as it takes to believe that a file is not being written.
    fn look(&mut self) {
        self.reloader.look(false);
        self.reloader.look(false);
    }

    fn policy(&self) -> String {
        let reply = self.rig.ask(&question(&[&good()]));
        let name =
            reply.json()["status"]["auditAnnotations"]["policy"].as_str().unwrap().to_owned();
        name.split('@').next().unwrap().to_owned()
    }

    fn counted(&self, line: &str) -> bool {
        self.rig.get("/metrics").body.contains(&format!("cleanbill_{line}\n"))
    }
}

fn put(dir: &Path, name: &str, text: &str) {
    fs::write(dir.join(name), text).unwrap();
}

fn server(dir: &Path, pair: &Pair) {
    put(dir, "server.crt", &pair.certificate);
    put(dir, "server.key", &pair.key);
}

/// A question on a connection that stays open.
fn keep_alive(stream: &mut (impl std::io::Read + std::io::Write), body: &str) -> Reply {
    let request = format!(
        "POST / HTTP/1.1\r\nHost: gate\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut raw = Vec::new();
    loop {
        let mut bytes = [0; 4096];
        let n = stream.read(&mut bytes).unwrap();
        assert!(n > 0, "the connection was closed: {}", String::from_utf8_lossy(&raw));
        raw.extend_from_slice(&bytes[..n]);
        let Some(reply) = Reply::parse(&raw) else { continue };
        let length = reply.head.lines().find_map(|l| l.strip_prefix("content-length: ")).unwrap();
        if reply.body.len() >= length.parse::<usize>().unwrap() {
            return reply;
        }
    }
}

#[test]
fn fifty_reloads_lose_no_request_and_no_connection() {
    let mut files = Files::new(Choice {
        examiner: examiner(|name, _| {
            std::thread::sleep(Duration::from_millis(30));
            Ok(evidence(name))
        }),
        ..Choice::default()
    });
    let (rig, dir, reloader) = (&files.rig, files.dir.path(), &mut files.reloader);
    let (done, kept, fresh) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut stream = rig.connect(Some(&rig.client), &[&TLS13]).unwrap();
                while !done.load(SeqCst) {
                    assert!(keep_alive(&mut stream, &question(&[&good()])).allowed());
                    kept.fetch_add(1, SeqCst);
                }
            });
            scope.spawn(|| {
                while !done.load(SeqCst) {
                    assert!(rig.ask(&question(&[&good()])).allowed());
                    fresh.fetch_add(1, SeqCst);
                }
            });
        }
        for round in 0..50 {
            let pair = rig.authority.server(&["127.0.0.1".into()], validity(-60, 3600)).unwrap();
            server(dir, &pair);
            put(dir, "policy.yaml", &OBSERVE.replace("NAME", &format!("round-{round}")));
            reloader.look(round % 2 == 0);
            reloader.look(false);
            std::thread::sleep(Duration::from_millis(10));
        }
        done.store(true, SeqCst);
    });
    assert!(kept.load(SeqCst) > 20 && fresh.load(SeqCst) > 20, "{kept:?} {fresh:?}");
    assert_eq!(files.policy(), "round-49");
    for what in ["certificates", "policy"] {
        assert!(files.counted(&format!("reloads_total{{what=\"{what}\"}} 50")), "{what}");
        assert!(files.counted(&format!("reload_failures_total{{what=\"{what}\"}} 0")), "{what}");
    }
}

#[test]
fn new_clients_are_let_in_and_old_ones_no_more_but_open_connections_go_on() {
    let mut files = Files::new(Choice::default());
    let valid = validity(-60, 3600);
    let other = Authority::new(valid).unwrap();
    let client = other.client(CLIENT, valid).unwrap();
    let ask = |rig: &Rig, who| rig.send(Some(who), "/", question(&[&good()]).as_bytes());
    assert!(ask(&files.rig, &client).is_err());
    let mut open = files.rig.connect(Some(&files.rig.client), &[&TLS13]).unwrap();
    assert!(keep_alive(&mut open, &question(&[&good()])).allowed());
    files.put("ca.crt", &other.certificate());
    files.look();
    assert!(ask(&files.rig, &client).unwrap().allowed());
    assert!(ask(&files.rig, &files.rig.client).is_err(), "new handshakes use the new authority");
    assert!(keep_alive(&mut open, &question(&[&good()])).allowed(), "this one goes on");
}

#[test]
fn what_is_broken_is_refused_and_the_old_one_stays() {
    let mut files = Files::new(Choice::default());
    let text = |name: &str| fs::read_to_string(files.dir.path().join(name)).unwrap();
    let (certificate, key, authority) = (text("server.crt"), text("server.key"), text("ca.crt"));
    let policy = OBSERVE.replace("NAME", "first");
    let half = |t: &str| t[..t.len() / 2].to_owned();
    let stranger = files.rig.authority.server(&["127.0.0.1".into()], validity(-60, 3600)).unwrap();
    let configuration = text("cleanbill.yaml");
    let table: Vec<(&str, &str, String, &str)> = vec![
        ("server.crt", "certificates", half(&certificate), &certificate),
        ("server.crt", "certificates", stranger.certificate.clone(), &certificate),
        ("server.key", "certificates", String::new(), &key),
        ("server.key", "certificates", half(&key), &key),
        ("ca.crt", "certificates", "no PEM".into(), &authority),
        ("policy.yaml", "policy", "name: x\nno_such_key: 1\n".into(), &policy),
        ("policy.yaml", "policy", String::new(), &policy),
        ("policy.yaml", "policy", "a".repeat(5 << 20), &policy),
        ("cleanbill.yaml", "configuration", half(&configuration), &configuration),
    ];
    let mut refused = std::collections::BTreeMap::new();
    for (name, what, broken, whole) in &table {
        let old = files.rig.handles();
        let (tls, rules) = (old.tls.get(), old.rules.get());
        files.put(name, broken);
        files.reloader.look(false);
        let failing = format!("reload_failing{{what=\"{what}\"}}");
        assert!(files.counted(&format!("{failing} 0")), "{name}: perhaps it is being written");
        files.reloader.look(false);
        files.reloader.look(false);
        *refused.entry(*what).or_insert(0) += 1;
        let count = refused[what];
        assert!(files.counted(&format!("{failing} 1")), "{name}");
        let failures = format!("reload_failures_total{{what=\"{what}\"}} {count}");
        assert!(files.counted(&failures), "{name}: told once");
        let ready = files.rig.get("/readyz");
        assert_eq!(ready.status, 200, "{name}");
        assert!(ready.body.contains(&format!("in force: {what}")), "{ready:?}");
        assert!(std::sync::Arc::ptr_eq(&tls, &old.tls.get()), "{name}");
        assert!(std::sync::Arc::ptr_eq(&rules, &old.rules.get()), "{name}");
        assert!(files.rig.ask(&question(&[&good()])).allowed(), "{name}");
        files.put(name, whole);
        files.reloader.look(false);
        assert!(files.counted(&format!("{failing} 0")), "{name}: the old one is back");
    }
}

#[test]
fn what_is_whole_by_its_looks_is_looked_at_twice() {
    let mut files = Files::new(Choice::default());
    // Half of it is a policy, too.
    files.put("policy.yaml", "name: half\n");
    files.reloader.look(false);
    files.put("policy.yaml", &OBSERVE.replace("NAME", "second"));
    files.reloader.look(false);
    assert_eq!(files.policy(), "first");
    files.reloader.look(false);
    assert_eq!(files.policy(), "second");
    // Whoever says that it is whole waits for nothing.
    files.put("policy.yaml", &OBSERVE.replace("NAME", "third"));
    files.reloader.look(true);
    assert_eq!(files.policy(), "third");
}

#[test]
fn a_certificate_that_no_client_takes_does_not_replace_one() {
    let mut files = Files::new(Choice::default());
    for (from, until) in [(-7200, -3600), (3600, 7200)] {
        let valid = validity(from, until);
        let pair = files.rig.authority.server(&["127.0.0.1".into()], valid).unwrap();
        server(files.dir.path(), &pair);
        files.reloader.look(true);
        assert!(files.counted("reload_failing{what=\"certificates\"} 1"), "{from}");
        assert!(files.rig.ask(&question(&[&good()])).allowed(), "{from}");
    }
}

#[test]
fn deleted_files_and_clocks_that_go_back_do_not_deceive() {
    let mut files = Files::new(Choice::default());
    for name in ["policy.yaml", "server.key", "ca.crt", "cleanbill.yaml"] {
        let path = files.dir.path().join(name);
        let text = fs::read_to_string(&path).unwrap();
        fs::remove_file(&path).unwrap();
        files.look();
        assert!(files.rig.get("/readyz").body.contains("in force"), "{name}");
        assert!(files.rig.ask(&question(&[&good()])).allowed(), "{name}");
        files.put(name, &text);
        files.look();
        assert_eq!(files.rig.get("/readyz").body, "ok\n", "{name}");
    }
    // The same length, a date in the past.
    files.put("policy.yaml", &OBSERVE.replace("NAME", "older"));
    let file = fs::File::options().write(true).open(files.dir.path().join("policy.yaml")).unwrap();
    file.set_modified(std::time::UNIX_EPOCH).unwrap();
    files.look();
    assert_eq!(files.policy(), "older");
    // As Kubernetes does it: the name is a link, and what it leads to is another folder.
    let path = files.dir.path().join("policy.yaml");
    for name in ["swap1", "swap2"] {
        fs::create_dir(files.dir.path().join(name)).unwrap();
        put(&files.dir.path().join(name), "policy.yaml", &OBSERVE.replace("NAME", name));
        std::os::unix::fs::symlink(
            files.dir.path().join(name).join("policy.yaml"),
            path.with_extension("new"),
        )
        .unwrap();
        fs::rename(path.with_extension("new"), &path).unwrap();
        files.look();
        assert_eq!(files.policy(), name);
    }
}

#[test]
fn a_snapshot_that_is_not_whole_does_not_take_the_place_of_the_old_one() {
    use cleanbill::serve::advisories::Advisories;
    let mut bytes = Vec::new();
    cleanbill_advisory::write(&cleanbill_advisory::Gathered::default(), &mut bytes).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    fs::write(&path, &bytes).unwrap();
    let advisories = Advisories::new(Some(path.clone()), None);
    let old = advisories.current().unwrap();
    let stamp = advisories.stamp();
    let swap = |bytes: &[u8]| {
        fs::write(path.with_extension("new"), bytes).unwrap();
        fs::rename(path.with_extension("new"), &path).unwrap();
    };
    for at in [0, 1, bytes.len() / 2, bytes.len() - 1] {
        swap(&bytes[..at]);
        assert_ne!(advisories.stamp(), stamp);
        advisories.replace().unwrap_err();
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        swap(&damaged);
        advisories.replace().unwrap_err();
        assert!(std::sync::Arc::ptr_eq(&old, &advisories.current().unwrap()));
    }
    fs::remove_file(&path).unwrap();
    advisories.replace().unwrap_err();
    assert!(std::sync::Arc::ptr_eq(&old, &advisories.current().unwrap()));
    swap(&bytes);
    advisories.replace().unwrap();
    assert!(!std::sync::Arc::ptr_eq(&old, &advisories.current().unwrap()));
}

#[test]
fn a_snapshot_in_force_is_kept_and_the_gate_goes_on_where_it_cannot_be() {
    use cleanbill::serve::advisories::Advisories;
    use cleanbill::store::{Owner, Store};
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(&dir.path().join("state"), Owner::Gate).unwrap());
    let path = dir.path().join("advisories.cbdb");
    let put = |known: &str| {
        let mut gathered = cleanbill_advisory::Gathered::default();
        gathered.flaw(known).exploited = true;
        let mut bytes = Vec::new();
        cleanbill_advisory::write(&gathered, &mut bytes).unwrap();
        fs::write(dir.path().join("new"), bytes).unwrap();
        fs::rename(dir.path().join("new"), &path).unwrap();
    };
    put("CVE-2026-1");
    let advisories = Arc::new(Advisories::new(Some(path.clone()), Some(Arc::clone(&store))));
    let mut examiner = examiner(|name, _| Ok(evidence(name)));
    examiner.advisories = Some(Arc::clone(&advisories));
    let mut files = Files::new(Choice { examiner, ..Choice::default() });
    let in_use = || advisories.in_use().unwrap().digest();
    let first = in_use();
    assert!(store.open_snapshot(&first).unwrap().is_ok());
    put("CVE-2026-2");
    files.look();
    let second = in_use();
    assert_ne!(first, second);
    for digest in [first, second] {
        assert!(store.open_snapshot(&digest).unwrap().is_ok(), "{digest}");
    }
    // Nothing can be written there any more: as on a full disk.
    fs::remove_dir_all(dir.path().join("state/snapshots")).unwrap();
    fs::write(dir.path().join("state/snapshots"), "").unwrap();
    put("CVE-2026-3");
    files.look();
    assert!(![first, second].contains(&in_use()), "the new one is in use all the same");
    assert!(files.rig.ask(&question(&[&good()])).allowed());
    let why = store.open_snapshot(&in_use()).unwrap().unwrap_err();
    assert!(why.contains("could not be kept"), "{why}");
}

#[test]
fn what_changed_while_the_gate_was_stopped_is_looked_at_when_it_starts() {
    use cleanbill::serve::advisories::Advisories;
    use cleanbill::serve::record::Recorder;
    use cleanbill::store::{Owner, Store};
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(&dir.path().join("state"), Owner::Gate).unwrap());
    let snapshot = |known: &str| {
        let mut gathered = cleanbill_advisory::Gathered::default();
        gathered.flaw(known).exploited = true;
        let mut bytes = Vec::new();
        cleanbill_advisory::write(&gathered, &mut bytes).unwrap();
        bytes
    };
    let path = dir.path().join("advisories.cbdb");
    fs::write(&path, snapshot("CVE-2026-2")).unwrap();
    let files = || {
        let mut examiner = examiner(|name, _| Ok(evidence(name)));
        let advisories = Advisories::new(Some(path.clone()), Some(Arc::clone(&store)));
        examiner.advisories = Some(Arc::new(advisories));
        let recorder = Recorder::into(Arc::clone(&store)).unwrap();
        Files::new(Choice { examiner, recorder, ..Choice::default() })
    };
    let looked = |files: &Files| {
        let told = |_| files.rig.get("/metrics").body.contains("\ncleanbill_rejudged_seconds ");
        (0..100).map(|_| std::thread::sleep(Duration::from_millis(20))).any(told)
    };
    // Nothing was in force before, and then the same: there is nothing to compare.
    for _ in 0..2 {
        let files = files();
        assert!(!looked(&files));
        files.rig.stop();
    }
    // A copy of those of before is kept, and others are there now.
    fs::write(dir.path().join("new"), snapshot("CVE-2026-3")).unwrap();
    fs::rename(dir.path().join("new"), &path).unwrap();
    assert!(looked(&files()));
}
