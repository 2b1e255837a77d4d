//! Downloads that break off, and what lies here of them: whatever it is, the whole is what was
//! promised, or there is an error.

use std::io::{self, Cursor, Read};
use std::os::unix::fs::symlink;
use std::path::Path;

use cleanbill_core::digest::Digest;
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use super::{Download, Mark, all, clear, fetch, from_hex, tagged};
use crate::error::ErrorKind;

const WHOLE: &[u8] = b"all that was promised";

/// What a server does when it is asked.
#[derive(Clone, Copy, Debug)]
enum Plays {
    /// As it should.
    Well,
    /// Breaks off after so many bytes.
    Breaks(usize),
    /// Cannot be reached.
    Away,
    /// Sends other bytes of the same length.
    Lies,
    /// Does not end.
    More,
}

/// The bytes behind a beginning, and an error where the whole is not [`WHOLE`].
struct Rest {
    bytes: Cursor<Vec<u8>>,
    end: Option<io::ErrorKind>,
}

impl Read for Rest {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match (self.bytes.read(buffer)?, self.end) {
            (0, Some(kind)) => Err(io::Error::new(kind, "as it is played")),
            (read, _) => Ok(read),
        }
    }
}

fn rest(plays: Plays, here: &[u8]) -> io::Result<Rest> {
    let rest = WHOLE[here.len()..].to_vec();
    let (bytes, end) = match plays {
        Plays::Well => (rest, None),
        Plays::Breaks(after) => (rest[..after].to_vec(), Some(io::ErrorKind::ConnectionReset)),
        Plays::Away => return Err(io::ErrorKind::ConnectionRefused.into()),
        Plays::Lies => (vec![b'x'; rest.len()], None),
        Plays::More => ([&rest[..], WHOLE].concat(), None),
    };
    let same = [here, &bytes].concat() == WHOLE;
    let end = end.or_else(|| (!same).then_some(io::ErrorKind::InvalidData));
    Ok(Rest { bytes: Cursor::new(bytes), end })
}

/// Fetches into the folder, the server playing these in turn. How much was here each time it was
/// asked, and what went wrong.
fn run(folder: &Path, plays: &[Plays]) -> (Vec<u64>, Option<(ErrorKind, String)>) {
    let digest = Digest::Sha256(Sha256::digest(WHOLE).into());
    let (mut asked, mut plays) = (Vec::new(), plays.iter());
    let mut open = |here: &mut dyn Read| {
        let mut bytes = Vec::new();
        here.read_to_end(&mut bytes)?;
        asked.push(bytes.len() as u64);
        let plays = plays.next().copied().unwrap_or(Plays::Well);
        Ok(Box::new(rest(plays, &bytes)?) as Box<dyn Read>)
    };
    let download = Download { digest, size: WHOLE.len() as u64, open: &mut open };
    let (place, whole) = (folder.join("place"), folder.join("whole"));
    let result = fetch(download, "it", (&place, &whole), &mut |_| ());
    (asked, result.err().map(|e| (e.kind(), e.to_string())))
}

fn path(folder: &Path) -> std::path::PathBuf {
    let digest = Digest::Sha256(Sha256::digest(WHOLE).into());
    Mark::Digest(&digest).path(&folder.join("place"))
}

/// What lies in the folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_download_goes_on_where_it_broke_off_or_begins_anew() {
    use Plays::{Away, Breaks, Lies, More, Well};
    let long = [WHOLE, b"!"].concat();
    // (what is here, what the server does, how much was here when it was asked, the error, what stays)
    type Row<'a> = (&'a [u8], &'a [Plays], &'a [u64], Option<&'a str>, Option<&'a [u8]>);
    let table: &[Row<'_>] = &[
        (b"", &[Well], &[0], None, None),
        (b"all that", &[Well], &[8], None, None),
        // All of it, but for the end of its process.
        (WHOLE, &[Well], &[21], None, None),
        (b"", &[Breaks(4)], &[0], Some("it: as it is played"), Some(b"all ")),
        (b"all that", &[Breaks(4)], &[8], Some("it: as it is played"), Some(b"all that was")),
        (b"all that", &[Away], &[8], Some("it: connection refused"), Some(b"all that")),
        (b"", &[Away], &[0], Some("it: connection refused"), None),
        // What was altered is found out at the end, and begun anew once.
        (b"ALL THAT", &[Well], &[8, 0], None, None),
        (b"ALL THAT", &[Well, Breaks(3)], &[8, 0], Some("as it is played"), Some(b"all")),
        (b"ALL THAT", &[Well, Lies], &[8, 0], Some("it: as it is played"), None),
        (b"", &[Lies], &[0], Some("it: as it is played"), None),
        (b"", &[More], &[0], Some("it: more than the 21 bytes that were promised"), None),
        (b"all that", &[Lies, Well], &[8, 0], None, None),
        // What is longer than the whole is no beginning of it.
        (&long, &[Well], &[0], None, None),
    ];
    for (here, plays, asked, wrong, stays) in table {
        let dir = tempfile::tempdir().unwrap();
        if !here.is_empty() {
            std::fs::write(path(dir.path()), here).unwrap();
        }
        let case = format!("{} {plays:?}", here.escape_ascii());
        let (got, error) = run(dir.path(), plays);
        assert_eq!(got, *asked, "{case}");
        match (error, wrong) {
            (None, None) => {
                assert_eq!(names(dir.path()), ["whole"], "{case}");
                assert_eq!(std::fs::read(dir.path().join("whole")).unwrap(), WHOLE, "{case}");
            }
            (Some((ErrorKind::Io, said)), Some(wrong)) if said.contains(wrong) => {
                assert_eq!(std::fs::read(path(dir.path())).ok().as_deref(), *stays, "{case}");
                assert_eq!(names(dir.path()).len(), usize::from(stays.is_some()), "{case}");
            }
            other => panic!("{case}: {other:?}"),
        }
    }
}

#[test]
fn nothing_is_written_into_what_no_download_left() {
    for linked in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let other = tempfile::NamedTempFile::new_in(std::env::temp_dir()).unwrap();
        std::fs::write(other.path(), b"all that").unwrap();
        let path = path(dir.path());
        match linked {
            true => symlink(other.path(), &path).unwrap(),
            // Where links cannot cross, there is nothing to be tested.
            false => match std::fs::hard_link(other.path(), &path) {
                Ok(()) => {}
                Err(_) => continue,
            },
        }
        assert_eq!(run(dir.path(), &[]), (vec![0], None), "{linked}");
        assert_eq!(std::fs::read(other.path()).unwrap(), b"all that");
        assert_eq!(names(dir.path()), ["whole"]);
    }
}

#[test]
fn one_is_left_of_each_place_and_others_are_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    let stays = ["place", "place.new", "place.x.sha256-00.partial", "placebo.begun.partial"];
    for name in stays.iter().chain(&["place.sha256-00.partial", "place.begun.partial"]) {
        std::fs::write(dir.path().join(name), "x").unwrap();
    }
    assert_eq!(all(&dir.path().join("place")).unwrap().len(), 2);
    let (_, error) = run(dir.path(), &[Plays::Breaks(2)]);
    assert!(error.is_some());
    let own = path(dir.path()).file_name().unwrap().to_str().unwrap().to_owned();
    let mut expected: Vec<&str> = [&stays[..], &[&own]].concat();
    expected.sort_unstable();
    assert_eq!(names(dir.path()), expected);
    clear(&dir.path().join("place"), None).unwrap();
    assert_eq!(names(dir.path()), stays);
    clear(&dir.path().join("no/such/place"), None).unwrap();
}

#[test]
fn an_etag_is_kept_in_a_name() {
    let long = format!("\"{}\"", "a".repeat(62));
    let table = [
        ("\"p1\"", true),
        ("\"a/b:..%00\"", true),
        (&long, true),
        // Longer than a name may get.
        (&format!("\"{}\"", "a".repeat(63)), false),
    ];
    for (etag, kept) in table {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("known_exploited_vulnerabilities.json");
        for second in [None, Some(1_785_542_400), Some(-1)] {
            let date = second.map(|s| cleanbill_core::Timestamp::from_second(s).unwrap());
            clear(&place, None).unwrap();
            std::fs::write(Mark::Etag(etag, date).path(&place), b"abc").unwrap();
            let found = tagged(&place).unwrap().map(|t| (t.etag, t.date, t.have));
            assert_eq!(found, kept.then(|| (etag.to_owned(), date, 3)), "{etag} {second:?}");
        }
    }
    for bad in ["", "2", "22zz22", "7031", "2270310d0a22", "22c3a922"] {
        assert_eq!(from_hex(bad), None, "{bad}");
    }
}

proptest! {
    #[test]
    fn whatever_lies_here_the_whole_is_what_was_promised(
        here in prop::collection::vec(any::<u8>(), 0..30),
        right in 0usize..=21,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut bytes = WHOLE[..right].to_vec();
        bytes.extend(here);
        std::fs::write(path(dir.path()), bytes).unwrap();
        let (asked, error) = run(dir.path(), &[]);
        prop_assert_eq!(error, None);
        prop_assert!(asked.len() <= 2);
        prop_assert_eq!(std::fs::read(dir.path().join("whole")).unwrap(), WHOLE);
    }
}
