//! `cleanbill explain`: how one decision of the gate came about, and whether what it rests on is
//! still there.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::commands::record::{self, Format, StateArgs};
use crate::exit::Exit;
use crate::failure::Result;
use crate::rejudge::{Again, Rejudge};
use crate::report::text::printable_lines;
use crate::serve::question::Question;
use crate::serve::trace::{Trace, TracedOutcome};
use crate::store::{Decision, Store};

/// Examples under the help.
pub const AFTER: &str = "\
Examples:
  cleanbill explain 4k2jq8m0v5x7c1d9ghtn -c /etc/cleanbill/cleanbill.yaml
  cleanbill explain 4k2jq8m0v5x7c1d9ghtn --state-dir /var/lib/cleanbill -f json

The id stands in every denial and in the audit annotations. docs/output.md describes the JSON.";

/// Arguments of `explain`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The decision's id
    id: String,
    #[command(flatten)]
    state: StateArgs,
    /// table or json
    #[arg(
        long,
        short = 'f',
        value_name = "FORMAT",
        value_enum,
        default_value = "table",
        hide_possible_values = true
    )]
    format: Format,
}

/// Runs the command.
///
/// # Errors
/// When there is no such decision, or the record cannot be read.
pub fn run(args: &Args) -> Result<Exit> {
    let store = args.state.look()?;
    let decision = record::find(&store, &args.id)?;
    let kept = Kept::of(&store, &decision)?;
    match args.format {
        Format::Table => record::done(&printable_lines(&text(&decision, &kept))),
        Format::Json => {
            let mut value = record::value(&decision);
            if let Value::Object(fields) = &mut value {
                fields.insert("policyName".into(), kept.policy_name.clone().into());
                fields.insert("replayed".into(), json!(kept.replayed));
                fields.insert("gaps".into(), json!(kept.gaps));
            }
            record::done(&record::pretty(&value)?)
        }
    }
}

/// What of a decision's grounds is still there.
pub struct Kept {
    /// The policy's name.
    pub policy_name: Option<String>,
    /// What comes out when it is judged again, from what is kept.
    pub replayed: Option<&'static str>,
    /// What is not there any more, each a sentence.
    pub gaps: Vec<String>,
}

impl Kept {
    /// Looks for what the decision refers to.
    ///
    /// # Errors
    /// When the store cannot be read, or what it has is damaged.
    pub fn of(store: &Store, decision: &Decision) -> Result<Self> {
        let mut gaps = Vec::new();
        let policy = store.policy(&decision.policy)?;
        if policy.is_none() {
            gaps.push(format!("the policy {} is not kept", decision.policy));
        }
        for digest in &decision.evidence {
            if store.evidence(digest)?.is_none() {
                gaps.push(format!("the evidence {digest} is not kept"));
            }
        }
        match &decision.snapshot {
            None => {}
            Some(digest) => match store.snapshot(digest)? {
                None => gaps.push(format!("where the advisories {digest} are was not noted")),
                Some(file) if !file.exists() => {
                    gaps.push(format!("the advisories {digest} are gone from {}", file.display()));
                }
                Some(_) => {}
            },
        }
        let mut rejudge = Rejudge::new(store);
        let mut replayed = None;
        match rejudge.policy(&decision.policy) {
            Ok(None) => {}
            Ok(Some(policy)) => match rejudge.judge(decision, &policy)? {
                Again::Judged { outcome, .. } => replayed = Some(outcome),
                Again::Gap(why) => gaps.push(format!("it cannot be judged again: {why}")),
            },
            Err(e) => gaps.push(format!("it cannot be judged again: {e}")),
        }
        if decision.engine.is_empty() {
            gaps.push("it is of before trace, versions and latency were recorded".into());
        }
        let policy_name = policy
            .and_then(|text| serde_json::from_str::<Value>(&text).ok())
            .and_then(|value| value.get("name")?.as_str().map(str::to_owned));
        Ok(Self { policy_name, replayed, gaps })
    }
}

fn text(d: &Decision, kept: &Kept) -> String {
    let mut out = String::new();
    let mut line = |label: &str, text: &str| {
        let mut label = label;
        for part in text.lines() {
            // Writing to a String cannot fail.
            _ = writeln!(out, "{label:<12}{part}");
            label = "";
        }
    };
    line("decision", &d.id);
    line("made", &d.time.to_string());
    let effect = if d.enforced { "" } else { " (a dry run: without effect)" };
    line("outcome", &format!("{}{effect}", d.outcome));
    line("why", &d.reason);
    for warning in &d.warnings {
        line("warned", warning);
    }
    line("asked by", &format!("the API server, as {}", d.api.as_str()));
    line("namespace", d.namespace.as_deref().unwrap_or("not named"));
    for (name, digest) in &d.images {
        let digest = digest.map_or_else(|| "digest not known".to_owned(), |d| d.to_string());
        line("image", &format!("{name} ({digest})"));
    }
    let name = kept.policy_name.as_deref().unwrap_or("name not known");
    line("policy", &format!("{name} ({})", d.policy));
    line("advisories", &d.snapshot.map_or_else(|| "none were used".into(), |s| s.to_string()));
    for digest in &d.evidence {
        line("evidence", &digest.to_string());
    }
    if let Some(grant) = &d.break_glass {
        line("break-glass", grant);
    }
    for image in pinned(d) {
        let whether = if d.outcome == "allowed" { "by the answer" } else { "only if allowed" };
        line("pinned", &format!("{whether}: {image}"));
    }
    for rule in rules(&d.trace) {
        line("rule", &rule);
    }
    if !d.engine.is_empty() {
        line("judged by", &format!("{} with the time {}", d.engine, d.judged_at));
        line("took", &format!("{}.{:03} ms", d.latency_us / 1000, d.latency_us % 1000));
    }
    match kept.replayed {
        Some(outcome) if outcome == d.outcome => line("replayed", "same"),
        Some(outcome) => line("replayed", &format!("different: {outcome}")),
        None => {}
    }
    line("asked", d.question.as_deref().unwrap_or("could not be read"));
    for gap in &kept.gaps {
        line("gap", gap);
    }
    out
}

/// The images whose names a mutating webhook's answer pins, which were judged as names that do not
/// move: not those that nodes have, nor what was not examined.
fn pinned(decision: &Decision) -> Vec<String> {
    let question = decision.question.as_deref().map(serde_json::from_str::<Question>);
    let (Some(Ok(question)), Ok(trace)) =
        (question, serde_json::from_str::<Trace>(&decision.trace))
    else {
        return Vec::new();
    };
    let examined = |image: &String| {
        let mut cases = trace.cases.iter().filter(|case| case.image == *image);
        cases.any(|case| matches!(case.outcome, TracedOutcome::Examined(_)))
    };
    question.pinned.into_iter().filter(examined).collect()
}

/// The rules in a trace that were not met, and what was leaned on, a line each.
fn rules(trace: &str) -> Vec<String> {
    let Ok(trace) = serde_json::from_str::<Value>(trace) else { return Vec::new() };
    let list = |name: &str| trace.get(name).and_then(Value::as_array).into_iter().flatten();
    let word = |value: &Value, name: &str| {
        value.get(name).and_then(Value::as_str).unwrap_or("?").to_owned()
    };
    let rule =
        |v: &Value| format!("{} ({}): {}", word(v, "rule"), word(v, "action"), word(v, "image"));
    let leaned = |v: &Value| v.as_str().map(|text| format!("passed by {text}"));
    list("rules").map(rule).chain(list("leaned").filter_map(leaned)).collect()
}
