//! A running cluster as a laptop sees it, and copies of its metrics.

use std::collections::BTreeMap;

use cleanbill::doctor::{Input, Network};

use crate::node::{MANIFEST, Node};
use crate::row::Expect::{Error, Fine, NotLooked, Warning};
use crate::row::{Row, check, row};

#[allow(dead_code)]
#[path = "../kubernetes/server.rs"]
mod server;

#[test]
fn wrong_clusters() {
    check(ROWS);
}

const COUNT: &str = "apiserver_admission_controller_admission_duration_seconds_count";
const HOOKS: &str = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";

fn metrics(node: &Node, input: &mut Input, text: &str) {
    node.write("metrics", text);
    input.metrics = Some(node.path("metrics"));
}

fn asked(plugin: &str) -> String {
    format!(
        "{COUNT}{{name=\"{plugin}\",operation=\"CREATE\",rejected=\"false\",type=\"validate\"}} 5\n"
    )
}

/// A cluster that answers these, and the node's API server as its only one.
fn cluster(node: &Node, input: &mut Input, change: fn(&mut BTreeMap<String, (u16, String)>)) {
    let empty = "{\"items\":[]}".to_owned();
    let mut answers = BTreeMap::from([
        ("/version".to_owned(), (200, "{\"gitVersion\":\"v1.36.2\"}".to_owned())),
        ("/metrics".to_owned(), (200, asked("ImagePolicyWebhook"))),
        (HOOKS.to_owned(), (200, empty.clone())),
        (HOOKS.replace("validating", "mutating"), (200, empty)),
    ]);
    let pod = cleanbill::apiserver::yaml::first(&node.read(MANIFEST)).unwrap().json();
    let pods = "/api/v1/namespaces/kube-system/pods?labelSelector=component%3Dkube-apiserver";
    answers.insert(pods.to_owned(), (200, format!("{{\"items\":[{pod}]}}")));
    change(&mut answers);
    let api = server::start(answers, false);
    node.write("laptop", &api.kubeconfig(&format!("    token: {}\n", server::TOKEN)));
    input.kubeconfig = Some(node.path("laptop"));
    input.root = None;
    input.network = Network::Elsewhere;
}

pub const ROWS: &[Row] = &[
    row(
        "a cluster that is right",
        |n, i| cluster(n, i, |_| {}),
        Fine("plugin-enabled", "NodeRestriction,ImagePolicyWebhook"),
    ),
    row(
        "a cluster's node is not here",
        |n, i| cluster(n, i, |_| {}),
        NotLooked("config-decodes", "the node's files are not here"),
    ),
    row(
        "a cluster whose API server has the plug-in off",
        |n, i| {
            n.edit(MANIFEST, ",ImagePolicyWebhook", "");
            cluster(n, i, |_| {});
        },
        Error("plugin-enabled", "is off"),
    ),
    row(
        "a cluster that does not let us in",
        |n, i| {
            cluster(n, i, |_| {});
            n.edit("laptop", "s3cret-token", "another");
        },
        Error("cluster-readable", "may not read /version"),
    ),
    row(
        "a cluster whose control plane is hidden",
        |n, i| {
            cluster(n, i, |a| {
                a.retain(|path, _| !path.contains("/pods"));
            });
        },
        Warning("cluster-readable", "cannot be read"),
    ),
    row(
        "a cluster that is not to be called",
        |n, i| {
            cluster(n, i, |_| {});
            i.network = Network::Untouched;
        },
        NotLooked("cluster-readable", "--offline"),
    ),
    row(
        "the plug-in was never asked",
        |n, i| metrics(n, i, &asked("NodeRestriction")),
        Error("asked-at-all", "none passed ImagePolicyWebhook"),
    ),
    row(
        "nothing was made yet",
        |n, i| metrics(n, i, "apiserver_x 1\n"),
        NotLooked("asked-at-all", "yet"),
    ),
    row(
        "calls failed",
        |n, i| {
            let calls = |code: &str| {
                format!(
                    "rest_client_requests_total{{code=\"{code}\",host=\"127.0.0.1:1234\",method=\"POST\"}} 4\n"
                )
            };
            metrics(n, i, &(asked("ImagePolicyWebhook") + &calls("200") + &calls("<error>")));
        },
        Warning("calls-succeed", "<error>: 4"),
    ),
    row(
        "calls to an address without a port",
        |n, i| {
            n.edit(crate::node::KUBECONFIG, "127.0.0.1:1234", "127.0.0.1");
            metrics(
                n,
                i,
                "rest_client_requests_total{code=\"200\",host=\"127.0.0.1\",method=\"POST\"} 4\n",
            );
        },
        Fine("calls-succeed", "200: 4"),
    ),
    row(
        "the flags of a copy are judged without the node's files",
        |n, i| {
            n.edit(
                MANIFEST,
                "/etc/kubernetes/cleanbill/admission",
                "/etc/kubernetes/other/admission",
            );
            i.manifests = vec![n.path(MANIFEST)];
            i.root = None;
        },
        Error("config-mounted", "/etc/kubernetes/other/admission-configuration.yaml"),
    ),
    row(
        "a copy of the configuration alone",
        |n, i| {
            i.admission_config = Some(n.path(crate::node::CONFIG));
            i.root = None;
        },
        NotLooked("kubeconfig-file", "the node's files are not here"),
    ),
    row(
        "certificates without names were met",
        |n, i| {
            metrics(
                n,
                i,
                &(asked("ImagePolicyWebhook") + "apiserver_webhooks_x509_missing_san_total 2\n"),
            )
        },
        Warning("certificates-without-names", "2 connections"),
    ),
    row(
        "a webhook guards its own namespace",
        |n, i| {
            cluster(n, i, |a| {
                let hook = "{\"items\":[{\"webhooks\":[{\"name\":\"gate.example\",\"clientConfig\":{\"service\":{\"namespace\":\"cleanbill\",\"name\":\"gate\",\"path\":\"/validate\"}},\"rules\":[{\"resources\":[\"pods\"]}],\"failurePolicy\":\"Fail\"}]}]}";
                a.insert(HOOKS.to_owned(), (200, hook.to_owned()));
            });
        },
        Error("own-namespace", "values: [cleanbill]"),
    ),
    row(
        "a webhook leaves its own namespace out",
        |n, i| {
            cluster(n, i, |a| {
                let hook = "{\"items\":[{\"webhooks\":[{\"name\":\"gate.example\",\"namespaceSelector\":{\"matchExpressions\":[{\"key\":\"kubernetes.io/metadata.name\",\"operator\":\"NotIn\",\"values\":[\"cleanbill\"]}]},\"clientConfig\":{\"service\":{\"namespace\":\"cleanbill\",\"name\":\"gate\",\"path\":\"/validate\"}},\"rules\":[{\"resources\":[\"pods\"]}],\"failurePolicy\":\"Fail\"}]}]}";
                a.insert(HOOKS.to_owned(), (200, hook.to_owned()));
            });
        },
        Fine("own-namespace", "1 webhooks about pods"),
    ),
];
