//! The gate's own configuration and a first policy.

use super::Plan;
use super::yaml::quoted;

/// The port of `/healthz`, `/readyz` and `/metrics`, on loopback.
pub const METRICS_PORT: u16 = 1235;

/// `cleanbill.yaml`.
pub fn config(plan: &Plan) -> String {
    let local = |host: &String| {
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    };
    let listen = if plan.hosts.iter().all(local) { "127.0.0.1" } else { "[::]" };
    format!(
        "# cleanbill serve --config cleanbill.yaml\n\
         # Relative paths are relative to this file.\n\
         listen: \"{listen}:{port}\"\n\
         metrics_listen: \"127.0.0.1:{METRICS_PORT}\"\n\
         tls:\n  \
           cert: server.crt\n  \
           key: server.key\n  \
           client_ca: ca.crt\n  \
           # Who may ask, by the name in the client certificate.\n  \
           client_names: [{name}]\n\
         policy: policy.yaml\n\
         # Evidence and decisions; written by the gate alone.\n\
         state_dir: {state}\n\
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
        name = quoted(&plan.client_name),
        state = quoted(&plan.state_dir),
        unexamined = if plan.fail_when_unexamined { "fail" } else { "deny" },
    )
}

/// `policy.yaml`: strict, with everything that loosens it written out as a comment.
pub fn policy() -> String {
    include_str!("policy.yaml").to_owned()
}
