//! The webhook configurations: as objects of the API that lead to a Service, and as files of the
//! API server (`staticManifestsDir`) that lead to a URL.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Plan;
use super::mode::Mode;
use super::template::fill;
use super::yaml::quoted;

/// Where the API server looks for static configurations, below the mounted folder.
pub const VALIDATING_DIR: &str = "validating-webhooks";
/// The same for mutating ones: a folder may hold one kind only.
pub const MUTATING_DIR: &str = "mutating-webhooks";

/// The ValidatingWebhookConfiguration.
pub fn validating(plan: &Plan, ca: &str) -> String {
    configuration(include_str!("templates/validating.yaml"), plan, ca, "/validate")
}

/// The MutatingWebhookConfiguration.
pub fn mutating(plan: &Plan, ca: &str) -> String {
    configuration(include_str!("templates/mutating.yaml"), plan, ca, "/mutate")
}

/// A bundle as it stands behind `caBundle:`.
pub fn bundle(ca: &str) -> String {
    STANDARD.encode(ca)
}

fn configuration(template: &str, plan: &Plan, ca: &str, path: &str) -> String {
    let leads_to = match plan.mode {
        Mode::StaticWebhook => format!("    url: {}\n", quoted(&format!("{}{path}", plan.base()))),
        Mode::Webhook | Mode::Node | Mode::Remote => format!(
            "    service:\n      name: cleanbill\n      namespace: {}\n      port: 443\n      \
             path: {path}\n",
            quoted(&plan.namespace)
        ),
    };
    let client = format!("{leads_to}    caBundle: {}", bundle(ca));
    let static_one = plan.mode == Mode::StaticWebhook;
    // Static ones need the ending that the API keeps for them.
    let suffix = if static_one { "cleanbill.static.k8s.io" } else { "cleanbill.example" };
    let name = if static_one { suffix } else { "cleanbill" };
    let selector = format!(
        "  # By the namespace's name, which nobody in it chooses; an objectSelector could be evaded by\n  \
         # whoever labels pods. What is exempt here is not guarded: keep it short.\n  \
         namespaceSelector:\n    matchExpressions:\n    - key: kubernetes.io/metadata.name\n      \
         operator: NotIn\n      values: [{}]\n",
        quoted(&plan.namespace)
    );
    let (selector, exempt) = if static_one { (String::new(), "") } else { (selector, EXEMPT) };
    let text = fill(
        template,
        &[
            ("NAME", name),
            ("SUFFIX", suffix),
            ("CLIENT_CONFIG", &client),
            ("SELECTOR", &selector),
            ("EXEMPT_WORDS", exempt),
        ],
    );
    text.trim_end().to_owned() + "\n"
}

const EXEMPT: &str =
    "# The gate's own namespace is exempt, since a gate that guards itself cannot start again.\n";
