//! The objects of `setup --mode webhook`, given to a real API server as they were written.

use crate::assets::assets;
use crate::cluster::{Server, Setup};
use crate::rig::{cleanbill, run};

/// What came later than 1.20, and with which minor version.
const SINCE: [(&str, u32); 2] = [("apiVersion: policy/v1\n", 21), ("matchConditions:", 27)];

#[test]
fn an_api_server_takes_every_object_of_the_webhook_mode() {
    let Some(assets) = assets() else { return };
    let server = Server::start(&assets, &Setup::default()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let image = format!("registry.example/cleanbill@sha256:{}", "0".repeat(64));
    run(cleanbill().arg("setup").arg(dir.path()).args(["--mode", "webhook"]).args([
        "--image",
        &image,
        "--pull-secrets-of",
        "default",
    ]));
    let mut files = Vec::new();
    // The webhooks come last: from then on nothing is let in, since nobody answers.
    for folder in ["cluster", "webhooks"] {
        let mut all: Vec<_> = std::fs::read_dir(dir.path().join(folder))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        all.sort();
        files.extend(all);
    }
    let (mut taken, mut hooks) = (0, 0);
    let texts = files.iter().map(|file| std::fs::read_to_string(file).unwrap());
    let objects: Vec<String> =
        texts.flat_map(|t| t.split("\n---\n").map(str::to_owned).collect::<Vec<_>>()).collect();
    for object in &objects {
        let since = SINCE.iter().filter(|(part, _)| object.contains(part)).map(|(_, since)| *since);
        if since.max().is_some_and(|since| since > assets.version.1) {
            continue;
        }
        let said = server.kubectl_with(&["apply", "-f", "-"], object);
        assert!(said.done, "{said:?}\n{object}");
        taken += 1;
        hooks += usize::from(object.contains("WebhookConfiguration"));
    }
    println!("{taken} of {} objects", objects.len());
    assert!(taken >= 9, "only {taken} objects");
    let reply = server.client().create("nobody-answers", &["nginx"]);
    if hooks > 0 {
        let told = reply.message();
        assert!(reply.status >= 400 && told.contains("failed calling webhook"), "{reply:?}");
    }
}
