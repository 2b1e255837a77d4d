//! Downloads that an earlier run broke off: the next one asks for the rest alone, and ends with the same
//! bytes, whatever lies here of them and whatever the registry makes of it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cleanbill_oci::hash::sha256;

use crate::feeds::{database, publish, publish_database, wanted};
use crate::place::{Place, made, new, old};
use crate::registry::{Registry, Trick};

const ARTIFACT: &str = "application/vnd.cleanbill.snapshot.v1";
const LAYER: &str = "application/vnd.cleanbill.snapshot.layer.v1";

/// A registry with a snapshot as `db:1`, a database of Trivy as `trivy:2` and feeds, and a machine on
/// which the old snapshot is in force.
fn given() -> (Place, Registry) {
    let (place, registry) = (Place::new(), Registry::start());
    registry.artifact("db:1", ARTIFACT, registry.blob(LAYER, &new()));
    publish_database(&registry, &database("2026-09-03"));
    publish(&registry);
    place.check("db load old.cbdb", 0, &[]);
    registry.asked();
    (place, registry)
}

fn pull(registry: &Registry) -> String {
    format!("db pull {}/db:1 --plain-http {} --timeout 20s", registry.host, registry.host)
}

fn update(registry: &Registry, from: &str) -> String {
    let host = &registry.host;
    let from = from.replace("HOST", host);
    format!("db update --from {from} --plain-http {host} {}", wanted(registry))
}

/// Waits until a file has so many bytes.
fn has(path: &Path, bytes: usize) {
    let end = Instant::now() + Duration::from_secs(20);
    while path.metadata().map_or(0, |m| m.len()) != bytes as u64 {
        assert!(Instant::now() < end, "{} does not grow to {bytes}", path.display());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn what_a_killed_process_left_is_gone_on_with() {
    let feeds = "feeds/osv/PyPI/all.zip";
    let trivy = |bytes: &[u8]| {
        let digest = sha256(bytes).to_string().replace(':', "-");
        format!("trivy-db/db.tar.gz.{digest}.partial")
    };
    let database = database("2026-09-03");
    for kind in ["pull", "snapshot", "trivy", "feeds"] {
        let (place, registry) = given();
        let zip = registry.get_file("/feeds/PyPI/all.zip");
        let (line, left, bytes, asked) = match kind {
            "pull" => (pull(&registry), place.left(&new()), new(), "GET blobs"),
            "snapshot" => {
                let line = update(&registry, "snapshot:HOST/db:1");
                (line, place.left(&new()), new(), "GET blobs")
            }
            "trivy" => {
                let left = place.folder().join(trivy(&database));
                (update(&registry, "trivy:HOST/trivy"), left, database.clone(), "GET blobs")
            }
            _ => {
                let etag = format!("\"{}\"", sha256(&zip).short());
                let hex: String = etag.bytes().map(|b| format!("{b:02x}")).collect();
                let left = place.folder().join(format!("{feeds}.etag-{hex}-1788307200.partial"));
                (update(&registry, "feeds"), left, zip, "GET /feeds/PyPI/all.zip")
            }
        };
        let at = if kind == "feeds" { "/PyPI/" } else { "/blobs/" };
        registry.trick(at, Trick::Stall(Duration::from_secs(30)), 1);
        let mut child = place
            .command(env!("CARGO_BIN_EXE_cleanbill"))
            .args(line.split_whitespace())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let half = bytes.len() / 2;
        has(&left, half);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(place.in_force(), (Some(old()), None), "{kind}");
        assert!(std::fs::read(&left).unwrap() == bytes[..half], "{kind}");
        place.check("db status", 0, &["osv:Go  2026-09-01"]);
        registry.asked();

        let here = format!(" bytes, of which {half} are here");
        let words: &[&str] = if kind == "feeds" { &[] } else { &[&here] };
        place.check(&line, 0, words);
        let last = registry.asked().pop().unwrap();
        assert_eq!(last, format!("{asked} {half}-"), "{kind}");
        assert_eq!(place.all_left(), [""; 0], "{kind}");
        match kind {
            "pull" | "snapshot" => {
                assert_eq!(place.in_force(), (Some(new()), Some(old())), "{kind}");
            }
            "trivy" => {
                let kept = place.read(".cache/cleanbill/db/trivy-db/trivy/db.tar.gz");
                assert!(kept == database, "{kind}");
            }
            _ => assert!(place.read(format!(".cache/cleanbill/db/{feeds}")) == bytes, "{kind}"),
        }
    }
}

#[test]
fn whatever_lies_here_the_snapshot_is_the_one_that_was_promised() {
    use Trick::{Half, Status, Whole, WrongRange};
    let whole = new();
    let size = whole.len();
    let half = &whole[..size / 2];
    let altered = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        bytes[100] ^= 1;
        bytes
    };
    let (rest, all) = (format!("GET blobs {}-", size / 2), "GET blobs".to_owned());
    let broken = format!("GET blobs {}-", size / 2 + (size - size / 2) / 2);
    // (what lies here, under the name of which, what the registry does once, what it is asked)
    type Row = (Vec<u8>, Vec<u8>, Option<Trick>, Vec<String>);
    let table: Vec<(&str, Row)> = vec![
        ("right", (half.to_vec(), new(), None, vec![rest.clone()])),
        ("altered", (altered(half), new(), None, vec![rest.clone(), all.clone()])),
        ("of another", (half.to_vec(), old(), None, vec![all.clone()])),
        ("all", (whole.clone(), new(), None, vec![])),
        ("all, altered", (altered(&whole), new(), None, vec![all.clone()])),
        ("more", ([&whole[..], b"!"].concat(), new(), None, vec![all.clone()])),
        ("nothing", (vec![], new(), None, vec![all.clone()])),
        ("416", (half.to_vec(), new(), Some(Status(416, None)), vec![rest.clone(), all.clone()])),
        ("200", (half.to_vec(), new(), Some(Whole), vec![rest.clone()])),
        ("200, altered", (altered(half), new(), Some(Whole), vec![rest.clone(), all.clone()])),
        ("wrong range", (half.to_vec(), new(), Some(WrongRange), vec![rest.clone(), all])),
        ("a half", (half.to_vec(), new(), Some(Half), vec![rest, broken])),
    ];
    for (case, (bytes, of, trick, asked)) in table {
        let (place, registry) = given();
        std::fs::write(place.left(&of), bytes).unwrap();
        if let Some(trick) = trick {
            registry.trick("/blobs/", trick, 1);
        }
        place.check(&pull(&registry), 0, &[]);
        assert_eq!(
            registry.asked(),
            [&["GET manifests".to_owned()], &asked[..]].concat(),
            "{case}"
        );
        assert_eq!(place.in_force(), (Some(new()), Some(old())), "{case}");
        assert_eq!(place.all_left(), [""; 0], "{case}");
    }
}

#[test]
fn what_broke_off_stays_for_as_long_as_somebody_may_go_on_with_it() {
    let (place, registry) = given();
    let left = place.left(&new());
    let name = left.file_name().unwrap().to_str().unwrap().to_owned();
    let break_off = || {
        registry.trick("/blobs/", Trick::Half, usize::MAX);
        place.check(&pull(&registry).replace("20s", "1s"), 2, &["took longer than the time"]);
        registry.no_tricks();
        assert_eq!(place.all_left(), [&*name]);
        assert_eq!(place.in_force(), (Some(old()), None));
    };
    break_off();
    // It goes on behind more and more, however often it breaks off.
    let first = left.metadata().unwrap().len();
    break_off();
    assert!(left.metadata().unwrap().len() > first && first > 0);

    // The name means another snapshot by now.
    let next = made(&[("osv:Go", "2026-09-03")]);
    registry.artifact("db:1", ARTIFACT, registry.blob(LAYER, &next));
    registry.trick("/blobs/", Trick::Half, usize::MAX);
    place.check(&pull(&registry).replace("20s", "1s"), 2, &["took longer than the time"]);
    registry.no_tricks();
    assert_eq!(place.all_left(), [place.left(&next).file_name().unwrap().to_str().unwrap()]);

    // A source that stands in leaves it to the next run, and one that is the first choice does not.
    let both = update(&registry, "snapshot:HOST/db:1 --from feeds");
    let line = both.replacen("/db:1", "/nothing:1", 1);
    place.check("db load new.cbdb", 0, &[]);
    assert_eq!(place.all_left(), [""; 0]);
    std::fs::remove_file(place.folder().join("cleanbill.cbdb")).unwrap();
    std::fs::write(&left, &new()[..900]).unwrap();
    place.check(&line, 3, &["feeds had to do for"]);
    assert_eq!(place.all_left(), [&*name]);
    let trivy = place.folder().join("trivy-db/db.tar.gz.sha256-00.partial");
    std::fs::create_dir_all(trivy.parent().unwrap()).unwrap();
    std::fs::write(trivy, "x").unwrap();
    place.check(&update(&registry, "feeds"), 0, &[]);
    assert_eq!(place.all_left(), [""; 0]);
}

/// A small file system that is taken away in the end.
struct Small(PathBuf);

impl Small {
    /// `None`, and a line that says so, where this user may not mount one.
    fn mount(at: &Path) -> Option<Self> {
        std::fs::create_dir(at).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=64k,mode=0700", "cleanbill-test"]).arg(at);
        match mount.status() {
            Ok(done) if done.success() => Some(Self(at.to_owned())),
            other => {
                println!("skipped: a full disk (only root may mount one: {other:?})");
                None
            }
        }
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[test]
fn what_does_not_fit_on_the_disk_is_not_fetched_and_does_not_stay() {
    let (place, registry) = given();
    let disk = place.path("disk");
    let Some(small) = Small::mount(&disk) else { return };
    std::fs::copy(place.path("old.cbdb"), disk.join("db.cbdb")).unwrap();
    let left = disk.join(
        place
            .left(&new())
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .replace("cleanbill.cbdb", "db.cbdb"),
    );
    std::fs::write(&left, &new()[..5000]).unwrap();
    let ballast = disk.join("ballast");
    // Until nothing more fits.
    _ = std::fs::write(&ballast, vec![0; 64 << 10]);
    let line = format!("{} --out disk/db.cbdb", pull(&registry));
    for _ in 0..2 {
        let words = [
            "partial: no room for 10297 bytes: No space left on device",
            "next: make room in disk, then run it again; what was in force stays as it was",
        ];
        place.check(&line, 2, &words);
        assert_eq!(registry.asked(), ["GET manifests"]);
        assert!(!left.exists() && place.read("disk/db.cbdb") == old());
        // What was freed is taken again, so that there is no room the next time either.
        _ = std::fs::write(&ballast, vec![0; 64 << 10]);
    }
    // Neither is there for what an update writes: what it fetches, and what it builds.
    publish(&registry);
    let update = format!("db update {}", wanted(&registry));
    for flag in ["--cache disk/cache", "--out disk/db.cbdb"] {
        let words = ["No space left on device", "next: make room in disk", "stays as it was"];
        place.check(&format!("{update} {flag}"), 2, &words);
        assert!(place.read("disk/db.cbdb") == old());
    }
    std::fs::remove_file(&ballast).unwrap();
    place.check(&line, 0, &[]);
    assert!(place.read("disk/db.cbdb") == new());
    drop(small);
}
