//! However an image is handed over, it holds the same: archive, layout, registry.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::parts::{cleanbill, run};
use crate::registry::Registry;
use crate::{images, parts};

#[test]
fn the_same_image_in_every_form_has_the_same_inventory() {
    if !parts::there() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::start();
    let alpine = ("alpine", images::alpine(folder.path()));
    let debian = images::debian(folder.path()).map(|layout| ("debian", layout));
    for (name, layout) in std::iter::once(alpine).chain(debian) {
        let archive = |kind: &str| {
            let path = folder.path().join(format!("{name}.{kind}.tar"));
            run(Command::new("skopeo")
                .args(["--insecure-policy", "copy", "--quiet"])
                .arg(format!("oci:{}:latest", layout.display()))
                .arg(format!("{kind}:{}:{name}:latest", path.display())));
            path
        };
        let docker = archive("docker-archive");
        let oci = archive("oci-archive");
        let zipped = folder.path().join(format!("{name}.gz"));
        run(Command::new("sh")
            .args(["-c", "gzip -1 -c \"$0\" > \"$1\""])
            .arg(&docker)
            .arg(&zipped));
        let pushed = registry.push(&layout, name);

        let first = inventory(&["--input", path(&layout)]);
        assert!(first.packages.len() > 10, "{name}: {} packages", first.packages.len());
        let plain = ["--plain-http", &registry.host, &pushed];
        let forms: [(&str, Vec<&str>); 4] = [
            ("docker archive", vec!["--input", path(&docker)]),
            ("docker archive, gzip", vec!["--input", path(&zipped)]),
            ("OCI archive", vec!["--input", path(&oci)]),
            ("registry", plain.to_vec()),
        ];
        for (form, args) in forms {
            let other = inventory(&args);
            assert!(other == first, "{name} as {form}: {other:#?}\nas layout: {first:#?}");
        }
    }
}

/// What a report says is in the image; what the source adds (stored digests) left out.
#[derive(Debug, PartialEq)]
struct Inventory {
    os: Value,
    diff_ids: Value,
    packages: Vec<Value>,
    findings: Vec<Value>,
    gaps: Value,
}

fn inventory(source: &[&str]) -> Inventory {
    let mut command = cleanbill();
    command.args(["scan", "--quiet", "--format", "json", "--list-all-pkgs"]).args(source);
    let report: Value = serde_json::from_str(&run(&mut command)).unwrap();
    let results = report["Results"].as_array().unwrap();
    let all = |list: &str| {
        let mut found: Vec<Value> =
            results.iter().filter_map(|r| r[list].as_array()).flatten().cloned().collect();
        for item in &mut found {
            if let Some(layer) = item.get_mut("Layer").and_then(Value::as_object_mut) {
                layer.remove("Digest");
            }
            // It names the artifact, which is called differently in each form.
            item.as_object_mut().unwrap().remove("Fingerprint");
        }
        found
    };
    Inventory {
        os: report["Metadata"]["OS"].clone(),
        diff_ids: report["Metadata"]["DiffIDs"].clone(),
        packages: all("Packages"),
        findings: all("Vulnerabilities"),
        gaps: report["Gaps"].clone(),
    }
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}
