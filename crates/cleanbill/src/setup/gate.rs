//! The gate's own configuration and a first policy.

use super::Plan;
use super::mode::Mode;
use super::yaml::quoted;

/// The port of `/healthz`, `/readyz` and `/metrics`, on loopback.
pub const METRICS_PORT: u16 = 1235;

/// `cleanbill.yaml`.
pub fn config(plan: &Plan) -> String {
    let local = |host: &String| {
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    };
    let listen = if plan.hosts.iter().all(local) { "127.0.0.1" } else { "[::]" };
    let in_cluster = plan.mode == Mode::Webhook;
    // Kubelets ask a pod at its own address.
    let metrics = if in_cluster { "[::]" } else { "127.0.0.1" };
    let file = |name: &str| match plan.mode {
        Mode::Webhook => quoted(&format!("{}/tls/{name}", plan.config_dir)),
        Mode::Node | Mode::Remote | Mode::StaticWebhook => name.to_owned(),
    };
    let state = match plan.mode {
        // A folder of its own in the volume, so that it is the gate's alone.
        Mode::Webhook => format!("{}/gate", plan.state_dir),
        Mode::Node | Mode::Remote | Mode::StaticWebhook => plan.state_dir.clone(),
    };
    let secrets = if plan.pull_secrets_of.is_empty() {
        ""
    } else {
        "# Pods' pull secrets, where the gate may read them (cluster/10-access.yaml).\n\
         kubernetes:\n  in_cluster: true\n"
    };
    format!(
        "# cleanbill serve --config cleanbill.yaml\n\
         # Relative paths are relative to this file.\n\
         listen: \"{listen}:{port}\"\n\
         metrics_listen: \"{metrics}:{METRICS_PORT}\"\n\
         tls:\n  \
           cert: {cert}\n  \
           key: {key}\n  \
           client_ca: {ca}\n  \
           # Who may ask, by the name in the client certificate.\n  \
           client_names: [{name}]\n\
         policy: policy.yaml\n\
         # Evidence and decisions; written by the gate alone.\n\
         state_dir: {state}\n\
         {secrets}\
         # A snapshot made by `cleanbill db update`. Without it the small snapshot in the program\n\
         # is used, which grows old: its feeds then count as stale.\n\
         # db: /var/lib/cleanbill/advisories.db\n\
         # How \"could not be examined now\" is said. deny is safe whatever defaultAllow says, and\n\
         # the API server keeps it for denyTTL; fail is not kept, and safe only with\n\
         # defaultAllow: false.\n\
         when_unexamined: {unexamined}\n\
         # The platforms of your nodes. Without it every platform of an image must pass.\n\
         # platforms: [linux/amd64]\n\
         # registries:\n\
         # - host: registry.example:5000\n\
         #   private: true          # may be at a private or loopback address\n\
         #   username: cleanbill\n\
         #   password_file: registry.password\n",
        port = plan.port,
        cert = file("server.crt"),
        key = file("server.key"),
        ca = file("ca.crt"),
        name = quoted(&plan.client_name),
        state = quoted(&state),
        unexamined = if plan.fail_when_unexamined { "fail" } else { "deny" },
    )
}

/// `policy.yaml`: strict, with everything that loosens it written out as a comment.
pub fn policy() -> String {
    include_str!("policy.yaml").to_owned()
}
