//! `/etc/passwd`: which uid the name has that an image's configuration gives as its user.
//!
//! Read as container runtimes read it, not as passwd(5) describes it, since it is they who start
//! the container: `ParsePasswdFilter` of `github.com/moby/sys/user`, which containerd, CRI-O and
//! Docker share. A line is trimmed; what is missing or is no number counts as uid 0; `#` is no
//! comment; the first line of a name wins.

use cleanbill_core::image::{Number, RunsAs, number};
use serde::{Deserialize, Serialize};

use crate::extractors::{Extractor, Wanted};
use crate::facts::Facts;

/// Its one place.
pub(crate) const PATH: &str = "etc/passwd";

/// The file.
pub(crate) const PASSWD: Extractor =
    Extractor { wanted: Wanted::Passwd, wants: |path| path == PATH, read };

/// The most accounts that are read. Base images have 20 to 50.
const MAX_ACCOUNTS: usize = 4096;

/// The longest line in bytes: Go's `bufio.MaxScanTokenSize`, over which runtimes fail or stop.
const MAX_LINE: usize = 64 << 10;

/// The longest name that is kept, in bytes. [`cleanbill_core::image::USER_MAX`] is what a
/// configuration may ask for.
const MAX_NAME: usize = cleanbill_core::image::USER_MAX;

/// Everything a passwd file says of names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Accounts {
    /// Names with their uid, in the file's order; `None`: not one that Linux has.
    list: Vec<(String, Option<u32>)>,
    /// Why there may be more to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unread: Option<String>,
}

fn read(_: &str, bytes: &[u8]) -> Facts {
    let mut accounts = Accounts::default();
    for (at, line) in (1..).zip(bytes.split(|b| *b == b'\n')) {
        if line.len() >= MAX_LINE {
            accounts.unread = Some(format!("line {at} has {} bytes", line.len()));
            break;
        }
        // A name in a configuration is UTF-8, and so is never one that is damaged here.
        let line = String::from_utf8_lossy(line);
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        if accounts.list.len() >= MAX_ACCOUNTS {
            accounts.unread = Some(format!("it has more than {MAX_ACCOUNTS} accounts"));
            break;
        }
        let mut fields = line.split(':');
        let name = fields.next().unwrap_or_default();
        let uid = match fields.nth(1).map_or(Some(Number::Uid(0)), number) {
            Some(Number::Uid(uid)) => Some(uid),
            Some(Number::OutOfRange) => None,
            None => Some(0),
        };
        if name.len() <= MAX_NAME {
            accounts.list.push((name.to_owned(), uid));
        }
    }
    Facts { accounts: Some(accounts), ..Facts::default() }
}

impl Accounts {
    /// As whom a container runs whose user has this name.
    pub(crate) fn runs_as(&self, name: &str) -> RunsAs {
        let unknown = |why: &str| {
            RunsAs::Unknown(format!("it runs as {name:?}, and /etc/passwd cannot tell: {why}"))
        };
        let mut uids = self.list.iter().filter(|(n, _)| n == name).map(|(_, uid)| *uid);
        let Some(first) = uids.next() else {
            return unknown(self.unread.as_deref().unwrap_or("it does not have that name"));
        };
        match first {
            // Whatever else is there: the first wins.
            Some(0) => RunsAs::Root,
            // No honest file says two things of one name; nobody needs to rely on the order.
            _ if uids.any(|other| other != first) => unknown("its lines of that name differ"),
            Some(uid) => match &self.unread {
                None => RunsAs::NotRoot(uid),
                Some(why) => unknown(why),
            },
            None => unknown("its uid is outside of 0 to 2147483647"),
        }
    }
}

#[cfg(test)]
mod tests {
    use cleanbill_core::image::RunsAs;
    use proptest::prelude::*;

    use super::{MAX_ACCOUNTS, MAX_LINE, PATH, read};

    fn runs_as(file: &[u8], name: &str) -> RunsAs {
        read(PATH, file).accounts.unwrap().runs_as(name)
    }

    #[test]
    fn names_mean_what_runtimes_take_them_for() {
        let lines = "a:x:1:1::/:/bin/sh\n".repeat(MAX_ACCOUNTS);
        let many = format!("app:x:1000:0\n{lines}");
        let late = format!("{lines}app:x:1000:0\n");
        let long = format!("app:x:1000:0\n{}\napp:x:0:0\n", "a".repeat(MAX_LINE));
        let table: &[(&str, &str, Result<u32, &str>)] = &[
            ("root:x:0:0:root:/root:/bin/sh\napp:x:1000:0::/:\n", "app", Ok(1000)),
            ("root:x:0:0:root:/root:/bin/sh\napp:x:1000:0::/:\n", "root", Ok(0)),
            // The name does not matter, the uid does.
            ("app:x:0:1000::/:\n", "app", Ok(0)),
            ("root:x:5:0::/:\n", "root", Ok(5)),
            ("app:x:1000", "app", Ok(1000)),
            ("app:x:1000:0\r\n", "app", Ok(1000)),
            ("\n\n  \t app:x:1000:0  \n", "app", Ok(1000)),
            // What is no number, or is not there, is 0 to them.
            ("app", "app", Ok(0)),
            ("app:x", "app", Ok(0)),
            ("app:x:", "app", Ok(0)),
            ("app:x: 1000:0", "app", Ok(0)),
            ("app:x:1000 :0", "app", Ok(0)),
            ("app:x:0x3e8:0", "app", Ok(0)),
            ("app:x:1e3:0", "app", Ok(0)),
            ("app:x:-0:0", "app", Ok(0)),
            ("app:x:+7:0", "app", Ok(7)),
            ("app:x:0007:0", "app", Ok(7)),
            // Some cut it to 32 bits, where this is root.
            ("app:x:4294967296:0", "app", Err("outside of 0")),
            ("app:x:-1:0", "app", Err("outside of 0")),
            // The first line wins, unless it is the harmless one.
            ("app:x:0:0\napp:x:1000:0\n", "app", Ok(0)),
            ("app:x:1000:0\napp:x:1000:5\n", "app", Ok(1000)),
            ("app:x:1000:0\napp:x:0:0\n", "app", Err("lines of that name differ")),
            ("app:x:1000:0\napp:x:1001:0\n", "app", Err("lines of that name differ")),
            ("app:x:1000:0\napp\n", "app", Err("lines of that name differ")),
            // No comments, no case folding, no prefixes, no NIS.
            ("#app:x:1000:0\n", "app", Err("does not have that name")),
            ("#app:x:1000:0\n", "#app", Ok(1000)),
            ("App:x:1000:0\n", "app", Err("does not have that name")),
            ("appl:x:1000:0\n+app:x:1000:0\n", "app", Err("does not have that name")),
            ("x:app:1000:0\n", "app", Err("does not have that name")),
            ("", "app", Err("does not have that name")),
            // Read in part: what was found may not be all.
            (&many, "app", Err("more than 4096 accounts")),
            (&late, "app", Err("more than 4096 accounts")),
            (&lines, "a", Ok(1)),
            (&long, "app", Err("line 2 has 65536 bytes")),
        ];
        for (file, name, expected) in table {
            let start: String = file.chars().take(60).collect();
            match (runs_as(file.as_bytes(), name), expected) {
                (RunsAs::Root, Ok(0)) => {}
                (RunsAs::NotRoot(uid), Ok(expected)) => assert_eq!(uid, *expected, "{start:?}"),
                (RunsAs::Unknown(why), Err(part)) => assert!(why.contains(part), "{why}"),
                (got, _) => panic!("{start:?} {name}: {got:?}, not {expected:?}"),
            }
        }
        assert_eq!(
            runs_as(b"n\xe4me:x:7:0:caf\xe9\napp:x:8:0:caf\xe9\n", "app"),
            RunsAs::NotRoot(8)
        );
    }

    proptest! {
        #[test]
        fn any_file_is_read_within_bounds(bytes in prop::collection::vec(any::<u8>(), 0..2000), name in ".{0,9}") {
            let accounts = read(PATH, &bytes).accounts.unwrap();
            prop_assert!(accounts.list.len() <= MAX_ACCOUNTS);
            drop(accounts.runs_as(&name));
        }

        #[test]
        fn a_line_that_makes_it_root_is_never_not_root(
            before in "([a-c#]{0,2}:[x:]{0,2}:[-+0-9a ]{0,3}(:[0-9]{0,2})?\r?\n){0,5}",
            after in "([a-c#]{0,2}:x:[-+0-9a ]{0,3}\n){0,5}",
        ) {
            let file = format!("{before}a:x:0:0\n{after}");
            prop_assert!(!matches!(runs_as(file.as_bytes(), "a"), RunsAs::NotRoot(_)));
        }
    }
}
