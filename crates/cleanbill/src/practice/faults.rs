//! Everything that can be wrong with the node, in one list. To add a fault is to add a line.

use super::folder::{ADMISSION, Folder, KUBECONFIG, MANIFEST};
use crate::failure::Result;

/// One thing that is wrong.
pub struct Fault {
    /// Its name.
    pub id: &'static str,
    /// Which part of the node it is in: two faults of one part do not go together.
    pub place: &'static str,
    /// Makes it wrong.
    pub plant: fn(&mut Folder) -> Result<()>,
    /// Where, what, and how.
    pub hints: [&'static str; 3],
}

const CA: &str = "etc/kubernetes/imagepolicy/webhook-ca.crt";
const CLIENT: &str = "etc/kubernetes/imagepolicy/apiserver-client.crt";
const KEY: &str = "etc/kubernetes/imagepolicy/apiserver-client.key";

macro_rules! changed {
    ($id:literal, $place:literal, $file:expr, $good:literal => $bad:literal, $hints:expr) => {
        Fault {
            id: $id,
            place: $place,
            plant: |node| node.change($file, $good, $bad),
            hints: $hints,
        }
    };
}

/// All of them.
pub const FAULTS: &[Fault] = &[
    changed!("plugin-off", "plugins", MANIFEST,
        "NodeRestriction,ImagePolicyWebhook" => "NodeRestriction",
        ["look at kube-apiserver's flags", "which admission plug-ins are enabled?",
         "append ,ImagePolicyWebhook to --enable-admission-plugins"]),
    changed!("plugin-misspelt", "plugins", MANIFEST,
        "NodeRestriction,ImagePolicyWebhook" => "NodeRestriction,ImagePolicyWebHook",
        ["look at kube-apiserver's flags", "names of plug-ins are spelt exactly",
         "it is ImagePolicyWebhook, with a small h"]),
    changed!("plugin-disabled", "plugins", MANIFEST,
        "    - --etcd-servers" => "    - --disable-admission-plugins=ImagePolicyWebhook\n    - --etcd-servers",
        ["look at kube-apiserver's flags", "one flag undoes what another does",
         "take --disable-admission-plugins=ImagePolicyWebhook out"]),
    changed!("flag-misspelt", "config-flag", MANIFEST,
        "--admission-control-config-file" => "--admission-controll-config-file",
        ["look at kube-apiserver's flags", "one of them does not exist",
         "it is --admission-control-config-file"]),
    changed!("flag-absent", "config-flag", MANIFEST,
        "    - --admission-control-config-file=/etc/kubernetes/imagepolicy/admission.yaml\n" => "",
        ["look at kube-apiserver's flags", "how does it learn of the plug-in's configuration?",
         "add --admission-control-config-file=/etc/kubernetes/imagepolicy/admission.yaml"]),
    changed!("flag-elsewhere", "config-flag", MANIFEST,
        "imagepolicy/admission.yaml" => "imagepolicy/admission-config.yaml",
        ["look at kube-apiserver's flags", "is the file there that the flag names?",
         "the file is /etc/kubernetes/imagepolicy/admission.yaml"]),
    changed!("not-mounted", "mounts", MANIFEST,
        "    - mountPath: /etc/kubernetes/imagepolicy\n      name: imagepolicy\n      readOnly: true\n" => "",
        ["look at kube-apiserver's manifest below its flags",
         "a container sees only what is mounted",
         "mount the volume imagepolicy at /etc/kubernetes/imagepolicy"]),
    changed!("mounted-elsewhere", "mounts", MANIFEST,
        "mountPath: /etc/kubernetes/imagepolicy" => "mountPath: /etc/kubernetes/image-policy",
        ["look at kube-apiserver's manifest below its flags",
         "compare the paths in the container with those in the flags",
         "the mountPath has to be /etc/kubernetes/imagepolicy"]),
    changed!("volume-elsewhere", "mounts", MANIFEST,
        "      path: /etc/kubernetes/imagepolicy" => "      path: /etc/kubernetes/imagepolicies",
        ["look at kube-apiserver's manifest, at its end", "is that folder on the node?",
         "the hostPath has to be /etc/kubernetes/imagepolicy"]),
    Fault {
        id: "wrong-folder",
        place: "manifest",
        plant: |node| {
            let text = node.take(MANIFEST)?;
            node.put("etc/kubernetes/manifest/kube-apiserver.yaml", text);
            Ok(())
        },
        hints: [
            "look at where the manifest is",
            "the kubelet reads one folder only",
            "move kube-apiserver.yaml to /etc/kubernetes/manifests",
        ],
    },
    Fault {
        id: "backup-beside",
        place: "manifest",
        plant: |node| {
            let text = node.take(MANIFEST)?;
            let before = text.replace(",ImagePolicyWebhook", "");
            node.put("etc/kubernetes/manifests/kube-apiserver.yaml.bak", before);
            node.put(MANIFEST, text);
            Ok(())
        },
        hints: [
            "look at what else is in the folder of manifests",
            "the kubelet reads every file there, whatever its ending",
            "move kube-apiserver.yaml.bak out of /etc/kubernetes/manifests",
        ],
    },
    changed!("default-allow", "default-allow", ADMISSION,
        "defaultAllow: false" => "defaultAllow: true",
        ["look at the admission configuration", "what happens while the webhook is down?",
         "set defaultAllow: false"]),
    changed!("ttl-as-text", "ttl", ADMISSION,
        "allowTTL: 50" => "allowTTL: 50s",
        ["look at the admission configuration", "times are numbers there", "write allowTTL: 50"]),
    changed!("ttl-too-long", "ttl", ADMISSION,
        "denyTTL: 50" => "denyTTL: 5000",
        ["look at the admission configuration", "times are bounded there",
         "denyTTL may be 1800 at most"]),
    changed!("unknown-field", "outer", ADMISSION,
        "  configuration:\n" => "  mode: enforce\n  configuration:\n",
        ["look at the admission configuration", "what is unknown there ends kube-apiserver",
         "take mode: enforce out"]),
    changed!("wrong-version", "outer", ADMISSION,
        "apiserver.config.k8s.io/v1" => "apiserver.k8s.io/v1",
        ["look at the admission configuration", "is its version one that exists?",
         "it is apiserver.config.k8s.io/v1"]),
    changed!("other-plugin", "outer", ADMISSION,
        "name: ImagePolicyWebhook" => "name: ImagePolicy",
        ["look at the admission configuration", "for which plug-in is that configuration?",
         "its name has to be ImagePolicyWebhook"]),
    changed!("kubeconfig-elsewhere", "kubeconfig-path", ADMISSION,
        "imagepolicy/kubeconfig.yaml" => "imagepolicy/kubeconf.yaml",
        ["look at the admission configuration", "is the file there that it names?",
         "the file is /etc/kubernetes/imagepolicy/kubeconfig.yaml"]),
    changed!("kubeconfig-relative", "kubeconfig-path", ADMISSION,
        "/etc/kubernetes/imagepolicy/kubeconfig.yaml" => "kubeconfig.yaml",
        ["look at the admission configuration", "to what is that path relative?",
         "name the kubeconfig by its whole path"]),
    changed!("without-contexts", "contexts", KUBECONFIG,
        "contexts:\n- name: image-webhook\n  context:\n    cluster: image-webhook\n    user: api-server\ncurrent-context: image-webhook\n" => "preferences: {}\n",
        ["look at the kubeconfig", "which cluster is it to use, and as whom?",
         "add a context of cluster image-webhook and user api-server, and make it the current one"]),
    changed!("wrong-context", "contexts", KUBECONFIG,
        "current-context: image-webhook" => "current-context: webhook",
        ["look at the kubeconfig, at its end", "is that context there?",
         "write current-context: image-webhook"]),
    changed!("wrong-user", "contexts", KUBECONFIG,
        "    user: api-server" => "    user: apiserver",
        ["look at the kubeconfig, at its contexts", "is that user there?",
         "the user is api-server"]),
    changed!("plain-http", "server", KUBECONFIG,
        "https://localhost" => "http://localhost",
        ["look at the kubeconfig, at its cluster", "does the webhook speak that?",
         "the address begins with https://"]),
    changed!("other-host", "server", KUBECONFIG,
        "https://localhost" => "https://image-webhook.default.svc",
        ["look at the kubeconfig, at its cluster",
         "which names does kube-apiserver know, with the host's network?",
         "the webhook is at localhost"]),
    Fault {
        id: "other-authority",
        place: "authority",
        plant: |node| {
            let text = node.misnamed.0.clone();
            node.put(CA, text);
            Ok(())
        },
        hints: [
            "look at the kubeconfig, at its cluster",
            "who signed the webhook's certificate?",
            "copy /opt/webhook/ca.crt to /etc/kubernetes/imagepolicy/webhook-ca.crt",
        ],
    },
    changed!("authority-elsewhere", "authority", KUBECONFIG,
        "imagepolicy/webhook-ca.crt" => "imagepolicy/ca.crt",
        ["look at the kubeconfig, at its cluster", "is the file there that it names?",
         "the authority is in webhook-ca.crt"]),
    Fault {
        id: "other-key",
        place: "client",
        plant: |node| {
            let good = node.take(KEY)?;
            node.put("etc/kubernetes/imagepolicy/apiserver-client-2.key", good);
            let bad = node.stranger.1.clone();
            node.put(KEY, bad);
            Ok(())
        },
        hints: [
            "look at the kubeconfig, at its user",
            "does the key belong to the certificate?",
            "the right key is in apiserver-client-2.key",
        ],
    },
    Fault {
        id: "client-of-a-stranger",
        place: "client",
        plant: |node| {
            for (path, name, bad) in [
                (CLIENT, "etc/kubernetes/imagepolicy/client-2.crt", node.stranger.0.clone()),
                (KEY, "etc/kubernetes/imagepolicy/client-2.key", node.stranger.1.clone()),
            ] {
                let good = node.take(path)?;
                node.put(name, good);
                node.put(path, bad);
            }
            Ok(())
        },
        hints: [
            "look at the kubeconfig, at its user",
            "who signed kube-apiserver's certificate, and whom does the webhook trust?",
            "the certificate that /opt/webhook/ca.crt signed is client-2.crt, with client-2.key",
        ],
    },
];
