//! The comparison as a person reads it: what changed first, then the rest in short. What comes from
//! outside is escaped by the caller.

use std::collections::BTreeMap;

use cleanbill_advisory::Snapshot;
use cleanbill_core::gap::Gap;

use crate::impact::{Between, Compared, Flaw, Impact, Judged, Outcome};

/// Lines of a kind that are shown of one image.
const LINES: usize = 10;
/// Images of a kind that are shown without their outcome having changed.
const IMAGES: usize = 50;

/// All of it.
pub(super) fn page(impact: &Impact, between: Between<'_>) -> String {
    let mut out = format!(
        "from    {}\nto      {}\npolicy  {}\n",
        named(between.from),
        named(between.to),
        between.policy.name
    );
    let (mut changed, mut other, mut same) = (Vec::new(), Vec::new(), 0_usize);
    let mut open: BTreeMap<&str, &str> =
        impact.unknown.iter().map(|(name, why)| (name.as_str(), why.as_str())).collect();
    for one in &impact.images {
        match &one.result {
            Err(why) => _ = open.insert(&one.image.name, why),
            Ok(judged) if judged.changed() => changed.push((one, judged)),
            Ok(judged) if !judged.difference.is_empty() => other.push((one, judged)),
            Ok(_) => same += 1,
        }
    }
    for (one, judged) in &changed {
        out.push('\n');
        image(&mut out, one, judged);
    }
    if !other.is_empty() {
        out.push_str("\nSame outcome, other findings or gaps:\n");
    }
    for (one, judged) in other.iter().take(IMAGES) {
        out.push_str(&format!("  {}  {}\n", one.image.name, counts(judged)));
    }
    more(&mut out, "  ", other.len(), IMAGES);
    if !open.is_empty() {
        out.push_str("\nCould not be judged:\n");
    }
    for (name, why) in open.iter().take(IMAGES) {
        out.push_str(&format!("  {name}: {why}\n"));
    }
    more(&mut out, "  ", open.len(), IMAGES);
    out.push_str(&format!(
        "\n{}: {} changed outcome, {} with other findings or gaps, {same} the same, {} not judged\n",
        many(changed.len() + other.len() + same + open.len(), "image"),
        changed.len(),
        other.len(),
        open.len()
    ));
    out
}

/// Its digest and how new its newest facts are.
fn named(snapshot: &Snapshot) -> String {
    let newest = snapshot.feeds().iter().filter_map(|feed| feed.as_of).max();
    let newest = newest.map_or("no date".to_owned(), |at| at.strftime("%F").to_string());
    let starter = if snapshot.is_starter() { ", built in" } else { "" };
    format!("{} ({newest}{starter})", snapshot.digest())
}

fn image(out: &mut String, one: &Compared, judged: &Judged) {
    let known = &one.image;
    out.push_str(&known.name);
    out.push('\n');
    for digest in &known.digests {
        out.push_str(&format!("  digest      {digest}\n"));
    }
    let last = known.last.map_or("never".into(), |at| at.strftime("%FT%TZ").to_string());
    out.push_str(&format!("  last asked  {last}\n"));
    // Namespaces with the same outcome and grounds stand together.
    let mut alike: Vec<(&Outcome, Vec<&str>)> = Vec::new();
    for (namespace, outcome) in judged.outcomes.iter().filter(|(_, o)| o.was != o.is) {
        match alike.iter_mut().find(|(known, _)| *known == outcome) {
            Some((_, namespaces)) => namespaces.push(place(namespace)),
            None => alike.push((outcome, vec![place(namespace)])),
        }
    }
    for (outcome, namespaces) in alike {
        let within = namespaces.join(", ");
        out.push_str(&format!("  outcome     {} -> {} (in {within})\n", outcome.was, outcome.is));
        for (label, grounds) in [("because", &outcome.added), ("no longer", &outcome.removed)] {
            for rule in &grounds.rules {
                out.push_str(&format!("  {label:<10}  the rule {rule} refuses it\n"));
            }
            for flaw in grounds.flaws.iter().take(LINES) {
                out.push_str(&format!("  {label:<10}  {}\n", sentence(flaw)));
            }
            more(out, "              ", grounds.flaws.len(), LINES);
            for gap in grounds.gaps.iter().take(LINES) {
                out.push_str(&format!("  {label:<10}  {}\n", gap_line(gap)));
            }
            more(out, "              ", grounds.gaps.len(), LINES);
        }
    }
    if known.more_places {
        out.push_str("  not judged  in further namespaces\n");
    }
    if !judged.difference.is_empty() {
        out.push_str(&format!("  in all      {}\n", counts(judged)));
    }
}

/// A namespace; an image that nobody has asked for is judged as for a pod of none.
fn place(namespace: &str) -> &str {
    if namespace.is_empty() { "no namespace" } else { namespace }
}

fn counts(judged: &Judged) -> String {
    let d = &judged.difference;
    let mut parts = Vec::new();
    for (count, what) in [
        (d.new.len(), "new flaw"),
        (d.gone.len(), "flaw gone"),
        (d.changed.len(), "flaw rated or fixed otherwise"),
        (d.new_gaps.len(), "new gap"),
        (d.gone_gaps.len(), "gap gone"),
        (d.more, "more of these"),
    ] {
        if count > 0 {
            let what = if count == 1 { what.to_owned() } else { plural(what) };
            parts.push(format!("{count} {what}"));
        }
    }
    parts.join(", ")
}

fn plural(what: &str) -> String {
    what.replace("flaw", "flaws").replace("gap", "gaps")
}

/// A flaw, by which feed, and what to do.
fn sentence(flaw: &Flaw) -> String {
    let fixed = match flaw.fixed.as_slice() {
        [] => "no fix known".to_owned(),
        all => format!("fixed in {}", all.join(" or ")),
    };
    let exploited = if flaw.exploited { "; known to be exploited" } else { "" };
    let Flaw { id, severity, package, version, feed, .. } = flaw;
    format!("{id} {severity} in {package} {version} ({fixed}{exploited}; by {feed})")
}

fn gap_line(gap: &Gap) -> String {
    format!("not examined: {} {} ({})", gap.kind, gap.subject, gap.detail)
}

fn more(out: &mut String, indent: &str, all: usize, shown: usize) {
    if all > shown {
        out.push_str(&format!("{indent}and {} more (-f json has them)\n", all - shown));
    }
}

fn many(count: usize, what: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {what}{s}")
}
