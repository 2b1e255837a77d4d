//! The gate as pods of the cluster: everything but the webhooks that lead to it.
//!
//! Certificates and keys are given as arguments, so that a renewal makes the same file.

use super::Plan;
use super::gate::{self, METRICS_PORT};
use super::template::fill;
use super::yaml::{block, quoted};

/// `cluster/00-namespace.yaml`.
pub fn namespace(plan: &Plan) -> String {
    fill(include_str!("templates/namespace.yaml"), &[("NAMESPACE", &quoted(&plan.namespace))])
}

/// `cluster/10-access.yaml`: who the gate is and what it may read.
pub fn access(plan: &Plan) -> String {
    let here = quoted(&plan.namespace);
    let mut text = fill(include_str!("templates/rbac.yaml"), &[("NAMESPACE", &here)]);
    for there in &plan.pull_secrets_of {
        text.push_str(&fill(
            include_str!("templates/rolebinding.yaml"),
            &[("THERE", &quoted(there)), ("NAMESPACE", &here)],
        ));
    }
    text
}

/// `cluster/20-configuration.yaml`: the gate's configuration and the policy.
pub fn configuration(plan: &Plan) -> String {
    format!(
        "# The gate reads both files again when this changes; the policy is best changed here.\n\
         apiVersion: v1\n\
         kind: ConfigMap\n\
         metadata:\n  name: cleanbill\n  namespace: {}\n  labels:\n    \
         app.kubernetes.io/name: cleanbill\n\
         data:\n  cleanbill.yaml: |\n{}  policy.yaml: |\n{}",
        quoted(&plan.namespace),
        block(&gate::config(plan), 4),
        block(&gate::policy(), 4),
    )
}

/// `cluster/21-certificates.yaml`: a Secret with the gate's own certificate and key, and the
/// authority of its clients. The client's key is not in it: that is the API server's.
pub fn certificates(namespace: &str, ca: &str, certificate: &str, key: &str) -> String {
    format!(
        "apiVersion: v1\n\
         kind: Secret\n\
         metadata:\n  name: cleanbill-certificates\n  namespace: {}\n  labels:\n    \
         app.kubernetes.io/name: cleanbill\n\
         type: Opaque\n\
         stringData:\n  ca.crt: |\n{}  server.crt: |\n{}  server.key: |\n{}",
        quoted(namespace),
        block(ca, 4),
        block(certificate, 4),
        block(key, 4),
    )
}

/// `cluster/30-gate.yaml`: Deployment, Service, PodDisruptionBudget and NetworkPolicy.
pub fn gate(plan: &Plan, image: &str) -> String {
    let below = |name: &str| quoted(&format!("{}/{name}", plan.config_dir));
    let token = if plan.pull_secrets_of.is_empty() { "false" } else { "true" };
    fill(
        include_str!("templates/gate.yaml"),
        &[
            ("NAMESPACE", &quoted(&plan.namespace)),
            ("IMAGE", &quoted(image)),
            ("TOKEN", token),
            ("PORT", &plan.port.to_string()),
            ("METRICS_PORT", &METRICS_PORT.to_string()),
            ("CONFIG_FILE", &below("config/cleanbill.yaml")),
            ("CONFIG_MOUNT", &below("config")),
            ("TLS_MOUNT", &below("tls")),
            // The gate makes its own folder in it, which is then its own alone.
            ("STATE_MOUNT", &quoted(&plan.state_dir)),
        ],
    )
}
