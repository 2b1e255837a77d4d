//! Layers that are made here: a Rust program by the tool that writes its crates into it, and
//! documents as Bitnami's images have them.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::layers::{layer, pack};
use crate::Result;
use crate::tools::{inputs_dir, run};

/// Crates with known flaws that build quickly.
const CRATES: &[(&str, &str)] = &[
    ("bytes", "0.4.12"),
    ("generic-array", "0.12.3"),
    ("http", "0.1.19"),
    ("httparse", "1.3.4"),
    ("memoffset", "0.5.4"),
    ("regex", "1.5.4"),
    ("smallvec", "1.6.0"),
    ("thread_local", "1.0.1"),
    ("time", "0.1.42"),
];

/// Applications that Bitnami has advisories of, in old versions, with the build's number.
const APPLICATIONS: &[(&str, &str)] = &[
    ("apache", "2.4.49-0"),
    ("discourse", "2.7.0-3"),
    ("elasticsearch", "7.10.0-0"),
    ("envoy", "1.20.1-0"),
    ("gitea", "1.16.0-1"),
    ("grafana", "8.3.0-0"),
    ("jenkins", "2.303.1-0"),
    ("mariadb", "10.5.8-0"),
    ("moodle", "3.11.2-14"),
    ("mongodb", "4.4.1-0"),
    ("nginx", "1.20.0-2"),
    ("node", "16.13.0-0"),
    ("php", "8.0.10-0"),
    ("postgresql", "13.3.0-12"),
    ("python", "3.9.6-150"),
    ("redis", "6.2.5-0"),
    ("tensorflow", "2.6.0-0"),
    ("tomcat", "10.0.5-0"),
    ("vault", "1.8.0-0"),
    ("wordpress", "5.8.0-0"),
];

/// A program of these crates in `/usr/local/bin`.
pub(super) fn rust() -> Result<PathBuf> {
    layer("rust", |part| {
        let folder = tempfile::tempdir_in(inputs_dir()?)?;
        let source = folder.path().join("app");
        fs::create_dir_all(source.join("src"))?;
        let mut manifest =
            "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[workspace]\n\
             [dependencies]\n"
                .to_owned();
        for (name, version) in CRATES {
            writeln!(manifest, "{name} = \"={version}\"")?;
        }
        fs::write(source.join("Cargo.toml"), manifest)?;
        fs::write(source.join("src/main.rs"), "fn main() {}\n")?;
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        run(Command::new(cargo)
            .current_dir(&source)
            .env("CARGO_TARGET_DIR", folder.path().join("target"))
            .args(["auditable", "build", "--quiet"]))?;
        let bin = folder.path().join("usr/local/bin");
        fs::create_dir_all(&bin)?;
        fs::copy(folder.path().join("target/debug/app"), bin.join("app"))?;
        pack(part, "usr", folder.path())
    })
}

/// A document for each application, as Bitnami's images have it.
pub(super) fn bitnami() -> Result<PathBuf> {
    layer("bitnami", |part| {
        let folder = tempfile::tempdir_in(inputs_dir()?)?;
        for (name, version) in APPLICATIONS {
            let home = folder.path().join("opt/bitnami").join(name);
            fs::create_dir_all(&home)?;
            let document = document(name, version);
            fs::write(home.join(format!(".spdx-{name}.spdx")), document.to_string())?;
        }
        pack(part, "opt", folder.path())
    })
}

fn document(name: &str, version: &str) -> serde_json::Value {
    let (id, url) = (format!("SPDXRef-{name}"), format!("pkg:bitnami/{name}@{version}?arch=amd64"));
    serde_json::json!({
        "SPDXID": "SPDXRef-DOCUMENT",
        "spdxVersion": "SPDX-2.3",
        "creationInfo": {"created": "2023-08-18T20:09:40Z", "creators": ["Organization: made here"]},
        "name": name,
        "dataLicense": "CC0-1.0",
        "documentDescribes": [id],
        "documentNamespace": format!("{name}-{version}"),
        "packages": [{
            "SPDXID": id,
            "name": name,
            "versionInfo": version,
            "downloadLocation": "NONE",
            "licenseConcluded": "NOASSERTION",
            "licenseDeclared": "NOASSERTION",
            "copyrightText": "NOASSERTION",
            "filesAnalyzed": false,
            "externalRefs": [{
                "referenceCategory": "PACKAGE_MANAGER",
                "referenceType": "purl",
                "referenceLocator": url,
            }],
        }],
        "files": [],
        "relationships": [],
    })
}
