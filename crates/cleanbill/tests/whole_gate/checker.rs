//! Checkers that are programs: a script for the shell that does one thing.

use serde_json::json;

use crate::rig::Gate;

/// What a program answers whose answer is this value of `allowed`.
pub fn answers(allowed: bool) -> String {
    let answer = r#"{"apiVersion":"cleanbill.checker/v1","kind":"Answer","image":"'$i'","allowed":ALLOWED,"reason":"not ours"}"#
        .replace("ALLOWED", &allowed.to_string());
    format!("i=$(sed 's/.*\"image\":\"\\([^\"]*\\)\".*/\\1/'); echo '{answer}'")
}

/// An entry of `checkers` that runs this script.
pub fn program(name: &str, script: &str) -> String {
    format!(
        "- {{name: {name}, timeout: 2s, program: {{argv: [/bin/sh, -c, {}]}}}}\n",
        json!(script)
    )
}

/// A policy that wants these checkers to agree.
pub fn policy(name: &str, checkers: &str) -> String {
    crate::rig::POLICY.replace("whole", name)
        + &format!("checkers: [{{names: [{checkers}], require: all}}]\n")
}

/// The name of the policy by which it judges now.
pub fn policy_in_force(gate: &Gate, image: &str) -> String {
    let answer = gate.ask(&[image]);
    answer.note("policy").split('@').next().unwrap().to_owned()
}
