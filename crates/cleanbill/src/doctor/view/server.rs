//! One API server and what it reads, each step by the code that plays its part in `apiserver`.

use std::path::{Path, PathBuf};

use super::manifest::Manifest;
use super::probe::{self, Probe};
use super::target::Target;
use crate::apiserver::admission::{self, Given};
use crate::apiserver::image_policy::{self, ImagePolicy};
use crate::apiserver::kubeconfig::{self, Config, Reach, Source};
use crate::apiserver::node::Node;
use crate::apiserver::x509::Cert;
use crate::apiserver::{Files, Refused, Version};
use crate::doctor::found::{NotLooked, Seen, Unseen, denied, given, not_looked, refused};
use crate::doctor::{Input, Network};

/// The flag that names the admission configuration.
pub const CONFIG_FLAG: &str = "admission-control-config-file";
/// Said where files of a node would be needed.
pub const NO_NODE: &str = "the node's files are not here: run it on the node, or give --root DIR";

/// An API server.
pub struct Server {
    /// By what people know it: its manifest's file or its pod.
    pub name: String,
    /// Its Pod.
    pub manifest: Seen<Manifest>,
    /// The files of its node.
    pub node: Option<Files>,
    /// The files as it sees them itself.
    pub inside: Option<Files>,
    /// Which Kubernetes it is.
    pub version: Option<Version>,
    /// The admission configuration: which file, and whether it was named to us and not to it.
    pub config_path: Seen<PathBuf>,
    /// Whether `--admission-config` stands in for the flag.
    pub overridden: bool,
    /// What the configuration gives the plug-in.
    pub given: Seen<Option<Given>>,
    /// What the plug-in makes of it.
    pub policy: Seen<ImagePolicy>,
    /// The kubeconfig.
    pub kubeconfig: Seen<Config>,
    /// What its current context stands for.
    pub reach: Seen<Reach>,
    /// Where it calls.
    pub target: Seen<Target>,
    /// What came of calling there.
    pub probe: Result<Probe, String>,
}

fn not<T>(why: &str) -> Seen<T> {
    Err(Unseen::Not(why.to_owned()))
}

impl Server {
    /// Reads all of it.
    pub fn read(
        name: String,
        pod: Option<&Node>,
        node: Option<Files>,
        version: Option<Version>,
        input: &Input,
    ) -> Self {
        let manifest = match pod {
            Some(pod) => Manifest::of(pod).map_err(|e| Unseen::Refused(Refused::new(e))),
            None => not("there is no manifest to look at: give --manifest FILE or --root DIR"),
        };
        let version = manifest.as_ref().ok().and_then(Manifest::version).or(version);
        let inside = match (&node, &manifest) {
            (Some(node), Ok(manifest)) => Some(node.mounted(manifest.mounts.clone())),
            (Some(node), Err(_)) => Some(node.clone()),
            (None, _) => None,
        };
        let flag = match &manifest {
            Ok(manifest) => match manifest.value(CONFIG_FLAG).filter(|v| !v.is_empty()) {
                Some(value) => Ok(PathBuf::from(value)),
                None => not("no admission configuration is named"),
            },
            Err(e) => Err(e.clone()),
        };
        let overridden = input.admission_config.is_some();
        let config_path = input.admission_config.clone().map_or(flag, Ok);
        let mut server = Self {
            name,
            manifest,
            node,
            inside,
            version,
            config_path,
            overridden,
            given: not(""),
            policy: not(""),
            kubeconfig: not(""),
            reach: not(""),
            target: not(""),
            probe: Err(String::new()),
        };
        server.given = server.read_given();
        server.policy = follow(&server.given, "the admission configuration", |given| match given {
            Some(given) => image_policy::read(&given.content).map_err(refused),
            None => not("the admission configuration says nothing about the plug-in"),
        });
        server.kubeconfig = server.read_kubeconfig();
        let inside = server.inside.clone().unwrap_or_default();
        server.reach = follow(&server.kubeconfig, "the kubeconfig", |config| {
            config.reach(&inside).map_err(refused)
        });
        server.target = follow(&server.reach, "the kubeconfig", |reach| {
            Target::of(&reach.server).map_err(|e| Unseen::Refused(Refused::new(e)))
        });
        server.probe = server.call(input);
        server
    }

    fn read_given(&self) -> Seen<Option<Given>> {
        let path = self.config_path.clone()?;
        let here = Files::here();
        let files = match (self.overridden, &self.inside) {
            (true, _) => &here,
            (false, Some(inside)) => inside,
            (false, None) => return not(NO_NODE),
        };
        if let Err(why) = files.stat(&path) {
            let absent = "the admission configuration is not there, as said above";
            return Err(Unseen::Not(denied(&why).unwrap_or_else(|| absent.to_owned())));
        }
        let version = self.version.unwrap_or(Version::NEWEST);
        admission::plugin(files, &path, version).map_err(refused)
    }

    fn read_kubeconfig(&self) -> Seen<Config> {
        let policy = match given(&self.policy, "the plug-in's configuration") {
            Ok(policy) => policy,
            Err(NotLooked(why)) => return Err(Unseen::Not(why)),
        };
        if policy.kubeconfig.is_empty() {
            return not("no kubeconfig is named");
        }
        let Some(inside) = &self.inside else { return not(NO_NODE) };
        if let Err(why) = inside.stat(Path::new(&policy.kubeconfig)) {
            let absent = "the kubeconfig is not there, as said above";
            return Err(Unseen::Not(denied(&why).unwrap_or_else(|| absent.to_owned())));
        }
        kubeconfig::load(inside, &policy.kubeconfig).map_err(refused)
    }

    fn call(&self, input: &Input) -> Result<Probe, String> {
        let say = |e: NotLooked| e.0;
        if input.network == Network::Untouched {
            return Err("the network is not touched (--offline)".into());
        }
        let target = given(&self.target, "the address").map_err(say)?;
        let reach = given(&self.reach, "the kubeconfig").map_err(say)?;
        if target.is_loopback() && input.network == Network::Elsewhere {
            return Err(format!(
                "{} is the node itself, and this may be another machine: run it on the node",
                target.host()
            ));
        }
        let client = match (self.pem(&reach.certificate), self.pem(&reach.key)) {
            (Ok(certificate), Ok(key)) => Some((certificate, key)),
            (_, _) => None,
        };
        let name = reach.server_name.clone().unwrap_or_else(|| target.host().to_owned());
        Ok(probe::call(target, &name, &client, input.ask.as_deref()))
    }

    /// The bytes of a part of the kubeconfig.
    ///
    /// # Errors
    /// Where it is not given or cannot be read.
    pub fn pem(&self, source: &Source) -> Result<Vec<u8>, NotLooked> {
        let files = self.inside.clone().unwrap_or_default();
        match source.read(&files) {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) => not_looked("the kubeconfig does not give it"),
            Err(e) => not_looked(e.words),
        }
    }

    /// Certificates of a part of the kubeconfig.
    ///
    /// # Errors
    /// Where there are none.
    pub fn certificates(&self, source: &Source, what: &str) -> Result<Vec<Cert>, NotLooked> {
        let all = Cert::all(&self.pem(source)?);
        if all.is_empty() {
            not_looked(format!("{what} has no certificate in it"))
        } else {
            Ok(all)
        }
    }

    /// The Pod.
    ///
    /// # Errors
    /// Where there is none.
    pub fn pod(&self) -> Result<&Manifest, NotLooked> {
        given(&self.manifest, "the manifest")
    }

    /// The plug-in's configuration.
    ///
    /// # Errors
    /// Where it was not seen.
    pub fn image_policy(&self) -> Result<&ImagePolicy, NotLooked> {
        given(&self.policy, "the plug-in's configuration")
    }

    /// What the kubeconfig stands for.
    ///
    /// # Errors
    /// Where it was not seen.
    pub fn way(&self) -> Result<&Reach, NotLooked> {
        given(&self.reach, "the kubeconfig")
    }

    /// Where it calls.
    ///
    /// # Errors
    /// Where that was not seen.
    pub fn address(&self) -> Result<&Target, NotLooked> {
        given(&self.target, "the address")
    }

    /// What came of calling.
    ///
    /// # Errors
    /// Where nobody called.
    pub fn called(&self) -> Result<&Probe, NotLooked> {
        self.probe.as_ref().map_err(|why| NotLooked(why.clone()))
    }
}

fn follow<T, U>(seen: &Seen<T>, what: &str, then: impl FnOnce(&T) -> Seen<U>) -> Seen<U> {
    match given(seen, what) {
        Ok(value) => then(value),
        Err(NotLooked(why)) => Err(Unseen::Not(why)),
    }
}
