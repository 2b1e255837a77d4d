//! Reads all layers of an image file, two at a time, and says how long it took: a measuring
//! stick for the readers, without any extractor.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use cleanbill_core::platform::Platform;
use cleanbill_oci::error::Result;
use cleanbill_oci::image::PlatformChoice;
use cleanbill_oci::limits::Limits;
use cleanbill_oci::source::{InputSpec, open_input};

fn main() -> Result<()> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "-".into());
    let start = Instant::now();
    let choice = PlatformChoice::Prefer(Platform::of_this_machine());
    let opened = open_input(&InputSpec::parse(&path), &choice, &Arc::new(Limits::default()))?;
    let mut report = format!("opened in {:?}\n", start.elapsed());
    for image in &opened.images {
        let next = AtomicUsize::new(0);
        let read = || -> Result<String> {
            let mut report = String::new();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                if at >= image.layers.len() {
                    return Ok(report);
                }
                let begun = Instant::now();
                let mut layer = image.open_layer(at)?;
                let mut entries = 0_u64;
                while layer.next_entry()?.is_some() {
                    entries += 1;
                }
                let bytes = layer.finish()?.unpacked;
                let took = begun.elapsed();
                report
                    .push_str(&format!("layer {at}: {entries} entries, {bytes} bytes, {took:?}\n"));
            }
        };
        let results = std::thread::scope(|scope| {
            let threads = [scope.spawn(read), scope.spawn(read)];
            threads.map(std::thread::ScopedJoinHandle::join)
        });
        for result in results {
            report.push_str(&result.map_err(|_| {
                cleanbill_oci::Error::new(cleanbill_oci::error::ErrorKind::Io, "a thread died")
            })??);
        }
    }
    report.push_str(&format!("all in {:?}\n", start.elapsed()));
    std::io::Write::write_all(&mut std::io::stdout(), report.as_bytes()).map_err(|e| {
        cleanbill_oci::Error::new(cleanbill_oci::error::ErrorKind::Io, "output").because(e)
    })
}
