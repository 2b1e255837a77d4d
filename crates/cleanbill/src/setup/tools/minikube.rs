//! minikube: the start of a cluster, as a script. Its API server mounts a few folders of the node
//! only, so the files go into one of them.

use super::super::Plan;
use super::super::files::NewFile;
use super::super::manifest::{needed, whole_flags};
use super::super::words::shell;

pub(super) fn files(plan: &Plan) -> Vec<NewFile> {
    vec![NewFile::public("minikube.sh", script(plan))]
}

fn script(plan: &Plan) -> String {
    let mut flags = String::new();
    for (name, value) in whole_flags(plan) {
        flags.push_str(&format!(
            " \\\n  {}",
            shell(&format!("--extra-config=apiserver.{name}={value}"))
        ));
    }
    format!(
        "#!/bin/sh\n\
         # Starts a minikube cluster whose API server asks the gate: sh minikube.sh [FLAGS]\n\
         #\n\
         # minikube copies what is below its folder files/ into the node, under the same path.\n\
         # 127.0.0.1 is the node. For a gate that runs on this machine, give setup\n\
         # --host host.minikube.internal, which minikube writes into the node's /etc/hosts.\n\
         set -eu\n\
         cd {folder}\n\
         files=\"${{MINIKUBE_HOME:-$HOME/.minikube}}/files\"{dir}\n\
         mkdir -p \"$files\"\n\
         cp -pr {needed} \"$files/\"\n\
         exec minikube start \"$@\"{flags}\n",
        folder = shell(&plan.folder),
        dir = shell(&plan.mount_dir),
        needed = needed(plan.mode).join(" "),
    )
}
