//! The parts that are not ours: whether they are there, and how they are run.

use std::io::Read as _;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// What the tests need besides the program.
const TOOLS: &[&str] = &["skopeo", "docker-registry", "curl", "openssl", "mmdebstrap", "gzip"];

/// Whether everything is there. Says what is missing, and panics about it where
/// `CLEANBILL_REQUIRE_PARTS` is set.
pub fn there() -> bool {
    let missing: Vec<&str> = TOOLS
        .iter()
        .copied()
        .filter(|tool| {
            !Command::new("which").arg(tool).output().is_ok_and(|found| found.status.success())
        })
        .chain((!shared_data().exists()).then_some("../shared/data"))
        .collect();
    if missing.is_empty() {
        return true;
    }
    absent(&missing.join(", "));
    false
}

/// Says what is not there, and panics about it where `CLEANBILL_REQUIRE_PARTS` is set.
pub fn absent(what: &str) {
    let required = std::env::var_os("CLEANBILL_REQUIRE_PARTS").is_some();
    assert!(!required, "required, and not there: {what}");
    println!("skipped: end to end (not there, install it: {what})");
}

/// Real data beside the repository.
pub fn shared_data() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data"))
}

/// The program under test.
pub fn cleanbill() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cleanbill"));
    command.env_remove("CLEANBILL_DB");
    command
}

/// Runs to the end and demands success.
pub fn run(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.stdin(Stdio::null()).output().unwrap();
    let errors = String::from_utf8_lossy(&stderr);
    assert!(status.success(), "{command:?}: {status}\n{errors}");
    String::from_utf8(stdout).unwrap()
}

/// A process that ends when this is dropped.
pub struct Running {
    child: Child,
    what: &'static str,
}

impl Running {
    /// Starts it and waits until something listens on the port.
    pub fn start(what: &'static str, command: &mut Command, port: u16) -> Self {
        let child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut running = Self { child: child.unwrap(), what };
        let end = Instant::now() + Duration::from_secs(30);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            if let Some(status) = running.child.try_wait().unwrap() {
                panic!("{what} ended at once: {status}\n{}", running.said());
            }
            assert!(Instant::now() < end, "{what} does not listen on {port}");
            std::thread::sleep(Duration::from_millis(20));
        }
        running
    }

    /// Asks it to end, as an init system would, and waits.
    pub fn stop(mut self) {
        run(Command::new("kill").args(["-TERM", &self.child.id().to_string()]));
        let status = self.child.wait().unwrap();
        let (what, said) = (self.what, self.said());
        assert!(status.success(), "{what} ended with {status}\n{said}");
    }

    fn said(&mut self) -> String {
        let mut text = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            _ = stderr.read_to_string(&mut text);
        }
        text
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
