//! `cleanbill simulate`: the API server's image policy plug-in, played against a real webhook.
//!
//! [`run`] starts it from the files that kube-apiserver would read, takes the steps one by one,
//! and says what each came to; [`text`] and [`json`] put that into words. It asks the webhook for
//! real and writes nothing. What the API server does besides (validation, other admission,
//! storing) is not played.

pub mod json;
pub mod text;

use std::path::PathBuf;
use std::time::Duration;

use crate::apiserver::client::{Client, NoClient, Proxies};
use crate::apiserver::image_policy::ImagePolicy;
use crate::apiserver::plugin::{Course, End, Plugin};
use crate::apiserver::pod::{Operation, Pod};
use crate::apiserver::{Files, Refused, Version, admission, image_policy, kubeconfig};
use crate::failure::{Failure, Result};

/// What is played.
pub struct Input {
    /// Which Kubernetes.
    pub version: Version,
    /// The file that `--admission-control-config-file` names.
    pub admission_config: PathBuf,
    /// The files that kube-apiserver sees.
    pub files: Files,
    /// The proxies of its environment.
    pub proxies: Proxies,
    /// Its `KUBECONFIG`, or its home's `.kube/config`: read where no kubeconfig is named.
    pub kubeconfigs: Vec<String>,
    /// Whether waits are really waited.
    pub real_time: bool,
    /// What happens, in order.
    pub steps: Vec<Step>,
}

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A pod is written.
    Write {
        /// How.
        operation: Operation,
        /// The pod.
        pod: Box<Pod>,
        /// The file that it came from, as kubectl names it.
        source: String,
    },
    /// Time passes.
    Wait(Duration),
    /// The API server starts anew, and has forgotten its answers.
    Restart,
}

/// What came of it.
pub struct Report {
    /// Which Kubernetes was played.
    pub version: Version,
    /// Why kube-apiserver does not start: then there are no steps.
    pub refused: Option<Refused>,
    /// What the plug-in works with, and whom it asks.
    pub started: Option<Started>,
    /// The steps.
    pub done: Vec<Done>,
}

/// The plug-in after the start.
pub struct Started {
    /// Its settings.
    pub policy: ImagePolicy,
    /// The webhook's address.
    pub address: String,
    /// The proxy that is asked through.
    pub proxy: Option<String>,
    /// Notes on what was read: what is passed over without a word.
    pub notes: Vec<String>,
}

/// One step and its end.
pub struct Done {
    /// The step.
    pub step: Step,
    /// What became of it; nothing for a wait or a restart.
    pub course: Option<Course>,
}

/// How a whole run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overall {
    /// All was let in by an answer, or nobody was asked.
    Allowed,
    /// Something was refused, or kube-apiserver does not start.
    Refused,
    /// Nothing was refused, but something was let in without an answer.
    FailedOpen,
}

impl Report {
    /// The end of it all.
    pub fn overall(&self) -> Overall {
        let ends = || self.done.iter().filter_map(|done| done.course.as_ref().map(|c| &c.end));
        let refused =
            |end: &End| matches!(end, End::Denied(_) | End::FailedClosed(_) | End::TimedOut(_));
        if self.refused.is_some() || ends().any(refused) {
            Overall::Refused
        } else if ends().any(|end| matches!(end, End::FailedOpen(_))) {
            Overall::FailedOpen
        } else {
            Overall::Allowed
        }
    }
}

/// What kube-apiserver puts before an error of the plug-in.
const INIT: &str = "couldn't init admission plugin \"ImagePolicyWebhook\": ";

/// Starts the plug-in.
///
/// # Errors
/// Where the files ask for what is not played here.
pub fn start(input: &Input) -> Result<std::result::Result<(Plugin, Started), Refused>> {
    let given = match admission::plugin(&input.files, &input.admission_config, input.version) {
        Ok(given) => given,
        Err(refused) => return Ok(Err(refused)),
    };
    let init = |e: Refused| Refused { words: format!("{INIT}{}", e.words), ..e };
    let Some(given) = given else {
        return Ok(Err(init(Refused::new("no config specified"))));
    };
    let read = || -> std::result::Result<_, Refused> {
        let policy = image_policy::read(&given.content)?;
        let named =
            kubeconfig::or_from_environment(&input.files, &policy.kubeconfig, &input.kubeconfigs);
        let config = kubeconfig::load(&input.files, named)?;
        let reach = config.reach(&input.files)?;
        Ok((policy, reach))
    };
    let (policy, reach) = match read() {
        Ok(both) => both,
        Err(refused) => return Ok(Err(init(refused))),
    };
    let made = Client::new(&reach, &input.files, input.version, input.proxies.clone());
    let client = match made {
        Ok(client) => client,
        Err(NoClient::Refused(refused)) => return Ok(Err(init(refused))),
        Err(NoClient::NotPlayed(why)) => return Err(Failure::new(why)),
    };
    let mut notes = Vec::new();
    for (key, line) in &policy.ignored {
        let at = if *line > 0 { format!(" (line {line})") } else { String::new() };
        notes.push(format!("\"{key}\"{at} is passed over: kube-apiserver does not know it"));
    }
    if !policy.present {
        notes.push("there is no imagePolicy: every value is the default".into());
    }
    let secure = client.address().secure;
    if !secure && (reach.certificate.is_given() || reach.token.is_some()) {
        notes.push("the address is http://: certificate and credentials are not used".into());
    }
    let started = Started {
        policy: policy.clone(),
        address: client.address().url(),
        proxy: client.proxy().map(str::to_owned),
        notes,
    };
    Ok(Ok((Plugin::new(policy, client, input.version, input.real_time), started)))
}

/// Plays it all.
///
/// # Errors
/// Where the files ask for what is not played here, or the system gives no runtime.
pub fn run(input: &Input) -> Result<Report> {
    let mut report =
        Report { version: input.version, refused: None, started: None, done: Vec::new() };
    let (mut plugin, started) = match start(input)? {
        Ok(both) => both,
        Err(refused) => {
            report.refused = Some(refused);
            return Ok(report);
        }
    };
    report.started = Some(started);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::new(format!("no runtime for the calls: {e}")))?;
    runtime.block_on(async {
        for step in &input.steps {
            let course = match step {
                Step::Write { operation, pod, .. } => Some(plugin.admit(*operation, pod).await),
                Step::Wait(time) => {
                    plugin.wait(*time).await;
                    None
                }
                Step::Restart => {
                    plugin.restart();
                    None
                }
            };
            report.done.push(Done { step: step.clone(), course });
        }
    });
    Ok(report)
}
