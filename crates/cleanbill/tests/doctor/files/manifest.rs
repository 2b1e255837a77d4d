//! Manifests of the API server that are wrong.

use crate::node::{CONFIG, MANIFEST};
use crate::row::Expect::{Error, Fine, Warning};
use crate::row::{Row, row};

const PLUGINS: &str = "--enable-admission-plugins=NodeRestriction,ImagePolicyWebhook";
const FLAG: &str =
    "--admission-control-config-file=/etc/kubernetes/cleanbill/admission-configuration.yaml";

pub const ROWS: &[Row] = &[
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
];
