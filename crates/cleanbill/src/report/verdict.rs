//! A verdict for a person: what the gate would say about one image, and every reason in full.
//! The gate's own answer is one bounded paragraph; here nothing is left out.

use cleanbill_core::evidence::Evidence;
use cleanbill_core::finding::Finding;
use cleanbill_core::policy::{Because, Policy};
use cleanbill_core::verdict::{Denial, Leaned, Noted, Reason};

use crate::report::lines::fixed;
use crate::report::text::{own_words, printable};

/// A verdict, its permit already spent.
#[derive(Clone, Copy, Debug)]
pub enum Said<'a> {
    /// The gate would allow it.
    Allowed,
    /// It would not, and this is the paragraph that `kubectl` would show.
    Denied(&'a Denial, &'a str),
    /// It could not decide, which ends in the same kind of paragraph.
    Undecided(&'a Denial, &'a str),
}

/// The whole text.
pub fn write(image: &str, policy: &Policy, evidence: Option<&Evidence>, said: Said<'_>) -> String {
    let image = printable(image);
    let mut lines = match said {
        Said::Allowed => vec![format!("ALLOWED    {image}")],
        Said::Denied(..) => vec![format!("DENIED     {image}")],
        Said::Undecided(..) => vec![format!("UNDECIDED  {image}")],
    };
    lines.push(format!("Policy     {}", printable(&policy.name)));
    match evidence {
        Some(evidence) => examined(&mut lines, evidence),
        None => lines.push("Examined   nothing: the name was enough, or it could not be".into()),
    }
    if let Said::Denied(denial, paragraph) | Said::Undecided(denial, paragraph) = said {
        for (_, reasons) in &denial.refused {
            for reason in reasons {
                lines.push(String::new());
                tell(&mut lines, reason, policy);
            }
        }
        for (_, why) in &denial.undecided {
            lines.extend([String::new(), format!("Not judged: {}", printable(why))]);
        }
        lines.extend([String::new(), "The gate would say:".into()]);
        // Made by us, strangers' words in it escaped already: only a rule's message has letters.
        lines.push(format!("  {}", own_words(paragraph)));
    }
    lines.push(String::new());
    lines.join("\n")
}

/// What speaks against the image without refusing it, and what it got past: a line each.
pub fn besides(noted: &[Noted], leaned: &[Leaned]) -> String {
    let mut lines: Vec<String> = Vec::new();
    for Noted { action, reason, .. } in noted {
        lines.push(format!("Noted      {} ({})", reason.rule(), action.as_str()));
    }
    for leaned in leaned {
        lines.push(match leaned {
            Leaned::Exception { id, owner, .. } => {
                format!("Exception  {id}: {owner} answers for it")
            }
            Leaned::Gap { gap, .. } => format!("Accepted   {gap}"),
            Leaned::Grant { grant, .. } => format!("Glass      broken by {}", grant.person),
            Leaned::User { user, .. } => format!("Glass      broken by {user}"),
            Leaned::Admitted { decision, .. } => format!("Admitted   before, by {decision}"),
        });
    }
    lines.sort();
    lines.dedup();
    lines.iter().map(|line| printable(line) + "\n").collect()
}

fn examined(lines: &mut Vec<String>, evidence: &Evidence) {
    lines.push(format!("Digest     {}", evidence.resolved));
    for p in &evidence.platforms {
        let platform = p.platform.as_ref().map_or("one platform".into(), ToString::to_string);
        let (packages, flaws, gaps) = (p.packages.len(), p.findings.len(), p.gaps.len());
        lines.push(format!(
            "Examined   {}: packages {packages}, flaws {flaws}, not examined {gaps}",
            printable(&platform)
        ));
    }
    let starter =
        if evidence.snapshot.starter { ", the starter built into this program" } else { "" };
    lines.push(format!("Advisories {}{starter}", evidence.snapshot.digest.short()));
}

fn tell(lines: &mut Vec<String>, reason: &Reason, policy: &Policy) {
    let rule = reason.rule();
    match reason {
        Reason::NameNotAllowed { allowed } => {
            lines.push(format!("{rule}: the name is none of those allowed:"));
            lines.extend(allowed.iter().map(|p| format!("  {p}")));
        }
        Reason::NoReference(why) => lines.push(format!("{rule}: {}", printable(why))),
        Reason::DigestRequired => {
            lines.push(format!("{rule}: the image has to be named by digest (name@sha256:…)"));
        }
        Reason::Severity { highest, findings } => {
            lines.push(format!("{rule}: nothing above {highest} may run; {}:", findings.len()));
            lines.extend(findings.iter().map(|f| flaw(f, policy)));
        }
        Reason::Gaps(gaps) => {
            lines.push(format!("{rule}: not examined, and not accepted; {}:", gaps.len()));
            for gap in gaps {
                lines.push(format!("  {}", printable(&gap.to_string())));
                lines.push(format!("    next: {}", gap.kind.next_step()));
            }
        }
        Reason::NotRegistered => {
            lines.push(format!(
                "{rule}: no registry is asked for this name, and nothing is registered"
            ));
            lines.push("    next: cleanbill register NAME --digest sha256:… --node NODE".into());
        }
        Reason::Rule { message, because, .. } => {
            lines.push(format!("{rule}: {}", own_words(message.as_deref().unwrap_or("refused"))));
            lines.extend(because.iter().flat_map(|b| found(b, policy)));
        }
        Reason::Checker { name, words } => {
            lines.push(format!("{rule}: {} says no: {}", printable(name), printable(words)));
        }
        Reason::NothingAsked => lines.push(format!("{rule}: no image was named")),
        Reason::WrongEvidence => {
            lines.push(format!("{rule}: what was examined is not what was asked for"));
        }
    }
}

/// What a rule found, a line each.
fn found(because: &Because, policy: &Policy) -> Vec<String> {
    match because {
        Because::Always => vec!["  everything in the rule's scope is refused".into()],
        Because::Flaws(flaws) => flaws.iter().map(|f| flaw(f, policy)).collect(),
        Because::Packages(packages) => packages
            .iter()
            .map(|(name, version)| printable(&format!("  package {name} {version}")))
            .collect(),
        Because::RunsAsRoot(user) if user.is_empty() => vec!["  it runs as root: no USER".into()],
        Because::RunsAsRoot(user) => vec![printable(&format!("  it runs as root: USER {user}"))],
        Because::TooOld(day, most) => vec![format!("  built on {day}, more than {most} days ago")],
        Because::Expression(says) => vec![printable(&format!("  {says}"))],
        Because::EndOfLife(what) => vec![printable(&format!("  {what} is past its end of life"))],
        Because::Gaps(gaps) => gaps.iter().map(|g| printable(&format!("  {g}"))).collect(),
    }
}

fn flaw(f: &Finding, policy: &Policy) -> String {
    let counts = policy.counts_as(f);
    let severity = match f.severity {
        s if s == counts => s.to_string(),
        s => format!("{s} (counts as {counts})"),
    };
    let fix = match fixed(f) {
        none if none.is_empty() => "no fix known".to_owned(),
        versions => format!("fixed in {versions}"),
    };
    let exploited = if f.known_exploited { ", known to be exploited" } else { "" };
    printable(&format!(
        "  {} {severity} {} {} ({fix}{exploited})",
        f.id, f.package.name, f.package.version
    ))
}

#[cfg(test)]
mod tests {
    use cleanbill_core::gap::{Gap, GapKind};
    use cleanbill_core::policy::Action;
    use cleanbill_core::verdict::{Leaned, Noted, Reason};

    #[test]
    fn what_was_noted_and_got_past_is_told_once() {
        let image = || "a".to_owned();
        let (action, reason) = (Action::Warn, Reason::DigestRequired);
        let noted = [Noted { image: image(), action, reason }];
        let gap = Gap::new(GapKind::StaleFeed, "kev", "8 days old");
        let accepted = Leaned::Gap { image: image(), gap };
        let (id, owner) = ("CVE-1".to_owned(), "anna\u{1b}".to_owned());
        let leaned = [accepted.clone(), Leaned::Exception { image: image(), id, owner }, accepted];
        let told = super::besides(&noted, &leaned);
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines.len(), 3, "{told}");
        assert_eq!(lines[0], "Accepted   stale-feed: kev: 8 days old");
        assert!(lines[1].starts_with("Exception  CVE-1: anna") && !told.contains('\u{1b}'));
        assert_eq!(lines[2], "Noted      digest_required (warn)");
        assert_eq!(super::besides(&[], &[]), "");
    }
}
