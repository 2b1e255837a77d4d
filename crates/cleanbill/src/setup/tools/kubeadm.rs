//! kubeadm: a ClusterConfiguration for new clusters, in both versions that are read today, and the
//! folder of patches for those that are there.

use super::super::Plan;
use super::super::files::NewFile;
use super::super::manifest::patch;
use super::api_server;

pub(super) fn files(plan: &Plan) -> Vec<NewFile> {
    vec![
        NewFile::public("kubeadm/v1beta4.yaml", config(plan, "v1beta4", true)),
        NewFile::public("kubeadm/v1beta3.yaml", config(plan, "v1beta3", false)),
        NewFile::public("kubeadm/patches/kube-apiserver0+json.yaml", patch(plan)),
    ]
}

fn config(plan: &Plan, version: &str, listed: bool) -> String {
    format!(
        "# For a new cluster: kubeadm init --config {version}.yaml, after the files are in\n\
         # {dir}. v1beta4 is read since Kubernetes 1.31, v1beta3 since 1.22.\n\
         # For a cluster that is there: kubeadm upgrade apply --patches patches/, and the same at each\n\
         # further upgrade. One of both, since the patch adds the same flags again.\n\
         apiVersion: kubeadm.k8s.io/{version}\n\
         kind: ClusterConfiguration\n{server}",
        dir = plan.mount_dir,
        server = api_server(plan, listed, 0),
    )
}
