//! What `cleanbill setup` makes: certificates, and every file by which an API server learns to
//! ask the gate.
//!
//! Each sibling makes the text of one kind of file from a [`Plan`]; [`files`] alone writes, all
//! or nothing. Nothing here asks the network or touches a running cluster. What the API server
//! accepts is checked here with its own rules, because there a mistake ends in a control plane
//! that does not start.

pub mod admission;
pub mod apply;
mod certificate;
pub mod cluster;
mod derived;
pub mod files;
pub mod gate;
pub mod kubeconfig;
pub mod manifest;
pub mod mode;
pub mod node;
pub mod pki;
mod plan;
pub mod renew;
pub mod replace;
mod template;
mod tools;
pub mod webhooks;
mod words;
mod yaml;

use crate::failure::Result;
use files::NewFile;
use mode::Mode;
use pki::{Authority, Validity};
pub use plan::Plan;

/// Makes every file of the plan, fresh keys included, in memory.
///
/// # Errors
/// When a value cannot be, or the system gives no randomness.
pub fn make(plan: &Plan, now: cleanbill_core::Timestamp) -> Result<Vec<NewFile>> {
    plan.check()?;
    let valid = Validity::days(now, plan.days)?;
    let authority = Authority::new(valid)?;
    let server = authority.server(&plan.hosts, valid)?;
    let client = authority.client(&plan.client_name, valid)?;
    let ca = authority.certificate();
    let mut made = vec![
        NewFile::public("kubeconfig", kubeconfig::text(plan)),
        NewFile::public("admission-configuration.yaml", admission::yaml(plan)),
        NewFile::public("admission-configuration.json", admission::json(plan)?),
        NewFile::public("kube-apiserver.patch.yaml", manifest::patch(plan)),
        NewFile::public("kube-apiserver.patch.md", words::words(plan)),
    ];
    match plan.mode {
        Mode::Node | Mode::Remote => {}
        Mode::Webhook => {
            let secret =
                cluster::certificates(&plan.namespace, &ca, &server.certificate, &server.key);
            let image = plan.image.as_deref().unwrap_or_default();
            made.extend([
                NewFile::public("cluster/00-namespace.yaml", cluster::namespace(plan)),
                NewFile::public("cluster/10-access.yaml", cluster::access(plan)),
                NewFile::public("cluster/20-configuration.yaml", cluster::configuration(plan)),
                NewFile::secret("cluster/21-certificates.yaml", secret),
                NewFile::public("cluster/30-gate.yaml", cluster::gate(plan, image)),
                NewFile::public("webhooks/validating.yaml", webhooks::validating(plan, &ca)),
                NewFile::public("webhooks/mutating.yaml", webhooks::mutating(plan, &ca)),
            ]);
        }
        Mode::StaticWebhook => made.extend([
            NewFile::public("validating-webhooks/cleanbill.yaml", webhooks::validating(plan, &ca)),
            NewFile::public("mutating-webhooks/cleanbill.yaml", webhooks::mutating(plan, &ca)),
        ]),
    }
    if plan.mode != Mode::Webhook {
        made.extend([
            NewFile::public("cleanbill.yaml", gate::config(plan)),
            NewFile::public("policy.yaml", gate::policy()),
        ]);
    }
    if plan.mode.is_on_node() {
        made.extend([
            NewFile::public("cleanbill.service", node::unit(plan)),
            NewFile::public("cleanbill.sysusers.conf", node::user(plan)),
        ]);
        let pod = plan.image.as_deref().map(|image| node::pod(plan, image));
        made.extend(pod.map(|pod| NewFile::public("cleanbill.pod.yaml", pod)));
    }
    made.extend(tools::files(plan));
    made.extend([
        NewFile::public("ca.crt", ca),
        NewFile::public("server.crt", server.certificate),
        NewFile::secret("server.key", server.key),
        NewFile::public("client.crt", client.certificate),
        NewFile::secret("client.key", client.key),
    ]);
    if plan.keep_ca_key {
        made.push(NewFile::secret("ca.key", authority.key()));
    }
    Ok(made)
}

#[cfg(test)]
mod tests;
