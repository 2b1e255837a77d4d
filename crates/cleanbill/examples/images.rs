//! Writes quickstart's example images into a folder, as files that `--input` and other scanners
//! read: `cargo run --example images -- DIR`. For chores and for people who want to look inside.

use std::path::Path;

use cleanbill::quickstart::examples;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: images DIR")?;
    for example in examples::ALL {
        std::fs::write(
            Path::new(&folder).join(format!("{}.tar", example.name)),
            example.archive(),
        )?;
    }
    Ok(())
}
