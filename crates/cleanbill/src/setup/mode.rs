//! Where the gate stands, how the API server comes to ask it, and whose cluster it is: the closed
//! lists that everything else here is chosen by.

/// Where the gate stands and by which interface it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Mode {
    /// A service on the control-plane node, asked by ImagePolicyWebhook
    Node,
    /// A server outside of the cluster, asked by ImagePolicyWebhook
    Remote,
    /// Pods of the cluster, asked by admission webhooks
    Webhook,
    /// Asked by admission webhooks from files (Kubernetes 1.36, alpha)
    StaticWebhook,
}

impl Mode {
    /// Every mode.
    pub const ALL: [Self; 4] = [Self::Node, Self::Remote, Self::Webhook, Self::StaticWebhook];

    /// Whether the plug-in ImagePolicyWebhook asks, and not an admission webhook.
    pub fn is_plugin(self) -> bool {
        match self {
            Self::Node | Self::Remote => true,
            Self::Webhook | Self::StaticWebhook => false,
        }
    }

    /// Whether the gate is a service of the node, with a unit and a static pod.
    pub fn is_on_node(self) -> bool {
        match self {
            Self::Node | Self::StaticWebhook => true,
            Self::Remote | Self::Webhook => false,
        }
    }

    /// The name by which the gate is reached where none is given.
    pub fn host(self, namespace: &str) -> String {
        match self {
            Self::Node => "localhost".to_owned(),
            Self::Remote | Self::StaticWebhook => "127.0.0.1".to_owned(),
            Self::Webhook => format!("cleanbill.{namespace}.svc"),
        }
    }
}

/// With what the cluster is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Tool {
    /// Nodes that are containers
    Kind,
    /// One virtual machine or container
    Minikube,
    /// One program for all of it
    K3s,
    /// kubeadm, and what builds on it
    Kubeadm,
}

impl Tool {
    /// Every tool.
    pub const ALL: [Self; 4] = [Self::Kind, Self::Minikube, Self::K3s, Self::Kubeadm];

    /// Where the API server finds the files where nothing else is said.
    pub fn mount_dir(self) -> &'static str {
        match self {
            // Its API server mounts no folder but a few that are there anyway; this is one.
            Self::Minikube => "/etc/ssl/certs/cleanbill",
            Self::Kind | Self::K3s | Self::Kubeadm => MOUNT_DIR,
        }
    }
}

/// Where the API server finds the files, usually.
pub const MOUNT_DIR: &str = "/etc/kubernetes/cleanbill";
