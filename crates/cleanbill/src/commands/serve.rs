//! `cleanbill serve`: the gate that kube-apiserver asks.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cleanbill_core::Timestamp;
use tokio::signal::unix::{SignalKind, signal};

use crate::checkers::Checkers;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::kube::Reader;
use crate::policy_file;
use crate::serve::config::{Config, Kubernetes};
use crate::serve::examiner::Examiner;
use crate::serve::live::Rules;
use crate::serve::record::Recorder;
use crate::serve::reload::{self, Reach, Reloader};
use crate::serve::start::{Parts, start};
use crate::serve::tls::Material;
use crate::serve::{load, log};
use crate::store::{Caretaker, Owner, Store};

/// Examples under the help.
pub const AFTER: &str = "\
Examples:
  cleanbill serve --config /etc/cleanbill/cleanbill.yaml
  cleanbill serve --config cleanbill.yaml --check
  cleanbill serve --config cleanbill.yaml --log-format json

Ends in order on SIGTERM and SIGINT. Certificates, policy, checkers, registries and advisories are
reloaded on SIGHUP, and when their files change. `cleanbill setup DIR` writes the configuration.";

/// Arguments of `serve`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration
    #[arg(long, short = 'c', value_name = "FILE", default_value = "cleanbill.yaml")]
    config: PathBuf,
    /// Read configuration, policy and certificates, say what is wrong, and end
    #[arg(long)]
    check: bool,
    /// How log lines look
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    log_format: log::Format,
    /// What is logged: error, warn, info, debug or trace
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    log_level: String,
}

/// Runs the command. `examiner` makes the examiner from the configuration: it opens the
/// advisories and knows the registries; and with it what makes the way to those anew.
///
/// # Errors
/// When something it needs cannot be read or opened, or an address cannot be had.
pub fn run<F>(args: &Args, examiner: F) -> Result<Exit>
where
    F: FnOnce(&Config, Arc<Store>) -> Result<(Examiner, Reach)>,
{
    let (config, loaded) = load::load_and_warn(&args.config, Timestamp::now())?;
    let tls = &config.tls;
    let names = tls.client_names.clone();
    let material = Material::read(&tls.cert, &tls.key, &tls.client_ca, names)?;
    let tls = material.config()?;
    material.in_time(Timestamp::now())?;
    if args.check {
        policy_file::say(&loaded.warnings);
        return Ok(Exit::DONE);
    }
    log::begin(args.log_format, &args.log_level)?;
    for warning in &loaded.warnings {
        tracing::warn!(policy = %warning, "the policy is valid, and hardly meant so");
    }
    let store = Store::open(&config.state_dir, Owner::Gate)?.keeping(config.keep);
    let store = Arc::new(store.within(config.room));
    let _caretaker = Caretaker::start(store.clone())?;
    let (examiner, reach) = examiner(&config, store.clone())?;
    let parts = Parts {
        listen: config.listen,
        metrics_listen: config.metrics_listen,
        tls,
        examiner,
        rules: Rules::new(loaded.policy, Timestamp::now())?,
        checkers: Checkers::open(&config.checkers)?,
        kubernetes: config.kubernetes.as_ref().map(Kubernetes::open).transpose()?.map(Reader::new),
        recorder: Recorder::into(store)?,
        bounds: config.bounds,
        work: config.work,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::new(format!("no threads can be had: {e}")))?;
    let served = runtime.block_on(until_stopped(&args.config, config, parts, reach));
    // Examinations that are still under way keep nothing that has to be finished.
    runtime.shutdown_background();
    served.map(|()| Exit::DONE)
}

async fn until_stopped(path: &Path, config: Config, parts: Parts, reach: Reach) -> Result<()> {
    let listen = |kind| signal(kind).map_err(|e| Failure::new(format!("signals: {e}")));
    let (mut terminate, mut interrupt) =
        (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    let policy = parts.rules.name();
    let started = start(parts).await?;
    let reloader = Reloader::new(path, config, started.handles().clone()).reaching(reach);
    let reloading = reload::run(reloader)?;
    let metrics = started.metrics_address().map(|address| address.to_string());
    tracing::info!(
        address = %started.address(),
        metrics,
        policy,
        "the gate is open"
    );
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping: questions under way are answered first");
    reloading.abort();
    started.stop().await;
    Ok(())
}
