//! Manifests, admission configurations, kubeconfigs and the gate's configuration that are wrong.

use crate::node::{CONFIG, GATE, KUBECONFIG, MANIFEST};
use crate::row::Expect::{Error, Fine, NotLooked, Warning};
use crate::row::{Row, check, row};

const PLUGINS: &str = "--enable-admission-plugins=NodeRestriction,ImagePolicyWebhook";
const FLAG: &str =
    "--admission-control-config-file=/etc/kubernetes/cleanbill/admission-configuration.yaml";
const MOUNT: &str =
    "    - mountPath: /etc/kubernetes/cleanbill\n      name: cleanbill\n      readOnly: true\n";
const CONTEXTS: &str =
    "contexts:\n- name: cleanbill\n  context:\n    cluster: cleanbill\n    user: kube-apiserver\n";

#[test]
fn wrong_files() {
    check(ROWS);
}

pub const ROWS: &[Row] = &[
    // The manifest.
    row(
        "the folder is spelt manifest",
        |n, _| n.rename("etc/kubernetes/manifests", "etc/kubernetes/manifest"),
        Error("manifest-folder", "/etc/kubernetes/manifest/kube-apiserver.yaml"),
    ),
    row(
        "the change was made in a folder beside",
        |n, _| {
            n.write("etc/kubernetes/manifest/kube-apiserver.yaml", &n.read(MANIFEST));
            n.edit(MANIFEST, ",ImagePolicyWebhook", "");
        },
        Error("manifest-folder", "make your change there"),
    ),
    row(
        "the kubelet reads another folder",
        |n, _| n.write("var/lib/kubelet/config.yaml", "staticPodPath: /etc/kubelet.d\n"),
        Error("manifest-folder", "/etc/kubelet.d"),
    ),
    row(
        "the manifest is gone",
        |n, _| n.remove(MANIFEST),
        Error("manifest-folder", "no kube-apiserver manifest is in it"),
    ),
    row(
        "the manifest is no YAML",
        |n, _| n.edit(MANIFEST, "  hostNetwork: true", "   hostNetwork: true"),
        Error("manifest-folder", "no YAML"),
    ),
    row(
        "a backup lies in the folder",
        |n, _| n.write("etc/kubernetes/manifests/kube-apiserver.yaml.bak", &n.read(MANIFEST)),
        Error("manifest-copies", "kube-apiserver.yaml.bak"),
    ),
    row(
        "a hidden backup harms nobody",
        |n, _| n.write("etc/kubernetes/manifests/.kube-apiserver.yaml.swp", &n.read(MANIFEST)),
        Fine("manifest-copies", "one kube-apiserver manifest"),
    ),
    row(
        "a flag is written as a key",
        |n, _| n.edit(MANIFEST, PLUGINS, "--enable-admission-plugins: ImagePolicyWebhook"),
        Error("manifest-readable", "an argument is no text"),
    ),
    row(
        "a mount without its volume",
        |n, _| n.edit(MANIFEST, "      name: cleanbill\n", "      name: cleanbil\n"),
        Error("manifest-volumes", "cleanbil"),
    ),
    row(
        "a volume whose folder is not there",
        |n, _| {
            n.edit(MANIFEST, "      path: /etc/kubernetes/cleanbill", "      path: /etc/cleanbill")
        },
        Error("manifest-volumes", "/etc/cleanbill is not there"),
    ),
    row(
        "the flag of the configuration is misspelt",
        |n, _| n.edit(MANIFEST, "--admission-control-config", "--admission-controll-config"),
        Error("flags", "write --admission-control-config-file"),
    ),
    row(
        "the flag of plug-ins lacks a letter",
        |n, _| n.edit(MANIFEST, "--enable-admission-plugins", "--enable-admission-plugin"),
        Error("flags", "write --enable-admission-plugins"),
    ),
    row(
        "a flag was cut short",
        |n, _| n.edit(MANIFEST, "config-file=/etc", "config=/etc"),
        Error("flags", "write --admission-control-config-file"),
    ),
    row(
        "a flag has one dash",
        |n, _| n.edit(MANIFEST, "--enable-admission", "-enable-admission"),
        Error("flags", "two dashes"),
    ),
    row(
        "a flag with a space in place of = is the same flag",
        |n, _| n.edit(MANIFEST, "plugins=NodeR", "plugins\n    - NodeR"),
        Fine("plugin-enabled", "is on"),
    ),
    row(
        "a flag that is given twice is joined",
        |n, _| {
            n.edit(
                MANIFEST,
                ",ImagePolicyWebhook",
                "\n    - --enable-admission-plugins=ImagePolicyWebhook",
            )
        },
        Fine("plugin-enabled", "NodeRestriction,ImagePolicyWebhook"),
    ),
    row(
        "the plug-in's name has another case",
        |n, _| n.edit(MANIFEST, "ImagePolicyWebhook", "ImagePolicyWebHook"),
        Error("plugin-name", "ImagePolicyWebHook"),
    ),
    row(
        "a space after the comma",
        |n, _| {
            n.edit(
                MANIFEST,
                PLUGINS,
                "'--enable-admission-plugins=NodeRestriction, ImagePolicyWebhook'",
            )
        },
        Error("plugin-name", "no spaces"),
    ),
    row(
        "the plug-in is not on",
        |n, _| n.edit(MANIFEST, ",ImagePolicyWebhook", ""),
        Error("plugin-enabled", "ImagePolicyWebhook is off"),
    ),
    row(
        "the plug-in is on and off",
        |n, _| {
            n.edit(MANIFEST, PLUGINS, "--enable-admission-plugins=ImagePolicyWebhook\n    - --disable-admission-plugins=ImagePolicyWebhook")
        },
        Error("plugin-enabled", "on and off"),
    ),
    row(
        "the plug-in is off",
        |n, _| n.edit(MANIFEST, "--enable-admission", "--disable-admission"),
        Error("plugin-enabled", "turned off"),
    ),
    row(
        "the old flag",
        |n, _| n.edit(MANIFEST, "--enable-admission-plugins", "--admission-control"),
        Warning("plugin-enabled", "replaces all defaults"),
    ),
    row(
        "the old flag and the new one",
        |n, _| {
            n.edit(MANIFEST, PLUGINS, "--enable-admission-plugins=ImagePolicyWebhook\n    - --admission-control=NodeRestriction")
        },
        Error("plugin-enabled", "never both"),
    ),
    row(
        "one of two API servers is as it was",
        |n, i| {
            n.write("cp2.yaml", &n.read(MANIFEST).replace(",ImagePolicyWebhook", ""));
            i.manifests = vec![n.path(MANIFEST), n.path("cp2.yaml")];
        },
        Error("servers-alike", "cp2.yaml: off"),
    ),
    row(
        "two API servers have different configurations",
        |n, i| {
            n.write("etc/kubernetes/cleanbill/other.yaml", &n.read(CONFIG));
            let other = n.read(MANIFEST).replace("admission-configuration.yaml", "other.yaml");
            n.write("cp2.yaml", &other);
            i.manifests = vec![n.path(MANIFEST), n.path("cp2.yaml")];
        },
        Error("servers-alike", "not configured alike"),
    ),
    row(
        "the configuration is not named",
        |n, _| n.edit(MANIFEST, &format!("    - {FLAG}\n"), ""),
        Error("config-flag", "there is no --admission-control-config-file"),
    ),
    row(
        "the configuration is named by a relative path",
        |n, _| n.edit(MANIFEST, "file=/etc/kubernetes/cleanbill/adm", "file=adm"),
        Error("config-flag", "relative path"),
    ),
    // The admission configuration.
    row(
        "the folder is not mounted",
        |n, _| n.edit(MANIFEST, MOUNT, ""),
        Error("config-mounted", "below none of the mounts /etc/kubernetes/pki"),
    ),
    row(
        "the folder is mounted elsewhere",
        |n, _| {
            n.edit(MANIFEST, "mountPath: /etc/kubernetes/cleanbill", "mountPath: /etc/cleanbill")
        },
        Error("config-mounted", "/etc/cleanbill"),
    ),
    row(
        "the folder is a volume of another kind",
        |n, _| {
            let host =
                "  - hostPath:\n      path: /etc/kubernetes/cleanbill\n      type: Directory\n";
            n.edit(MANIFEST, host, "  - configMap: {name: x}\n");
        },
        NotLooked("config-mounted", "no folder of the node"),
    ),
    row(
        "the configuration is missing",
        |n, _| n.remove(CONFIG),
        Error("config-file", "no such file or directory"),
    ),
    row(
        "the mount leads to another folder",
        |n, _| {
            n.write("etc/kubernetes/old/x", "");
            n.edit(
                MANIFEST,
                "      path: /etc/kubernetes/cleanbill",
                "      path: /etc/kubernetes/old",
            );
        },
        Error("config-file", "/etc/kubernetes/old/admission-configuration.yaml on the node"),
    ),
    row(
        "a folder where the file should be",
        |n, _| {
            n.remove(CONFIG);
            n.write(&format!("{CONFIG}/x"), "");
        },
        Error("config-file", "is a directory"),
    ),
    row(
        "an unknown field",
        |n, _| n.edit(CONFIG, "  configuration:", "  configurations:"),
        Error("config-decodes", "unknown field \"plugins[0].configurations\""),
    ),
    row(
        "a doubled field",
        |n, _| n.edit(CONFIG, "allowTTL: 60", "allowTTL: 60\n      allowTTL: 30"),
        Error("config-decodes", "already set in map"),
    ),
    row(
        "a version that there is not",
        |n, _| n.edit(CONFIG, "apiserver.config.k8s.io/v1", "apiserver.k8s.io/v1"),
        Error("config-decodes", "is registered for version"),
    ),
    row(
        "the kubeconfig in the configuration's place",
        |n, _| n.write(CONFIG, "users:\n- name: a\n  user: {token: hunter2}\n"),
        Error("config-decodes", "Object 'Kind' is missing in '\u{2026}"),
    ),
    row(
        "a plug-in of another name",
        |n, _| n.edit(CONFIG, "- name: ImagePolicyWebhook", "- name: ImagePolicy"),
        Error("plugin-configured", "has the name ImagePolicyWebhook"),
    ),
    row(
        "a path that leads nowhere",
        |n, _| {
            let text = "apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\nplugins:\n- name: ImagePolicyWebhook\n  path: policy.yaml\n";
            n.write(CONFIG, text);
        },
        Error("plugin-configured", "/etc/kubernetes/cleanbill/policy.yaml"),
    ),
    row(
        "a time as text",
        |n, _| n.edit(CONFIG, "allowTTL: 60", "allowTTL: \"60\""),
        Error("policy-types", "cannot unmarshal string"),
    ),
    row(
        "a time with its unit",
        |n, _| n.edit(CONFIG, "denyTTL: 10", "denyTTL: 10s"),
        Error("policy-types", "bare numbers"),
    ),
    row(
        "a time out of range",
        |n, _| n.edit(CONFIG, "allowTTL: 60", "allowTTL: 3600"),
        Error("policy-range", "allowTTL: 3600"),
    ),
    row(
        "a misspelt key",
        |n, _| n.edit(CONFIG, "defaultAllow", "defaultAlow"),
        Error("policy-keys", "defaultAllow was probably meant"),
    ),
    row(
        "a key of another case counts",
        |n, _| n.edit(CONFIG, "defaultAllow", "defaultallow"),
        Fine("policy-keys", "every key"),
    ),
    row(
        "a key that there is not",
        |n, _| n.edit(CONFIG, "      allowTTL", "      timeout: 5\n      allowTTL"),
        Warning("policy-keys", "timeout is ignored"),
    ),
    row(
        "no kubeconfig is named",
        |n, _| {
            n.edit(CONFIG, "      kubeConfigFile: \"/etc/kubernetes/cleanbill/kubeconfig\"\n", "")
        },
        Error("kubeconfig-named", "it is not given"),
    ),
    row(
        "the kubeconfig is relative to the configuration",
        |n, _| n.edit(CONFIG, "\"/etc/kubernetes/cleanbill/kubeconfig\"", "kubeconfig"),
        Error("kubeconfig-named", "such as /etc/kubernetes/cleanbill/kubeconfig"),
    ),
    // The kubeconfig.
    row(
        "the kubeconfig is not mounted",
        |n, _| {
            n.rename(KUBECONFIG, "etc/kubernetes/epconfig/kubeconfig");
            n.edit(CONFIG, "cleanbill/kubeconfig", "epconfig/kubeconfig");
        },
        Error("kubeconfig-mounted", "/etc/kubernetes/epconfig/kubeconfig is below none"),
    ),
    row(
        "the kubeconfig is missing",
        |n, _| n.remove(KUBECONFIG),
        Error("kubeconfig-file", "/etc/kubernetes/cleanbill has admission-configuration.yaml"),
    ),
    row(
        "the kubeconfig has a list where a text belongs",
        |n, _| n.edit(KUBECONFIG, "server: \"https://127.0.0.1:1234/review\"", "server: [a]"),
        Error("kubeconfig-decodes", "cannot unmarshal array"),
    ),
    row(
        "a token that is a number is not repeated",
        |n, _| n.edit(KUBECONFIG, "    client-key:", "    token: 123456789\n    client-key:"),
        Error("kubeconfig-decodes", "cannot unmarshal number into"),
    ),
    row(
        "a kubeconfig as tutorials print it",
        |n, _| {
            n.edit(KUBECONFIG, CONTEXTS, "");
            n.edit(KUBECONFIG, "current-context: cleanbill\n", "");
        },
        Error("kubeconfig-context", "it has no contexts"),
    ),
    row(
        "no current context",
        |n, _| n.edit(KUBECONFIG, "current-context: cleanbill\n", ""),
        Error("kubeconfig-context", "no current-context"),
    ),
    row(
        "a current context that there is not",
        |n, _| n.edit(KUBECONFIG, "current-context: cleanbill", "current-context: webhook"),
        Error("kubeconfig-context", "its contexts are cleanbill"),
    ),
    row(
        "a context of a cluster that there is not",
        |n, _| n.edit(KUBECONFIG, "    cluster: cleanbill", "    cluster: image-checker"),
        Error("kubeconfig-context", "names the cluster \"image-checker\""),
    ),
    row(
        "a certificate that is not there",
        |n, _| n.remove("etc/kubernetes/cleanbill/client.crt"),
        Error("kubeconfig-files", "client-certificate"),
    ),
    row(
        "a key outside of the mounts",
        |n, _| n.edit(KUBECONFIG, "/etc/kubernetes/cleanbill/client.key", "/etc/ssl/client.key"),
        Error("kubeconfig-files", "below none of the mounts"),
    ),
    row(
        "a token and a password",
        |n, _| {
            n.edit(
                KUBECONFIG,
                "    client-key:",
                "    token: hunter2\n    username: me\n    client-key:",
            )
        },
        Error("kubeconfig-accepted", "more than one authentication method"),
    ),
    row(
        "an address without a port behind its colon",
        |n, _| n.edit(KUBECONFIG, "127.0.0.1:1234/review", "127.0.0.1:/review"),
        Error("kubeconfig-accepted", "port is empty"),
    ),
    row(
        "in the clear",
        |n, _| n.edit(KUBECONFIG, "https://", "http://"),
        Error("server-scheme", "in the clear"),
    ),
    row(
        "the path of the other webhook",
        |n, _| n.edit(KUBECONFIG, "/review", "/validate"),
        Error("server-path", "answers AdmissionReview"),
    ),
    row(
        "a query that is dropped",
        |n, _| n.edit(KUBECONFIG, "/review", "/review?x=1"),
        Warning("server-path", "?x=1 is dropped"),
    ),
    row(
        "the certificate is not looked at",
        |n, _| {
            n.edit(
                KUBECONFIG,
                "    certificate-authority:",
                "    insecure-skip-tls-verify: true\n    x:",
            )
        },
        Error("kubeconfig-authority", "not verified"),
    ),
    row(
        "no authority",
        |n, _| n.edit(KUBECONFIG, "    certificate-authority:", "    x:"),
        Warning("kubeconfig-authority", "public authorities"),
    ),
    row(
        "no client certificate",
        |n, _| {
            n.edit(KUBECONFIG, "    client-certificate:", "    x:");
            n.edit(KUBECONFIG, "    client-key:", "    y:");
        },
        Error("client-certificate-given", "no client certificate"),
    ),
    row(
        "data in place of files",
        |n, _| {
            use base64::Engine as _;
            let data = |name: &str| {
                base64::engine::general_purpose::STANDARD.encode(n.read(&format!("gate/{name}")))
            };
            n.edit(
                KUBECONFIG,
                "client-certificate: \"/etc/kubernetes/cleanbill/client.crt\"",
                &format!("client-certificate-data: {}", data("client.crt")),
            );
            n.edit(
                KUBECONFIG,
                "client-key: \"/etc/kubernetes/cleanbill/client.key\"",
                &format!("client-key-data: {}", data("client.key")),
            );
        },
        Warning("kubeconfig-data", "stand in the kubeconfig itself"),
    ),
    // The gate.
    row(
        "the gate's configuration has a misspelt key",
        |n, _| n.edit(GATE, "state_dir:", "statedir:"),
        Error("gate-config", "statedir"),
    ),
    row(
        "the gate's policy is none",
        |n, _| n.edit("gate/policy.yaml", "name: default", "nam: default"),
        Error("gate-config", "nam"),
    ),
    row(
        "a policy and certificates by whole paths are the node's",
        |n, _| {
            n.rename("gate/policy.yaml", "etc/cleanbill/policy.yaml");
            n.rename("gate/server.crt", "etc/cleanbill/server.crt");
            n.edit(GATE, "policy: policy.yaml", "policy: /etc/cleanbill/policy.yaml");
            n.edit(GATE, "cert: server.crt", "cert: /etc/cleanbill/server.crt");
        },
        Fine("gate-certificates", "belong together"),
    ),
    row(
        "a policy of a node that is not here",
        |n, i| {
            n.edit(GATE, "policy: policy.yaml", "policy: /etc/no-such/policy.yaml");
            i.root = None;
        },
        NotLooked("gate-config", "/etc/no-such/policy.yaml is the node's"),
    ),
    row(
        "the gate has another's key",
        |n, _| n.write("gate/server.key", &n.read("gate/client.key")),
        Error("gate-certificates", "the server certificate and its key"),
    ),
    row(
        "the gate listens on loopback and is called by another address",
        |n, _| n.edit(KUBECONFIG, "127.0.0.1:1234", "10.0.0.7:1234"),
        Error("gate-listens", "loopback alone"),
    ),
    row(
        "the gate listens on another port",
        |n, _| n.edit(GATE, "127.0.0.1:1234", "127.0.0.1:4321"),
        Warning("gate-listens", "the gate listens on 4321"),
    ),
];
