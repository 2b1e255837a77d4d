//! As whom an image runs, from its configuration and its layers to the evidence.

use std::sync::Arc;

use cleanbill_core::Timestamp;
use cleanbill_core::evidence::{ImageFacts, PlatformEvidence, RunsAs};
use cleanbill_oci::limits::Limits;
use cleanbill_oci::testing::{ImageBuilder, sha256};

use super::{Counting, DATABASE, INSTALLED, base, open, pin, place};
use crate::assess::{self, Against};
use crate::snapshot_choice;

#[test]
fn the_configuration_and_the_files_together_say_who_runs() {
    let passwd = "root:x:0:0::/:\napp:x:1000:0::/:\ntoor:x:0:0::/:\n";
    let users = || base().file(INSTALLED, DATABASE).file("etc/passwd", passwd).build();
    let foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
    let unknown = |why: &str| RunsAs::Unknown(why.to_owned());
    let table = [
        ("", false, RunsAs::Root),
        ("0:1000", false, RunsAs::Root),
        ("65532", false, RunsAs::NotRoot(65532)),
        ("app", false, RunsAs::NotRoot(1000)),
        ("app:root", false, RunsAs::NotRoot(1000)),
        ("toor", false, RunsAs::Root),
        (
            "who",
            false,
            unknown("it runs as \"who\", and /etc/passwd cannot tell: it does not have that name"),
        ),
        // The layer that nobody reads may bring another file.
        ("65532", true, RunsAs::NotRoot(65532)),
        (
            "app",
            true,
            unknown(
                "it runs as \"app\", and a layer was not examined that may have another /etc/passwd",
            ),
        ),
    ];
    let snapshot = snapshot_choice::choose(None).unwrap();
    let against =
        Against { snapshot: &snapshot, now: Timestamp::now(), max_feed_age_days: 100_000 };
    let day = "2026-01-02T03:04:05Z";
    for (user, elsewhere, runs_as_root) in table {
        let mut content = Counting::default();
        let mut image =
            ImageBuilder::new("linux/amd64").user(user).created(day).gzip_layer(&users());
        if elsewhere {
            image = image.blob(foreign, b"x".to_vec(), sha256(b"elsewhere"));
        }
        let root = pin(&image, &mut content);
        let content = Arc::new(content);
        let image = open(&content, &root, Limits::default());
        let place = place();
        let expected = ImageFacts {
            user: (!user.is_empty()).then(|| user.to_owned()),
            runs_as_root,
            created: day.parse().ok(),
        };
        // The second time from the store.
        for _ in 0..2 {
            let inventory = place.examine(&image).unwrap();
            let evidence = assess::judge(&image, &inventory, against).unwrap();
            assert_eq!(evidence.config, expected);
            assert_eq!(evidence.packages, inventory.packages);
            let stored = serde_json::to_string(&evidence).unwrap();
            assert_eq!(serde_json::from_str::<PlatformEvidence>(&stored).unwrap(), evidence);
        }
        assert_eq!(content.opens(&image.layers[0].blob.digest), 1);
    }
}

#[test]
fn two_images_of_the_same_layers_run_as_their_own_users() {
    let layer = base().file("etc/passwd", "app:x:1000:0::/:\n").build();
    let mut content = Counting::default();
    let builder = |user: &str| ImageBuilder::new("linux/amd64").user(user).layer(layer.clone());
    let roots = ["app", "0"].map(|user| pin(&builder(user), &mut content));
    let content = Arc::new(content);
    let place = place();
    let seen = roots.map(|root| {
        let image = open(&content, &root, Limits::default());
        place.examine(&image).unwrap().config.runs_as_root
    });
    assert_eq!(seen, [RunsAs::NotRoot(1000), RunsAs::Root]);
}
