//! A running cluster: whether the API server asks at all, what comes of it, and whether a webhook
//! guards the namespace that its own gate runs in.

use super::found::{Judged, error, fine, not_looked, warning};
use super::view::View;
use super::view::server::Server;
use super::{Check, Run};
use crate::apiserver::admission::PLUGIN;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "cluster-readable",
        asks: "can the cluster be looked at?",
        why: "what cannot be read cannot be judged",
        run: Run::Once(readable),
    },
    Check {
        id: "asked-at-all",
        asks: "does the API server ask the plug-in about pods?",
        why: "its metrics count what passes each plug-in; no count means that it is off",
        run: Run::Once(asked),
    },
    Check {
        id: "calls-succeed",
        asks: "do the API server's calls to the webhook succeed?",
        why: "a call that fails refuses the pod, or lets it in with defaultAllow: true",
        run: Run::Each(calls),
    },
    Check {
        id: "certificates-without-names",
        asks: "has the API server met webhooks' certificates without names?",
        why: "Go refuses a certificate that has only a common name",
        run: Run::Once(without_names),
    },
    Check {
        id: "own-namespace",
        asks: "does a webhook guard the namespace that its own service runs in?",
        why: "a gate that has to let its own pods in cannot start while it is down",
        run: Run::Once(own_namespace),
    },
];

fn readable(view: &View) -> Judged {
    let cluster = match &view.cluster {
        Ok(cluster) => cluster,
        Err(why) if view.cluster_named && !why.contains("--offline") => {
            return error("--kubeconfig", why, "use a kubeconfig with a certificate or a token");
        }
        Err(why) => return not_looked(why.clone()),
    };
    match (&cluster.version, &cluster.pods) {
        (Err(why), _) => error("/version", why, "see whether the API server answers, and to whom"),
        (Ok(version), Err(why)) => warning(
            version,
            format!("the pods of kube-apiserver cannot be read: {why}"),
            "use a user who may read pods in kube-system, or give --manifest",
        ),
        (Ok(version), Ok(pods)) if pods.is_empty() => warning(
            version,
            "there are no pods with component=kube-apiserver in kube-system",
            "where the provider runs the control plane, its flags cannot be seen",
        ),
        (Ok(version), Ok(pods)) => fine(version, format!("{} pods of kube-apiserver", pods.len())),
    }
}

fn asked(view: &View) -> Judged {
    let metrics = match &view.metrics {
        Ok(metrics) => metrics,
        Err(why) => return not_looked(why.clone()),
    };
    let at = "apiserver_admission_controller_admission_duration_seconds_count";
    let any = metrics.reviews(None).unwrap_or(0.0);
    match metrics.reviews(Some(PLUGIN)) {
        Some(count) if count > 0.0 => {
            fine(at, format!("{PLUGIN} is on: {count} writes passed it, those of pods among them"))
        }
        _ if any > 0.0 => error(
            at,
            format!("{any} writes passed other plug-ins, and none passed {PLUGIN}"),
            "make a pod and look again; if it stays so, the plug-in is off: see plugin-enabled",
        ),
        _ => not_looked("nothing has been written yet"),
    }
}

fn calls(view: &View, server: &Server) -> Judged {
    let metrics = match &view.metrics {
        Ok(metrics) => metrics,
        Err(why) => return not_looked(why.clone()),
    };
    let target = server.address()?;
    // The port stands there only where it stands in the address.
    let hosts = [target.authority(), target.host().to_owned()];
    let of = |host: &&String| !metrics.calls(host).is_empty();
    let host = hosts.iter().find(of).unwrap_or(&hosts[0]);
    let calls = metrics.calls(host);
    let at = format!("rest_client_requests_total{{host={host:?}}}");
    if calls.is_empty() {
        return not_looked("the metrics count no call to this address");
    }
    let shown: Vec<String> = calls.iter().map(|(code, n)| format!("{code}: {n}")).collect();
    let failed: f64 = calls.iter().filter(|(code, _)| !code.starts_with('2')).map(|(_, n)| n).sum();
    if failed > 0.0 {
        return warning(
            at,
            format!("{failed} calls failed since kube-apiserver started ({})", shown.join(", ")),
            "if the number grows, the checks above say why; the gate's log has its side",
        );
    }
    fine(at, shown.join(", "))
}

fn without_names(view: &View) -> Judged {
    let metrics = match &view.metrics {
        Ok(metrics) => metrics,
        Err(why) => return not_looked(why.clone()),
    };
    let at = "apiserver_webhooks_x509_missing_san_total";
    match metrics.without_names() {
        None => not_looked(format!("the metrics have no {at}")),
        Some(count) if count > 0.0 => warning(
            at,
            format!("{count} connections met a certificate without names"),
            "give each webhook a certificate with subject alternative names",
        ),
        Some(_) => fine(at, "none"),
    }
}

fn own_namespace(view: &View) -> Judged {
    let cluster = match &view.cluster {
        Ok(cluster) => cluster,
        Err(why) => return not_looked(why.clone()),
    };
    let hooks = match &cluster.webhooks {
        Ok(hooks) => hooks,
        Err(why) => return not_looked(why.clone()),
    };
    let ours = |path: &str| ["/validate", "/mutate"].contains(&path.trim_end_matches('/'));
    let bad = hooks.iter().find(|h| {
        h.guards_own && h.fails_closed && (ours(&h.path) || h.service.contains("cleanbill"))
    });
    match bad {
        Some(hook) => error(
            format!("webhook {}", hook.name),
            format!("it guards {}, where its own service {} runs", hook.namespace, hook.service),
            format!(
                "add to its namespaceSelector: {{key: kubernetes.io/metadata.name, operator: NotIn, \
                 values: [{}]}}",
                hook.namespace
            ),
        ),
        None => fine(
            format!("{} webhooks about pods", hooks.len()),
            "none of the gate's guards its own namespace",
        ),
    }
}
