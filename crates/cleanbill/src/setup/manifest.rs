//! The change to kube-apiserver: its flags, the files that it needs, and the change to its static
//! pod manifest as a patch.
//!
//! The patch (RFC 6902) only appends: kube-apiserver joins the values of a repeated
//! `--enable-admission-plugins` (and of `--feature-gates`), so what is already on stays on.

use super::Plan;
use super::mode::Mode;
use super::webhooks::{MUTATING_DIR, VALIDATING_DIR};
use super::yaml::quoted;

/// The name of the volume in kube-apiserver's pod.
pub const VOLUME: &str = "cleanbill";

/// The files and folders that kube-apiserver needs of all that were made.
pub fn needed(mode: Mode) -> &'static [&'static str] {
    match mode {
        Mode::Node | Mode::Remote | Mode::Webhook => {
            &["ca.crt", "client.crt", "client.key", "kubeconfig", "admission-configuration.yaml"]
        }
        Mode::StaticWebhook => &[
            "ca.crt",
            "client.crt",
            "client.key",
            "kubeconfig",
            "admission-configuration.yaml",
            VALIDATING_DIR,
            MUTATING_DIR,
        ],
    }
}

/// The flags, without dashes, and their values.
pub fn flags(plan: &Plan) -> Vec<(&'static str, String)> {
    let config = ("admission-control-config-file", plan.mounted("admission-configuration.yaml"));
    match plan.mode {
        Mode::Node | Mode::Remote => {
            vec![("enable-admission-plugins", "ImagePolicyWebhook".to_owned()), config]
        }
        // The plug-ins for webhooks are on.
        Mode::Webhook => vec![config],
        Mode::StaticWebhook => {
            vec![("feature-gates", "ManifestBasedAdmissionControlConfig=true".to_owned()), config]
        }
    }
}

/// The flags where they replace what is there and do not add to it: with what every tool sets.
pub(super) fn whole_flags(plan: &Plan) -> Vec<(&'static str, String)> {
    let whole = |(name, value): (&'static str, String)| match name {
        "enable-admission-plugins" => (name, format!("NodeRestriction,{value}")),
        _ => (name, value),
    };
    flags(plan).into_iter().map(whole).collect()
}

/// The patch, as `kubeadm` takes it (`kube-apiserver0+json.yaml` in its patches folder).
pub fn patch(plan: &Plan) -> String {
    let dir = quoted(&plan.mount_dir);
    let mut text =
        "# RFC 6902 patch of kube-apiserver's Pod; see kube-apiserver.patch.md.\n".to_owned();
    for (name, value) in flags(plan) {
        let flag = quoted(&format!("--{name}={value}"));
        text.push_str(&format!(
            "- op: add\n  path: /spec/containers/0/command/-\n  value: {flag}\n"
        ));
    }
    text.push_str(&format!(
        "- op: add\n  path: /spec/containers/0/volumeMounts/-\n  value:\n    \
             name: {VOLUME}\n    mountPath: {dir}\n    readOnly: true\n\
         - op: add\n  path: /spec/volumes/-\n  value:\n    \
             name: {VOLUME}\n    hostPath:\n      path: {dir}\n      type: Directory\n"
    ));
    text
}
