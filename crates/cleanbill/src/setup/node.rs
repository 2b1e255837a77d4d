//! The gate as a service of a control-plane node: a unit of systemd, its user, and a static pod.
//!
//! Both run without any privilege and write into one folder alone.

use super::Plan;
use super::gate::METRICS_PORT;
use super::template::fill;
use super::yaml::quoted;

/// Where the unit expects the program.
pub const PROGRAM: &str = "/usr/local/bin/cleanbill";

/// `cleanbill.service`.
pub fn unit(plan: &Plan) -> String {
    // systemd makes and owns folders below /var/lib; others must be there.
    let state = match plan.state_dir.strip_prefix("/var/lib/") {
        Some(name) => format!("StateDirectory={name}\nStateDirectoryMode=0700"),
        None => format!("ReadWritePaths={}", plan.state_dir),
    };
    fill(
        include_str!("templates/cleanbill.service"),
        &[("PROGRAM", PROGRAM), ("CONFIG_DIR", &plan.config_dir), ("STATE", &state)],
    )
}

/// `cleanbill.sysusers.conf`.
pub fn user(plan: &Plan) -> String {
    fill(include_str!("templates/cleanbill.sysusers.conf"), &[("STATE_DIR", &plan.state_dir)])
}

/// `cleanbill.pod.yaml`, with this image.
pub fn pod(plan: &Plan, image: &str) -> String {
    fill(
        include_str!("templates/pod.yaml"),
        &[
            ("IMAGE", &quoted(image)),
            ("CONFIG_FILE", &quoted(&format!("{}/cleanbill.yaml", plan.config_dir))),
            ("CONFIG_DIR_QUOTED", &quoted(&plan.config_dir)),
            ("STATE_DIR_QUOTED", &quoted(&plan.state_dir)),
            ("CONFIG_DIR", &plan.config_dir),
            ("STATE_DIR", &plan.state_dir),
            ("METRICS_PORT", &METRICS_PORT.to_string()),
        ],
    )
}
