//! Against a real registry: Debian's `docker-registry`.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cleanbill_oci::testing::free_port;

use crate::place::{Place, new, old};

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// Starts it, or says that it is not there; panics about that where `CLEANBILL_REQUIRE_PARTS` is set.
fn start(folder: &std::path::Path) -> Option<(Running, String)> {
    let host = format!("127.0.0.1:{}", free_port());
    let config = folder.join("config.yml");
    let root = folder.join("blobs");
    let text = format!(
        "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {root:?}}}}}\n\
         http: {{addr: {host:?}}}\n"
    );
    std::fs::write(&config, text).unwrap();
    let mut command = Command::new("docker-registry");
    command.arg("serve").arg(&config).stdout(Stdio::null()).stderr(Stdio::null());
    let child = match command.spawn() {
        Ok(child) => Running(child),
        Err(e) => {
            let required = std::env::var_os("CLEANBILL_REQUIRE_PARTS").is_some();
            assert!(!required, "required, and not there: docker-registry: {e}");
            println!("skipped: a real registry (not there, install it: docker-registry)");
            return None;
        }
    };
    let end = Instant::now() + Duration::from_secs(30);
    while std::net::TcpStream::connect(&host).is_err() {
        assert!(Instant::now() < end, "docker-registry does not come up");
        std::thread::sleep(Duration::from_millis(20));
    }
    Some((child, host))
}

#[test]
fn a_real_registry_is_a_mirror() {
    let place = Place::new();
    let Some((running, host)) = start(&place.path("")) else { return };
    let (name, plain) = (format!("{host}/mirrors/db:1"), format!("--plain-http {host}"));
    let push = format!("db push {name} {plain} --sign-key a.key");
    let pull = format!("db pull {name} {plain} --key a.key.pub");
    place.check(&pull, 2, &["answers 404", "MANIFEST_UNKNOWN"]);
    place.check(&format!("{push} --db old.cbdb"), 0, &[]);
    place.check(&pull, 0, &["signed by key"]);
    assert_eq!(place.in_force(), (Some(old()), None));
    let said = place.check(&format!("{push} --db new.cbdb"), 0, &[]);
    place.check(&pull, 0, &[]);
    assert_eq!(place.in_force(), (Some(new()), Some(old())));
    // By digest, whatever the tag means by now.
    place.check(&format!("{push} --db old.cbdb"), 0, &[]);
    let digest = said.split_once("db:1@").unwrap().1.split_whitespace().next().unwrap();
    let pinned = pull.replace("db:1", &format!("db@{digest}"));
    place.check(&pinned, 0, &["It was in force already"]);
    let update =
        pull.replace(&format!("db pull {name}"), &format!("db update --from snapshot:{name}"));
    place.check(&update, 2, &["osv:Go goes back from 2026-09-02", "db pull --force"]);
    place.check(&format!("{push} --db new.cbdb"), 0, &["The registry had the snapshot already."]);
    place.check(&update, 0, &["It was in force already", "signed by key"]);
    // What broke off is gone on with, by the registry's own ranges.
    place.check("db load old.cbdb --force", 0, &[]);
    std::fs::write(place.left(&new()), &new()[..5000]).unwrap();
    place.check(&pull, 0, &["signed by key", " bytes, of which 5000 are here"]);
    assert_eq!((place.in_force().0, place.all_left()), (Some(new()), vec![]));
    drop(running);
    place.check(&pull, 2, &["cannot be reached"]);
    assert_eq!(place.in_force(), (Some(new()), Some(old())));
}
