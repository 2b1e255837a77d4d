//! What the tool that makes a cluster needs to hear: one file a tool, each makes the files that go
//! with the same flags and the same folder.

mod k3s;
mod kind;
mod kubeadm;
mod minikube;

use super::Plan;
use super::files::NewFile;
use super::mode::Tool;

/// The files for the plan's tool; none without one.
pub(super) fn files(plan: &Plan) -> Vec<NewFile> {
    match plan.tool {
        None => Vec::new(),
        Some(Tool::Kind) => kind::files(plan),
        Some(Tool::Minikube) => minikube::files(plan),
        Some(Tool::K3s) => k3s::files(plan),
        Some(Tool::Kubeadm) => kubeadm::files(plan),
    }
}

/// The lines of `apiServer` in kubeadm's configuration, indented by so many spaces. `listed`: as
/// v1beta4 has it; else as v1beta3.
fn api_server(plan: &Plan, listed: bool, indent: usize) -> String {
    use super::manifest::{VOLUME, whole_flags};
    use super::yaml::{block, quoted};
    let mut text = "apiServer:\n  extraArgs:\n".to_owned();
    for (name, value) in whole_flags(plan) {
        let value = quoted(&value);
        text.push_str(&if listed {
            format!("  - name: {name}\n    value: {value}\n")
        } else {
            format!("    {name}: {value}\n")
        });
    }
    let dir = quoted(&plan.mount_dir);
    text.push_str(&format!(
        "  extraVolumes:\n  - name: {VOLUME}\n    hostPath: {dir}\n    mountPath: {dir}\n    \
         readOnly: true\n    pathType: Directory\n"
    ));
    block(&text, indent)
}
