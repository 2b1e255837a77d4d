//! What the commands that read the gate's record share: where it is, spans of time, and the
//! decisions as JSON (described in `docs/output.md`).

use std::io::Write as _;
use std::path::{Path, PathBuf};

use cleanbill_core::Timestamp;
use cleanbill_core::policy::Policy;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::report::json::ascii;
use crate::serve::config::Config;
use crate::serve::{config_file, id, load};
use crate::store::{Decision, Owner, Store};

/// Where the gate's record is.
#[derive(Debug, clap::Args)]
pub struct StateArgs {
    /// The gate's configuration, which names its state_dir
    #[arg(long, short = 'c', value_name = "FILE", default_value = "cleanbill.yaml")]
    config: PathBuf,
    /// The gate's state_dir itself
    #[arg(long, value_name = "DIR", conflicts_with = "config")]
    state_dir: Option<PathBuf>,
}

impl StateArgs {
    /// Opens the record to look at it, also while the gate runs.
    ///
    /// # Errors
    /// When there is none, it is another user's, or it cannot be read.
    pub fn look(&self) -> Result<Store> {
        Store::look(&self.dir()?, Owner::Gate)
    }

    /// Opens the store to write to it, also while the gate runs. It must be there.
    ///
    /// # Errors
    /// As [`StateArgs::look`].
    pub fn open(&self) -> Result<Store> {
        let dir = self.dir()?;
        // Looking says what is wrong, and makes nothing.
        match Store::look(&dir, Owner::Gate) {
            Ok(_) => Store::open(&dir, Owner::Gate),
            Err(e) => Err(e),
        }
    }

    /// The gate's configuration, without its policy.
    ///
    /// # Errors
    /// When it cannot be read, or only a state_dir was named.
    pub fn configuration(&self) -> Result<Config> {
        match &self.state_dir {
            None => configured(&self.config),
            Some(_) => Err(Failure::new("for this the gate's whole configuration is needed")
                .next("name it with --config in place of --state-dir")),
        }
    }

    /// The policy that the gate's configuration names.
    ///
    /// # Errors
    /// When it or the configuration cannot be read, or only a state_dir was named.
    pub fn policy(&self) -> Result<Policy> {
        match &self.state_dir {
            None => load::load(&self.config).map(|(_, policy)| policy),
            Some(_) => Err(Failure::new("only a state_dir was named, which says no policy")),
        }
    }

    fn dir(&self) -> Result<PathBuf> {
        match &self.state_dir {
            Some(dir) => Ok(dir.clone()),
            None => configured(&self.config).map(|config| config.state_dir),
        }
    }
}

/// A configuration. Its policy is not read: the record can be looked at while that is broken.
fn configured(path: &Path) -> Result<Config> {
    let text = std::fs::read_to_string(path).map_err(|e| {
        Failure::new(format!("the configuration {} cannot be read: {e}", path.display()))
            .next("name it with --config, or the gate's state_dir with --state-dir")
    })?;
    config_file::parse(&text, path).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(|p| format!("\n  {p}")).collect();
        Failure::new(format!("the configuration is wrong:{}", lines.concat()))
            .next("name the gate's state_dir with --state-dir")
    })
}

/// A point in time: a span before now (`7d`, `12h`, `30m`, `45s`), or a date or time of RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// So long ago.
    Ago(SignedDuration),
    /// Then.
    At(Timestamp),
}

impl Since {
    /// The time, seen from now.
    pub fn time(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(span) => now.saturating_sub(span).unwrap_or(Timestamp::MIN),
            Self::At(time) => time,
        }
    }
}

impl std::str::FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        let wrong = || format!("{text:?} is no span (7d, 12h, 30m) and no time (2026-08-01)");
        if let Ok(time) = text.parse::<Timestamp>() {
            return Ok(Self::At(time));
        }
        if let Ok(time) = format!("{text}T00:00:00Z").parse::<Timestamp>() {
            return Ok(Self::At(time));
        }
        let unit = text.chars().next_back().ok_or_else(wrong)?;
        let seconds = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ => return Err(wrong()),
        };
        let number: u32 = text.strip_suffix(unit).unwrap_or("").parse().map_err(|_| wrong())?;
        Ok(Self::Ago(SignedDuration::from_secs(i64::from(number) * seconds)))
    }
}

/// How something is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
}

/// The flag that says how something is shown.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct FormatArgs {
    /// table or json
    #[arg(
        long,
        short = 'f',
        value_name = "FORMAT",
        value_enum,
        default_value = "table",
        hide_possible_values = true
    )]
    pub format: Format,
}

/// A decision as JSON. What was JSON when it was recorded is JSON here too; what cannot be read
/// as such stays the text that it is.
pub fn value(decision: &Decision) -> Value {
    let d = decision;
    let inner = |text: &str| match text {
        "" => Value::Null,
        text => serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned())),
    };
    let images = d.images.iter();
    json!({
        "id": d.id,
        "time": d.time,
        "api": d.api.as_str(),
        "namespace": d.namespace,
        "images": images.map(|(name, digest)| json!({"name": name, "digest": digest}))
            .collect::<Vec<_>>(),
        "outcome": d.outcome,
        "enforced": d.enforced,
        "reason": d.reason,
        "warnings": d.warnings,
        "policy": d.policy,
        "snapshot": d.snapshot,
        "evidence": d.evidence,
        "engine": d.engine,
        "judgedAt": d.judged_at,
        "latencyMicroseconds": d.latency_us,
        "breakGlass": d.break_glass.as_deref().map(inner),
        "trace": inner(&d.trace),
        "question": d.question.as_deref().map(inner),
    })
}

/// One line of JSON in ASCII.
///
/// # Errors
/// When it cannot be written as text.
pub fn line(value: &Value) -> Result<String> {
    let text = serde_json::to_string(value)
        .map_err(|e| Failure::new(format!("cannot put the answer into JSON: {e}")))?;
    Ok(ascii(&text) + "\n")
}

/// Several lines of JSON in ASCII.
///
/// # Errors
/// When it cannot be written as text.
pub fn pretty(value: &Value) -> Result<String> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|e| Failure::new(format!("cannot put the answer into JSON: {e}")))?;
    Ok(ascii(&text) + "\n")
}

/// Writes to standard output. `false`: the reader has seen enough.
///
/// # Errors
/// When it cannot be written for another reason.
pub fn put(text: &str) -> Result<bool> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        Err(e) => Err(Failure::new(format!("cannot write the answer: {e}"))),
    }
}

/// Writes the whole answer to standard output.
///
/// # Errors
/// When it cannot be written.
pub fn done(text: &str) -> Result<Exit> {
    put(text).map(|_| Exit::DONE)
}

/// The decision with this id.
///
/// # Errors
/// When there is none, or the record cannot be read.
pub fn find(store: &Store, id: &str) -> Result<Decision> {
    let found = match id::time(id, Timestamp::now().as_millisecond()) {
        Some(time) => store.decision_of(id, time)?,
        None => store.decision(id)?,
    };
    found.ok_or_else(|| {
        Failure::new(format!("no decision {id:?} is recorded here")).next(
            "ids stand in denials and in audit annotations; `cleanbill decisions` lists them; old \
             ones are forgotten",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::Since;
    use jiff::SignedDuration;

    #[test]
    fn since_is_a_span_or_a_time() {
        let ago = |seconds| Some(Since::Ago(SignedDuration::from_secs(seconds)));
        let at = |text: &str| Some(Since::At(text.parse().unwrap()));
        let table = [
            ("7d", ago(604_800)),
            ("12h", ago(43_200)),
            ("30m", ago(1_800)),
            ("0s", ago(0)),
            ("2026-08-01", at("2026-08-01T00:00:00Z")),
            ("2026-08-01T10:00:00+02:00", at("2026-08-01T08:00:00Z")),
            ("4294967295d", ago(4_294_967_295 * 86_400)),
            ("4294967296d", None),
            ("", None),
            ("d", None),
            ("7", None),
            ("-7d", None),
            ("7 d", None),
            ("7ä", None),
            ("2026-13-01", None),
        ];
        for (text, want) in table {
            assert_eq!(text.parse::<Since>().ok(), want, "{text:?}");
        }
    }
}
