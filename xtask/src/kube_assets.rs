//! `cargo xtask kube-assets`: a folder with `kube-apiserver`, `kubectl` and `etcd`, for tests with a
//! real API server. Made once, from Debian's source package `kubernetes` by Debian's Go.
//!
//! Nothing is fetched but by apt, from the archives that this machine has already, with lists of our
//! own: the system's are neither changed nor needed to have source packages in them.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::tools::{once, output, run as run_program};
use crate::{Result, say};

/// What Debian 12 has, and what the recipe below is for.
const VERSION: &str = "1.20.2";
/// The tree's import path.
const TREE: &str = "k8s.io/kubernetes";
/// Whoever asks for one of them as `KUBEBUILDER_ASSETS` looks for these names.
const PROGRAMS: [&str; 2] = ["kube-apiserver", "kubectl"];

/// Makes the folder, unless it is there, and prints its path.
///
/// # Errors
/// When a package cannot be had or the build fails.
pub fn run(_args: &[String]) -> Result<()> {
    let folder = folder()?;
    if let Some(parent) = folder.parent() {
        std::fs::create_dir_all(parent)?;
    }
    let folder = once(&folder, make)?;
    say(&folder.canonicalize()?.display().to_string());
    Ok(())
}

/// `CLEANBILL_KUBE_ASSETS`, or a folder in the cache that `.ci/run` uses too.
fn folder() -> Result<PathBuf> {
    if let Some(given) = std::env::var_os("CLEANBILL_KUBE_ASSETS") {
        return Ok(given.into());
    }
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))
        .ok_or("neither CLEANBILL_KUBE_ASSETS nor XDG_CACHE_HOME nor HOME is set")?;
    Ok(cache.join("cleanbill-ci/kube-assets"))
}

fn make(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    let folder = folder.canonicalize()?;
    let work = folder.join("work");
    std::fs::create_dir_all(&work)?;
    let tree = sources(&work)?;
    let go = Go { path: work.join("go"), cache: work.join("cache"), tree };
    go.openapi(&work)?;
    go.programs(&folder)?;
    std::fs::copy("/usr/bin/etcd", folder.join("etcd"))
        .map_err(|e| format!("/usr/bin/etcd: {e} (install etcd-server)"))?;
    let said = output(Command::new(folder.join("kube-apiserver")).arg("--version"))?;
    if said.trim() != format!("Kubernetes v{VERSION}") {
        return Err(format!("what was built says that it is {said:?}").into());
    }
    Ok(std::fs::remove_dir_all(work)?)
}

/// Fetches and unpacks; gives the tree.
fn sources(work: &Path) -> Result<PathBuf> {
    std::fs::create_dir_all(work.join("lists/partial"))?;
    std::fs::create_dir_all(work.join("packages/archives/partial"))?;
    let list = archives(work)?;
    std::fs::write(work.join("sources.list"), list)?;
    let apt = |args: &[&str]| {
        let mut command = Command::new("apt-get");
        command.current_dir(work).args(args).args(["-oDir::Etc::SourceParts=/dev/null"]);
        run_program(command.arg(at("Dir::Etc::SourceList", work, "sources.list")).args(own(work)))
    };
    apt(&["update", "-qq"])?;
    apt(&["source", "-qq", "--download-only", "kubernetes"])?;
    apt(&["download", "-qq", "golang-github-modern-go-reflect2-dev"])?;
    let described = only(work, ".dsc")?;
    if !described.to_string_lossy().contains(VERSION) {
        return Err(format!("Debian's is {described:?}; this recipe is for {VERSION}").into());
    }
    let tree = work.join("go/src").join(TREE);
    if let Some(above) = tree.parent() {
        std::fs::create_dir_all(above)?;
    }
    // Apt has checked it against the archive's signature.
    let unpack = ["--no-check", "-x"];
    run_program(Command::new("dpkg-source").args(unpack).arg(&described).arg(&tree))?;

    // The tree's own copy calls an internal function of Go that has another argument since Go 1.18,
    // and writes over memory that is not its own. Debian's package of it does not.
    let vendored = tree.join("vendor/github.com/modern-go/reflect2");
    std::fs::remove_dir_all(&vendored)?;
    let unpacked = work.join("reflect2");
    run_program(Command::new("dpkg-deb").arg("-x").arg(only(work, ".deb")?).arg(&unpacked))?;
    let newer = unpacked.join("usr/share/gocode/src/github.com/modern-go/reflect2");
    std::fs::rename(newer, vendored)?;
    Ok(tree)
}

/// The lines of `sources.list` for the archives of Debian that this machine uses.
fn archives(work: &Path) -> Result<String> {
    let targets = |lists: &[String]| -> Result<String> {
        let format = "--format=$(REPO_URI) $(RELEASE) $(COMPONENT)";
        let which = ["Created-By: Packages", "Origin: Debian", "Component: main"];
        let mut command = Command::new("apt-get");
        let found = output(command.args(["indextargets", format]).args(which).args(lists))?;
        Ok(found.lines().map(|a| format!("deb {a}\ndeb-src {a}\n")).collect())
    };
    let known = targets(&[])?;
    if !known.is_empty() {
        return Ok(known);
    }
    // Which is whose is told by the archives only, and nobody has asked them here yet.
    run_program(Command::new("apt-get").args(["update", "-qq"]).args(own(work)))?;
    let known = targets(&own(work))?;
    match known.is_empty() {
        true => Err("apt knows no archive of Debian".into()),
        false => Ok(known),
    }
}

fn at(key: &str, work: &Path, path: &str) -> String {
    format!("-o{key}={}", work.join(path).display())
}

/// Where apt keeps what it fetches for us.
fn own(work: &Path) -> [String; 2] {
    [at("Dir::State::Lists", work, "lists"), at("Dir::Cache", work, "packages")]
}

/// The one file in a folder whose name ends so.
fn only(folder: &Path, end: &str) -> Result<PathBuf> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(end) {
            return Ok(path);
        }
    }
    Err(format!("apt brought no {end} into {}", folder.display()).into())
}

/// Go as it was before modules, which never asks the network.
struct Go {
    path: PathBuf,
    cache: PathBuf,
    tree: PathBuf,
}

impl Go {
    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.tree).env("GOPATH", &self.path).env("GOCACHE", &self.cache);
        command.env("GO111MODULE", "off").env("GOPROXY", "off").env("GOTOOLCHAIN", "local");
        command.env("CGO_ENABLED", "0").env("GOFLAGS", "");
        command
    }

    /// Makes the one generated package that is not in the source.
    fn openapi(&self, work: &Path) -> Result<()> {
        let generator = work.join("openapi-gen");
        let package = "./vendor/k8s.io/kube-openapi/cmd/openapi-gen";
        run_program(self.command("go").args(["build", "-o"]).arg(&generator).arg(package))?;
        let mut packages = Vec::new();
        // What is vendored by a link is walked where it is, and named as it is imported.
        for (below, named) in [("pkg", "pkg"), ("staging/src/k8s.io", "vendor/k8s.io")] {
            let root = self.tree.join(below);
            let mut found = Vec::new();
            marked(&root, &mut found)?;
            for folder in found {
                let inside = folder.strip_prefix(&root)?.display().to_string();
                if !inside.starts_with("code-generator/")
                    && !inside.starts_with("sample-apiserver/")
                {
                    packages.push(format!("{TREE}/{named}/{inside}"));
                }
            }
        }
        packages.sort();
        let mut command = self.command(generator);
        command.args(["--logtostderr", "-i", &packages.join(",")]);
        command.args([
            "-p",
            &format!("{TREE}/pkg/generated/openapi"),
            "-O",
            "zz_generated.openapi",
        ]);
        command.args(["-h", "hack/boilerplate/boilerplate.generatego.txt", "-r"]);
        run_program(command.arg(work.join("violations")))
    }

    fn programs(&self, folder: &Path) -> Result<()> {
        let (major, minor) = VERSION.split_once('.').unwrap_or_default();
        let minor = minor.split_once('.').map_or(minor, |(minor, _)| minor);
        let mut flags = "-s -w".to_owned();
        for package in ["component-base/version", "client-go/pkg/version"] {
            let values =
                [("gitVersion", &*format!("v{VERSION}")), ("gitMajor", major), ("gitMinor", minor)];
            for (name, value) in values {
                flags += &format!(" -X {TREE}/vendor/k8s.io/{package}.{name}={value}");
            }
        }
        let mut command = self.command("go");
        command.args(["build", "-trimpath", "-ldflags", &flags, "-o"]).arg(folder);
        run_program(command.args(PROGRAMS.map(|name| format!("./cmd/{name}"))))
    }
}

/// The folders below one with a file that asks for a description of its types.
fn marked(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let mut asks = false;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            marked(&path, found)?;
        } else if !asks && path.extension().is_some_and(|end| end == "go") {
            asks = std::fs::read_to_string(&path)?.contains("+k8s:openapi-gen=");
        }
    }
    if asks {
        found.push(folder.to_owned());
    }
    Ok(())
}
