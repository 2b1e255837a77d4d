//! The kubeconfig by which kube-apiserver finds and trusts the gate.
//!
//! It has contexts and a current context: without them kube-apiserver does not start. Paths are
//! absolute, because its working directory is not ours to know, and files rather than data,
//! because kube-apiserver reads client certificates that are files again every five minutes.

use super::Plan;
use super::yaml::quoted;

/// The file's text.
pub fn text(plan: &Plan) -> String {
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
