//! `cleanbill replay`: what another policy, or other advisories, would have said to what was asked.

use std::collections::HashMap;
use std::path::PathBuf;

use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use cleanbill_core::policy::Policy;
use serde_json::{Value, json};

use crate::commands::record::{self, Format, FormatArgs, Since, StateArgs};
use crate::exit::Exit;
use crate::failure::Result;
use crate::rejudge::{Again, Rejudge};
use crate::report::text::printable_lines;
use crate::serve::load;
use crate::snapshot_choice;
use crate::store::{Decision, Store, Wanted};

/// Examples under the help.
pub const AFTER: &str = "\
Examples:
  cleanbill replay --policy stricter.yaml --since 7d
  cleanbill replay --snapshot new.cbdb --since 12h
  cleanbill replay --policy stricter.yaml -f json | jq '.changed[] | select(.would == \"denied\")'

Judged from the evidence and the time of then, and from the policy and the advisories of then where
no others are named; nothing is contacted or written.
Exit codes: 0 all would be the same; 1 some would differ; 2 failed; 3 none differs, but some could
not be judged again (evidence gone, or never examined).";

/// Read at a time.
const PAGE: u32 = 500;

/// Arguments of `replay`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The policy to judge by (default: with --snapshot, that of each decision)
    #[arg(long, value_name = "FILE", required_unless_present = "snapshot")]
    policy: Option<PathBuf>,
    /// The advisories to match with (default: what those of then said)
    #[arg(long, value_name = "FILE")]
    snapshot: Option<PathBuf>,
    /// Decisions made within this time (7d, 12h, 30m), or since a date or time
    #[arg(long, value_name = "WHEN", default_value = "7d")]
    since: Since,
    #[command(flatten)]
    state: StateArgs,
    #[command(flatten)]
    shown: FormatArgs,
}

/// One question with one outcome, however often it was asked.
struct Group {
    last: Decision,
    times: u64,
    again: Again,
}

/// Runs the command.
///
/// # Errors
/// When the policy or the record cannot be read.
pub fn run(args: &Args) -> Result<Exit> {
    let policy = args.policy.as_deref().map(load::policy).transpose()?;
    let snapshot = args.snapshot.as_deref().map(|path| snapshot_choice::choose(Some(path)));
    let snapshot = snapshot.transpose()?;
    let store = args.state.look()?;
    let rejudge = Rejudge::new(&store).against(snapshot.as_ref());
    let since = args.since.time(Timestamp::now());
    let groups = groups(&store, rejudge, policy.as_ref(), since)?;
    let report = Report::of(&groups);
    let text = match args.shown.format {
        Format::Table => printable_lines(&report.text()),
        Format::Json => record::pretty(&report.value())?,
    };
    record::put(&text)?;
    Ok(match (report.changed.is_empty(), report.gaps.is_empty()) {
        (false, _) => Exit::DENIED,
        (true, false) => Exit::GAPS,
        (true, true) => Exit::DONE,
    })
}

/// What makes two decisions the same: question, trace, outcome and policy.
type Key = (Option<String>, String, String, Digest);

fn groups(
    store: &Store,
    mut rejudge: Rejudge<'_>,
    policy: Option<&Policy>,
    since: Timestamp,
) -> Result<Vec<Group>> {
    let mut groups: Vec<Group> = Vec::new();
    let mut places: HashMap<Key, usize> = HashMap::new();
    let mut policies: HashMap<Digest, Option<Policy>> = HashMap::new();
    let mut wanted = Wanted { since: Some(since), after: Some(0), ..Wanted::default() };
    loop {
        let page = store.decisions(&wanted, PAGE)?;
        let Some((last, _)) = page.last() else { return Ok(groups) };
        wanted.after = Some(*last);
        for (_, decision) in page {
            let (question, trace) = (decision.question.clone(), decision.trace.clone());
            let key = (question, trace, decision.outcome.clone(), decision.policy);
            if let Some(group) = places.get(&key).and_then(|at| groups.get_mut(*at)) {
                group.times = group.times.saturating_add(1);
                continue;
            }
            let own = decision.policy;
            if policy.is_none() && !policies.contains_key(&own) {
                policies.insert(own, rejudge.policy(&own)?);
            }
            let again = match policy.or_else(|| policies.get(&own)?.as_ref()) {
                Some(policy) => rejudge.judge(&decision, policy)?,
                None => Again::Gap(format!("the policy {own} is not kept")),
            };
            places.insert(key, groups.len());
            groups.push(Group { last: decision, times: 1, again });
        }
    }
}

/// A group, what would come of it, and the rules that would refuse, with the image each.
type Changed<'a> = (&'a Group, &'static str, &'a [(String, String)]);

/// The groups by what comes of them.
struct Report<'a> {
    same: u64,
    changed: Vec<Changed<'a>>,
    gaps: Vec<(&'a Group, &'a str)>,
}

impl<'a> Report<'a> {
    fn of(groups: &'a [Group]) -> Self {
        let mut report = Self { same: 0, changed: Vec::new(), gaps: Vec::new() };
        for group in groups {
            match &group.again {
                Again::Gap(why) => report.gaps.push((group, why)),
                Again::Judged { outcome, .. } if *outcome == group.last.outcome => {
                    report.same = report.same.saturating_add(group.times);
                }
                Again::Judged { outcome, rules } => report.changed.push((group, outcome, rules)),
            }
        }
        report
    }

    fn counts(&self) -> (u64, u64, u64) {
        let changed = self.changed.iter().map(|(group, ..)| group.times).sum();
        (self.same, changed, self.gaps.iter().map(|(group, _)| group.times).sum())
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for (group, would, rules) in &self.changed {
            let rules: Vec<String> = rules.iter().map(|(i, rule)| format!("{rule}: {i}")).collect();
            text += &format!(
                "{} -> {would}  {}x  {}  {}  {}  {}\n",
                group.last.outcome,
                group.times,
                group.last.id,
                group.last.namespace.as_deref().unwrap_or("-"),
                images(&group.last),
                rules.join(", ")
            );
        }
        for (group, why) in &self.gaps {
            text += &format!("gap  {}x  {}  {why}\n", group.times, group.last.id);
        }
        let (same, changed, gaps) = self.counts();
        text + &format!("{same} the same, {changed} changed, {gaps} could not be judged again\n")
    }

    fn value(&self) -> Value {
        let about = |group: &Group| {
            let d = &group.last;
            json!({"id": d.id, "times": group.times, "namespace": d.namespace,
                "images": d.images.iter().map(|(name, _)| name).collect::<Vec<_>>()})
        };
        let with = |mut value: Value, more: Value| {
            if let (Value::Object(fields), Value::Object(more)) = (&mut value, more) {
                fields.extend(more);
            }
            value
        };
        let (same, changed, gaps) = self.counts();
        let rules = |rules: &[(String, String)]| -> Vec<Value> {
            rules.iter().map(|(image, rule)| json!({"image": image, "rule": rule})).collect()
        };
        json!({
            "counts": {"same": same, "changed": changed, "gaps": gaps},
            "changed": self.changed.iter().map(|(group, would, why)| with(about(group),
                json!({"was": group.last.outcome, "would": would, "rules": rules(why)})))
                .collect::<Vec<_>>(),
            "gaps": self.gaps.iter().map(|(group, why)| with(about(group), json!({"why": why})))
                .collect::<Vec<_>>(),
        })
    }
}

fn images(decision: &Decision) -> String {
    decision.images.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" ")
}
