//! Which Kubernetes is played: what differs between versions hangs on this.

use std::fmt;
use std::str::FromStr;

/// A version of Kubernetes (`1.36.2`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The minor version: 36 of `1.36.2`.
    pub minor: u32,
    /// The patch: 2 of `1.36.2`.
    pub patch: u32,
}

impl Version {
    /// The one that is played unless another is asked for.
    pub const NEWEST: Self = Self { minor: 36, patch: 0 };

    /// Whether unknown and doubled fields of an AdmissionConfiguration end the API server (1.32).
    pub fn reads_strictly(self) -> bool {
        self.minor >= 32
    }

    /// Whether ephemeral containers are asked about: versions before have CVE-2023-2727.
    pub fn asks_about_ephemeral_containers(self) -> bool {
        match self.minor {
            24 => self.patch >= 15,
            25 => self.patch >= 11,
            26 => self.patch >= 6,
            27 => self.patch >= 3,
            minor => minor > 27,
        }
    }

    /// Whether Go says `tls: failed to verify certificate: ` before the cause (Go 1.20, which came
    /// with Kubernetes 1.27).
    pub fn says_failed_to_verify(self) -> bool {
        self.minor >= 27
    }

    /// Whether CA files of a kubeconfig are read again while the API server runs.
    pub fn rereads_authorities(self) -> bool {
        self.minor >= 36
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1.{}.{}", self.minor, self.patch)
    }
}

impl FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("{text:?} is no version of Kubernetes, such as 1.36 or v1.36.2");
        let rest = text.strip_prefix('v').unwrap_or(text);
        // What distributions append (`+k3s1`, `-eks-1`) changes nothing here.
        let rest = rest.split(['+', '-']).next().unwrap_or(rest);
        let mut parts = rest.split('.');
        let mut next = || parts.next().map(|part| part.parse::<u32>().map_err(|_| wrong()));
        let (major, minor) = (next().ok_or_else(wrong)??, next().ok_or_else(wrong)??);
        let patch = next().transpose()?.unwrap_or(0);
        if major != 1 || parts.next().is_some() {
            return Err(wrong());
        }
        Ok(Self { minor, patch })
    }
}
