//! Writes headers and databases byte by byte: small ones for hostile tests and as seeds of
//! fuzzing, and ndb, which no tool of Debian's writes.

pub mod berkeley;
pub mod header;
pub mod ndb;
pub mod sqlite;

use header::Value::{Number, Numbers, Text, Texts};

/// One package as the small databases have it: name, epoch, and so many files.
pub fn package(name: &str, epoch: Option<u32>, files: u32) -> Vec<u8> {
    let names: Vec<String> = (0..files).map(|n| format!("file-{n}")).collect();
    let mut tags = vec![
        (1000, Text(name.into())),
        (1001, Text("1.2".into())),
        (1002, Text("3.el9".into())),
        (1011, Text("AlmaLinux".into())),
        (1022, Text("x86_64".into())),
        (1044, Text(format!("lib{name}-1.2-3.el9.src.rpm"))),
        (5096, Text("nodejs:18:8060020220523163256:ad008a3a".into())),
    ];
    if let Some(epoch) = epoch {
        tags.push((1003, Number(epoch)));
    }
    if files > 0 {
        tags.push((1116, Numbers(vec![0; files as usize])));
        tags.push((1117, Texts(names)));
        tags.push((1118, Texts(vec![format!("/usr/lib/{name}/")])));
    }
    header::header(&tags)
}

/// Three packages of which one has a longer list of files, and a key.
pub fn packages() -> Vec<Vec<u8>> {
    vec![
        package("bash", None, 0),
        package("openssl", Some(1), 80),
        package("zlib", Some(0), 2),
        package("gpg-pubkey", None, 0),
    ]
}

/// What the three are read as.
pub const READ: [&str; 3] = ["bash 1.2-3.el9", "openssl 1:1.2-3.el9", "zlib 1.2-3.el9"];
