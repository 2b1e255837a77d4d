//! The change to kube-apiserver's static pod manifest, as a patch and in words.
//!
//! The patch (RFC 6902) only appends: kube-apiserver joins the values of a repeated
//! `--enable-admission-plugins`, so plug-ins that are already on stay on.

use super::Plan;
use super::yaml::quoted;

/// The files that kube-apiserver needs of all that were made.
const NEEDED: &str = "ca.crt client.crt client.key kubeconfig admission-configuration.yaml";

fn flags(plan: &Plan) -> [String; 2] {
    [
        "--enable-admission-plugins=ImagePolicyWebhook".to_owned(),
        format!("--admission-control-config-file={}", plan.mounted("admission-configuration.yaml")),
    ]
}

/// The patch, as `kubeadm` takes it (`kube-apiserver0+json.yaml` in its patches folder).
pub fn patch(plan: &Plan) -> String {
    let [plugins, config] = flags(plan);
    let dir = quoted(&plan.mount_dir);
    format!(
        "# RFC 6902 patch of kube-apiserver's Pod; see kube-apiserver.patch.md.\n\
         - op: add\n  path: /spec/containers/0/command/-\n  value: {}\n\
         - op: add\n  path: /spec/containers/0/command/-\n  value: {}\n\
         - op: add\n  path: /spec/containers/0/volumeMounts/-\n  value:\n    \
             name: cleanbill\n    mountPath: {dir}\n    readOnly: true\n\
         - op: add\n  path: /spec/volumes/-\n  value:\n    \
             name: cleanbill\n    hostPath:\n      path: {dir}\n      type: Directory\n",
        quoted(&plugins),
        quoted(&config),
    )
}

/// The same for people, with what to check before and after.
pub fn words(plan: &Plan) -> String {
    let [plugins, config] = flags(plan);
    let Plan { mount_dir: dir, port, client_name, .. } = plan;
    let server = plan.server();
    let open = if plan.values.default_allow {
        "`defaultAllow` is true: while the gate cannot be asked, every image is let in.\n"
    } else {
        "`defaultAllow` is false: while the gate cannot be asked, no pod can be made or changed.\n\
         The control plane's own static pods run whatever the answer is.\n"
    };
    format!(
        "# Let kube-apiserver ask Cleanbill\n\n\
         1. Start the gate, and see that it is ready, before kube-apiserver is changed:\n\n\
         \x20      cleanbill serve --config cleanbill.yaml\n\
         \x20      curl -s http://127.0.0.1:{metrics}/readyz\n\n\
         2. On every control-plane node put the five files that kube-apiserver needs into\n   \
         `{dir}` (owner root, `client.key` mode 0600); `server.key` is not among them:\n\n\
         \x20      install -d -m 0755 {dir}\n\
         \x20      cp -p {NEEDED} {dir}/\n\n\
         3. Keep a copy of `/etc/kubernetes/manifests/kube-apiserver.yaml` outside of that folder,\n   \
         then change it. Flags, under `spec.containers[0].command`:\n\n\
         \x20      - {plugins}\n\
         \x20      - {config}\n\n   \
         If `--enable-admission-plugins` is there already, add `,ImagePolicyWebhook` to its value\n   \
         instead. If `--admission-control-config-file` is there already, move the entry under\n   \
         `plugins` from `admission-configuration.yaml` into that file.\n\n   \
         A mount, under `spec.containers[0].volumeMounts`:\n\n\
         \x20      - name: cleanbill\n\
         \x20        mountPath: {dir}\n\
         \x20        readOnly: true\n\n   \
         A volume, under `spec.volumes`:\n\n\
         \x20      - name: cleanbill\n\
         \x20        hostPath:\n\
         \x20          path: {dir}\n\
         \x20          type: Directory\n\n   \
         With kubeadm, `kube-apiserver.patch.yaml` is the same change: copy it to its patches\n   \
         folder as `kube-apiserver0+json.yaml`, so that upgrades keep it.\n\n\
         4. kubelet starts kube-apiserver anew. If it does not come up, its log\n   \
         (`/var/log/containers/kube-apiserver-*`, `crictl logs`) says why; putting the copy back\n   \
         undoes everything.\n\n\
         ## Good to know\n\n\
         kube-apiserver calls `{server}`. It runs with the host's network, so `localhost` and\n\
         `127.0.0.1` are the node itself; the cluster's DNS names do not resolve there. If\n\
         HTTPS_PROXY is set for kube-apiserver, put the gate's host into NO_PROXY. The gate\n\
         listens on port {port} and takes only the certificate of `{client_name}`.\n\n\
         {open}\n\
         Deployments are not asked about, their pods are. A change of a running pod's labels\n\
         asks again, so a stricter policy can also stop changes to pods that run already.\n",
        metrics = super::gate::METRICS_PORT,
    )
}
