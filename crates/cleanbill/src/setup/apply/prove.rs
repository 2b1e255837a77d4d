//! Whether the API server is there and asks the gate: by pods that are only tried out
//! (`dryRun=All`), one that has to be denied and one that has to be allowed.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::failure::{Failure, Result};
use crate::kube::Client;

/// Where the pods are tried out.
pub const NAMESPACE: &str = "default";
/// How long one answer may take: longer than the API server waits for the gate.
const ANSWER: Duration = Duration::from_secs(40);
/// How long is waited before it is tried again.
const PAUSE: Duration = Duration::from_millis(200);

/// What is tried out.
pub struct Proof<'a> {
    /// Makes a client of the API server: anew each time, since its files may be made anew.
    pub api: &'a dyn Fn() -> Result<Client>,
    /// `HOST:PORT` of the gate.
    pub gate: &'a str,
    /// How long it is tried.
    pub wait: Duration,
}

/// An image that no registry has and no gate allows, another each time, so that no answer about it
/// is remembered.
pub fn nobodys_image() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("cleanbill.invalid/proof:{}", now.as_nanos())
}

impl Proof<'_> {
    /// Waits until the API server is ready and asks the gate: nobody's image is denied by it, and
    /// `allowed` is allowed.
    ///
    /// # Errors
    /// When that does not come in time: what the last try came to.
    pub fn asked(&self, allowed: &str) -> Result<()> {
        self.until(|api| {
            let denied = nobodys_image();
            let (status, message) = try_out(api, &denied)?;
            if status < 300 {
                return Err("it let in a pod that the gate denies: the gate is not asked".into());
            }
            if status != 403 || !is_the_gates(&message, &denied) {
                return Err(format!("a pod to be denied is answered {status}: {message}"));
            }
            let (status, message) = try_out(api, allowed)?;
            if status >= 300 {
                return Err(format!("a pod to be allowed is answered {status}: {message}"));
            }
            Ok(())
        })
    }

    /// Waits until the API server is ready and does not ask the gate. For a while after a change
    /// the one before still answers; a gate that lets everything in does not show by its answers,
    /// but the API server counts what it reviews.
    ///
    /// # Errors
    /// When that does not come in time.
    pub fn not_asked(&self) -> Result<()> {
        self.until(|api| {
            let image = nobodys_image();
            let (status, message) = try_out(api, &image)?;
            // Others may refuse the image too; what names the gate or is its own word is not theirs.
            let ours = ["image policy webhook", self.gate].iter().any(|w| message.contains(w))
                || is_the_gates(&message, &image);
            if status >= 500 || (status >= 300 && ours) {
                return Err(format!("it still asks the gate: {status} {message}"));
            }
            if reviews(api) {
                return Err("it still asks the gate, by its metrics".into());
            }
            Ok(())
        })
    }

    fn until(&self, holds: impl Fn(&Client) -> std::result::Result<(), String>) -> Result<()> {
        let end = Instant::now() + self.wait;
        loop {
            let why = match (self.api)() {
                Err(e) => e.to_string(),
                Ok(api) => match ready(&api).and_then(|()| holds(&api)) {
                    Ok(()) => return Ok(()),
                    Err(why) => why,
                },
            };
            if Instant::now() + PAUSE > end {
                return Err(Failure::new(format!(
                    "after {} s the API server is not as it should be: {why}",
                    self.wait.as_secs()
                ))
                .next("its log says why: /var/log/containers/kube-apiserver-*, or `crictl logs`"));
            }
            std::thread::sleep(PAUSE);
        }
    }
}

/// Whether a refusal is the gate's own, and not some other plug-in's that dislikes the image: the
/// plug-in's words, or, where the gate says "not decided" by a failure, a decision about the image.
fn is_the_gates(message: &str, image: &str) -> bool {
    message.contains("image policy webhook backend denied one or more images: ")
        || (message.contains(image) && message.contains(" Decision "))
}

/// Whether the process that answers has reviewed a pod by the plug-in, as it tells in its metrics.
/// Where it does not tell, answers have to do.
fn reviews(api: &Client) -> bool {
    let reply = api.fetch("/metrics", ANSWER).ok().filter(|reply| reply.status == 200);
    let text = reply.map(|reply| String::from_utf8_lossy(&reply.body).into_owned());
    text.unwrap_or_default().lines().any(|line| {
        line.starts_with("apiserver_admission_controller_admission_duration_seconds_count{")
            && line.contains("name=\"ImagePolicyWebhook\"")
    })
}

fn ready(api: &Client) -> std::result::Result<(), String> {
    match api.fetch("/readyz", ANSWER)?.status {
        200 => Ok(()),
        status => Err(format!("its /readyz answers {status}")),
    }
}

/// Creates a pod with this image, not really, and says what is answered. It asks for nothing that
/// a strict cluster would refuse for other reasons.
fn try_out(api: &Client, image: &str) -> std::result::Result<(u16, String), String> {
    let path = format!("/api/v1/namespaces/{NAMESPACE}/pods?dryRun=All");
    let reply = api.post(&path, &pod(image).to_string(), ANSWER)?;
    let message = reply.json()["message"].as_str().unwrap_or_default().to_owned();
    Ok((reply.status, message))
}

fn pod(image: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "generateName": "cleanbill-proof-", "namespace": NAMESPACE },
        "spec": {
            "automountServiceAccountToken": false,
            "securityContext": {
                "runAsNonRoot": true,
                "runAsUser": 65532,
                "seccompProfile": { "type": "RuntimeDefault" },
            },
            "containers": [{
                "name": "proof",
                "image": image,
                "securityContext": {
                    "allowPrivilegeEscalation": false,
                    "capabilities": { "drop": ["ALL"] },
                },
                "resources": {
                    "requests": { "cpu": "1m", "memory": "1Mi" },
                    "limits": { "cpu": "1m", "memory": "1Mi" },
                },
            }],
        },
    })
}
