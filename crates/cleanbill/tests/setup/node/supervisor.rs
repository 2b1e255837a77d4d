//! What a kubelet does with a static pod: when the manifest changes, what ran is ended and another
//! is started from the new text. It knows nothing of what it runs.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// Looks after one manifest until it is dropped.
pub struct Supervisor {
    manifest: PathBuf,
    /// The text of what runs now.
    runs: Arc<Mutex<Option<String>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Supervisor {
    /// `start` makes what runs from the manifest's text; `None`: it did not come up, and is tried
    /// again, as a kubelet does. What it made is dropped to end it.
    pub fn watch<R: Send + 'static>(
        manifest: PathBuf,
        start: impl Fn(&str) -> Option<R> + Send + 'static,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let shown = Arc::new(Mutex::new(None));
        let read = manifest.clone();
        let (told, show) = (Arc::clone(&stop), Arc::clone(&shown));
        let thread = std::thread::spawn(move || {
            let (mut text, mut runs): (Option<String>, Option<R>) = (None, None);
            while !told.load(SeqCst) {
                let now = {
                    let mut shown = show.lock().unwrap();
                    let now = fs::read_to_string(&read).ok();
                    if now != text {
                        *shown = None;
                    }
                    now
                };
                if now != text {
                    // A kubelet takes a moment to notice; the old one answers so long.
                    std::thread::sleep(Duration::from_millis(60));
                    drop(runs.take());
                    text = now;
                }
                if let (None, Some(text)) = (&runs, &text) {
                    runs = start(text);
                    *show.lock().unwrap() = runs.is_some().then(|| text.clone());
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        Self { manifest, runs: shown, stop, thread: Some(thread) }
    }

    /// Whether what runs was started from the manifest as it is, and nothing else is to come.
    pub fn is_settled(&self) -> bool {
        let runs = self.runs.lock().unwrap();
        runs.is_some() && *runs == fs::read_to_string(&self.manifest).ok()
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.stop.store(true, SeqCst);
        if let Some(thread) = self.thread.take() {
            _ = thread.join();
        }
    }
}
