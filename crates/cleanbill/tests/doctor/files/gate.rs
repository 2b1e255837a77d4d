//! The gate's own configuration, its policy and its certificates.

use crate::node::{GATE, KUBECONFIG};
use crate::row::Expect::{Error, Fine, NotLooked, Warning};
use crate::row::{Row, row};

pub const ROWS: &[Row] = &[
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
