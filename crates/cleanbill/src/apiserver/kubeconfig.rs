//! A kubeconfig as client-go reads it for a webhook: which context counts, what is refused and in
//! which words, and what is passed over without one.
//!
//! Follows `clientcmd` (loader, validation, client_config) and `rest`. Secrets are held, never
//! shown: there is no `Debug` on what holds them.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::node::{Node, Value};
use super::{Files, Refused, json};

mod check;

/// Said where nothing usable is there.
pub const EMPTY: &str = "invalid configuration: no configuration has been provided, try setting \
                         KUBERNETES_MASTER environment variable";

/// How the webhook is reached.
pub struct Reach {
    /// The address as it is written.
    pub server: String,
    /// Who signs the webhook's certificate.
    pub authority: Source,
    /// Whether the webhook's certificate is not looked at.
    pub insecure: bool,
    /// The name that the webhook's certificate must be for, instead of the address's.
    pub server_name: Option<String>,
    /// Through which proxy.
    pub proxy: Option<String>,
    /// The client certificate.
    pub certificate: Source,
    /// Its key.
    pub key: Source,
    /// The bearer token.
    pub token: Option<String>,
    /// Name and password.
    pub basic: Option<(String, String)>,
    /// The program that would give credentials.
    pub exec: Option<String>,
    /// The user to act as.
    pub acts_as: Option<String>,
    /// The context that counted, with its cluster and user.
    pub context: [String; 3],
}

/// Bytes that stand in the kubeconfig or in a file.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Source {
    /// Not given.
    #[default]
    None,
    /// In the kubeconfig itself.
    Data(Vec<u8>),
    /// In a file, by its absolute path.
    File(PathBuf),
}

impl Source {
    /// Whether something is given.
    pub fn is_given(&self) -> bool {
        *self != Self::None
    }

    /// The bytes.
    ///
    /// # Errors
    /// Where the file cannot be read, in Go's words.
    pub fn read(&self, files: &Files) -> Result<Option<Vec<u8>>, Refused> {
        match self {
            Self::None => Ok(None),
            Self::Data(bytes) => Ok(Some(bytes.clone())),
            Self::File(path) => files.read(path).map(Some).map_err(Refused::new),
        }
    }
}

/// A document that was read and whose types are right.
pub struct Config {
    document: Node,
    folder: PathBuf,
}

/// Finds the kubeconfig that a plug-in names and reads it.
///
/// # Errors
/// What ends kube-apiserver.
pub fn load(files: &Files, name: &str) -> Result<Config, Refused> {
    if name.is_empty() {
        // Nor is there one in the environment; a static pod has no in-cluster one either.
        return Ok(Config { document: Node::null(), folder: PathBuf::new() });
    }
    let path = Path::new(name);
    if let Err(words) = files.stat(path)
        && words.ends_with("no such file or directory")
    {
        return Err(Refused::new(words));
    }
    let loading =
        |words: &str| Refused::new(format!("error loading config file \"{name}\": {words}"));
    let bytes = files.read(path).map_err(|words| loading(&words))?;
    let folder = files.absolute(path).parent().unwrap_or(Path::new("/")).to_owned();
    read(&String::from_utf8_lossy(&bytes), &folder)
        .map_err(|e| Refused { words: loading(&e.words).words, ..e })
}

/// The kubeconfig that counts: the one that is named, or the first of the environment's that is
/// there. client-go would merge several of them; here that is not played.
pub fn or_from_environment<'n>(files: &Files, name: &'n str, others: &'n [String]) -> &'n str {
    if !name.is_empty() {
        return name;
    }
    let there = |path: &&String| files.stat(Path::new(path.as_str())).is_ok();
    others.iter().find(there).map_or("", String::as_str)
}

/// Reads the text of a kubeconfig that stands in `folder`.
///
/// # Errors
/// In client-go's words, without the file's name.
pub fn read(text: &str, folder: &Path) -> Result<Config, Refused> {
    let document = json::either(text)?;
    check::types(&document)?;
    Ok(Config { document, folder: folder.to_owned() })
}

impl Config {
    /// What the current context stands for.
    ///
    /// # Errors
    /// What ends kube-apiserver.
    pub fn reach(&self, files: &Files) -> Result<Reach, Refused> {
        let named = |list: &str, name: &str| {
            let items = self.document.get(list).map(Node::items).unwrap_or_default();
            // Of two with the same name the first counts.
            items.iter().find(|item| item.get("name").and_then(Node::text).unwrap_or("") == name)
        };
        let current = self.text("current-context");
        let context = named("contexts", &current).and_then(|item| item.get("context"));
        let part = |key: &str| text(context, key);
        let (cluster_name, user_name) = (part("cluster"), part("user"));
        let cluster = named("clusters", &cluster_name).and_then(|item| item.get("cluster"));
        let user = named("users", &user_name).and_then(|item| item.get("user"));
        let mut errors = Vec::new();
        if !current.is_empty() && named("contexts", &current).is_none() {
            errors.push(format!("context was not found for specified context: {current}"));
        }
        let reach = Reach {
            server: text(cluster, "server"),
            authority: self.source(cluster, "certificate-authority")?,
            insecure: flag(cluster, "insecure-skip-tls-verify"),
            server_name: some(text(cluster, "tls-server-name")),
            proxy: some(text(cluster, "proxy-url")),
            certificate: self.source(user, "client-certificate")?,
            key: self.source(user, "client-key")?,
            token: some(text(user, "token")),
            basic: match (text(user, "username"), text(user, "password")) {
                (name, password) if name.is_empty() && password.is_empty() => None,
                both => Some(both),
            },
            exec: user.and_then(|u| u.get("exec")).map(|exec| text(Some(exec), "command")),
            acts_as: some(text(user, "as")),
            context: [current, cluster_name, user_name],
        };
        let absent = cluster.is_none_or(|c| c.entries().iter().all(|e| empty(&e.node)));
        check::user(self, user, &reach, files, &mut errors);
        check::cluster(self, cluster, &reach, absent, files, &mut errors);
        match errors.as_slice() {
            [] => {}
            [one] if one == check::NO_SERVER => return Err(Refused::new(EMPTY)),
            [one] => return Err(Refused::new(format!("invalid configuration: {one}"))),
            several => {
                let all = several.join(", ");
                return Err(Refused::new(format!("invalid configuration: [{all}]")));
            }
        }
        self.with_token(reach, user, files)
    }

    /// The token of a file, which is read only where the address is https.
    fn with_token(
        &self,
        mut reach: Reach,
        user: Option<&Node>,
        files: &Files,
    ) -> Result<Reach, Refused> {
        let file = text(user, "tokenFile");
        if reach.token.is_none() && !file.is_empty() && reach.server.starts_with("https:") {
            let bytes = files.read(&self.folder.join(&file)).map_err(Refused::new)?;
            reach.token = some(String::from_utf8_lossy(&bytes).into_owned());
        }
        Ok(reach)
    }

    /// The whole document, for whoever wants to say more about it.
    pub fn document(&self) -> &Node {
        &self.document
    }

    fn text(&self, key: &str) -> String {
        text(Some(&self.document), key)
    }

    /// `KEY-data` or the file that `KEY` names, relative to the kubeconfig.
    fn source(&self, node: Option<&Node>, key: &str) -> Result<Source, Refused> {
        let data = text(node, &format!("{key}-data"));
        if !data.is_empty() {
            // Types were looked at before, so this decodes.
            let bytes = decoded(&data).unwrap_or_default();
            return Ok(Source::Data(bytes));
        }
        match text(node, key) {
            name if name.is_empty() => Ok(Source::None),
            name => Ok(Source::File(self.path(&name))),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// Base64 as Go decodes it: line breaks are passed over.
fn decoded(data: &str) -> Option<Vec<u8>> {
    let data: String = data.chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
    STANDARD.decode(data).ok()
}

fn text(node: Option<&Node>, key: &str) -> String {
    node.and_then(|n| n.get(key)).and_then(Node::text).unwrap_or_default().to_owned()
}

fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn flag(node: Option<&Node>, key: &str) -> bool {
    node.and_then(|n| n.get(key)).is_some_and(|n| n.value == Value::Bool(true))
}

fn empty(node: &Node) -> bool {
    match &node.value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Text(text) => text.is_empty(),
        Value::Number(text) => text == "0",
        Value::List(items) => items.is_empty(),
        Value::Map(entries) => entries.is_empty(),
    }
}
