//! Running a program of somebody else's within bounds, on the calling thread.
//!
//! It gets its arguments as they are (no shell), an empty environment, `/` as its folder, three
//! pipes and no other descriptor of ours, and a process group of its own. Whatever happens, the
//! whole group is killed before the result is given and its dead are collected, so that nothing
//! is left behind; the group's leader is not collected before that, so that its number cannot
//! belong to anybody else. A program that leaves its group escapes the killing, though not its
//! bounds on processor time and memory, which children inherit.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::process::CommandExt as _;
use std::process::{ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, ioctl_fionbio};
use rustix::process::{
    Pid, Resource, Rlimit, Signal, WaitId, WaitIdOptions, WaitOptions, kill_process_group, prlimit,
    waitid, waitpgid,
};

use super::config::ProgramConfig;
use super::{ANSWER_BYTES, Silence};

/// The most bytes of standard error that are read; more is no answer.
const STDERR_BYTES: usize = 1 << 20;
/// The bytes of standard error that are kept for the log.
const STDERR_KEPT: usize = 4 << 10;
/// How long the dead are waited for after the killing.
const REAPING: Duration = Duration::from_millis(200);

/// How a program ended, and what it wrote.
pub(super) struct Run {
    pub ended: Ended,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// By itself.
    Code(i32),
    /// By a signal, not one of ours.
    Signal(i32),
}

/// Runs one program again and again.
pub(super) struct Runner {
    config: ProgramConfig,
    /// Groups that were killed and not yet gone when last looked at.
    left: Mutex<Vec<Pid>>,
}

impl Runner {
    pub(super) fn new(config: ProgramConfig) -> Self {
        Self { config, left: Mutex::default() }
    }

    /// Runs it to its end, or kills it then.
    pub(super) fn run(&self, input: &[u8], until: Instant) -> Result<Run, Silence> {
        self.collect_left();
        let failed = |why: std::io::Error| {
            let public = match &why {
                e if e.kind() == ErrorKind::NotFound => "its program is not there",
                e if e.kind() == ErrorKind::PermissionDenied => "its program may not be run",
                _ => "its program could not be run",
            };
            Silence::new(public).log(why)
        };
        let (program, arguments) = match self.config.argv.split_first() {
            Some(argv) => argv,
            None => return Err(Silence::new("its program has no name")),
        };
        let mut child = Command::new(program)
            .args(arguments)
            .env_clear()
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let Some(leader) = pid else { return Err(Silence::new("its program has no number")) };
        // From here on the group is killed on every way out.
        let group = Group { leader, runner: self };
        let bounded = self.bound(leader, until);
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = (stdin, stdout, stderr) else {
            return Err(Silence::new("its program could not be run"));
        };
        bounded.map_err(|e| failed(e.into()))?;
        let mut talk = Talk {
            stdin: Some(stdin),
            stdout: Some(stdout),
            stderr: Some(stderr),
            input,
            answer: Vec::new(),
            errors: Vec::new(),
            errors_read: 0,
        };
        let ended = talk.until_the_end(leader, until).map_err(|mut silence| {
            silence.log.push_str(&String::from_utf8_lossy(&talk.errors));
            silence
        })?;
        drop(group);
        Ok(Run { ended, stdout: talk.answer, stderr: talk.errors })
    }

    /// Bounds on what it may use. Set from outside a moment after it began, which takes no
    /// unsafe code, and before a byte of the question is written: whatever a question makes it
    /// do is bounded.
    fn bound(&self, leader: Pid, until: Instant) -> rustix::io::Result<()> {
        let seconds = until.saturating_duration_since(Instant::now()).as_secs() + 1;
        for (resource, most) in [
            (Resource::Cpu, seconds),
            (Resource::As, self.config.memory_bytes),
            (Resource::Core, 0),
        ] {
            let limit = Rlimit { current: Some(most), maximum: Some(most) };
            match prlimit(Some(leader), resource, limit) {
                // It is gone already; what it wrote is read all the same.
                Ok(_) | Err(Errno::SRCH) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn collect_left(&self) {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.retain(|group| !collect(*group, Instant::now()));
    }
}

/// A running group, which is killed when this is dropped.
struct Group<'r> {
    leader: Pid,
    runner: &'r Runner,
}

impl Drop for Group<'_> {
    fn drop(&mut self) {
        // No such group: all of it is gone already, or will not be killed by us (set-uid).
        _ = kill_process_group(self.leader, Signal::KILL);
        if !collect(self.leader, Instant::now() + REAPING) {
            tracing::error!("process group {} was killed and is still there", self.leader);
            let mut left = self.runner.left.lock().unwrap_or_else(PoisonError::into_inner);
            left.push(self.leader);
        }
    }
}

/// Collects the dead of a group that are our children: its leader and, where orphans come to
/// us (as the first process of a container), the others. True when no more are to come.
fn collect(group: Pid, until: Instant) -> bool {
    let mut pause = Duration::from_micros(100);
    loop {
        match waitpgid(group, WaitOptions::NOHANG) {
            Ok(Some(_)) | Err(Errno::INTR) => {}
            Ok(None) if Instant::now() >= until => return false,
            Ok(None) => {
                std::thread::sleep(pause);
                pause = (pause * 2).min(Duration::from_millis(10));
            }
            Err(_) => return true,
        }
    }
}

/// The pipes of a running program.
struct Talk<'i> {
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    input: &'i [u8],
    answer: Vec<u8>,
    errors: Vec<u8>,
    errors_read: usize,
}

impl Talk<'_> {
    /// Writes the question, reads until standard output is closed by all who hold it, and waits
    /// until the leader has ended.
    fn until_the_end(&mut self, leader: Pid, until: Instant) -> Result<Ended, Silence> {
        let broken = |e: std::io::Error| Silence::new("it could not be spoken to").log(e);
        self.nonblocking().map_err(|e| broken(e.into()))?;
        let mut pause = Duration::from_micros(200);
        loop {
            if self.stdout.is_none()
                && let Some(ended) = ended(leader).map_err(|e| broken(e.into()))?
            {
                // What it wrote last to standard error, for the log.
                self.pump_errors().map_err(broken)??;
                return Ok(ended);
            }
            let mut left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(match (&self.stdout, ended(leader)) {
                    (Some(_), Ok(Some(_))) => {
                        Silence::new("it ended, and something it started holds its output open")
                    }
                    _ => Silence::late(),
                });
            }
            if self.stdout.is_none() {
                left = left.min(pause);
                pause = (pause * 2).min(Duration::from_millis(10));
            }
            self.wait(left).map_err(|e| broken(e.into()))?;
            self.pump_input();
            self.pump_answer().map_err(broken)??;
            self.pump_errors().map_err(broken)??;
        }
    }

    fn nonblocking(&self) -> rustix::io::Result<()> {
        if let Some(pipe) = &self.stdin {
            ioctl_fionbio(pipe, true)?;
        }
        if let Some(pipe) = &self.stdout {
            ioctl_fionbio(pipe, true)?;
        }
        if let Some(pipe) = &self.stderr {
            ioctl_fionbio(pipe, true)?;
        }
        Ok(())
    }

    /// Waits until a pipe can be used, or for so long.
    fn wait(&self, most: Duration) -> rustix::io::Result<()> {
        let mut pipes = Vec::with_capacity(3);
        if let Some(pipe) = &self.stdin {
            pipes.push(PollFd::new(pipe, PollFlags::OUT));
        }
        if let Some(pipe) = &self.stdout {
            pipes.push(PollFd::new(pipe, PollFlags::IN));
        }
        if let Some(pipe) = &self.stderr {
            pipes.push(PollFd::new(pipe, PollFlags::IN));
        }
        let most = Timespec::try_from(most).map_err(|_| Errno::INVAL)?;
        match poll(&mut pipes, Some(&most)) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// A program need not read its question: when it closes its input, the rest is not written.
    fn pump_input(&mut self) {
        let Some(pipe) = &mut self.stdin else { return };
        while !self.input.is_empty() {
            match pipe.write(self.input) {
                Ok(written @ 1..) => self.input = self.input.get(written..).unwrap_or(&[]),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => return,
                Ok(_) | Err(_) => break,
            }
        }
        self.stdin = None;
    }

    fn pump_answer(&mut self) -> std::io::Result<Result<(), Silence>> {
        let Some(pipe) = &mut self.stdout else { return Ok(Ok(())) };
        let mut chunk = [0; 16 << 10];
        loop {
            let Some(read) = some(pipe.read(&mut chunk))? else { return Ok(Ok(())) };
            self.answer.extend_from_slice(chunk.get(..read).unwrap_or(&[]));
            if self.answer.len() > ANSWER_BYTES {
                return Ok(Err(Silence::new("its answer is larger than 1 MiB")));
            }
            if read == 0 {
                self.stdout = None;
                return Ok(Ok(()));
            }
        }
    }

    fn pump_errors(&mut self) -> std::io::Result<Result<(), Silence>> {
        let Some(pipe) = &mut self.stderr else { return Ok(Ok(())) };
        let mut chunk = [0; 16 << 10];
        loop {
            let Some(read) = some(pipe.read(&mut chunk))? else { return Ok(Ok(())) };
            let room = STDERR_KEPT.saturating_sub(self.errors.len()).min(read);
            self.errors.extend_from_slice(chunk.get(..room).unwrap_or(&[]));
            self.errors_read += read;
            if self.errors_read > STDERR_BYTES {
                return Ok(Err(Silence::new("it wrote more than 1 MiB to its standard error")));
            }
            if read == 0 {
                self.stderr = None;
                return Ok(Ok(()));
            }
        }
    }
}

/// What was read; nothing where there is nothing to read now.
fn some(read: std::io::Result<usize>) -> std::io::Result<Option<usize>> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(None),
        Err(e) => Err(e),
    }
}

/// How the leader ended, without collecting it.
fn ended(leader: Pid) -> rustix::io::Result<Option<Ended>> {
    let how = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    let Some(status) = waitid(WaitId::Pid(leader), how)? else { return Ok(None) };
    Ok(Some(match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => Ended::Code(code),
        (None, signal) => Ended::Signal(signal.unwrap_or_default()),
    }))
}
