//! What a request says besides its images: for whom, where, and what its author wrote on it.
//!
//! Two interfaces ask. `ImageReview` tells the namespace and some annotations; `AdmissionReview`
//! tells the rest too. What was not told is [`None`], never an empty value, so that a policy can
//! tell "no labels" from "nobody said".

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The circumstances of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The namespace of the pod.
    pub namespace: String,
    /// The annotations that were told. The pod's author chooses them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// The pod, where it was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod: Option<Pod>,
}

/// What only `AdmissionReview` tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pod {
    /// Who made the request, as the API server authenticated him.
    pub user: String,
    /// The groups he is in, by the API server.
    pub groups: Vec<String>,
    /// The pod's labels. Its author chooses them.
    pub labels: BTreeMap<String, String>,
    /// The service account it runs as, in its namespace. Its author chooses it.
    pub service_account: String,
}
