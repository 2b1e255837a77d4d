//! Databases made by rpm, SQLite and Berkeley DB themselves.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

/// How many small packages there are besides the big one.
pub const SMALL: usize = 150;
/// How many files the big one has.
pub const FILES: usize = 3000;

/// What rpm's own tools made, and what they say of it.
pub struct Made {
    folder: tempfile::TempDir,
    /// `name|epoch|version|release|arch|vendor|module|source` of every package, sorted.
    pub says: Vec<String>,
    /// Number and header of every package.
    pub blobs: Vec<(u32, Vec<u8>)>,
}

/// Makes it once; `None`, said aloud, where a tool is missing. Fails about that where
/// `CLEANBILL_REQUIRE_PARTS` is set.
pub fn made() -> Option<&'static Made> {
    static MADE: OnceLock<Option<Made>> = OnceLock::new();
    MADE.get_or_init(|| {
        const TOOLS: [(&str, &str); 5] = [
            ("rpm", "rpm"),
            ("rpmbuild", "rpm"),
            ("sqlite3", "sqlite3"),
            ("db5.3_load", "db5.3-util"),
            ("db5.3_verify", "db5.3-util"),
        ];
        let there = |tool: &str| {
            let found = Command::new("which").arg(tool).output();
            found.is_ok_and(|found| found.status.success())
        };
        let missing: Vec<&str> =
            TOOLS.iter().filter(|(tool, _)| !there(tool)).map(|(_, package)| *package).collect();
        if missing.is_empty() {
            return Some(Made::make());
        }
        let missing = missing.join(" ");
        let required = std::env::var_os("CLEANBILL_REQUIRE_PARTS").is_some();
        assert!(!required, "required, and not there: {missing}");
        println!("skipped: real rpm databases (install {missing})");
        None
    })
    .as_ref()
}

/// Runs to the end, with this on standard input, and demands success.
pub fn run(command: &mut Command, input: &[u8]) -> String {
    use std::io::Write as _;
    let (input_kind, piped) = (Stdio::piped(), Stdio::piped());
    let mut child = command.stdin(input_kind).stdout(piped).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(status.success(), "{command:?}: {status}\n{}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

impl Made {
    fn make() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let define = format!("_topdir {}/top", root.display());
        for (name, spec) in [("many", many()), ("modular", modular())] {
            let path = root.join(format!("{name}.spec"));
            std::fs::write(&path, spec).unwrap();
            let mut build = Command::new("rpmbuild");
            run(build.args(["-bb", "--quiet", "--define", &define]).arg(&path), b"");
        }
        let mut built: Vec<PathBuf> = std::fs::read_dir(root.join("top/RPMS/noarch"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        built.sort();
        let install = ["--justdb", "--nodeps", "--noscripts", "-i"];
        run(rpm(root).args(install).args(&built), b"");
        let format = "%{NAME}|%{EPOCHNUM}|%{VERSION}|%{RELEASE}|%{ARCH}|%{VENDOR}|\
                      %{MODULARITYLABEL}|%{SOURCERPM}\\n";
        let said = run(rpm(root).args(["-qa", "--qf", format]), b"");
        let mut says: Vec<String> = said.lines().map(str::to_owned).collect();
        says.sort();
        let rows = sqlite(&database(root), "SELECT hnum, hex(blob) FROM Packages ORDER BY hnum;");
        let blobs = rows.lines().map(|row| {
            let (number, hex) = row.split_once('|').unwrap();
            let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
            (number.parse().unwrap(), (0..hex.len()).step_by(2).map(byte).collect())
        });
        let blobs = blobs.collect();
        Self { folder, says, blobs }
    }

    /// Where temporary files may be put.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// rpm's own database.
    pub fn sqlite(&self) -> Vec<u8> {
        std::fs::read(database(self.folder.path())).unwrap()
    }

    /// rpm's database, rebuilt by SQLite with pages of this size.
    pub fn sqlite_of(&self, page_size: u32) -> Vec<u8> {
        let copy = self.folder.path().join(format!("pages-{page_size}.sqlite"));
        std::fs::copy(database(self.folder.path()), &copy).unwrap();
        let pragma = "PRAGMA journal_mode=DELETE; PRAGMA page_size=";
        sqlite(&copy, &format!("{pragma}{page_size}; VACUUM;"));
        std::fs::read(copy).unwrap()
    }

    /// The headers in Berkeley DB, as rpm kept them: numbers as keys, the highest under key 0.
    pub fn berkeley(&self, page_size: u32, big_endian: bool) -> Vec<u8> {
        let order = if big_endian { 4321 } else { 1234 };
        let mut dump = format!(
            "VERSION=3\nformat=bytevalue\ntype=hash\ndb_lorder={order}\ndb_pagesize={page_size}\n\
             HEADER=END\n"
        );
        let number = |n: u32| if big_endian { n.to_be_bytes() } else { n.to_le_bytes() };
        let highest = self.blobs.iter().map(|(number, _)| *number).max().unwrap();
        let first = (0, number(highest).to_vec());
        for (key, value) in [first].iter().chain(&self.blobs) {
            for bytes in [&number(*key)[..], value] {
                dump.push(' ');
                bytes.iter().for_each(|b| write!(dump, "{b:02x}").unwrap());
                dump.push('\n');
            }
        }
        dump.push_str("DATA=END\n");
        let path = self.folder.path().join(format!("Packages-{page_size}-{order}"));
        run(Command::new("db5.3_load").arg(&path), dump.as_bytes());
        run(Command::new("db5.3_verify").arg("-q").arg(&path), b"");
        std::fs::read(path).unwrap()
    }
}

/// Runs SQL with SQLite's own tool.
pub fn sqlite(database: &Path, sql: &str) -> String {
    run(Command::new("sqlite3").args(["-batch", "-bail"]).arg(database), sql.as_bytes())
}

fn rpm(root: &Path) -> Command {
    let mut command = Command::new("rpm");
    command.arg("--root").arg(root.join("root")).args(["--dbpath", "/var/lib/rpm"]);
    command
}

fn database(root: &Path) -> PathBuf {
    root.join("root/var/lib/rpm/rpmdb.sqlite")
}

/// What both specifications begin with, so that building is quick.
const QUICK: &str = "%define _build_id_links none\n%define _binary_payload w0.gzdio\n\
    %define __os_install_post %{nil}\n%define debug_package %{nil}\nAutoReqProv: no\n\
    License: MIT\nBuildArch: noarch\nSummary: s\n";

/// Many small packages, each with a Python distribution, and one with many files.
fn many() -> String {
    let mut spec = format!(
        "{QUICK}Name: many\nEpoch: 2\nVersion: 1.2~rc1\nRelease: 3.el9_4\nVendor: AlmaLinux\n\
         %description\nd\n%package -n big\nSummary: s\n%description -n big\nd\n\
         %files -n big\n/opt/big\n"
    );
    let site = "/usr/lib/python3/site-packages";
    let mut install = format!(
        "%install\nmkdir -p %{{buildroot}}/opt/big\n\
         for n in $(seq 1 {FILES}); do : > %{{buildroot}}/opt/big/file-$n; done\n"
    );
    for n in 0..SMALL {
        let long = "s".repeat(1 + n * 7);
        write!(
            spec,
            "%package -n sub-{n:03}\nSummary: {long}\n%description -n sub-{n:03}\nd\n\
             %files -n sub-{n:03}\n{site}/sub{n}-1.dist-info\n"
        )
        .unwrap();
        let folder = format!("%{{buildroot}}{site}/sub{n}-1.dist-info");
        writeln!(
            install,
            "mkdir -p {folder}; printf '{}' > {folder}/METADATA",
            metadata(n).replace('\n', "\\n")
        )
        .unwrap();
    }
    format!("{spec}{install}%files\n")
}

/// A package of a module, without epoch or vendor.
fn modular() -> String {
    format!(
        "{QUICK}Name: modular-thing\nVersion: 18.20\nRelease: 1.module_el8\n\
         ModularityLabel: nodejs:18:8060020220523163256:ad008a3a\n%description\nd\n%files\n"
    )
}

/// What the Python distribution of this number says of itself.
pub fn metadata(number: usize) -> String {
    format!("Metadata-Version: 2.1\nName: sub{number}\nVersion: 1\n")
}
