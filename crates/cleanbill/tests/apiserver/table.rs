//! The simulator's table, played by a real kube-apiserver: both must agree.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::assets::assets;
use crate::client::{Reply, pod};
use crate::cluster::{Admission, IMAGE_POLICY, Server, Setup};
use crate::pki::pki;
use crate::playing::Webhook;
use crate::rig::PATIENCE;
use crate::rows::{Listens, Row, Step, all};

const FAILED_OPEN: &str = "imagepolicywebhook.image-policy.k8s.io/failed-open";

#[test]
fn a_real_api_server_agrees_with_every_row() {
    let Some(assets) = assets() else { return };
    let minor = assets.version.1;
    let mut rows: Vec<Row> = all().into_iter().filter(|row| holds(row, minor)).collect();
    rows.sort_by_key(shared);
    let mut server = Server::start(&assets, &Setup::default()).unwrap();
    let (mut wrong, mut played, mut number) = (Vec::new(), 0_usize, 0_usize);
    for group in rows.chunk_by(|a, b| shared(a) == shared(b)) {
        let folder = tempfile::tempdir().unwrap();
        let mut hook = Webhook::start(group[0].listens, &[]);
        group[0].write(folder.path(), hook.port, pki());
        let setup = Setup {
            admission: Admission::File(folder.path().join("config.yaml")),
            plugins: IMAGE_POLICY,
            env: group[0]
                .env
                .iter()
                .map(|(name, value)| {
                    (name.clone(), value.replace("{dir}", &folder.path().display().to_string()))
                })
                .collect(),
            ..Setup::default()
        };
        let port = format!(":{}", hook.port);
        let plain = |words: &str| {
            words
                .replace(&folder.path().display().to_string(), "{dir}")
                .replace(&port, ":{port}")
                .replace("\\n", "\n")
                .replace("\\\"", "\"")
        };
        let began = Instant::now();
        let started = server.restart(&setup).map_err(|log| plain(&log));
        println!("{:?} to start for {}", began.elapsed(), group[0].name);
        for row in group {
            played += 1;
            number += 1;
            let judged = match (&started, &row.refused) {
                (Err(log), Some(words)) if log.contains(words.as_str()) => Ok(()),
                (Err(log), _) => Err(format!("it ended with: {}", end(log))),
                (Ok(()), Some(words)) => Err(format!("it starts, in spite of: {words}")),
                (Ok(()), None) => {
                    hook.listen(row.listens);
                    hook.say(&row.replies);
                    let space = format!("row-{number}");
                    steps(row, &mut server, &setup, &hook, &space, &plain)
                }
            };
            println!("{:?} after {}", began.elapsed(), row.name);
            if let Err(why) = judged {
                println!("{}: {why}", row.name);
                wrong.push(format!("{}: {why}", row.name));
            }
        }
    }
    println!("{played} rows with 1.{minor}");
    assert!(wrong.is_empty(), "{} of {played} rows:\n{}", wrong.len(), wrong.join("\n"));
    assert!(played > 100, "only {played} rows hold for 1.{minor}");
}

/// Whether a row holds for that minor version.
fn holds(row: &Row, minor: u32) -> bool {
    row.since.is_none_or(|since| since <= minor) && row.until.is_none_or(|until| minor <= until)
}

/// What kube-apiserver reads: rows that are alike in this can share one.
fn shared(row: &Row) -> String {
    let files = (&row.policy, &row.config, &row.kubeconfig, &row.change, &row.files);
    format!("{files:?} {:?}", row.env)
}

/// The last of what was logged.
fn end(log: &str) -> String {
    let from = log.len().saturating_sub(1500);
    log.chars().skip(from).collect()
}

fn steps(
    row: &Row,
    server: &mut Server,
    setup: &Setup,
    hook: &Webhook,
    space: &str,
    plain: &dyn Fn(&str) -> String,
) -> Result<(), String> {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space}});
    let (path, kind) = ("/api/v1/namespaces", "application/json");
    let made = server.client().request("POST", path, kind, &namespace.to_string()).unwrap();
    assert_eq!(made.status, 201, "{made:?}");
    let mut written = 0;
    for (at, step) in row.steps.iter().enumerate() {
        if let Some(seconds) = step.wait {
            std::thread::sleep(std::time::Duration::from_secs_f64(seconds));
            continue;
        }
        if step.restart {
            server.restart(setup).unwrap();
            continue;
        }
        if !step.ephemeral.is_empty() && row.until.is_some() {
            // The API has no such thing there.
            return Ok(());
        }
        let before = hook.calls();
        let (verb, reply) = write(server, step, space);
        written += 1;
        let annotations = noted(server, verb, space, written);
        let (ended, said) = ended(&reply, annotations.get(FAILED_OPEN).is_some());
        let (at, said) = (at + 1, plain(said));
        match &step.end {
            Some(want) if *want != ended => {
                return Err(format!("step {at}: wanted {want}, got {ended}: {said}"));
            }
            _ => {}
        }
        match &step.says {
            Some(want) if ended != "failed-open" && !said.contains(want.trim_end()) => {
                return Err(format!("step {at} says: {said}"));
            }
            _ => {}
        }
        let calls = hook.calls() - before;
        match step.calls {
            Some(want) if counts(row) && want != calls => {
                return Err(format!("step {at}: wanted {want} calls, came {calls}"));
            }
            _ => {}
        }
        let asked = hook.last_body().replace(&format!("\"{space}\""), "\"default\"");
        match &step.asks {
            Some(want) if !asked.contains(want.as_str()) => {
                return Err(format!("step {at} asks: {asked}"));
            }
            _ => {}
        }
        if let Some(want) = &step.audit {
            let (key, value) = want.split_once(": ").unwrap();
            if annotations[key] != value {
                return Err(format!("step {at}, audit: {annotations}"));
            }
        }
    }
    Ok(())
}

/// The annotations of the write of that number in the namespace; its event comes after the answer.
fn noted(server: &Server, verb: &str, space: &str, number: usize) -> Value {
    let end = Instant::now() + PATIENCE;
    loop {
        let writes: Vec<Value> = server
            .audit()
            .into_iter()
            .filter(|event| event["objectRef"]["namespace"] == space)
            .filter(|event| matches!(event["verb"].as_str(), Some("create" | "patch")))
            .collect();
        if let Some(event) = writes.get(number - 1) {
            assert_eq!(event["verb"], verb, "{event}");
            return event["annotations"].clone();
        }
        assert!(Instant::now() < end, "no event of {verb} in {space}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whether the webhook sees every call: where the connection fails, it sees none.
fn counts(row: &Row) -> bool {
    let heard = matches!(row.listens, Listens::Well | Listens::Plain | Listens::WithoutClients);
    let words = ["tls: ", "dial tcp", "proxyconnect", "HTTPS client"];
    let lost = |step: &Step| {
        step.says.as_ref().is_some_and(|says| words.iter().any(|word| says.contains(word)))
    };
    let redirected = row.replies.iter().any(|reply| reply.status == Some(307));
    heard && !redirected && !row.steps.iter().any(lost)
}

fn write(server: &Server, step: &Step, space: &str) -> (&'static str, Reply) {
    let folder = format!("/api/v1/namespaces/{space}/pods");
    let web = format!("{folder}/web");
    let json = "application/json";
    let client = server.client();
    if !step.update.is_empty() {
        let patch = json!({"metadata": {"labels": {"changed": "yes"}}}).to_string();
        let kind = "application/merge-patch+json";
        return ("patch", client.request("PATCH", &web, kind, &patch).unwrap());
    }
    if !step.ephemeral.is_empty() {
        let containers: Vec<_> = (step.ephemeral.iter().enumerate())
            .map(|(n, image)| json!({"name": format!("e{n}"), "image": image}))
            .collect();
        let patch = json!({"spec": {"ephemeralContainers": containers}}).to_string();
        let kind = "application/strategic-merge-patch+json";
        let path = format!("{web}/ephemeralcontainers");
        return ("patch", client.request("PATCH", &path, kind, &patch).unwrap());
    }
    let now = r#"{"gracePeriodSeconds":0}"#;
    _ = client.request("DELETE", &web, json, now).unwrap();
    let images: Vec<&str> = step.create.iter().map(String::as_str).collect();
    let mut object = pod("web", &images);
    let init: Vec<_> = (step.init.iter().enumerate())
        .map(|(n, image)| json!({"name": format!("i{n}"), "image": image}))
        .collect();
    object["spec"]["initContainers"] = json!(init);
    for (key, value) in &step.annotations {
        object["metadata"]["annotations"][key] = json!(value);
    }
    ("create", client.request("POST", &folder, json, &object.to_string()).unwrap())
}

fn ended(reply: &Reply, failed_open: bool) -> (&'static str, &str) {
    let said = reply.message();
    let ended = match reply.status {
        200 | 201 if failed_open => "failed-open",
        200 | 201 => "allowed",
        504 => "timed-out",
        403 if said.contains("image policy webhook backend denied")
            || said.contains("images rejected by webhook backend") =>
        {
            "denied"
        }
        _ => "failed-closed",
    };
    (ended, said)
}
