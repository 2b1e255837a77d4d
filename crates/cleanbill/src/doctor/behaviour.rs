//! What the two together do: failing open, answers that outlive what they rest on, versions that
//! do not ask about everything, and a gate that stands in its own way.

use std::time::Duration;

use cleanbill_core::gap::GapKind;

use super::found::{Judged, error, fine, not_looked, warning};
use super::view::View;
use super::view::audit::Kept;
use super::view::server::Server;
use super::{Check, Run};
use crate::serve::config::Unexamined;

/// So long a moved tag may stay allowed without a word.
const TAGS: Duration = Duration::from_secs(60);

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "default-allow",
        asks: "are pods refused while the gate cannot be asked?",
        why: "with defaultAllow: true a gate that is down, unreachable or misconfigured lets every \
              image in, and kube-apiserver logs nothing",
        run: Run::Each(default_allow),
    },
    Check {
        id: "default-allow-with-fail",
        asks: "is what could not be examined refused?",
        why: "when_unexamined: fail answers by a failure; with defaultAllow: true kube-apiserver \
              makes \"allowed\" of it",
        run: Run::Each(with_fail),
    },
    Check {
        id: "failing-open-shows",
        asks: "would failing open show?",
        why: "its only trace is an annotation of the audit event, at level Metadata or above",
        run: Run::Each(shows),
    },
    Check {
        id: "failed-open",
        asks: "was a pod let in without an answer?",
        why: "such a pod was never judged and carries no mark of it",
        run: Run::Once(failed_open),
    },
    Check {
        id: "exceptions-outlived",
        asks: "does \"allowed\" end when an exception does?",
        why: "kube-apiserver keeps \"allowed\" for allowTTL and asks nobody in that time",
        run: Run::Each(exceptions),
    },
    Check {
        id: "snapshot-outlived",
        asks: "are the advisories fresh for as long as \"allowed\" is kept?",
        why: "an answer that rests on advisories holds longer than they may be used",
        run: Run::Each(snapshot),
    },
    Check {
        id: "tags-remembered",
        asks: "is a tag that moves judged again soon?",
        why: "kube-apiserver keeps answers by name: a moved tag stays allowed for allowTTL",
        run: Run::Each(tags),
    },
    Check {
        id: "denials-remembered",
        asks: "is \"not examined yet\" forgotten soon?",
        why: "when_unexamined: deny is kept for denyTTL, although the examination may end before",
        run: Run::Each(denials),
    },
    Check {
        id: "api-server-version",
        asks: "does this kube-apiserver ask about every container?",
        why: "before 1.24.15, 1.25.11, 1.26.6 and 1.27.3 ephemeral containers were not checked \
              (CVE-2023-2727): kubectl debug runs any image",
        run: Run::Each(version),
    },
    Check {
        id: "gate-in-cluster",
        asks: "can the gate start while it is down?",
        why: "ImagePolicyWebhook has no exceptions for namespaces: a gate whose own pods need its \
              answer never comes back after all of them were gone",
        run: Run::Each(in_cluster),
    },
];

fn default_allow(_: &View, server: &Server) -> Judged {
    if server.image_policy()?.default_allow {
        return warning(
            "defaultAllow: true",
            "pods are let in whenever the gate cannot be asked",
            "write defaultAllow: false",
        );
    }
    fine("defaultAllow", "false: no answer, no pod")
}

fn with_fail(view: &View, server: &Server) -> Judged {
    if !server.image_policy()?.default_allow {
        return fine("defaultAllow", "false, so a failure refuses");
    }
    let gate = view.gate()?;
    match gate.config.bounds.when_unexamined {
        Unexamined::Deny => fine("when_unexamined", "deny: refused whatever defaultAllow says"),
        Unexamined::Fail => error(
            "defaultAllow: true, when_unexamined: fail",
            "every image that cannot be examined is let in",
            "write defaultAllow: false, or when_unexamined: deny in cleanbill.yaml",
        ),
    }
}

fn shows(view: &View, server: &Server) -> Judged {
    if !server.image_policy()?.default_allow {
        return fine("defaultAllow", "false: nothing fails open");
    }
    let at = "the audit policy";
    let rule = |n: &usize| if *n == 0 { "no rule of it".into() } else { format!("its rule {n}") };
    let add = "add, above other rules: {level: Metadata, verbs: [create, update], resources: [{group: \
               \"\", resources: [pods]}]}";
    match &view.audit_policy {
        Err(why) => not_looked(why.clone()),
        Ok(None) => warning(
            "--audit-policy-file",
            "the API server keeps no audit log, so failing open leaves no trace",
            "set --audit-policy-file and --audit-log-path, or defaultAllow: false",
        ),
        Ok(Some(Kept::Recorded(n))) => fine(at, format!("pods are recorded, by {}", rule(n))),
        Ok(Some(Kept::Dropped(n))) => {
            warning(at, format!("pods are not recorded: {}", rule(n)), add)
        }
        Ok(Some(Kept::Partly(n))) => {
            warning(at, format!("{} drops some users' or namespaces' pods", rule(n)), add)
        }
    }
}

fn failed_open(view: &View) -> Judged {
    let trace = match &view.audit_log {
        Ok(trace) => trace,
        Err(why) => return not_looked(why.clone()),
    };
    if trace.events == 0 {
        return not_looked("the audit log has no events in it");
    }
    let at = format!("the audit log: {} events", trace.events);
    if trace.open > 0 {
        let last = trace.last.as_deref().unwrap_or("at an unknown time");
        let pod = trace.pod.as_deref().unwrap_or_default();
        return error(
            at,
            format!(
                "{} requests were let in without an answer, the last {last} for {pod}",
                trace.open
            ),
            "look at those pods (cleanbill check IMAGE), find out why the gate did not answer, and \
             set defaultAllow: false",
        );
    }
    if trace.unread > 0 {
        let said = format!("none that was let in; {} lines could not be read", trace.unread);
        return warning(at, said, "give the whole log, in the format json");
    }
    fine(at, "none was let in without an answer")
}

fn exceptions(view: &View, server: &Server) -> Judged {
    let (policy, gate) = (server.image_policy()?, view.gate()?);
    let kept = policy.allow_ttl;
    let today = cleanbill_core::policy::today(view.now);
    let later = view.now.checked_add(jiff::SignedDuration::from_secs(
        i64::try_from(kept.as_secs()).unwrap_or(1800),
    ));
    let later = later.map_or(today, cleanbill_core::policy::today);
    let ends = |e: &&cleanbill_core::policy::Exception| today <= e.expires && e.expires < later;
    if let Some(ending) = gate.rules()?.exceptions.iter().find(ends) {
        return warning(
            format!("exception {}, allowTTL {kept:?}", ending.id),
            format!("it ends today, and what it lets in stays allowed for {kept:?} after that"),
            "nothing, if that is short enough; else a shorter allowTTL",
        );
    }
    // What ends in time does so within allowTTL whenever that is.
    if kept > Duration::from_secs(600) && !gate.rules()?.exceptions.is_empty() {
        return warning(
            format!("{} exceptions, allowTTL {kept:?}", gate.rules()?.exceptions.len()),
            format!("what an exception lets in stays allowed up to {kept:?} past its last day"),
            "write an allowTTL of 60",
        );
    }
    fine(format!("{} exceptions", gate.rules()?.exceptions.len()), format!("allowTTL is {kept:?}"))
}

fn snapshot(view: &View, server: &Server) -> Judged {
    let (policy, gate) = (server.image_policy()?, view.gate()?);
    let feeds = match &gate.feeds {
        Ok(feeds) => feeds,
        Err(why) => return not_looked(why.clone()),
    };
    let most = i64::from(gate.rules()?.max_feed_age_days) * 86_400;
    let kept = i64::try_from(policy.allow_ttl.as_secs()).unwrap_or(1800);
    let now = view.now.as_second();
    if feeds.is_empty() {
        return warning(
            "the snapshot",
            "it has no feeds, so it knows no flaw of any image",
            "fetch some (cleanbill db update)",
        );
    }
    for (feed, as_of) in feeds {
        let Some(as_of) = as_of else {
            return warning(
                format!("feed {feed}"),
                "it has no date, so nobody knows how old it is",
                "fetch newer ones (cleanbill db update)",
            );
        };
        let age = now - as_of.as_second();
        let at = format!("feed {feed}, of {}", as_of.strftime("%F"));
        if age > most {
            return warning(
                at,
                format!("it is older than max_feed_age ({} days)", most / 86_400),
                "fetch newer ones (cleanbill db update), regularly",
            );
        }
        if age + kept > most {
            return warning(
                at,
                format!("\"allowed\" is kept for {kept} s, past the day on which it is too old"),
                "fetch newer ones (cleanbill db update), regularly",
            );
        }
    }
    fine(format!("{} feeds", feeds.len()), "fresh enough for as long as answers are kept")
}

fn tags(view: &View, server: &Server) -> Judged {
    let kept = server.image_policy()?.allow_ttl;
    let at = format!("allowTTL {kept:?}");
    if kept <= TAGS {
        return fine(at, "a moved tag is judged again within that time");
    }
    let policy = view.gate()?.rules()?;
    let tags = !policy.digest_required
        && policy.accepted_gaps.iter().any(|gap| gap.kind == GapKind::MutableReference);
    if !tags {
        return fine(at, "the policy lets no tags in, so names do not move");
    }
    warning(
        at,
        format!("the policy lets tags in, and a moved one stays allowed for {kept:?}"),
        "write an allowTTL of at most 60, or require digests (digest_required: true)",
    )
}

fn denials(view: &View, server: &Server) -> Judged {
    let kept = server.image_policy()?.deny_ttl;
    let at = format!("denyTTL {kept:?}");
    if kept <= Duration::from_secs(30) {
        return fine(at, "a denial is asked about again within that time");
    }
    match view.gate()?.config.bounds.when_unexamined {
        Unexamined::Fail => fine(at, "what is not examined yet is a failure, which is not kept"),
        Unexamined::Deny => warning(
            at,
            "a pod that came before its image was examined is refused for so long",
            "write a denyTTL of 10, or examine ahead (cleanbill warm)",
        ),
    }
}

fn version(_: &View, server: &Server) -> Judged {
    let Some(version) = server.version else {
        return not_looked("the version is not known: the image's tag does not say it");
    };
    let at = format!("kube-apiserver {version}");
    if version.asks_about_ephemeral_containers() {
        return fine(at, "it asks about ephemeral containers too");
    }
    error(
        at,
        "it does not ask about ephemeral containers (CVE-2023-2727)",
        "update it; until then forbid pods/ephemeralcontainers by RBAC",
    )
}

fn in_cluster(_: &View, server: &Server) -> Judged {
    let (target, policy) = (server.address()?, server.image_policy()?);
    let host = target.host().trim_end_matches('.').to_ascii_lowercase();
    let service = host.ends_with(".svc") || host.contains(".svc.");
    if target.is_loopback() {
        return fine(target.authority(), "it runs on the node");
    }
    if !service {
        return not_looked(format!(
            "whether {host} leads into the cluster cannot be seen from here"
        ));
    }
    if policy.default_allow {
        return fine(
            target.authority(),
            "in the cluster; it can start, since defaultAllow is true",
        );
    }
    warning(
        target.authority(),
        "the gate is called by a name of the cluster, so its pods need its own answer to start",
        "run the gate as a static pod or a service of the control-plane node, or several replicas \
         whose images stay in allowTTL",
    )
}
