//! `cleanbill breakglass`: issue a token by which a person answers for images that the policy
//! refuses, and show what is in one.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use cleanbill_core::reference::ImageRef;
use cleanbill_trust::breakglass::{self, ANNOTATION, LIFETIME_MAX, TOKEN_MAX, Terms};
use jiff::SignedDuration;

use crate::commands::source::duration;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::key_file;
use crate::report::text::printable;

/// Examples under the help.
pub const AFTER: &str = "\
Examples:
  TOKEN=$(cleanbill breakglass --key breakglass.key --namespace payments --person anna@example.org \\
    --reason 'INC-7: roll back' --image registry.example/app@sha256:…)
  cleanbill breakglass --show \"$TOKEN\" --key-file breakglass.key.pub

The token goes to standard output, how to use it to standard error. It holds where the gate's
policy accepts the key: docs/break-glass.md.";

/// How far back a token begins: the gate's clock may be behind the one here.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_secs(60);

/// Arguments of `breakglass`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Private key to sign with
    #[arg(long, value_name = "FILE", required_unless_present = "show")]
    key: Option<PathBuf>,
    /// The one namespace in which the token holds
    #[arg(long, value_name = "NS", required_unless_present = "show")]
    namespace: Option<String>,
    /// Image that it lets in, by digest: NAME@sha256:… or sha256:…; repeatable, at most 16
    #[arg(long, value_name = "IMAGE", required_unless_present = "show")]
    image: Vec<String>,
    /// Who answers for it
    #[arg(long, value_name = "WHO", required_unless_present = "show")]
    person: Option<String>,
    /// Why; it is recorded with every use
    #[arg(long, value_name = "WHY", required_unless_present = "show")]
    reason: Option<String>,
    /// How long it holds, at most 168h
    #[arg(long = "for", value_name = "TIME", default_value = "4h", value_parser = duration)]
    lasts: Duration,
    /// Show what a token says instead (- reads it from standard input)
    #[arg(long, value_name = "TOKEN", conflicts_with_all = ["key", "namespace", "image", "person", "reason", "lasts"])]
    show: Option<String>,
    /// With --show: the public key that must have signed it
    #[arg(long, value_name = "PUB")]
    key_file: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// When a token cannot be issued as asked, is none, or its signature does not hold.
pub fn run(args: Args) -> Result<Exit> {
    let now = Timestamp::now();
    match args.show {
        Some(token) => show(&token, args.key_file, now),
        None if args.key_file.is_some() => {
            Err(Failure::new("--key-file is for --show; a token is signed with --key"))
        }
        None => issue(args, now),
    }
}

fn issue(args: Args, now: Timestamp) -> Result<Exit> {
    let (Some(key), Some(namespace), Some(person), Some(reason)) =
        (args.key, args.namespace, args.person, args.reason)
    else {
        return Err(Failure::new("--key, --namespace, --person and --reason are all needed"));
    };
    let digests = args.image.iter().map(|image| digest(image)).collect::<Result<Vec<_>>>()?;
    let terms = Terms::new(&namespace, &digests, &person, &reason, span(now, args.lasts)?)
        .map_err(|e| Failure::new(format!("no token was issued: {e}")))?;
    let key = key_file::signing(&key)?;
    let token = breakglass::issue(&terms, &key)
        .map_err(|e| Failure::new(format!("no token was issued: {e}")))?;
    // A token that nobody could read was not issued; the advice is a courtesy.
    writeln!(std::io::stdout().lock(), "{token}")
        .map_err(|e| Failure::new(format!("cannot write the token: {e}")))?;
    _ = std::io::stderr().lock().write_all(advice(&terms, &key.public().id()).as_bytes());
    Ok(Exit::DONE)
}

/// The digest that an image is named by.
fn digest(image: &str) -> Result<Digest> {
    let parsed = match image.split_once(':') {
        Some(("sha256" | "sha512", _)) if !image.contains('@') => {
            image.parse().map(Some).map_err(|e| format!("{e}"))
        }
        _ => image.parse::<ImageRef>().map(|r| r.digest().copied()).map_err(|e| format!("{e}")),
    };
    match parsed {
        Ok(Some(digest)) => Ok(digest),
        Ok(None) => Err(Failure::new(format!(
            "no token was issued: {image} names no digest, and a token is for certain bytes"
        ))
        .next("write NAME@sha256:…, with the digest that `cleanbill check NAME` shows")),
        Err(why) => Err(Failure::new(format!("no token was issued: {image}: {why}"))),
    }
}

/// From when to when: whole seconds, begun a little in the past unless the bound is reached.
fn span(now: Timestamp, lasts: Duration) -> Result<(Timestamp, Timestamp)> {
    let longest = SignedDuration::from_secs(LIFETIME_MAX);
    let lasts = SignedDuration::try_from(lasts).unwrap_or(SignedDuration::MAX);
    if lasts > longest {
        return Err(Failure::new("no token was issued: it would hold for more than 7 days (168h)")
            .next(
                "what is needed for longer is an exception in the policy, which others can see",
            ));
    }
    let beyond = |_| Failure::new("no token was issued: this machine's clock is out of range");
    let now = Timestamp::from_second(now.as_second()).map_err(beyond)?;
    let expires = now.checked_add(lasts).map_err(beyond)?;
    let early = now.checked_sub(CLOCKS_DIFFER).map_err(beyond)?;
    let earliest = expires.checked_sub(longest).map_err(beyond)?;
    Ok((early.max(earliest), expires))
}

/// How the token is used.
fn advice(terms: &Terms, key: &Digest) -> String {
    let Terms { id, namespace, digests, expires, .. } = terms;
    let patch = format!(
        r#"{{\"spec\":{{\"template\":{{\"metadata\":{{\"annotations\":{{\"{ANNOTATION}\":\"$TOKEN\"}}}}}}}}}}"#
    );
    format!(
        "token {id}, signed by {}: {} in namespace {namespace} until {expires}\n\
         It goes into an annotation of the pod (of a Deployment: of its pod template):\n  \
         {ANNOTATION}\n\
         With the token in $TOKEN:\n  \
         kubectl -n {namespace} patch deployment NAME --type merge -p \"{patch}\"\n  \
         kubectl -n {namespace} run NAME --image IMAGE --annotations \"{ANNOTATION}=$TOKEN\"\n\
         Whoever can read the pod can read the token; every use is recorded.\n",
        key.short(),
        if digests.len() == 1 { "1 image".to_owned() } else { format!("{} images", digests.len()) },
    )
}

fn show(token: &str, key: Option<PathBuf>, now: Timestamp) -> Result<Exit> {
    let mut piped = String::new();
    if token == "-" {
        let bound = u64::try_from(TOKEN_MAX).unwrap_or(u64::MAX).saturating_add(2);
        let read = std::io::stdin().lock().take(bound).read_to_string(&mut piped);
        read.map_err(|e| Failure::new(format!("cannot read standard input: {e}")))?;
    }
    let token = if token == "-" { piped.trim_end_matches(['\r', '\n']) } else { token };
    let terms = breakglass::read_unverified(token).map_err(|e| Failure::new(e.to_string()))?;
    let (signature, failed) = match key.as_deref().map(key_file::public).transpose()? {
        None => ("not checked (name the public key with --key-file)".to_owned(), None),
        Some(key) => match breakglass::verify(token, &[key]) {
            Ok(grant) => (format!("holds, by key {}", grant.key_id), None),
            Err(e) => ("DOES NOT HOLD: what stands above proves nothing".to_owned(), Some(e)),
        },
    };
    let text = lines(&terms, &signature, now);
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            return Err(Failure::new(format!("cannot write what the token says: {e}")));
        }
        Ok(()) | Err(_) => {}
    }
    match failed {
        Some(e) => Err(Failure::new(e.to_string())),
        None => Ok(Exit::DONE),
    }
}

fn lines(terms: &Terms, signature: &str, now: Timestamp) -> String {
    let state = if now < terms.not_before {
        " (not yet)"
    } else if now >= terms.expires {
        " (over)"
    } else {
        ""
    };
    let mut text = format!("token      {}\nnamespace  {}\n", terms.id, terms.namespace);
    for digest in &terms.digests {
        // Writing to a String cannot fail.
        _ = writeln!(text, "image      {digest}");
    }
    let Terms { person, reason, not_before, expires, .. } = terms;
    text + &format!(
        "person     {}\nreason     {}\nholds      {not_before} to {expires}{state}\n\
         signature  {signature}\n",
        printable(person),
        printable(reason),
    )
}

#[cfg(test)]
mod tests {
    use super::{digest, span};
    use cleanbill_core::Timestamp;
    use std::time::Duration;

    #[test]
    fn images_are_named_by_digest_only() {
        let hex = "ab".repeat(32);
        let table = [
            (format!("sha256:{hex}"), ""),
            (format!("registry.example/app@sha256:{hex}"), ""),
            (format!("registry.example:5000/app:1@sha256:{hex}"), ""),
            ("registry.example/app:1".into(), "names no digest"),
            ("nginx".into(), "names no digest"),
            ("sha256:abc".into(), "lower-case hex"),
            ("registry.example/app@sha256:abc".into(), "registry.example/app@sha256:abc: "),
            ("".into(), "no token was issued: "),
        ];
        for (image, part) in table {
            match digest(&image) {
                Ok(got) => assert_eq!((part, got.hex()), ("", hex.clone()), "{image}"),
                Err(e) => {
                    let said = e.to_string();
                    assert!(!part.is_empty() && said.contains(part), "{image}: {said}");
                }
            }
        }
    }

    #[test]
    fn a_token_begins_a_minute_ago_and_never_holds_for_more_than_its_bound() {
        let now = Timestamp::constant(1_790_000_000, 500_000_000);
        let table =
            [(4 * 3600, -60, true), (604_800, 0, true), (604_790, -10, true), (604_801, 0, false)];
        for (lasts, begins, good) in table {
            let got = span(now, Duration::from_secs(lasts)).ok();
            let at = |s: i64| Timestamp::from_second(1_790_000_000 + s).unwrap();
            let expected = good.then(|| (at(begins), at(lasts.try_into().unwrap())));
            assert_eq!(got, expected, "{lasts}");
        }
        assert!(span(now, Duration::MAX).is_err());
    }
}
