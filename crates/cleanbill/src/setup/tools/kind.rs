//! kind: a cluster's configuration. The folder is mounted into the node, which is a container, and
//! from there into kube-apiserver.

use super::super::Plan;
use super::super::files::NewFile;
use super::super::manifest::needed;
use super::super::yaml::quoted;
use super::api_server;

pub(super) fn files(plan: &Plan) -> Vec<NewFile> {
    vec![NewFile::public("kind.yaml", config(plan))]
}

fn config(plan: &Plan) -> String {
    let from = format!("{}/apiserver", plan.folder.trim_end_matches('/'));
    format!(
        "# kind create cluster --config kind.yaml\n\
         #\n\
         # First put what kube-apiserver needs into the folder that is mounted:\n\
         #   mkdir -p apiserver && cp -pr {needed} apiserver/\n\
         # The node is a container: 127.0.0.1 in it is not this machine. For a gate that runs here, give\n\
         # setup the address of this machine in kind's network as --host:\n\
         #   docker network inspect kind -f '{{{{(index .IPAM.Config 0).Gateway}}}}'\n\
         kind: Cluster\n\
         apiVersion: kind.x-k8s.io/v1alpha4\n\
         nodes:\n\
         - role: control-plane\n  \
           extraMounts:\n  \
           - hostPath: {from}\n    \
             containerPath: {to}\n    \
             readOnly: true\n  \
           # kind takes the one of its kubeadm's version.\n  \
           kubeadmConfigPatches:\n  \
           - |\n    \
             apiVersion: kubeadm.k8s.io/v1beta3\n    \
             kind: ClusterConfiguration\n\
         {three}  \
           - |\n    \
             apiVersion: kubeadm.k8s.io/v1beta4\n    \
             kind: ClusterConfiguration\n\
         {four}",
        needed = needed(plan.mode).join(" "),
        from = quoted(&from),
        to = quoted(&plan.mount_dir),
        three = api_server(plan, false, 4),
        four = api_server(plan, true, 4),
    )
}
