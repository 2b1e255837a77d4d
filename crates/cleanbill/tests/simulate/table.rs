//! Every row, played by the simulator.

use cleanbill::apiserver::client::Proxies;
use cleanbill::apiserver::plugin::{Course, End};
use cleanbill::apiserver::pod::{Operation, Pod};
use cleanbill::apiserver::{Files, Version};
use cleanbill::simulate::{self, Input, Step as Does};

use crate::pki::pki;
use crate::rows::{Row, Step, all};
use crate::webhook::Webhook;

#[test]
fn the_table_is_large_and_no_name_comes_twice() {
    let rows = all();
    assert!(rows.len() >= 80, "only {} rows", rows.len());
    let mut names: Vec<_> = rows.iter().map(|row| &row.name).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), rows.len());
}

#[test]
fn every_row_ends_as_it_says() {
    let mut wrong = Vec::new();
    for row in all() {
        let newest = row.until.map_or(Version::NEWEST, |minor| Version { minor, patch: 99 });
        let oldest = row.since.map(|minor| Version { minor, patch: 99 });
        for version in [Some(newest), oldest].into_iter().flatten() {
            if let Err(why) = std::panic::catch_unwind(|| check(&row, version)) {
                let why = why.downcast_ref::<String>().cloned().unwrap_or_default();
                wrong.push(format!("{} ({version}): {why}", row.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{} rows:\n{}", wrong.len(), wrong.join("\n"));
}

fn check(row: &Row, version: Version) {
    let dir = tempfile::tempdir().unwrap();
    let hook = Webhook::start(row.listens, &row.replies);
    row.write(dir.path(), hook.port, pki());
    let env = row.env.clone();
    let other = env.clone();
    let input = Input {
        version,
        admission_config: dir.path().join("config.yaml"),
        files: Files::here(),
        proxies: Proxies::of_environment(|name| {
            other.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone())
        }),
        kubeconfigs: env
            .iter()
            .filter(|(name, _)| name == "KUBECONFIG")
            .map(|(_, value)| value.replace("{dir}", &dir.path().display().to_string()))
            .collect(),
        real_time: false,
        steps: row.steps.iter().map(does).collect(),
    };
    let dir = dir.path().display().to_string();
    let report = simulate::run(&input).unwrap();
    let port = format!(":{}", hook.port);
    let plain = |words: &str| words.replace(&dir, "{dir}").replace(&port, ":{port}");
    let refused = report.refused.as_ref().map(|r| plain(&r.words));
    match (&row.refused, &refused) {
        (None, None) => {}
        (Some(want), Some(got)) => assert!(got.contains(want), "refused with: {got}"),
        (want, got) => panic!("wanted {want:?}, got {got:?}"),
    }
    for (at, (step, done)) in row.steps.iter().zip(&report.done).enumerate() {
        let Some(course) = &done.course else { continue };
        let (end, said) = ended(course);
        let said = plain(&said);
        let at = at + 1;
        if let Some(want) = &step.end {
            assert_eq!(end, want, "step {at}: {said}");
        }
        if let Some(want) = &step.says {
            assert!(said.contains(want.trim_end()), "step {at} says: {said}");
        }
        if let Some(want) = step.calls {
            assert_eq!(course.calls.len(), want, "step {at}: calls");
        }
        if let Some(want) = &step.asks {
            let asked = course.question.clone().unwrap_or_default();
            assert!(asked.contains(want.as_str()), "step {at} asks: {asked}");
        }
        if let Some(want) = &step.audit {
            let got: Vec<String> =
                course.audit.iter().map(|(key, value)| format!("{key}: {value}")).collect();
            assert!(got.contains(want), "step {at}, audit: {got:?}");
        }
    }
    let counted: usize = report
        .done
        .iter()
        .filter_map(|done| done.course.as_ref())
        .flat_map(|course| &course.calls)
        .filter(|call| !call.came.contains("dial tcp") && !call.came.contains("tls: "))
        .count();
    if counted > 0 && hook.calls() > 0 {
        assert!(hook.calls() >= counted, "{counted} calls, {} came", hook.calls());
        assert!(!hook.last_body().is_empty());
    }
}

fn does(step: &Step) -> Does {
    if let Some(seconds) = step.wait {
        return Does::Wait(std::time::Duration::from_secs_f64(seconds));
    }
    if step.restart {
        return Does::Restart;
    }
    let (operation, images) = match (step.create.as_slice(), step.update.as_slice()) {
        ([], []) => (Operation::Ephemeral, &step.ephemeral),
        ([], _) => (Operation::Update, &step.update),
        _ => (Operation::Create, &step.create),
    };
    let ephemeral = operation == Operation::Ephemeral;
    let containers = if ephemeral { vec!["base".into()] } else { images.clone() };
    let mut pod = Pod::of("web", "default", containers);
    pod.annotations = step.annotations.iter().cloned().collect();
    pod.init_containers = step.init.clone();
    if ephemeral {
        pod.ephemeral_containers = images.clone();
    }
    Does::Write { operation, pod: Box::new(pod), source: "pod.yaml".into() }
}

fn ended(course: &Course) -> (&'static str, String) {
    match &course.end {
        End::NotAsked(why) => ("not-asked", (*why).to_owned()),
        End::Allowed => ("allowed", String::new()),
        End::Denied(words) => ("denied", words.clone()),
        End::FailedOpen(words) => ("failed-open", words.clone()),
        End::FailedClosed(words) => ("failed-closed", words.clone()),
        End::TimedOut(words) => ("timed-out", words.clone()),
    }
}
