//! Doctor from a laptop: what it sees of a real API server through a kubeconfig alone.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::assets::assets;
use crate::cluster::{Server, Setup};
use crate::image_policy::{gate, server};
use crate::registry::Registry;
use crate::rig::cleanbill;

/// Checks and how each came out, with what was found.
fn looked(server: &Server) -> BTreeMap<String, (String, String)> {
    let mut command = cleanbill();
    command.args(["doctor", "-f", "json", "--kubeconfig"]).arg(server.path("admin.kubeconfig"));
    let output = command.output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)));
    let text = |check: &Value, key: &str| check[key].as_str().unwrap_or_default().to_owned();
    let checks = report["checks"].as_array().unwrap().iter();
    checks.map(|c| (text(c, "check"), (text(c, "result"), text(c, "found")))).collect()
}

#[test]
fn a_laptop_sees_whether_the_gate_is_asked() {
    let Some(assets) = assets() else { return };
    let registry = Registry::start();
    let gate = gate(&registry, &[]);
    let asking = server(&assets, &gate);
    let silent = Server::start(&assets, &Setup::default()).unwrap();
    for server in [&asking, &silent] {
        let reply = server.client().create("good", &[&registry.clean("app")]);
        assert_eq!(reply.status, 201, "{reply:?}");
    }
    let result = |looked: &BTreeMap<String, (String, String)>, check: &str| {
        looked.get(check).unwrap_or_else(|| panic!("no {check} in {looked:?}")).0.clone()
    };
    let seen = looked(&asking);
    // It is no pod of the cluster, as that of kubeadm would be.
    assert_eq!(result(&seen, "cluster-readable"), "warning", "{seen:?}");
    assert_eq!(result(&seen, "asked-at-all"), "ok", "{seen:?}");
    let version = if assets.version < (1, 28) { "error" } else { "ok" };
    assert_eq!(result(&seen, "api-server-version"), version, "{seen:?}");
    let seen = looked(&silent);
    assert_eq!(result(&seen, "asked-at-all"), "error", "{seen:?}");
}
