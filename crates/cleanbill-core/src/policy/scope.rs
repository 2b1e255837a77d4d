//! Where a rule, an exception or an accepted gap holds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::NamePattern;
use crate::asked::Asked;
use crate::glob::Glob;
use crate::platform::Platform;
use crate::reference::{ImageRef, same_host};

/// A scope: every part that is given must hold. The default holds everywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// The namespaces, of which one must match.
    pub namespaces: Vec<Glob>,
    /// The namespaces, of which none may match.
    pub not_namespaces: Vec<Glob>,
    /// The repositories, of which one must match.
    pub repositories: Vec<NamePattern>,
    /// The repositories, of which none may match.
    pub not_repositories: Vec<NamePattern>,
    /// The registries, as image names write them, of which one must be the image's.
    pub registries: Vec<String>,
    /// The platforms: what other platforms of the image hold does not count.
    pub platforms: Vec<Platform>,
    /// Labels that the pod must have, with this value where one is given.
    pub labels: BTreeMap<String, Option<Glob>>,
    /// The users, of whom one must be asking.
    pub users: Vec<Glob>,
    /// The groups, of which the asking user must be in one.
    pub groups: Vec<Glob>,
    /// The service accounts (`NAMESPACE/NAME`), of which one must be the pod's.
    pub service_accounts: Vec<Glob>,
}

/// What is assumed of a part that nobody told, such as the labels in an `ImageReview`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Untold {
    /// That it holds: for what refuses.
    Holds,
    /// That it does not hold: for what permits.
    Fails,
}

impl Scope {
    /// Whether it holds for this image of this request. Platforms are asked for apart.
    pub fn holds(&self, image: &ImageRef, asked: &Asked, untold: Untold) -> bool {
        let any = |globs: &[Glob], text: &str| globs.iter().any(|g| g.matches(text));
        let names = |patterns: &[NamePattern]| patterns.iter().any(|p| p.matches(image));
        let host = |written: &String| same_host(written) == image.host();
        (self.namespaces.is_empty() || any(&self.namespaces, &asked.namespace))
            && !any(&self.not_namespaces, &asked.namespace)
            && (self.repositories.is_empty() || names(&self.repositories))
            && !names(&self.not_repositories)
            && (self.registries.is_empty() || self.registries.iter().any(host))
            && self.about_pod(asked, untold)
    }

    fn about_pod(&self, asked: &Asked, untold: Untold) -> bool {
        if !self.asks_about_pod() {
            return true;
        }
        let Some(pod) = &asked.pod else { return untold == Untold::Holds };
        let any = |globs: &[Glob], text: &str| globs.iter().any(|g| g.matches(text));
        let account = format!("{}/{}", asked.namespace, pod.service_account);
        self.labels.iter().all(|(key, value)| {
            let has = pod.labels.get(key);
            has.is_some_and(|has| value.as_ref().is_none_or(|v| v.matches(has)))
        }) && (self.users.is_empty() || any(&self.users, &pod.user))
            && (self.groups.is_empty() || pod.groups.iter().any(|g| any(&self.groups, g)))
            && (self.service_accounts.is_empty() || any(&self.service_accounts, &account))
    }

    /// Whether some part of it is told by `AdmissionReview` only.
    pub fn asks_about_pod(&self) -> bool {
        !(self.labels.is_empty()
            && self.users.is_empty()
            && self.groups.is_empty()
            && self.service_accounts.is_empty())
    }

    /// Whether some part of it is the pod's author's to choose, so that nothing that permits may
    /// depend on it.
    pub fn asks_author(&self) -> bool {
        !self.labels.is_empty() || !self.service_accounts.is_empty()
    }

    /// Whether what was found on this platform counts; `None` where its name is not known, or where
    /// it was found of the image as a whole.
    pub fn includes(&self, platform: Option<&Platform>, untold: Untold) -> bool {
        let named = |platform| self.platforms.iter().any(|p| p.accepts(platform));
        self.platforms.is_empty() || platform.map_or(untold == Untold::Holds, named)
    }
}
