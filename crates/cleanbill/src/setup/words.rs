//! `kube-apiserver.patch.md`: for people, what to do in which order, and what to check before and
//! after.

use super::Plan;
use super::gate::METRICS_PORT;
use super::manifest::{VOLUME, flags, needed};
use super::mode::Mode;
use super::node::PROGRAM;

/// The file's text.
pub fn words(plan: &Plan) -> String {
    let steps = [start(plan), files(plan), change(plan), restart(), then(plan)];
    let mut text = "# Let kube-apiserver ask Cleanbill\n\n".to_owned();
    for (number, step) in steps.iter().filter(|step| !step.is_empty()).enumerate() {
        text.push_str(&format!("{}. {step}\n", number + 1));
    }
    text.push_str("## Good to know\n\n");
    text.push_str(&good_to_know(plan));
    text
}

fn start(plan: &Plan) -> String {
    let Plan { config_dir, state_dir, namespace, .. } = plan;
    let ready = format!("curl -s http://127.0.0.1:{METRICS_PORT}/readyz");
    let before = "Start the gate, and see that it is ready, before kube-apiserver is changed";
    match plan.mode {
        Mode::Remote => {
            format!("{before}:\n\n       cleanbill serve --config cleanbill.yaml\n       {ready}\n")
        }
        Mode::Node | Mode::StaticWebhook => {
            let pod = if plan.image.is_some() {
                format!(
                    "\n   Or as a static pod (`cleanbill.pod.yaml`) instead of the unit; then user and \
                     group\n   are 65532, and `{state_dir}` has to be made with that owner and mode \
                     0700.\n"
                )
            } else {
                "\n   (`cleanbill setup --image NAME` also writes a static pod manifest.)\n"
                    .to_owned()
            };
            format!(
                "{before}, as a service of this node:\n\n       \
                 install -m 0755 cleanbill {PROGRAM}\n       \
                 install -m 0644 cleanbill.sysusers.conf /etc/sysusers.d/cleanbill.conf\n       \
                 systemd-sysusers\n       \
                 install -d -m 0750 -g cleanbill {config_dir}\n       \
                 install -m 0640 -g cleanbill cleanbill.yaml policy.yaml ca.crt server.crt server.key {config_dir}/\n       \
                 install -m 0644 cleanbill.service /etc/systemd/system/\n       \
                 systemctl daemon-reload && systemctl enable --now cleanbill\n       \
                 {ready}\n{pod}"
            )
        }
        Mode::Webhook => format!(
            "{before}. `cluster/21-certificates.yaml` has the gate's key in it: do not put it where\n   \
             others read. The policy is in `cluster/20-configuration.yaml`.\n\n       \
             kubectl apply -f cluster/\n       \
             kubectl -n {namespace} rollout status deployment/cleanbill\n"
        ),
    }
}

fn files(plan: &Plan) -> String {
    let dir = &plan.mount_dir;
    let names = needed(plan.mode);
    let done = if plan.mode.is_plugin() {
        "(On a node that kubeadm made, `cleanbill setup apply` does this step and those after it,\n   \
         and takes it back if the API server does not come up. Else by hand:)\n\n   "
    } else {
        ""
    };
    format!(
        "{done}On every control-plane node put what kube-apiserver needs into `{dir}`\n   \
         (owner root, `client.key` mode 0600); `server.key` is not among it:\n\n       \
         install -d -m 0755 {dir}\n       \
         cp -pr {} {dir}/\n",
        names.join(" ")
    )
}

fn change(plan: &Plan) -> String {
    let dir = &plan.mount_dir;
    let mut text =
        "Keep a copy of `/etc/kubernetes/manifests/kube-apiserver.yaml` outside of that folder,\n   \
         then change it. Flags, under `spec.containers[0].command`:\n\n"
            .to_owned();
    for (name, value) in flags(plan) {
        text.push_str(&format!("       - --{name}={value}\n"));
    }
    text.push('\n');
    for (name, value) in flags(plan) {
        if name != "admission-control-config-file" {
            text.push_str(&format!(
                "   If `--{name}` is there already, add `,{value}` to its value instead.\n"
            ));
        }
    }
    text.push_str(&format!(
        "   If `--admission-control-config-file` is there already, move the entries under\n   \
         `plugins` from `admission-configuration.yaml` into that file.\n\n   \
         A mount, under `spec.containers[0].volumeMounts`:\n\n       \
         - name: {VOLUME}\n         mountPath: {dir}\n         readOnly: true\n\n   \
         A volume, under `spec.volumes`:\n\n       \
         - name: {VOLUME}\n         hostPath:\n           path: {dir}\n           type: Directory\n\n   \
         With kubeadm, `kube-apiserver.patch.yaml` is the same change: copy it to its patches\n   \
         folder as `kube-apiserver0+json.yaml`, so that upgrades keep it.\n"
    ));
    text
}

fn restart() -> String {
    "kubelet starts kube-apiserver anew. If it does not come up, its log\n   \
     (`/var/log/containers/kube-apiserver-*`, `crictl logs`) says why; putting the copy back\n   \
     undoes everything.\n"
        .to_owned()
}

fn then(plan: &Plan) -> String {
    match plan.mode {
        Mode::Node | Mode::Remote | Mode::StaticWebhook => String::new(),
        Mode::Webhook => {
            "When every kube-apiserver has its files, and not before, since from here on \
             no pod\n   is made that the gate was not asked about:\n\n       \
             kubectl apply -f webhooks/\n\n   \
             `kubectl delete -f webhooks/` takes it back.\n"
                .to_owned()
        }
    }
}

fn good_to_know(plan: &Plan) -> String {
    let Plan { port, client_name, namespace, .. } = plan;
    let at = format!("and takes only the certificate of `{client_name}`");
    let node = "It runs with the host's network, so `localhost` and\n\
         `127.0.0.1` are the node itself; the cluster's DNS names do not resolve there. If\n\
         HTTPS_PROXY is set for kube-apiserver, put the gate's host into NO_PROXY.";
    match plan.mode {
        Mode::Node | Mode::Remote => {
            let open = if plan.values.default_allow {
                "`defaultAllow` is true: while the gate cannot be asked, every image is let in."
            } else {
                "`defaultAllow` is false: while the gate cannot be asked, no pod can be made or changed.\n\
                 The control plane's own static pods run whatever the answer is."
            };
            format!(
                "kube-apiserver calls `{}`. {node} The gate\n\
                 listens on port {port} {at}.\n\n\
                 {open}\n\n\
                 Deployments are not asked about, their pods are. A change of a running pod's labels\n\
                 asks again, so a stricter policy can also stop changes to pods that run already.\n",
                plan.server()
            )
        }
        Mode::Webhook => format!(
            "kube-apiserver calls the Service `cleanbill` in `{namespace}` by its cluster IP. By default it\n\
             shows a webhook no certificate, and without one the gate answers nobody: hence the change to\n\
             kube-apiserver, whose only purpose is the client certificate (`kubeConfigFile`, the user\n\
             `cleanbill.{namespace}.svc`). Where its flags cannot be changed, as in most managed clusters,\n\
             this mode cannot be used.\n\n\
             `failurePolicy` is Fail: while no replica can be asked, no pod can be made. The namespace\n\
             `{namespace}` is exempt (`namespaceSelector`), since a gate that guards itself cannot start again.\n\
             So whoever may make pods there may run any image: give nobody that right. Every other namespace,\n\
             kube-system too, is judged; the images that your cluster's own parts need have to pass.\n\n\
             A webhook can be deleted by whoever may delete it; nothing here sees that. The plug-in (mode\n\
             node) and static webhooks cannot.\n\n\
             The gate listens on port {port} {at}.\n"
        ),
        Mode::StaticWebhook => format!(
            "This needs Kubernetes 1.36 or newer, where it is alpha: the feature gate\n\
             `ManifestBasedAdmissionControlConfig`. An older kube-apiserver does not start with the field\n\
             `staticManifestsDir`, so take it out before you go back.\n\n\
             kube-apiserver calls `{}/validate` and `/mutate`. {node} The gate\n\
             listens on port {port} {at}.\n\n\
             Webhooks from files are there before the first request, cannot be seen or deleted through the\n\
             API, and are asked before those that are its objects. Every kube-apiserver reads its own files:\n\
             put the same on each. They are read again when they change (replace them by renaming); a broken\n\
             one is refused and the old stays, but at the start it ends kube-apiserver. No namespace is\n\
             exempt, because the gate is no pod of the cluster.\n\n\
             `failurePolicy` is Fail: while the gate cannot be asked, no pod can be made or get another\n\
             image. The control plane's own static pods run whatever the answer is.\n",
            plan.base()
        ),
    }
}

/// A word for a shell.
pub(super) fn shell(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./=:,@+".contains(&b);
    if !text.is_empty() && text.bytes().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}
