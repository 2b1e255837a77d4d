//! Memory of examinations: with several large images at once, and with images that are made to
//! take much, the gate stays within what is promised to examinations and a constant.

use std::io::Write as _;
use std::time::{Duration, Instant};

use cleanbill::quickstart::elf;
use cleanbill_core::digest::Digest;
use sha2::{Digest as _, Sha256};

use crate::registry::{Image, Layer, Registry};
use crate::rig::{Answer, Choice, Gate};

/// What the gate holds besides its examinations, generously.
const BESIDES: u64 = 128 << 20;
const EXAMINATION: u64 = 640 << 20;

/// A tar whose entries are files of this content.
#[derive(Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn file(&mut self, path: &str, content: &[u8]) {
        if path.len() > 100 {
            self.member("././@LongLink", b'L', path.as_bytes());
        }
        self.member(&path[..path.len().min(100)], b'0', content);
    }

    fn member(&mut self, path: &str, kind: u8, content: &[u8]) {
        let mut header = [0_u8; 512];
        header[..path.len()].copy_from_slice(path.as_bytes());
        header[100..107].copy_from_slice(b"0000644");
        header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
        header[148..156].fill(b' ');
        header[156] = kind;
        header[257..265].copy_from_slice(b"ustar  \0");
        let sum: u32 = header.iter().map(|b| u32::from(*b)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        self.0.extend_from_slice(&header);
        self.0.extend_from_slice(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
    }

    fn finish(mut self) -> Vec<u8> {
        self.0.resize(self.0.len() + 1024, 0);
        self.0
    }
}

/// Large files, of which no two are the same.
fn large(seed: u64) -> Layer {
    let mut tar = Writer::default();
    let mut state = seed | 1;
    let mut content = vec![0_u8; 4 << 20];
    for file in 0..24 {
        for word in content.chunks_exact_mut(8) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            word.copy_from_slice(&state.to_le_bytes());
        }
        tar.file(&format!("opt/data/{seed}/{file}.bin"), &content);
    }
    Layer::plain(tar.finish())
}

/// Many files, as a language's packages have them.
fn many(seed: u64) -> Layer {
    let mut tar = Writer::default();
    let modules = "path\tcleanbill.example/m\nmod\tcleanbill.example/m\tv1.0.0\t\n";
    tar.file("usr/bin/program", &elf::go_program("go1.27.2", modules));
    for at in 0..60_000 {
        let (a, b) = (at / 1000, at / 40 % 25);
        let path = format!(
            "usr/lib/language/packages/{seed}/package-{a:03}/src/module-{b:02}/file-{at:06}.source"
        );
        tar.file(&path, path.as_bytes());
    }
    Layer::plain(tar.finish())
}

/// A layer of these files, compressed while it is made.
fn packed(files: impl Iterator<Item = (String, Vec<u8>)>) -> Layer {
    let mut stored = zstd::Encoder::new(Vec::new(), 1).unwrap();
    let mut hasher = Sha256::new();
    let mut write = |bytes: &[u8]| {
        hasher.update(bytes);
        stored.write_all(bytes).unwrap();
    };
    for (path, content) in files {
        let mut one = Writer::default();
        one.file(&path, &content);
        write(&one.0);
    }
    write(&[0; 1024]);
    let diff_id = Digest::Sha256(hasher.finalize().into()).to_string();
    Layer { stored: stored.finish().unwrap(), diff_id, form: "tar+zstd" }
}

/// Each of these entries makes a hundred folders of its own.
fn deep() -> Layer {
    packed((0..30_000).map(|entry| {
        let parts: Vec<String> = (0..120).map(|at| format!("{entry:x}{at:x}")).collect();
        (parts.join("/"), Vec::new())
    }))
}

/// Paths as long as they may be, that share nothing.
fn long() -> Layer {
    packed((0..75_000).map(|entry| {
        let parts = (0..16).map(|at| format!("{entry:06x}{at:x}").repeat(34));
        (parts.collect::<Vec<_>>().join("/"), Vec::new())
    }))
}

/// A package database of the smallest packages that there can be.
fn packages() -> Layer {
    let database = "P:a\nV:1\n\n".repeat((40 << 20) / 9).into_bytes();
    packed([("lib/apk/db/installed".to_owned(), database)].into_iter())
}

fn decided(gate: &Gate, image: &str) -> Answer {
    let end = Instant::now() + Duration::from_secs(240);
    loop {
        let answer = gate.ask(&[image]);
        if !answer.reason.contains("it is being examined") {
            return answer;
        }
        assert!(Instant::now() < end, "{answer:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn large_images_at_once_stay_within_the_budget() {
    let registry = Registry::start();
    let keys =
        format!("{}limits: {{scan_memory: 1280M, parallel_examinations: 8}}\n", registry.key());
    let gate = Gate::start(Choice { keys, ..Choice::default() });
    let before = gate.peak();
    let images: Vec<String> = std::thread::scope(|scope| {
        let made: Vec<_> = (0..4)
            .map(|n| scope.spawn(move || Image::new(&format!("large{n}"), vec![large(n), many(n)])))
            .collect();
        made.into_iter().map(|m| registry.push(&m.join().unwrap())).collect()
    });
    let mut most = 0.0_f64;
    std::thread::scope(|scope| {
        let asked: Vec<_> = images.iter().map(|i| scope.spawn(|| decided(&gate, i))).collect();
        while asked.iter().any(|a| !a.is_finished()) {
            most = most.max(gate.metric("examinations_running"));
            assert!(gate.metric("examination_memory_bytes") <= (2 * EXAMINATION) as f64);
            std::thread::sleep(Duration::from_millis(20));
        }
        for answer in asked {
            let answer = answer.join().unwrap();
            assert!(answer.allowed, "{answer:?}");
        }
    });
    assert_eq!(most, 2.0, "as many as fit at a time");
    println!("peak {} MiB, {} MiB before", gate.peak() >> 20, before >> 20);
    assert!(gate.peak() < 2 * EXAMINATION + BESIDES, "{}", gate.peak());
}

type Make = fn() -> Layer;

#[test]
fn images_made_to_take_memory_get_no_more_than_an_examinations_share() {
    let table: [(&str, Make); 3] = [("deep", deep), ("long", long), ("packages", packages)];
    let registry = Registry::start();
    let keys = format!("{}limits: {{scan_memory: 640M}}\n", registry.key());
    for (name, layer) in table {
        let gate = Gate::start(Choice { keys: keys.clone(), ..Choice::default() });
        let layer = layer();
        let size = layer.stored.len();
        let image = registry.push(&Image::new(name, vec![layer]));
        let answer = decided(&gate, &image);
        println!("{name}: {} KiB, peak {} MiB", size >> 10, gate.peak() >> 20);
        assert!(!answer.allowed && answer.reason.contains("`over-limit`"), "{name}: {answer:?}");
        assert!(gate.peak() < EXAMINATION + BESIDES, "{name}: {}", gate.peak());
    }
}
