//! The API server's admission configuration (`apiserver.config.k8s.io/v1`), as YAML and JSON.
//!
//! The rules on values are those of kube-apiserver 1.36 (`imagepolicy/config.go`): it exits on a
//! value out of range without naming the field, so the field is named here.

use super::Plan;
use super::mode::Mode;
use super::webhooks::{MUTATING_DIR, VALIDATING_DIR};
use super::yaml::quoted;
use crate::failure::{Failure, Result};

/// The values of the plug-in `ImagePolicyWebhook`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Values {
    /// Seconds for which "allowed" is remembered: 1 to 1800; 0 the default (300); −1 never.
    pub allow_ttl: i64,
    /// Seconds for which a denial is remembered: 1 to 1800; 0 the default (30); −1 never.
    pub deny_ttl: i64,
    /// Milliseconds before a failed call is repeated: 1 to 300,000; 0 the default (500); −1 none.
    pub retry_backoff: i64,
    /// Whether pods are let in when the gate cannot be asked.
    pub default_allow: bool,
}

impl Values {
    /// Checks the values as kube-apiserver will.
    ///
    /// # Errors
    /// The first value out of range, by the name of its flag.
    pub fn check(&self) -> Result<()> {
        let fields = [
            ("--retry-backoff", "milliseconds", self.retry_backoff, 300_000),
            ("--allow-ttl", "seconds", self.allow_ttl, 1_800),
            ("--deny-ttl", "seconds", self.deny_ttl, 1_800),
        ];
        for (flag, unit, value, most) in fields {
            if !(-1..=most).contains(&value) {
                return Err(Failure::new(format!(
                    "{flag} {value}: kube-apiserver takes 1 to {most} {unit}, 0 for its default, or -1 for none"
                ))
                .next("with any other value kube-apiserver does not start"));
            }
        }
        Ok(())
    }
}

const API_VERSION: &str = "apiserver.config.k8s.io/v1";

/// The configuration as YAML.
pub fn yaml(plan: &Plan) -> String {
    let plugins = match plan.mode {
        Mode::Node | Mode::Remote => plugin(plan),
        Mode::Webhook | Mode::StaticWebhook => {
            kinds(plan).map(|(name, folder)| webhook(plan, name, folder)).concat()
        }
    };
    format!(
        "# For kube-apiserver's --admission-control-config-file.\n\
         apiVersion: {API_VERSION}\n\
         kind: AdmissionConfiguration\n\
         plugins:\n{plugins}"
    )
}

fn plugin(plan: &Plan) -> String {
    let Values { allow_ttl, deny_ttl, retry_backoff, default_allow } = plan.values;
    format!(
        "# Times are numbers: TTLs in seconds, the backoff in milliseconds. An unknown key of\n\
         # imagePolicy is ignored by kube-apiserver without a word, so check the spelling when you\n\
         # change it.\n\
         - name: ImagePolicyWebhook\n  \
           configuration:\n    \
             imagePolicy:\n      \
               kubeConfigFile: {}\n      \
               allowTTL: {allow_ttl}\n      \
               denyTTL: {deny_ttl}\n      \
               retryBackoff: {retry_backoff}\n      \
               defaultAllow: {default_allow}\n",
        quoted(&plan.mounted("kubeconfig"))
    )
}

fn webhook(plan: &Plan, name: &str, folder: Option<&str>) -> String {
    let mut text = format!(
        "- name: {name}\n  \
           configuration:\n    \
             apiVersion: {API_VERSION}\n    \
             kind: WebhookAdmissionConfiguration\n    \
             kubeConfigFile: {}\n",
        quoted(&plan.mounted("kubeconfig"))
    );
    if let Some(folder) = folder {
        text.push_str(&format!("    staticManifestsDir: {}\n", quoted(&plan.mounted(folder))));
    }
    text
}

/// The two plug-ins, with their folders where the configurations are files.
fn kinds(plan: &Plan) -> [(&'static str, Option<&'static str>); 2] {
    let folder = |name| (plan.mode == Mode::StaticWebhook).then_some(name);
    [
        ("ValidatingAdmissionWebhook", folder(VALIDATING_DIR)),
        ("MutatingAdmissionWebhook", folder(MUTATING_DIR)),
    ]
}

/// The configuration as JSON.
///
/// # Errors
/// Never in practice; the serializer's own.
pub fn json(plan: &Plan) -> Result<String> {
    let Values { allow_ttl, deny_ttl, retry_backoff, default_allow } = plan.values;
    let plugins = match plan.mode {
        Mode::Node | Mode::Remote => serde_json::json!([{
            "name": "ImagePolicyWebhook",
            "configuration": { "imagePolicy": {
                "kubeConfigFile": plan.mounted("kubeconfig"),
                "allowTTL": allow_ttl,
                "denyTTL": deny_ttl,
                "retryBackoff": retry_backoff,
                "defaultAllow": default_allow,
            }},
        }]),
        Mode::Webhook | Mode::StaticWebhook => kinds(plan)
            .map(|(name, folder)| {
                let mut configuration = serde_json::json!({
                    "apiVersion": API_VERSION,
                    "kind": "WebhookAdmissionConfiguration",
                    "kubeConfigFile": plan.mounted("kubeconfig"),
                });
                if let (Some(folder), Some(map)) = (folder, configuration.as_object_mut()) {
                    map.insert("staticManifestsDir".to_owned(), plan.mounted(folder).into());
                }
                serde_json::json!({ "name": name, "configuration": configuration })
            })
            .into_iter()
            .collect(),
    };
    let value = serde_json::json!({
        "apiVersion": API_VERSION,
        "kind": "AdmissionConfiguration",
        "plugins": plugins,
    });
    serde_json::to_string_pretty(&value)
        .map(|text| text + "\n")
        .map_err(|e| Failure::new(format!("admission-configuration.json: {e}")))
}
