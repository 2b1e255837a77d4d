//! What runs now, and what the gate would say about it: asked as kube-apiserver will ask.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::apiserver::Version;
use crate::apiserver::pod::{Operation, Pod};
use crate::failure::{Failure, Result};
use crate::kube::Client;

/// A pod that runs is asked about whenever something of it is changed.
const ASKED: Operation = Operation::Update;
/// How long one answer may take.
const ANSWER: Duration = Duration::from_secs(30);
/// How long is waited before it is asked again.
const PAUSE: Duration = Duration::from_millis(500);

/// A pod that runs and would not be let in.
pub struct Refused {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// What its user would read.
    pub reason: String,
}

/// What the gate says of all that runs.
pub struct Judged {
    /// How many pods were asked about.
    pub pods: usize,
    /// Those that would be refused.
    pub refused: Vec<Refused>,
    /// An image that it allows in any case.
    pub allowed: Option<String>,
}

/// All pods of the cluster that have not ended.
///
/// # Errors
/// When they cannot be listed.
pub fn list(api: &Client) -> Result<Vec<Pod>> {
    let failed = |why: String| {
        Failure::new(format!("the pods that run cannot be listed: {why}"))
            .next("give them with --pods FILE, as `kubectl get pods -A -o json` prints them")
    };
    let (mut pods, mut from) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/pods?limit=500{from}");
        let reply = api.fetch(&path, ANSWER).map_err(failed)?;
        if reply.status != 200 {
            return Err(failed(format!("the API server answers {}", reply.status)));
        }
        let page = reply.json();
        pods.extend(parse(&page)?);
        let next = page["metadata"]["continue"].as_str().unwrap_or_default();
        if next.is_empty() {
            return Ok(pods);
        }
        from = format!("&continue={next}");
    }
}

/// The pods of a list that have not ended.
///
/// # Errors
/// When it is no list of pods, or one of them is none: what cannot be read is not passed over.
pub fn parse(list: &Value) -> Result<Vec<Pod>> {
    let wrong = |what: &str| {
        Failure::new(format!("the list of pods: {what}"))
            .next("give what `kubectl get pods -A -o json` prints")
    };
    let items = match list["kind"].as_str() {
        Some("PodList" | "List") => list["items"].as_array(),
        Some(_) | None => None,
    };
    let mut pods = Vec::new();
    for item in items.ok_or_else(|| wrong("it is none"))? {
        if !matches!(item["kind"].as_str(), None | Some("Pod")) {
            return Err(wrong("it has something else than pods"));
        }
        if matches!(item["status"]["phase"].as_str(), Some("Succeeded" | "Failed")) {
            continue;
        }
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let meta = &item["metadata"];
        let (Some(namespace), Some(name)) = (text(&meta["namespace"]), text(&meta["name"])) else {
            return Err(wrong("a pod has no name"));
        };
        let images = |list: &str| -> Result<Vec<String>> {
            let containers = item["spec"][list].as_array().into_iter().flatten();
            let image = |container: &Value| {
                text(&container["image"])
                    .ok_or_else(|| wrong(&format!("{namespace}/{name} has no image")))
            };
            containers.map(image).collect()
        };
        let (containers, init_containers) = (images("containers")?, images("initContainers")?);
        if containers.is_empty() {
            return Err(wrong(&format!("{namespace}/{name} has no containers")));
        }
        let mut pod = Pod::of(&name, &namespace, containers);
        pod.init_containers = init_containers;
        let notes = meta["annotations"].as_object().into_iter().flatten();
        pod.annotations =
            notes.filter_map(|(key, value)| Some((key.clone(), text(value)?))).collect();
        pods.push(pod);
    }
    Ok(pods)
}

/// Asks about every pod, the same question once.
///
/// # Errors
/// When the gate gives no answer: then nothing is known.
pub fn judge(gate: &Client, pods: &[Pod], wait: Duration) -> Result<Judged> {
    let until = Instant::now() + wait;
    let mut answers = BTreeMap::new();
    let (mut refused, mut good) = (Vec::new(), BTreeSet::new());
    for pod in pods {
        let reason = match answers.get(&pod.spec(ASKED)) {
            Some(known) => Clone::clone(known),
            None => {
                let reason = ask(gate, pod, until)?;
                answers.insert(pod.spec(ASKED), reason.clone());
                reason
            }
        };
        match reason {
            None => good.extend(pod.asked(ASKED).into_iter().map(str::to_owned)),
            Some(reason) => refused.push(Refused {
                namespace: pod.namespace.clone(),
                name: pod.name.clone(),
                reason,
            }),
        }
    }
    let mut allowed = None;
    for image in good {
        if allows(gate, &image, until)? {
            allowed = Some(image);
            break;
        }
    }
    Ok(Judged { pods: pods.len(), refused, allowed })
}

/// Whether the gate allows an image by itself, where proofs are made.
///
/// # Errors
/// When it gives no answer.
pub fn allows(gate: &Client, image: &str, until: Instant) -> Result<bool> {
    let pod = Pod::of("proof", super::prove::NAMESPACE, vec![image.to_owned()]);
    Ok(ask(gate, &pod, until)?.is_none())
}

/// Why the gate refuses; `None`: it allows. Waits for what is being examined, until then.
fn ask(gate: &Client, pod: &Pod, until: Instant) -> Result<Option<String>> {
    let question = pod.question(ASKED, Version::NEWEST);
    let none = |why: String| {
        Failure::new(format!("the gate gives no answer: {why}"))
            .next("see that it runs, and that its /readyz says so")
    };
    loop {
        let reply = gate.post("/review?timeout=30s", &question, ANSWER).map_err(none)?;
        let answer = reply.json();
        let said = &answer["status"];
        let reason = said["reason"].as_str().or(answer["message"].as_str());
        match (reply.status, said["allowed"].as_bool()) {
            (200..=206, Some(true)) => return Ok(None),
            (200..=206, Some(false)) | (403, _) => {
                let reason = reason.unwrap_or("it gives no reason");
                // Not decided yet is no refusal.
                let later = reason.contains("being examined");
                if !later || Instant::now() + PAUSE > until {
                    return Ok(Some(reason.to_owned()));
                }
                std::thread::sleep(PAUSE);
            }
            (status, _) => return Err(none(format!("it answers HTTP {status}"))),
        }
    }
}
