//! A decision as an answer that a person can act on. What comes from outside is escaped here, part
//! by part, so that none of it can look like a line of ours.

use std::collections::{BTreeSet, HashMap, HashSet};

use cleanbill_core::evidence::PlatformEvidence;
use cleanbill_core::finding::Finding;
use cleanbill_core::gap::Gap;
use cleanbill_core::opinion::Answer;
use cleanbill_core::policy::Action;

use super::facts::{self, Broken, Image};
use super::grounds::Grounds;
use crate::report::text::{printable, wrap_words};
use crate::store::{Decision, Place};

/// Gaps of one rule that are spelled out, and flaws after which no more places are.
const SHOWN: usize = 12;
/// Columns of the labels on the left.
const LABEL: usize = 15;
/// The least that lines are broken at, however narrow the terminal is.
const NARROWEST: usize = 60;

/// All of it, in lines of at most `width` columns where words allow; `None`: lines are not broken.
pub(super) fn page(decision: &Decision, grounds: &Grounds, width: Option<usize>) -> String {
    let width = width.map_or(usize::MAX, |width| width.max(NARROWEST));
    let mut page = Page { out: String::new(), width };
    head(&mut page, decision, grounds);
    let broken = facts::broken(decision, grounds);
    for image in facts::images(decision, grounds) {
        page.gap();
        about(&mut page, &image);
        let pinned = grounds.question.as_ref().is_some_and(|q| q.pinned.contains(&*image.name));
        if pinned && image.came == "examined" {
            let whether =
                if decision.outcome == "allowed" { "by the answer" } else { "only if allowed" };
            page.line("pinned", &format!("{whether}: {}", printable(&image.name)));
        }
        for rule in broken.iter().filter(|rule| rule.image == image.name) {
            rule_lines(&mut page, rule, grounds);
        }
    }
    // Of the pod as a whole.
    let known = |rule: &&Broken<'_>| decision.images.iter().any(|(name, _)| name == rule.image);
    broken.iter().filter(|rule| !known(rule)).for_each(|rule| rule_lines(&mut page, rule, grounds));
    page.gap();
    let leaned = facts::leaned(decision, grounds);
    for line in leaned.iter().take(SHOWN) {
        page.line("let in by", &printable(line));
    }
    if leaned.len() > SHOWN {
        page.line("", &format!("and {} more: -f json has all of them", leaned.len() - SHOWN));
    }
    if let Some(earlier) = grounds.trace.as_ref().and_then(|trace| trace.earlier.as_ref()) {
        let known = format!("{} at {}", printable(&earlier.decision), earlier.at);
        page.line("earlier", &format!("the same images were allowed here before by {known}"));
    }
    if let Some(grant) = &decision.break_glass {
        page.line("break-glass", &printable(grant));
    }
    rests_on(&mut page, decision, grounds);
    again(&mut page, decision, grounds);
    for gap in &grounds.gaps {
        page.line("gap", &printable(&gap.what));
        page.line("", &format!("next: {}", gap.next));
    }
    page.out
}

fn head(page: &mut Page, d: &Decision, grounds: &Grounds) {
    let effect = if d.enforced { "" } else { " (a dry run: without effect)" };
    page.line("decision", &printable(&d.id));
    page.line("outcome", &format!("{}{effect}", printable(&d.outcome)));
    let took = format!("{}.{:03} ms", d.latency_us / 1000, d.latency_us % 1000);
    let took = if d.engine.is_empty() { String::new() } else { format!(", after {took}") };
    page.line("answered", &format!("{}{took}", d.time));
    let namespace = d.namespace.as_deref().map_or("not named".into(), printable);
    page.line("asked", &format!("{}, for namespace {namespace}", d.api.as_str()));
    let asked = grounds.question.as_ref().map(|question| &question.asked);
    if let Some(pod) = asked.and_then(|asked| asked.pod.as_ref()) {
        page.line("", &format!("by {}", printable(&pod.user)));
        page.line("", &format!("for service account {}", printable(&pod.service_account)));
        let label = |(key, value): (&String, &String)| printable(&format!("{key}={value}"));
        let labels: Vec<String> = pod.labels.iter().map(label).collect();
        if !labels.is_empty() {
            page.line("", &format!("labelled {}", labels.join(" ")));
        }
    }
    for (key, value) in asked.iter().flat_map(|asked| &asked.annotations) {
        page.line("", &format!("annotated {}", printable(&format!("{key}={value}"))));
    }
    if grounds.question.is_none() {
        page.line("", &printable(d.question.as_deref().unwrap_or("what it says cannot be read")));
    }
    for said in d.reason.lines() {
        page.line("answer", &printable(said));
    }
    for warning in &d.warnings {
        page.line("warned", &printable(warning));
    }
}

fn about(page: &mut Page, image: &Image<'_>) {
    page.line("image", &printable(&image.name));
    for digest in &image.digests {
        page.line("", &digest.to_string());
    }
    if image.digests.is_empty() && image.came != "no-reference" {
        page.line("", "which bytes it stood for is not known");
    }
    let why = image.why.as_deref().map(printable).unwrap_or_default();
    let came = match image.came {
        "examined" | "registered" if image.evidence.is_empty() => {
            format!("{}, and its evidence is not kept", image.came)
        }
        "examined" => String::new(),
        "registered" => format!("registered, for node {why}"),
        "name-refused" => "refused by its name: nobody was asked about it".into(),
        "no-reference" => why,
        "failed" => format!("could not be examined: {why}"),
        _ => "what became of it is not recorded".into(),
    };
    if !came.is_empty() {
        page.line("", came.trim_end());
    }
    if image.came == "failed" {
        page.line("", "next: the gate's log says more under this decision's id; then ask again");
    }
    for platform in image.evidence.iter().flat_map(|evidence| &evidence.platforms) {
        page.line("", &examined(platform));
    }
    for opinion in image.opinions {
        let checker = printable(&opinion.checker);
        match &opinion.answer {
            Answer::Agrees => page.line("checker", &format!("{checker} agrees")),
            Answer::Disagrees { reason } if reason.is_empty() => {
                page.line("checker", &format!("{checker} says no, and not why"));
            }
            Answer::Disagrees { reason } => {
                page.line("checker", &format!("{checker} says no: {}", printable(reason)));
            }
            Answer::Silent { gap } => {
                page.line(
                    "checker",
                    &format!("{checker} said nothing: {}", printable(&gap.detail)),
                );
                page.line("", &format!("next: {}", gap.kind.next_step()));
            }
        }
    }
}

/// What was found on one platform, in numbers.
fn examined(platform: &PlatformEvidence) -> String {
    let on = platform.platform.as_ref().map_or("examined".into(), |on| format!("examined {on}"));
    let name = match &platform.distribution {
        Some(distribution) => printable(&distribution.pretty_name),
        None => "no distribution".into(),
    };
    format!(
        "{on}: {name}, {}, {}, {}",
        count(platform.packages.len(), "package"),
        count(platform.findings.len(), "flaw"),
        count(platform.gaps.len(), "gap"),
    )
}

fn count(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

fn rule_lines(page: &mut Page, rule: &Broken<'_>, grounds: &Grounds) {
    let label = match rule.action {
        Action::Enforce => "refused by",
        Action::Warn => "warned by",
        Action::Audit => "noted by",
    };
    let why = rule.why.as_ref().map(|why| format!(": {}", printable(why))).unwrap_or_default();
    page.line(label, &format!("{}{why}", printable(rule.rule)));
    findings(page, &rule.findings, grounds);
    for gap in rule.gaps.iter().take(SHOWN) {
        gap_lines(page, gap);
    }
    if rule.gaps.len() > SHOWN {
        page.item(&format!("{} more gaps: -f json has all of them", rule.gaps.len() - SHOWN));
    }
}

/// Flaws by where they are: packages of one source in one file share their flaws.
fn findings(page: &mut Page, all: &[&Finding], grounds: &Grounds) {
    let mut places: Vec<Vec<&Finding>> = Vec::new();
    let mut known = HashMap::new();
    for f in all {
        let package = &f.package;
        let place = (&f.why.looked_up, &f.why.compared, &package.evidence, package.layer);
        let at = *known.entry(place).or_insert(places.len());
        match places.get_mut(at) {
            Some(here) => here.push(f),
            None => places.push(vec![f]),
        }
    }
    let mut shown = 0;
    let mut places = places.iter();
    for here in places.by_ref() {
        let Some(first) = here.first() else { continue };
        let names: BTreeSet<String> = here.iter().map(|f| named(f)).collect();
        let names: Vec<String> = names.into_iter().collect();
        page.item(&format!("{}, in {}", names.join(", "), printable(&first.package.evidence)));
        if let Some(layer) = &first.package.layer {
            page.more(&format!("layer {}", layer.diff_id));
        }
        let mut ids = HashSet::new();
        for f in here.iter().filter(|f| ids.insert(&f.id)) {
            finding(page, f, grounds);
            shown += 1;
        }
        if shown >= SHOWN {
            break;
        }
    }
    let more: usize = places.map(Vec::len).sum();
    if more > 0 {
        page.item(&format!("{more} more elsewhere: -f json has all of them"));
    }
}

fn named(f: &Finding) -> String {
    format!("{} {}", printable(&f.package.name), printable(&f.package.version))
}

fn finding(page: &mut Page, f: &Finding, grounds: &Grounds) {
    let fixed: Vec<String> = f.fixed_versions.iter().take(3).map(|v| printable(v)).collect();
    let fix = match fixed.as_slice() {
        [] => "no version with a fix is known".into(),
        fixed => format!("fixed in {}", fixed.join(" or ")),
    };
    let exploited = if f.known_exploited { "; known to be exploited" } else { "" };
    let counted = grounds.policy.as_ref().map_or(f.severity, |policy| policy.counts_as(f));
    let severity = match counted == f.severity {
        true => f.severity.to_string(),
        false => format!("{} (counts as {counted})", f.severity),
    };
    page.more(&format!("{} {severity}: {fix}{exploited}", printable(&f.id)));
    let of = facts::feeds(grounds).into_iter().find(|feed| feed.feed == f.why.feed);
    let of = of.and_then(|feed| feed.as_of).map(|day| format!(" of {}", day.strftime("%F")));
    page.much_more(&format!(
        "said by {}{}: {} {} in {}",
        printable(&f.why.feed),
        of.unwrap_or_default(),
        printable(&f.why.looked_up),
        printable(&f.why.range),
        printable(&f.why.stream.to_string()),
    ));
}

fn gap_lines(page: &mut Page, gap: &Gap) {
    page.item(&format!("{} {}: {}", gap.kind, printable(&gap.subject), printable(&gap.detail)));
    page.more(&format!("next: {}", gap.kind.next_step()));
}

fn rests_on(page: &mut Page, d: &Decision, grounds: &Grounds) {
    let name = grounds.policy_name.as_deref().map_or("name not known".into(), printable);
    page.line("policy", &format!("{name} {}", d.policy));
    match d.snapshot {
        None => page.line("advisories", "none were used"),
        Some(snapshot) => page.line("advisories", &snapshot.to_string()),
    }
    for feed in facts::feeds(grounds) {
        let day =
            feed.as_of.map_or("without a date".into(), |t| format!("of {}", t.strftime("%F")));
        page.line("", &format!("{} {day}", printable(&feed.feed)));
    }
    if let Some(noted) = &grounds.advisories {
        let since = noted.in_force.map(|at| format!(", in force since {at}")).unwrap_or_default();
        page.line("", &format!("from {}{since}", printable(&noted.from)));
        page.line(
            "",
            &match &noted.place {
                Place::File(file) => format!("kept as {}", printable(&file.display().to_string())),
                Place::Program => "part of this program".into(),
                Place::Gone(why) => format!("not kept: {}", printable(why)),
            },
        );
    }
    for digest in &d.evidence {
        page.line("evidence", &digest.to_string());
    }
    if !d.engine.is_empty() {
        page.line("judged by", &format!("{}, with the time {}", printable(&d.engine), d.judged_at));
    }
}

fn again(page: &mut Page, d: &Decision, grounds: &Grounds) {
    match grounds.replayed {
        Some(_) if grounds.holds(d) => page.line("judged again", "the same"),
        Some(outcome) => page.line(
            "judged again",
            &format!("different: {outcome}; what stands above of rules is what was recorded"),
        ),
        None => page.line("judged again", "cannot be: see the gaps"),
    }
    for one in &grounds.rematched {
        let image = printable(&one.image);
        if one.is_same() {
            page.line(
                "matched again",
                &format!("the same in {image}: {}", count(one.same, "flaw")),
            );
            continue;
        }
        page.line("matched again", &format!("different in {image}"));
        for (label, list) in [("then", &one.only_then), ("now", &one.only_now)] {
            for said in list.iter().take(SHOWN) {
                page.item(&format!("only {label}: {}", printable(said)));
            }
            if list.len() > SHOWN {
                page.item(&format!("only {label}: {} more", list.len() - SHOWN));
            }
        }
    }
}

/// Lines with a label on the left, broken between words.
struct Page {
    out: String,
    width: usize,
}

impl Page {
    fn line(&mut self, label: &str, text: &str) {
        // A label that is wider than its column still has a space behind it.
        let first = format!("{label:<LABEL$}");
        let first = if label.len() < LABEL { first } else { format!("{label} ") };
        self.broken(&first, &" ".repeat(LABEL), text);
    }

    fn item(&mut self, text: &str) {
        let indent = " ".repeat(LABEL);
        self.broken(&format!("{indent}- "), &format!("{indent}  "), text);
    }

    fn more(&mut self, text: &str) {
        let indent = " ".repeat(LABEL + 2);
        self.broken(&indent, &format!("{indent}  "), text);
    }

    fn much_more(&mut self, text: &str) {
        let indent = " ".repeat(LABEL + 4);
        self.broken(&indent, &format!("{indent}  "), text);
    }

    fn gap(&mut self) {
        self.out.push('\n');
    }

    fn broken(&mut self, first: &str, rest: &str, text: &str) {
        let room = self.width.saturating_sub(first.len().max(rest.len()));
        for (n, line) in wrap_words(text, room).into_iter().enumerate() {
            self.out.push_str(if n == 0 { first } else { rest });
            self.out.push_str(&line);
            self.out.push('\n');
        }
    }
}
