//! As whom an image runs: the `/etc/passwd` that a container would see says it, or nobody does.
#![allow(clippy::panic, reason = "part of the tests")]

mod support;

use cleanbill_core::image::RunsAs;
use cleanbill_core::layer::EntryKind::{Directory, Hardlink, Opaque, Special, Whiteout};
use cleanbill_extract::{Options, merge};
use support::{Layer, entry, facts_of, file, link};

/// What is expected: a uid, or a part of why it is not known.
type Expected = Result<u32, &'static str>;

fn check(what: &str, layers: &[Layer], user: Option<&str>, expected: Expected) {
    let facts = facts_of(layers, &Options::default());
    match (merge(&facts).runs_as(user), expected) {
        (RunsAs::Root, Ok(0)) => {}
        (RunsAs::NotRoot(uid), Ok(expected)) => assert_eq!(uid, expected, "{what}"),
        (RunsAs::Unknown(why), Err(part)) => assert!(why.contains(part), "{what}: {why}"),
        (got, _) => panic!("{what}: {got:?}, not {expected:?}"),
    }
}

#[test]
fn the_file_that_a_container_would_see_counts() {
    let app = |uid: u32| file("etc/passwd", format!("root:x:0:0\napp:x:{uid}:0\n"));
    let table: Vec<(&str, Vec<Layer>, Expected)> = vec![
        ("one layer", vec![vec![app(7)]], Ok(7)),
        ("the last layer's", vec![vec![app(7)], vec![app(0)]], Ok(0)),
        ("the last entry's", vec![vec![app(0), app(7)]], Ok(7)),
        ("no file", vec![vec![file("etc/group", "app:x:7:")]], Err("there is no /etc/passwd")),
        ("nothing at all", vec![], Err("there is no /etc/passwd")),
        (
            "taken away",
            vec![vec![app(7)], vec![entry("etc/passwd", Whiteout)]],
            Err("there is no /etc/passwd"),
        ),
        (
            "taken away with its folder",
            vec![vec![app(7)], vec![entry("etc", Opaque)]],
            Err("there is no /etc/passwd"),
        ),
        ("elsewhere", vec![vec![file("usr/etc/passwd", "app:x:7:0")]], Err("no /etc/passwd")),
        (
            "an absolute link",
            vec![vec![link("etc/passwd", "/opt/users"), file("opt/users", "app:x:7:0")]],
            Ok(7),
        ),
        (
            "a link that climbs out is kept inside",
            vec![vec![link("etc/passwd", "../../../opt/users"), file("opt/users", "app:x:7:0")]],
            Ok(7),
        ),
        (
            "a link in a layer above",
            vec![vec![app(7), file("opt/u", "app:x:0:0")], vec![link("etc/passwd", "/opt/u")]],
            Ok(0),
        ),
        (
            "the folder is a link",
            vec![vec![entry("x", Directory), link("etc", "x"), file("x/passwd", "app:x:7:0")]],
            Ok(7),
        ),
        (
            "a hard link",
            vec![vec![
                file("opt/users", "app:x:7:0"),
                entry("etc/passwd", Hardlink("opt/users".into())),
            ]],
            Ok(7),
        ),
        (
            "to nowhere",
            vec![vec![link("etc/passwd", "/opt/none")]],
            Err("/etc/passwd is a link to nowhere"),
        ),
        (
            "to itself",
            vec![vec![link("etc/passwd", "passwd")]],
            Err("/etc/passwd is a link to nowhere"),
        ),
        (
            "a folder",
            vec![vec![app(7)], vec![entry("etc/passwd", Directory)]],
            Err("/etc/passwd is no regular file"),
        ),
        (
            "a pipe",
            vec![vec![app(7)], vec![entry("etc/passwd", Special)]],
            Err("/etc/passwd is no regular file"),
        ),
        (
            "a tree that runtimes may see otherwise",
            vec![vec![app(7), entry("opt/x", Hardlink("opt/none".into()))]],
            Err("not every entry of its layers could be merged"),
        ),
    ];
    for (what, layers, expected) in &table {
        check(what, layers, Some("app"), *expected);
        check(what, layers, Some("app:0"), *expected);
        // These need no file.
        check(what, layers, Some("9:app"), Ok(9));
        check(what, layers, None, Ok(0));
    }
}

#[test]
fn a_file_that_was_not_read_names_nobody() {
    let layers = [vec![file("etc/passwd", "app:x:7:0\n")]];
    let facts = facts_of(&layers, &Options { file_bytes: 5, ..Options::default() });
    let merged = merge(&facts);
    let RunsAs::Unknown(why) = merged.runs_as(Some("app")) else { panic!("not unknown") };
    assert_eq!(why, "it runs as \"app\", and /etc/passwd was not read");
    let gaps = support::gaps(&merged.inventory());
    assert!(gaps.iter().any(|g| g.starts_with("over-limit: etc/passwd: ")), "{gaps:?}");
    // A link whose target nobody read a second time.
    let layers = [vec![link("etc/passwd", "/opt/u"), file("opt/u", "app:x:7:0")]];
    let facts = [(None, support::examine(&layers[0], &Options::default(), 10))];
    let RunsAs::Unknown(why) = merge(&facts).runs_as(Some("app")) else { panic!("not unknown") };
    assert_eq!(why, "it runs as \"app\", and /etc/passwd was not read");
}
