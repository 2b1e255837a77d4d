//! The plug-in at work: asks, remembers, tries again, fails open or closed.
//!
//! Time is played: waiting between attempts costs none unless it is asked for, and the memory
//! goes by a clock that a step can move. What a call itself takes is real.

use std::time::{Duration, Instant};

use super::answer::{self, Fault, Status};
use super::cache::{Cache, Hit};
use super::client::{CALL, Client};
use super::image_policy::ImagePolicy;
use super::pod::{Operation, Pod};
use super::version::Version;

/// How often a call is tried.
const ATTEMPTS: u32 = 5;
/// How often a reply with `Retry-After` is asked for again within one attempt.
const DELAYED: u32 = 10;
/// How long the whole write may take, whatever is configured.
pub const WRITE: Duration = Duration::from_secs(34);
/// Waits are up to this much longer than they are said to be; the middle is what is played.
const JITTER: f64 = 0.2;

/// One API server process's plug-in.
pub struct Plugin {
    policy: ImagePolicy,
    client: Client,
    version: Version,
    cache: Cache,
    began: Instant,
    /// How far the played clock is ahead of the real one.
    ahead: Duration,
    /// Whether waits are really waited.
    real_time: bool,
}

/// What became of one write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Course {
    /// The question's body; `None`: nothing is asked about this.
    pub question: Option<String>,
    /// What was remembered.
    pub hit: Option<Hit>,
    /// The calls, in order.
    pub calls: Vec<Call>,
    /// The waits between attempts, without their jitter.
    pub waits: Vec<Duration>,
    /// From question to end, as played.
    pub took: Duration,
    /// For how long the answer is remembered; `None`: it is not.
    pub kept: Option<Duration>,
    /// What stands in the audit log.
    pub audit: Vec<(String, String)>,
    /// Audit annotations whose keys the API server throws away.
    pub audit_lost: Vec<String>,
    /// The end.
    pub end: End,
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// When it began, from the start of the write, as played.
    pub at: Duration,
    /// How long it took.
    pub took: Duration,
    /// What came of it, in a few words.
    pub came: String,
}

/// How a write ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Nobody was asked.
    NotAsked(&'static str),
    /// The webhook said yes, now or before.
    Allowed,
    /// The webhook said no, now or before: the words for the user.
    Denied(String),
    /// The webhook failed, and the pod was let in.
    FailedOpen(String),
    /// The webhook failed, and the pod was not let in: the words for the user.
    FailedClosed(String),
    /// The write took too long, so that the API server gave up.
    TimedOut(String),
}

impl Plugin {
    /// A process that has just started.
    pub fn new(policy: ImagePolicy, client: Client, version: Version, real_time: bool) -> Self {
        let (cache, began, ahead) = (Cache::default(), Instant::now(), Duration::ZERO);
        Self { policy, client, version, cache, began, ahead, real_time }
    }

    /// What it works with.
    pub fn policy(&self) -> &ImagePolicy {
        &self.policy
    }

    /// Whom it asks.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Lets time pass.
    pub async fn wait(&mut self, time: Duration) {
        if self.real_time {
            tokio::time::sleep(time).await;
        } else {
            self.ahead = self.ahead.saturating_add(time);
        }
    }

    /// Forgets everything, as a new process does.
    pub fn restart(&mut self) {
        self.cache = Cache::default();
    }

    /// The played time.
    fn now(&self) -> Duration {
        self.began.elapsed().saturating_add(self.ahead)
    }

    /// Admits a write, or does not.
    pub async fn admit(&mut self, operation: Operation, pod: &Pod) -> Course {
        let start = self.now();
        let mut course = Course {
            question: None,
            hit: None,
            calls: Vec::new(),
            waits: Vec::new(),
            took: Duration::ZERO,
            kept: None,
            audit: Vec::new(),
            audit_lost: Vec::new(),
            end: End::Allowed,
        };
        if operation == Operation::Ephemeral && !self.version.asks_about_ephemeral_containers() {
            course.end = End::NotAsked(
                "this version does not ask about ephemeral containers (CVE-2023-2727)",
            );
            return course;
        }
        let spec = pod.spec(operation);
        course.question = Some(pod.question(operation, self.version));
        if let Some(hit) = self.cache.get(&spec, start) {
            course.end = said(&hit.status, pod);
            audit(&hit.status, &mut course);
            course.hit = Some(hit);
            return course;
        }
        let asked = self.ask(&mut course, start).await;
        course.took = self.now().saturating_sub(start);
        match asked {
            Ok(status) => {
                let keep =
                    if status.allowed { self.policy.allow_ttl } else { self.policy.deny_ttl };
                course.end = said(&status, pod);
                audit(&status, &mut course);
                course.kept = (!keep.is_zero()).then_some(keep);
                let now = self.now();
                self.cache.put(spec, status, now, keep);
            }
            Err(fault) => course.end = self.failed(&fault, pod, course.took, &mut course.audit),
        }
        course
    }

    fn failed(
        &self,
        fault: &Fault,
        pod: &Pod,
        took: Duration,
        audit: &mut Vec<(String, String)>,
    ) -> End {
        if took >= WRITE {
            let late = "Timeout: request did not complete within requested timeout";
            return End::TimedOut(match self.version.minor {
                ..=20 => format!("{late} 34s"),
                _ => format!("{late} - context deadline exceeded"),
            });
        }
        if self.policy.default_allow {
            audit.push((format!("{AUDIT}failed-open"), "true".into()));
            return End::FailedOpen(fault.words.clone());
        }
        // What is `Forbidden` already is not said again with the pod's name before it.
        if fault.is_forbidden() {
            return End::FailedClosed(fault.words.clone());
        }
        End::FailedClosed(forbidden(pod, &fault.words))
    }

    /// All attempts.
    async fn ask(&mut self, course: &mut Course, start: Duration) -> Result<Status, Fault> {
        let question = course.question.clone().unwrap_or_default();
        let mut wait = self.policy.retry_backoff;
        let mut attempt = 1;
        loop {
            let answer = self.attempt(&question, course, start).await;
            let fault = match answer {
                Ok(reply) => return answer::read(&reply),
                Err(fault) => fault,
            };
            let spent = self.now().saturating_sub(start);
            if !fault.again || attempt == ATTEMPTS || spent >= WRITE {
                return Err(fault);
            }
            let played = wait.mul_f64(1.0 + JITTER / 2.0);
            course.waits.push(wait);
            self.wait(played.min(WRITE.saturating_sub(spent))).await;
            wait = wait.mul_f64(1.5);
            attempt += 1;
        }
    }

    /// One attempt: a call, and more of them where the webhook asks to come again.
    async fn attempt(
        &mut self,
        question: &str,
        course: &mut Course,
        start: Duration,
    ) -> Result<super::client::Reply, Fault> {
        let began = self.now();
        let late = || Fault::plain("context deadline exceeded");
        for repeated in 0..=DELAYED {
            let at = self.now();
            let left = CALL
                .saturating_sub(at.saturating_sub(began))
                .min(WRITE.saturating_sub(at.saturating_sub(start)));
            if left.is_zero() {
                return Err(late());
            }
            let called = self.client.post(question, left).await;
            let took = self.now().saturating_sub(at);
            let came = match &called {
                Ok(reply) => format!("HTTP {}", reply.status),
                Err(lost) => lost.words.clone(),
            };
            course.calls.push(Call { at: at.saturating_sub(start), took, came });
            let reply = match called {
                Ok(reply) => reply,
                Err(lost) => {
                    return Err(Fault { words: lost.words, code: None, again: lost.reset });
                }
            };
            let delayed =
                (reply.status == 429 || reply.status >= 500).then_some(reply.retry_after).flatten();
            match delayed {
                Some(seconds) if repeated < DELAYED => {
                    let left = WRITE.saturating_sub(self.now().saturating_sub(start));
                    self.wait(Duration::from_secs(seconds).min(left)).await;
                }
                _ => return answer::check(&reply).map(|()| reply),
            }
        }
        Err(late())
    }
}

const AUDIT: &str = "imagepolicywebhook.image-policy.k8s.io/";

fn said(status: &Status, pod: &Pod) -> End {
    if status.allowed {
        return End::Allowed;
    }
    End::Denied(match status.reason.as_str() {
        "" => forbidden(pod, "one or more images rejected by webhook backend"),
        reason => forbidden(
            pod,
            &format!("image policy webhook backend denied one or more images: {reason}"),
        ),
    })
}

fn forbidden(pod: &Pod, why: &str) -> String {
    format!("pods \"{}\" is forbidden: {why}", pod.name)
}

fn audit(status: &Status, course: &mut Course) {
    for (key, value) in &status.audit {
        if is_name(key) {
            course.audit.push((format!("{AUDIT}{key}"), value.clone()));
        } else {
            course.audit_lost.push(key.clone());
        }
    }
}

/// The part of a qualified name behind the slash: up to 63 letters, digits, `-`, `_`, `.`.
fn is_name(key: &str) -> bool {
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let inner = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    key.len() <= 63
        && key.chars().all(inner)
        && ends(key.chars().next())
        && ends(key.chars().last())
}
