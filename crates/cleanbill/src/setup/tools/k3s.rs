//! k3s: a drop-in of its configuration. Its API server is a thread of a process on the host, so
//! nothing has to be mounted.

use super::super::Plan;
use super::super::files::NewFile;
use super::super::manifest::whole_flags;
use super::super::yaml::quoted;

pub(super) fn files(plan: &Plan) -> Vec<NewFile> {
    vec![NewFile::public("k3s.yaml", drop_in(plan))]
}

fn drop_in(plan: &Plan) -> String {
    let mut text = format!(
        "# For /etc/rancher/k3s/config.yaml.d/cleanbill.yaml on every server, then\n\
         # `systemctl restart k3s`. The files go into {} as they do elsewhere.\n\
         # The plus adds to what other files of that folder say.\n\
         kube-apiserver-arg+:\n",
        plan.mount_dir
    );
    for (name, value) in whole_flags(plan) {
        text.push_str(&format!("- {}\n", quoted(&format!("{name}={value}"))));
    }
    text
}
