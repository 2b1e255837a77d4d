//! Language packages that an operating system's package brought: its own as long as their file has
//! the checksum that the package lists, wherever the image keeps it.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use md5::{Digest as _, Md5};
use sha1::Sha1;
use sha2::Sha256;
use support::{Layer, file, gaps, inventory, link};

const METADATA: &str = "usr/lib/python3/dist-packages/flask-3.1.3.dist-info/METADATA";
const FLASK: &str = "Metadata-Version: 2.1\nName: Flask\nVersion: 3.1.3\n\n";
const NODE: &str = "usr/lib/node_modules/a/package.json";
const PACKAGE: &str = r#"{"name": "a", "version": "1.0.0"}"#;
const PROGRAM: &str = "usr/bin/tool";

fn hex(sum: impl AsRef<[u8]>) -> String {
    sum.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn md5(content: &[u8]) -> String {
    hex(Md5::digest(content))
}

/// A Go program as far as it says what it was built from: a header that leads nowhere, Go's mark at
/// an address that 16 divides, and its version and main module.
fn program(version: &str) -> Vec<u8> {
    let frame: [&[u8]; 2] = [
        b"\x30\x77\xaf\x0c\x92\x74\x08\x02\x41\xe1\xc1\x07\xe6\xd6\x18\xe6",
        b"\xf9\x32\x43\x31\x86\x18\x20\x72\x00\x82\x42\x10\x41\x16\xd8\xf2",
    ];
    let modules = format!("path\texample.com/tool\nmod\texample.com/tool\tv{version}\t\n");
    let modules = [frame[0], modules.as_bytes(), frame[1]].concat();
    let text = |text: &[u8]| [&[u8::try_from(text.len()).unwrap()], text].concat();
    let mut bytes = b"\x7fELF".to_vec();
    bytes.resize(4096, 0);
    bytes.extend(b"\xff Go buildinf:\x08\x02");
    bytes.resize(4096 + 32, 0);
    bytes.extend([text(b"go1.22.1"), text(&modules)].concat());
    bytes.resize(3 * 4096, 0);
    bytes
}

/// An image of Debian whose package `owner` lists these files, with its list under this name.
fn debian(list: &str, listed: &[(&str, String)], files: Layer) -> Layer {
    let sums: String = listed.iter().map(|(path, sum)| format!("{sum}  {path}\n")).collect();
    let status = "Package: owner\nStatus: install ok installed\nVersion: 1\n\n\
                  Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n";
    let mut layer = vec![
        file("etc/os-release", "ID=debian\nVERSION_ID=12\n"),
        file("var/lib/dpkg/status", status),
        file(list, sums),
    ];
    layer.extend(files);
    layer
}

/// An image of Alpine whose package `owner` lists a file with this checksum.
fn alpine(path: &str, sum: &str, content: &[u8]) -> Layer {
    let (folder, name) = path.rsplit_once('/').unwrap();
    let installed = format!("P:owner\nV:1\nF:{folder}\nR:{name}\na:0:0:755\n{sum}R:other\n\n");
    vec![
        file("etc/os-release", "ID=alpine\nVERSION_ID=3.20.3\n"),
        file("lib/apk/db/installed", installed),
        file(path, content),
    ]
}

/// Of the image's language packages: the file, the package that brought it as it is, and the one
/// that it was changed from.
fn check(layers: &[Layer], expected: &[(&str, &str, &str)]) {
    let inventory = inventory(layers);
    assert_eq!(gaps(&inventory), [""; 0]);
    let languages = inventory.packages.iter().filter(|p| !p.kind.is_os());
    let got: Vec<_> = languages
        .map(|p| {
            let name = |of: &Option<String>| of.clone().unwrap_or_default();
            (p.evidence.as_str(), name(&p.owner), name(&p.changed_from))
        })
        .collect();
    let expected: Vec<_> = expected
        .iter()
        .map(|(file, own, from)| (*file, own.to_string(), from.to_string()))
        .collect();
    assert_eq!(got, expected);
}

const LIST: &str = "var/lib/dpkg/info/owner:amd64.md5sums";

#[test]
fn a_file_is_its_package_s_own_while_it_has_the_listed_checksum() {
    let listed = || {
        [
            (METADATA, md5(FLASK.as_bytes())),
            ("lib/node_modules/a/package.json", md5(PACKAGE.as_bytes())),
        ]
    };
    let files = |package: &str| {
        vec![
            link("lib", "usr/lib"),
            file(METADATA, FLASK),
            file(NODE, package),
            file("app/node_modules/a/package.json", PACKAGE),
        ]
    };
    let app = "app/node_modules/a/package.json";
    let newer = PACKAGE.replace("1.0.0", "1.0.1");
    let own = [(METADATA, "owner", ""), (app, "", ""), (NODE, "owner", "")];
    check(&[debian(LIST, &listed(), files(PACKAGE))], &own);
    let distroless = "var/lib/dpkg/status.d/owner.md5sums";
    check(&[debian(distroless, &listed(), files(PACKAGE))], &own);
    let changed = [(METADATA, "owner", ""), (app, "", ""), (NODE, "", "owner")];
    check(&[debian(LIST, &listed(), files(&newer))], &changed);
    // In a layer above, and with another length alone.
    let above = vec![file(NODE, format!("{PACKAGE}\n"))];
    check(&[debian(LIST, &listed(), files(PACKAGE)), above], &changed);
    // What is listed without a checksum that could be one is nobody's own.
    let none = |_: &str| String::from("not a checksum");
    let unsure = [(METADATA, "", "owner"), (app, "", ""), (NODE, "", "owner")];
    let without: Vec<_> = listed().iter().map(|(path, sum)| (*path, none(sum))).collect();
    check(&[debian(LIST, &without, files(PACKAGE))], &unsure);
    // The list of a package that is gone owns nothing, nor does one of names alone.
    let nobody = [(METADATA, "", ""), (app, "", ""), (NODE, "", "")];
    for list in ["var/lib/dpkg/info/gone.md5sums", "var/lib/dpkg/info/owner.list"] {
        check(&[debian(list, &listed(), files(PACKAGE))], &nobody);
    }
}

#[test]
fn apk_s_checksums_are_compared_in_both_forms() {
    let own = [(METADATA, "owner", "")];
    let changed = [(METADATA, "", "owner")];
    let sha1 = BASE64.encode(Sha1::digest(FLASK));
    let sha256 = BASE64.encode(Sha256::digest(FLASK));
    let short = BASE64.encode(&Sha256::digest(FLASK)[..20]);
    let table = [
        (format!("Z:Q1{sha1}\n"), own),
        (format!("Z:Q2{sha256}\n"), own),
        (format!("Z:Q2{short}\n"), own),
        (format!("Z:Q2{sha1}\n"), changed),
        (format!("Z:Q1{}\n", BASE64.encode(Sha1::digest("another"))), changed),
        (format!("Z:{}\n", md5(FLASK.as_bytes())), changed),
        (format!("Z:Q1{}\n", "A".repeat(1 << 20)), changed),
        ("Z:Q1\n".into(), changed),
        ("Z:ä\n".into(), changed),
        (String::new(), changed),
    ];
    for (sum, expected) in table {
        check(&[alpine(METADATA, &sum, FLASK.as_bytes())], &expected);
    }
}

#[test]
fn programs_and_their_checksums_are_read_in_a_second_pass() {
    let content = program("1.0.0");
    let sum = format!("Z:Q1{}\n", BASE64.encode(Sha1::digest(&content)));
    // The program itself, and Go's library in it.
    let twice = |own, from| [(PROGRAM, own, from); 2];
    check(&[alpine(PROGRAM, &sum, &content)], &twice("owner", ""));
    check(&[alpine(PROGRAM, &sum, &program("1.0.1"))], &twice("", "owner"));
    let above = vec![file(PROGRAM, &content)];
    check(&[alpine(PROGRAM, &sum, &program("1.0.1")), above], &twice("owner", ""));
    check(&[alpine("usr/bin/other", &sum, b"x"), vec![file(PROGRAM, &content)]], &twice("", ""));
    let listed = [(PROGRAM, md5(&content))];
    check(&[debian(LIST, &listed, vec![file(PROGRAM, &content)])], &twice("owner", ""));
    let longer = [content.clone(), vec![0]].concat();
    check(&[debian(LIST, &listed, vec![file(PROGRAM, &longer)])], &twice("", "owner"));
}

#[test]
fn many_files_of_several_layers_are_read_again_at_once() {
    let jar = |n: usize| format!("usr/share/java/{n}.jar");
    let listed: Vec<(String, String)> =
        (0..300).map(|n| (jar(n), md5(format!("jar {n}").as_bytes()))).collect();
    let listed: Vec<(&str, String)> =
        listed.iter().map(|(path, sum)| (path.as_str(), sum.clone())).collect();
    let files = |these: std::ops::Range<usize>, text: &str| -> Layer {
        these.map(|n| file(&jar(n), format!("{text} {n}"))).collect()
    };
    let lower = debian(LIST, &listed, files(0..200, "jar"));
    let upper = files(200..300, "jar");
    assert_eq!(gaps(&inventory(&[lower.clone(), upper.clone()])), [""; 0]);
    let changed = files(250..252, "another jar");
    let told = "unreadable-database: usr/share/java/250.jar: Java archives, which are not read yet \
                (2 of them)";
    assert_eq!(gaps(&inventory(&[lower, upper, changed])), [told]);
}
