//! How registries are spoken to: flags that every command which asks one has, turned into one
//! value that cannot be wrong. Secrets are shown nowhere.

use std::fmt;
use std::io::Read as _;
use std::path::PathBuf;

use cleanbill_oci::limits::Limits;
use cleanbill_oci::registry::{AddressRule, Credentials, Registry, RegistryOptions};

use crate::failure::{Failure, Result};

/// Flags about registries.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct AccessArgs {
    /// Registry user (or CLEANBILL_USERNAME)
    #[arg(long, value_name = "USER")]
    pub username: Option<String>,
    /// Registry password (or CLEANBILL_PASSWORD)
    #[arg(long, value_name = "SECRET", conflicts_with = "password_stdin")]
    pub password: Option<Secret>,
    /// Read the registry password from standard input
    #[arg(long)]
    pub password_stdin: bool,
    /// Speak plain HTTP with this registry (repeatable)
    #[arg(long, value_name = "HOST[:PORT]")]
    pub plain_http: Vec<String>,
    /// Trust the certificate authorities in this PEM file as well
    #[arg(long, value_name = "FILE")]
    pub cacert: Option<PathBuf>,
}

/// A word that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The word itself, for the one place that sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// How a registry is spoken to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// User and password for the registry that is named; `None`: Docker's `config.json`.
    pub login: Option<(String, Secret)>,
    /// Registries (`host` or `host:port`) that speak plain HTTP.
    pub plain_http: Vec<String>,
    /// More certificate authorities, a PEM file.
    pub cacert: Option<PathBuf>,
}

/// The longest password that is read from standard input, in bytes.
const PASSWORD_MAX: u64 = 64 << 10;

impl AccessArgs {
    /// What the flags and variables mean; `taken` says whether standard input is read for
    /// something else.
    ///
    /// # Errors
    /// When there is a user without a password or the other way round, or the password cannot be
    /// read.
    pub fn resolve(self, taken: bool) -> Result<Access> {
        let password = match (self.password, self.password_stdin) {
            (Some(password), _) => Some(password),
            (None, true) if taken => {
                return Err(Failure::new("standard input cannot be both image and password")
                    .next("set CLEANBILL_PASSWORD instead"));
            }
            (None, true) => Some(password_from_stdin()?),
            (None, false) => variable("CLEANBILL_PASSWORD")?.map(Secret),
        };
        let user = self.username.map_or_else(|| variable("CLEANBILL_USERNAME"), |u| Ok(Some(u)))?;
        let login = match (user, password) {
            (Some(user), Some(password)) => Some((user, password)),
            (None, None) => None,
            (Some(_), None) => {
                return Err(Failure::new("a registry user without a password was given")
                    .next("add --password-stdin, or set CLEANBILL_PASSWORD"));
            }
            (None, Some(_)) => {
                return Err(Failure::new("a registry password without a user was given")
                    .next("add --username, or set CLEANBILL_USERNAME"));
            }
        };
        Ok(Access { login, plain_http: self.plain_http, cacert: self.cacert })
    }
}

impl Access {
    /// The way of a user on a machine of their own to a registry: any address; the login given for
    /// that registry, else Docker's configuration.
    ///
    /// # Errors
    /// When that configuration or the authorities cannot be read, or a host is malformed.
    pub fn registry(&self, host: &str, limits: &Limits) -> Result<Registry> {
        let mut options = RegistryOptions::new(AddressRule::Open);
        options.limits = limits.clone();
        options.plain_http.clone_from(&self.plain_http);
        options.ca_files = self.cacert.iter().cloned().collect();
        options.credentials = Credentials::from_docker_config(None)?;
        if let Some((user, password)) = &self.login {
            let password = cleanbill_oci::registry::Secret::new(password.reveal());
            options.credentials = options.credentials.with_login(host, user, password);
        }
        Ok(Registry::new(options)?)
    }
}

/// An environment variable; unset and empty are the same.
pub fn variable(name: &str) -> Result<Option<String>> {
    match std::env::var(name) {
        Ok(value) if value.is_empty() => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => {
            Err(Failure::new(format!("the variable {name} is not UTF-8")))
        }
    }
}

fn password_from_stdin() -> Result<Secret> {
    let mut text = String::new();
    let read = std::io::stdin().lock().take(PASSWORD_MAX).read_to_string(&mut text);
    read.map_err(|e| Failure::new(format!("cannot read the password from standard input: {e}")))?;
    Ok(Secret(text.trim_end_matches(['\r', '\n']).to_owned()))
}
