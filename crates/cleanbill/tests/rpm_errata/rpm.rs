//! rpm's own tools.

use std::path::Path;
use std::process::{Command, Output};

/// Which of the tools are missing, for people.
pub(crate) fn missing() -> Option<String> {
    let there = |tool: &&str| {
        let found = Command::new("which").arg(tool).output();
        found.is_ok_and(|found| found.status.success())
    };
    (!["rpm", "rpmbuild"].iter().all(there)).then(|| "install rpm".to_owned())
}

/// Runs to the end and demands success.
pub(crate) fn run(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert!(status.success(), "{command:?}: {status}\n{}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

/// rpm's order of each pair of versions: -1, 0 or 1.
pub(crate) fn compare(pairs: &[(&str, &str)]) -> Vec<i32> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("pairs");
    let lines: String = pairs.iter().map(|(a, b)| format!("{a} {b}\n")).collect();
    std::fs::write(&file, lines).unwrap();
    let script = format!(
        "%{{lua: for line in io.lines('{}') do local a, b = line:match('(%S+) (%S+)'); \
         print(rpm.vercmp(a, b) .. '\\n') end}}",
        file.display()
    );
    let said = run(Command::new("rpm").args(["--eval", &script]));
    let orders: Vec<i32> = said.split_whitespace().map(|word| word.parse().unwrap()).collect();
    assert_eq!(orders.len(), pairs.len(), "{said}");
    orders
}

/// Builds a specification, and puts what it makes into the database below `root` alone.
pub(crate) fn install(dir: &Path, root: &Path, spec: &str) {
    let (path, top) = (dir.join("one.spec"), dir.join("top"));
    std::fs::write(&path, spec).unwrap();
    let define = format!("_topdir {}", top.display());
    run(Command::new("rpmbuild").args(["-bb", "--quiet", "--define", &define]).arg(&path));
    let built = std::fs::read_dir(top.join("RPMS/noarch")).unwrap();
    let built: Vec<_> = built.map(|entry| entry.unwrap().path()).collect();
    let into = ["--dbpath", "/var/lib/rpm", "--justdb", "--nodeps", "--noscripts", "--force", "-i"];
    run(Command::new("rpm").arg("--root").arg(root).args(into).args(built));
    std::fs::remove_dir_all(top).unwrap();
}

/// `name|epoch|version|release` of what the database holds.
pub(crate) fn installed(root: &Path) -> String {
    let all = ["-qa", "--qf", "%{NAME}|%{EPOCHNUM}|%{VERSION}|%{RELEASE}\\n"];
    run(Command::new("rpm").arg("--root").arg(root).args(["--dbpath", "/var/lib/rpm"]).args(all))
}
