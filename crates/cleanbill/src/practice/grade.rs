//! How an exercise stands: what `doctor` says of the folder, and what `simulate` sees when pods
//! are made in it.

use std::path::Path;

use cleanbill_core::Timestamp;

use super::Exercise;
use super::webhook::Webhook;
use crate::apiserver::client::Proxies;
use crate::apiserver::plugin::End;
use crate::apiserver::pod::{Operation, Pod};
use crate::apiserver::{Files, Version};
use crate::doctor::found::Outcome;
use crate::doctor::view::View;
use crate::doctor::{self, Checked, Input, Network};
use crate::failure::Result;
use crate::simulate::{self, Step};

/// One thing that is graded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// What is asked for.
    pub asks: &'static str,
    /// Whether it is so.
    pub met: bool,
    /// What was seen.
    pub seen: String,
}

/// What kubectl would be told of a pod, or why it was never made.
type Told = std::result::Result<End, String>;

/// Grades the folder.
///
/// # Errors
/// When the webhook cannot be played, or the files ask for what is not played.
pub fn grade(dir: &Path, exercise: &Exercise) -> Result<Vec<Point>> {
    let webhook = Webhook::start(dir, exercise.port)?;
    let mut input = Input::nothing(Timestamp::now());
    input.root = Some(std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned()));
    input.network = Network::OnNode;
    let view = View::of(&input);
    let report = doctor::judge(&view);
    let servers = &view.servers;
    let mut points = Vec::new();
    points.push(match report.first_error() {
        None => Point {
            asks: "doctor finds no error",
            met: !servers.is_empty() && report.count(Outcome::Fine) > 0,
            seen: format!("{} checks are fine", report.count(Outcome::Fine)),
        },
        Some(first) => Point {
            asks: "doctor finds no error",
            met: false,
            // Which one is for the person to find: doctor says it to whoever asks.
            seen: match report.count(Outcome::Error) {
                1 => format!("there is one, about {}", first.check),
                many => format!("there are {many}; the first is about {}", first.check),
            },
        },
    });
    points.push(Point {
        asks: "there is exactly one kube-apiserver",
        met: servers.len() == 1,
        seen: format!("there are {}", servers.len()),
    });
    let on = |c: &&Checked| c.check == "plugin-enabled";
    let (enabled, seen) = match report.checked.iter().find(on) {
        Some(checked) => {
            (matches!(checked.outcome, Outcome::Fine | Outcome::Warning), checked.said.clone())
        }
        None => (false, "nobody looked".to_owned()),
    };
    points.push(Point { asks: "kube-apiserver asks about pods", met: enabled, seen });
    let tell = |image: &str| -> Result<Told> {
        let Some(server) = servers.first() else { return Ok(Err("there is no API server".into())) };
        if !enabled {
            return Ok(Err("the plug-in is off, so nobody is asked".into()));
        }
        let (Some(files), Ok(config)) = (&server.inside, &server.config_path) else {
            return Ok(Err("it has no admission configuration".into()));
        };
        told(files, config, server.version, image)
    };
    let before = webhook.calls();
    let (good, bad) = (tell("registry.example/app:1.4")?, tell("registry.example/app:latest")?);
    let asked = webhook.calls() - before;
    points.push(point("a good image is let in", &good, |end| *end == End::Allowed));
    points.push(point("an image tagged latest is refused by the webhook", &bad, |end| {
        matches!(end, End::Denied(_))
    }));
    points.push(Point {
        asks: "the webhook was asked each time",
        met: asked == 2,
        seen: format!("it was asked {asked} times of 2"),
    });
    drop(webhook);
    let down = tell("registry.example/app:1.5")?;
    points.push(point("while the webhook is down, no pod is let in", &down, |end| {
        matches!(end, End::FailedClosed(_))
    }));
    Ok(points)
}

fn point(asks: &'static str, told: &Told, met: impl Fn(&End) -> bool) -> Point {
    let seen = match told {
        Err(why) => format!("it was not tried: {why}"),
        Ok(End::Allowed) => "it was let in".into(),
        Ok(End::NotAsked(why)) => format!("nobody was asked: {why}"),
        Ok(End::FailedOpen(why)) => format!("it was let in, although {why}"),
        Ok(End::Denied(words) | End::FailedClosed(words) | End::TimedOut(words)) => words.clone(),
    };
    Point { asks, met: told.as_ref().is_ok_and(met), seen }
}

fn told(files: &Files, config: &Path, version: Option<Version>, image: &str) -> Result<Told> {
    let pod = Pod::of("practice", "default", vec![image.to_owned()]);
    let (operation, source) = (Operation::Create, "pod.yaml".to_owned());
    let input = simulate::Input {
        version: version.unwrap_or(Version::NEWEST),
        admission_config: config.to_owned(),
        files: files.clone(),
        proxies: Proxies::default(),
        kubeconfigs: Vec::new(),
        real_time: false,
        steps: vec![Step::Write { operation, pod: Box::new(pod), source }],
    };
    let report = simulate::run(&input)?;
    if let Some(refused) = report.refused {
        return Ok(Err(format!("kube-apiserver does not start: {}", refused.words)));
    }
    let course = report.done.into_iter().next().and_then(|done| done.course);
    Ok(course.map(|course| course.end).ok_or_else(|| "nothing was played".to_owned()))
}
