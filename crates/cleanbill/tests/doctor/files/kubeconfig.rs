//! Kubeconfigs that are wrong.

use crate::node::{CONFIG, KUBECONFIG};
use crate::row::Expect::{Error, Warning};
use crate::row::{Row, row};

const CONTEXTS: &str =
    "contexts:\n- name: cleanbill\n  context:\n    cluster: cleanbill\n    user: kube-apiserver\n";

pub const ROWS: &[Row] = &[
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
];
