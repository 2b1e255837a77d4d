//! The kubeconfig by which kube-apiserver finds and trusts the gate, or shows itself to it.
//!
//! Paths are absolute, because its working directory is not ours to know, and files rather than
//! data, because kube-apiserver reads client certificates that are files again every five minutes.

use super::Plan;
use super::mode::Mode;
use super::yaml::quoted;

/// The file's text.
pub fn text(plan: &Plan) -> String {
    match plan.mode {
        Mode::Node | Mode::Remote => plugin(plan),
        Mode::Webhook => webhook(plan, &format!("cleanbill.{}.svc", plan.namespace)),
        Mode::StaticWebhook => webhook(plan, &plan.host_and_port()),
    }
}

/// For ImagePolicyWebhook. It has contexts and a current context: without them kube-apiserver
/// does not start.
fn plugin(plan: &Plan) -> String {
    format!(
        "apiVersion: v1\n\
         kind: Config\n\
         clusters:\n\
         - name: cleanbill\n  \
           cluster:\n    \
             server: {server}\n    \
             certificate-authority: {ca}\n\
         users:\n\
         - name: kube-apiserver\n  \
           user:\n    \
             client-certificate: {certificate}\n    \
             client-key: {key}\n\
         contexts:\n\
         - name: cleanbill\n  \
           context:\n    \
             cluster: cleanbill\n    \
             user: kube-apiserver\n\
         current-context: cleanbill\n",
        server = quoted(&plan.server()),
        ca = quoted(&plan.mounted("ca.crt")),
        certificate = quoted(&plan.mounted("client.crt")),
        key = quoted(&plan.mounted("client.key")),
    )
}

/// For webhooks, of which only `users` counts: an entry is taken for the webhook of its name. A
/// current context would be taken for every webhook that has no entry, and show our certificate
/// to all of them; so there is none.
fn webhook(plan: &Plan, target: &str) -> String {
    format!(
        "# Which client certificate kube-apiserver shows to which webhook. Entries for others can be\n\
         # added; a current-context would be used for all that have none, so leave it out.\n\
         apiVersion: v1\n\
         kind: Config\n\
         users:\n\
         - name: {target}\n  \
           user:\n    \
             client-certificate: {certificate}\n    \
             client-key: {key}\n",
        target = quoted(target),
        certificate = quoted(&plan.mounted("client.crt")),
        key = quoted(&plan.mounted("client.key")),
    )
}
