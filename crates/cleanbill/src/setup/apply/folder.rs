//! What a folder that `setup` wrote says about the change that is to be applied, and how its gate
//! is asked. Read from the very files that are copied, so that nothing is said twice.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::edit::Change;
use crate::failure::{Failure, Result};
use crate::kube::Client;
use crate::setup::manifest::needed;
use crate::setup::mode::Mode;

/// A folder that `setup` wrote.
pub struct Folder {
    dir: PathBuf,
    /// The change to the manifest.
    pub change: Change,
    /// `HOST:PORT` of the gate.
    pub gate: String,
}

impl Folder {
    /// Reads it.
    ///
    /// # Errors
    /// When it is not complete, or of a mode that is not applied by this program.
    pub fn read(dir: &Path) -> Result<Self> {
        let wrong = |name: &str, why: &str| {
            Failure::new(format!("{}: {why}", dir.join(name).display()))
                .next("apply the folder that `cleanbill setup DIR` wrote")
        };
        let yaml = |name: &str| -> Result<Value> {
            let text = fs::read_to_string(dir.join(name))
                .map_err(|e| wrong(name, &format!("it cannot be read: {e}")))?;
            serde_saphyr::from_str(&text).map_err(|_| wrong(name, "it is no YAML"))
        };
        let name = "kube-apiserver.patch.yaml";
        let patch = yaml(name)?;
        let operations = patch.as_array().ok_or_else(|| wrong(name, "it is no patch"))?;
        let flag = |flag: &str| {
            let flags = operations.iter().filter_map(|op| op["value"].as_str());
            flags.filter_map(|text| text.strip_prefix(flag)).next().map(str::to_owned)
        };
        let Some(plugins) = flag("--enable-admission-plugins=") else {
            return Err(Failure::new(
                "setup apply is for the plug-in ImagePolicyWebhook (--mode node or remote) so far",
            )
            .next("follow kube-apiserver.patch.md, which has every step"));
        };
        let config_file = flag("--admission-control-config-file=")
            .ok_or_else(|| wrong(name, "it sets no admission configuration"))?;
        let mount_dir = operations
            .iter()
            .find_map(|op| op["value"]["mountPath"].as_str())
            .ok_or_else(|| wrong(name, "it mounts nothing"))?;
        let server = yaml("kubeconfig")?["clusters"][0]["cluster"]["server"].clone();
        let gate = server
            .as_str()
            .and_then(|url| url.strip_prefix("https://")?.split('/').next())
            .ok_or_else(|| wrong("kubeconfig", "it names no server"))?;
        for name in needed(Mode::Node) {
            if !dir.join(name).is_file() {
                return Err(wrong(name, "it is missing"));
            }
        }
        Ok(Self {
            dir: dir.to_owned(),
            change: Change {
                plugins: plugins.split(',').map(str::to_owned).collect(),
                config_file,
                mount_dir: mount_dir.to_owned(),
            },
            gate: gate.to_owned(),
        })
    }

    /// The names of the files that kube-apiserver needs.
    pub fn names(&self) -> &'static [&'static str] {
        needed(Mode::Node)
    }

    /// One of its files.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn file(&self, name: &str) -> Result<String> {
        let path = self.dir.join(name);
        fs::read_to_string(&path)
            .map_err(|e| Failure::new(format!("{} cannot be read: {e}", path.display())))
    }

    /// Asks the gate as kube-apiserver will.
    ///
    /// # Errors
    /// When a certificate cannot be used.
    pub fn client(&self) -> Result<Client> {
        let (ca, certificate) = (self.file("ca.crt")?, self.file("client.crt")?);
        let server = format!("https://{}", self.gate);
        Client::mutual(&server, &ca, &certificate, &self.file("client.key")?)
    }
}
