//! What `cleanbill setup` makes: certificates, and every file by which an API server learns to
//! ask the gate.
//!
//! Each sibling makes the text of one kind of file from a [`Plan`]; [`files`] alone writes, all
//! or nothing. Nothing here asks the network or touches a running cluster. What the API server
//! accepts is checked here with its own rules, because there a mistake ends in a control plane
//! that does not start.

pub mod admission;
pub mod files;
pub mod gate;
pub mod kubeconfig;
pub mod manifest;
pub mod pki;
mod yaml;

use crate::failure::{Failure, Result};
use files::NewFile;
use pki::{Authority, Validity};

/// Everything that the files depend on, valid by construction (see [`Plan::check`]).
#[derive(Clone, Debug)]
pub struct Plan {
    /// Names and addresses by which the gate is reached; the first stands in the kubeconfig.
    pub hosts: Vec<String>,
    /// The gate's port.
    pub port: u16,
    /// The name in the API server's client certificate, and the one that the gate demands.
    pub client_name: String,
    /// Where the API server finds the files, an absolute path (`/etc/kubernetes/cleanbill`).
    pub mount_dir: String,
    /// Where the gate keeps its evidence.
    pub state_dir: String,
    /// The values of the plug-in.
    pub values: admission::Values,
    /// Whether "could not be examined now" is said by a failure instead of a denial.
    pub fail_when_unexamined: bool,
    /// Days for which the certificates are good.
    pub days: u32,
    /// Whether the authority's key is written too.
    pub keep_ca_key: bool,
}

impl Plan {
    /// Checks everything that a person chose.
    ///
    /// # Errors
    /// The first value that cannot be, with what would be right.
    pub fn check(&self) -> Result<()> {
        if self.hosts.is_empty() {
            return Err(Failure::new("no host is given").next("give --host NAME or --host IP"));
        }
        for host in &self.hosts {
            if rustls_pki_types::ServerName::try_from(host.as_str()).is_err() {
                return Err(Failure::new(format!(
                    "--host {host:?} is neither a host name nor an IP address"
                ))
                .next(
                    "give it without scheme, port or brackets, such as 10.0.0.7 or gate.example",
                ));
            }
        }
        if self.port == 0 {
            return Err(Failure::new("--port 0 is no port that an API server can call"));
        }
        let word = |b: u8| b.is_ascii_alphanumeric() || b"-_.:".contains(&b);
        if !(1..=64).contains(&self.client_name.len()) || !self.client_name.bytes().all(word) {
            return Err(Failure::new(format!(
                "--client-name {:?} does not fit into a certificate's name",
                self.client_name
            ))
            .next("use up to 64 letters, digits and - _ . :"));
        }
        for (flag, dir) in [("--mount-dir", &self.mount_dir), ("--state-dir", &self.state_dir)] {
            if !dir.starts_with('/') || dir.contains(|c: char| c.is_control()) {
                return Err(Failure::new(format!("{flag} {dir:?} is no absolute path"))
                    .next("the API server takes a relative path from its own working directory"));
            }
        }
        if !(1..=3650).contains(&self.days) {
            return Err(Failure::new(format!("--days {} is not from 1 to 3650", self.days)));
        }
        if self.fail_when_unexamined && self.values.default_allow {
            return Err(Failure::new(
                "--when-unexamined fail with --default-allow true lets in whatever could not be \
                 examined",
            )
            .next("use --default-allow false, or --when-unexamined deny"));
        }
        self.values.check()
    }

    /// The address in the kubeconfig.
    pub fn server(&self) -> String {
        let host = self.hosts.first().map_or("127.0.0.1", String::as_str);
        match host.parse::<std::net::Ipv6Addr>() {
            Ok(v6) => format!("https://[{v6}]:{}/review", self.port),
            Err(_) => format!("https://{host}:{}/review", self.port),
        }
    }

    /// The path of one of the files as the API server sees it.
    pub fn mounted(&self, name: &str) -> String {
        format!("{}/{name}", self.mount_dir.trim_end_matches('/'))
    }
}

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
    let mut made = vec![
        NewFile::public("ca.crt", authority.certificate()),
        NewFile::public("server.crt", server.certificate),
        NewFile::secret("server.key", server.key),
        NewFile::public("client.crt", client.certificate),
        NewFile::secret("client.key", client.key),
        NewFile::public("kubeconfig", kubeconfig::text(plan)),
        NewFile::public("admission-configuration.yaml", admission::yaml(plan)),
        NewFile::public("admission-configuration.json", admission::json(plan)?),
        NewFile::public("kube-apiserver.patch.yaml", manifest::patch(plan)),
        NewFile::public("kube-apiserver.patch.md", manifest::words(plan)),
        NewFile::public("cleanbill.yaml", gate::config(plan)),
        NewFile::public("policy.yaml", gate::policy()),
    ];
    if plan.keep_ca_key {
        made.push(NewFile::secret("ca.key", authority.key()));
    }
    Ok(made)
}

#[cfg(test)]
mod tests;
