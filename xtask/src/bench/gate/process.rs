//! A server as a process of its own, and what the kernel says of it.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use crate::Result;

/// A server that runs until it is dropped.
pub struct Server {
    child: Child,
    /// Its TLS port on loopback.
    pub port: u16,
}

impl Server {
    /// Starts it, and waits until its port can be reached.
    ///
    /// # Errors
    /// When it ends, or does not listen within a minute.
    pub fn start(command: &mut Command, port: u16) -> Result<Self> {
        let mut server = Self { child: command.spawn()?, port };
        let began = Instant::now();
        while TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).is_err() {
            if let Some(status) = server.child.try_wait()? {
                return Err(format!("{command:?}: {status}").into());
            }
            if began.elapsed() > Duration::from_secs(60) {
                return Err(format!("{command:?}: does not listen").into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// Ends it in order.
    ///
    /// # Errors
    /// When it does not end well.
    pub fn stop(mut self) -> Result<()> {
        crate::tools::run(Command::new("kill").arg(self.child.id().to_string()))?;
        match self.child.wait()? {
            status if status.success() => Ok(()),
            status => Err(format!("the server: {status}").into()),
        }
    }

    /// Resident memory, in bytes.
    ///
    /// # Errors
    /// When it runs no more.
    pub fn memory(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
        let kib = line.and_then(|l| l.split_whitespace().next()).ok_or("no VmRSS")?;
        Ok(kib.parse::<f64>()? * 1024.0)
    }

    /// Seconds of processor time that it has used.
    ///
    /// # Errors
    /// When it runs no more.
    pub fn busy(&self) -> Result<f64> {
        busy(self.child.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It is not needed any more; had it ended already, so much the better.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Seconds of processor time of a process. The kernel counts hundredths.
fn busy(id: u32) -> Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat"))?;
    let (_, rest) = stat.rsplit_once(')').ok_or("an odd /proc/PID/stat")?;
    let ticks = rest.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
    Ok(ticks.sum::<std::result::Result<f64, _>>()? / 100.0)
}

/// Seconds of processor time of this process.
///
/// # Errors
/// When /proc cannot be read.
pub fn own() -> Result<f64> {
    busy(std::process::id())
}

/// A port of loopback that is free, and that no connection is given before its server listens:
/// those come from above 32767.
///
/// # Errors
/// When there is none.
pub fn free_port() -> Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(16_000);
    loop {
        let port = NEXT.fetch_add(1, Ordering::Relaxed);
        if port >= 20_000 {
            return Err("no port below 20000 is free".into());
        }
        if TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port))).is_ok() {
            return Ok(port);
        }
    }
}
