//! `cleanbill simulate`: play the API server's image policy plug-in against a webhook.

use std::io::Read as _;
use std::path::PathBuf;
use std::time::Duration;

use crate::apiserver::client::Proxies;
use crate::apiserver::pod::{self, Operation};
use crate::apiserver::yaml::FILE_MAX;
use crate::apiserver::{Files, Version};
use crate::commands::record::{self, Format, FormatArgs};
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::report::text::printable_lines;
use crate::simulate::{self, Input, Overall, Step};

/// Examples under the help.
pub const AFTER: &str = "\
Examples:
  cleanbill simulate --admission-config /etc/kubernetes/cleanbill/admission-configuration.yaml
  cleanbill simulate --admission-config a.yaml --pod web.yaml --explain
  cleanbill simulate --admission-config a.yaml --pod web.yaml --then 'wait 31s' --then 'create web.yaml'
  kubectl get pods -A -o json | cleanbill simulate --admission-config a.yaml --then 'update -'

Steps: create FILE, update FILE, ephemeral FILE, wait TIME, restart. The webhook is asked for real;
waiting is played. Works with any ImageReview server.
Exit codes: 0 all was let in by an answer; 1 something was refused, or kube-apiserver does not
start; 2 failed; 3 nothing was refused, but something was let in without an answer.";

/// Arguments of `simulate`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file that kube-apiserver's --admission-control-config-file names
    #[arg(long, value_name = "FILE")]
    admission_config: PathBuf,
    /// Pods to create first: manifests, or what kubectl get -o json prints; - for stdin
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pod: Vec<String>,
    /// What happens then, in order: create|update|ephemeral FILE, wait TIME, restart
    #[arg(long, value_name = "STEP")]
    then: Vec<String>,
    /// Namespace of pods that name none
    #[arg(long, short = 'n', value_name = "NAME", default_value = "default")]
    namespace: String,
    /// Which Kubernetes is played
    #[arg(long, value_name = "VERSION", default_value_t = Version::NEWEST)]
    kube_version: Version,
    /// A folder that stands for the node's /
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// A variable of kube-apiserver's environment (HTTPS_PROXY=…); repeatable
    #[arg(long, value_name = "NAME=VALUE")]
    env: Vec<String>,
    /// Say why, at each step
    #[arg(long)]
    explain: bool,
    /// Really wait between attempts and where a step says so
    #[arg(long)]
    real_time: bool,
    #[command(flatten)]
    shown: FormatArgs,
}

/// Runs the command.
///
/// # Errors
/// When a pod or a step cannot be read, or the files ask for what is not played.
pub fn run(args: &Args) -> Result<Exit> {
    let mut steps = Vec::new();
    for file in &args.pod {
        writes(Operation::Create, file, &args.namespace, &mut steps)?;
    }
    for step in &args.then {
        parse(step, &args.namespace, &mut steps)?;
    }
    let mut environment = std::collections::HashMap::new();
    for pair in &args.env {
        let (name, value) = pair.split_once('=').ok_or_else(|| {
            Failure::new(format!("--env {pair} is no NAME=VALUE"))
                .next("write it as --env HTTPS_PROXY=http://proxy.example:3128")
        })?;
        environment.insert(name.to_owned(), value.to_owned());
    }
    let files = match &args.root {
        Some(root) if root.is_dir() => Files::below(root),
        Some(root) => {
            return Err(Failure::new(format!(
                "--root {}: there is no such folder",
                root.display()
            )));
        }
        None => Files::here(),
    };
    let input = Input {
        version: args.kube_version,
        admission_config: args.admission_config.clone(),
        files,
        proxies: Proxies::of_environment(|name| environment.get(name).cloned()),
        kubeconfigs: kubeconfigs(&|name| environment.get(name).cloned()),
        real_time: args.real_time,
        steps,
    };
    let report = simulate::run(&input)?;
    let text = match args.shown.format {
        Format::Table => printable_lines(&simulate::text::text(&report, args.explain)),
        Format::Json => record::pretty(&simulate::json::value(&report))?,
    };
    record::put(&text)?;
    Ok(match report.overall() {
        Overall::Allowed => Exit::DONE,
        Overall::Refused => Exit::DENIED,
        Overall::FailedOpen => Exit::GAPS,
    })
}

/// Where client-go looks when no kubeconfig is named.
fn kubeconfigs(environment: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let given = environment("KUBECONFIG").filter(|list| !list.is_empty());
    match (given, environment("HOME")) {
        (Some(list), _) => list.split(':').map(str::to_owned).collect(),
        (None, Some(home)) => vec![format!("{home}/.kube/config")],
        (None, None) => Vec::new(),
    }
}

fn parse(step: &str, namespace: &str, steps: &mut Vec<Step>) -> Result<()> {
    let (word, rest) = step.trim().split_once(' ').unwrap_or((step.trim(), ""));
    let rest = rest.trim();
    let operation = match word {
        "create" => Operation::Create,
        "update" => Operation::Update,
        "ephemeral" => Operation::Ephemeral,
        "wait" => {
            let time = time(rest).ok_or_else(|| {
                Failure::new(format!("--then '{step}': {rest:?} is no time"))
                    .next("write it as 31s, 500ms, 5m or 1h")
            })?;
            steps.push(Step::Wait(time));
            return Ok(());
        }
        "restart" if rest.is_empty() => {
            steps.push(Step::Restart);
            return Ok(());
        }
        _ => {
            return Err(Failure::new(format!("--then '{step}' is no step"))
                .next("steps are: create FILE, update FILE, ephemeral FILE, wait TIME, restart"));
        }
    };
    writes(operation, rest, namespace, steps)
}

/// A time as Go writes it, one unit only.
fn time(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at(text.find(|c: char| c.is_ascii_alphabetic())?);
    let number: f64 = number.parse().ok().filter(|n: &f64| n.is_finite() && *n >= 0.0)?;
    let scale = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    let seconds = number * scale;
    (seconds <= 1e9).then(|| Duration::from_secs_f64(seconds))
}

fn writes(operation: Operation, file: &str, namespace: &str, steps: &mut Vec<Step>) -> Result<()> {
    let failed = |why: &dyn std::fmt::Display| Failure::new(format!("pods in {file}: {why}"));
    let mut text = String::new();
    let limit = FILE_MAX as u64 * 8;
    match file {
        "" => return Err(Failure::new(format!("{} needs a file", operation.as_str()))),
        "-" => std::io::stdin().lock().take(limit).read_to_string(&mut text),
        file => std::fs::File::open(file).and_then(|f| f.take(limit).read_to_string(&mut text)),
    }
    .map_err(|e| failed(&e))?;
    let (pods, others) = pod::read(&text, namespace).map_err(|e| failed(&e))?;
    if pods.is_empty() {
        let there = match others.as_slice() {
            [] => "nothing is there".to_owned(),
            some => format!("there is only {}", some.join(", ")),
        };
        return Err(
            failed(&there).next("kube-apiserver asks about pods; name a pod, or what makes pods")
        );
    }
    let source = if file == "-" { "STDIN" } else { file };
    for pod in pods {
        let (pod, source) = (Box::new(pod), source.to_owned());
        steps.push(Step::Write { operation, pod, source });
    }
    Ok(())
}
