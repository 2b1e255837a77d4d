//! Admission configurations that are wrong, or not where the API server looks.

use crate::node::{CONFIG, MANIFEST};
use crate::row::Expect::{Error, Fine, NotLooked, Warning};
use crate::row::{Row, row};

const MOUNT: &str =
    "    - mountPath: /etc/kubernetes/cleanbill\n      name: cleanbill\n      readOnly: true\n";

pub const ROWS: &[Row] = &[
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
];
