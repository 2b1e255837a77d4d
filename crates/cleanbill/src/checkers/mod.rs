//! Others who are asked about an image: who they are, and what they said.
//!
//! Each kind is a file of the same shape: made once from its configuration, then asked with an
//! [`Asked`] until a moment, giving what was [`Said`] or why nothing was (a [`Silence`]). An
//! opinion is evidence: nothing here decides, combines opinions or can allow anything, and
//! whatever goes wrong (panics included) ends as [`Answer::Silent`](cleanbill_core::opinion),
//! never as agreement. Blocking; must not know the admission servers.

mod answer;
mod asked;
mod config;
pub(crate) mod config_file;
mod http;
mod imagereview;
mod memory;
mod post;
mod program;
mod run;
mod slots;

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use cleanbill_core::opinion::Opinion;

pub use self::answer::{fuzz_answer, fuzz_imagereview};
pub use self::asked::{Asked, Context};
pub use self::config::{CheckerConfig, ClientFiles, Endpoint, KindConfig, ProgramConfig, Url};
pub use self::config_file::fuzz_checkers;
use self::memory::Memory;
use self::slots::Slots;
use crate::failure::Result;

/// The most bytes of an answer that are read.
pub const ANSWER_BYTES: usize = 1 << 20;
/// How long past its time a checker's thread is waited for, to say why it was silent. What it
/// says is never waited for longer.
const GRACE: Duration = Duration::from_millis(100);

/// What a checker said.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Said {
    /// It would let the image run.
    Agrees,
    /// It would not, for this reason.
    Disagrees(String),
}

/// Why a checker said nothing that counts, in two forms: what the pod's author may read names no
/// address, no path and none of a stranger's words.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Silence {
    /// For everybody: the gap's detail.
    public: String,
    /// For the log.
    log: String,
}

impl Silence {
    /// The same words for both.
    fn new(public: impl Into<String>) -> Self {
        Self { public: public.into(), log: String::new() }
    }

    /// More for the log alone.
    fn log(mut self, more: impl std::fmt::Display) -> Self {
        self.log = more.to_string();
        self
    }

    /// No answer came in time.
    fn late() -> Self {
        Self::new("it gave no answer in time")
    }
}

/// The kinds of checkers: the one list that names them all.
enum Kind {
    ImageReview(imagereview::ImageReview),
    Http(http::Http),
    Program(program::Program),
}

impl Kind {
    fn open(config: &KindConfig) -> Result<Self> {
        Ok(match config {
            KindConfig::ImageReview(endpoint) => {
                Self::ImageReview(imagereview::ImageReview::open(endpoint)?)
            }
            KindConfig::Http(endpoint) => Self::Http(http::Http::open(endpoint)?),
            KindConfig::Program(config) => Self::Program(program::Program::open(config)),
        })
    }

    fn ask(&self, asked: &Asked, until: Instant) -> std::result::Result<Said, Silence> {
        match self {
            Self::ImageReview(checker) => checker.ask(asked, until),
            Self::Http(checker) => checker.ask(asked, until),
            Self::Program(checker) => checker.ask(asked, until),
        }
    }

    /// Whether the context is part of the question. `ImageReview` has no place for it.
    fn takes_context(&self) -> bool {
        match self {
            Self::ImageReview(_) => false,
            Self::Http(_) | Self::Program(_) => true,
        }
    }
}

/// One checker with its bounds.
struct Checker {
    config: CheckerConfig,
    kind: Kind,
    slots: Slots,
    memory: Memory,
}

/// All checkers of a configuration, ready to be asked.
#[derive(Default)]
pub struct Checkers {
    list: Vec<Arc<Checker>>,
}

/// Their names alone: some hold private keys.
impl fmt::Debug for Checkers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

impl Checkers {
    /// Prepares them: certificates are read and must be good, nobody is contacted.
    ///
    /// # Errors
    /// When a file of certificates or keys cannot be read or used; names the checker.
    pub fn open(configs: &[CheckerConfig]) -> Result<Self> {
        Self::default().again(configs)
    }

    /// The same for a configuration that changed. Everything is prepared anew, so that a file that
    /// is broken now is told; whoever is configured as before stays who he was, with what he said
    /// and his bound on questions at a time.
    ///
    /// # Errors
    /// As [`Checkers::open`].
    pub fn again(&self, configs: &[CheckerConfig]) -> Result<Self> {
        let open = |config: &CheckerConfig| {
            let kind = Kind::open(&config.kind)
                .map_err(|e| e.within(format_args!("checker {}", config.name)))?;
            let same = self.list.iter().find(|known| known.config == *config);
            Ok(same.map(Arc::clone).unwrap_or_else(|| {
                Arc::new(Checker {
                    kind,
                    slots: Slots::new(config.parallel),
                    memory: Memory::new(config.remember),
                    config: config.clone(),
                })
            }))
        };
        Ok(Self { list: configs.iter().map(open).collect::<Result<_>>()? })
    }

    /// Whether these are the same ones, in the same order.
    pub fn are(&self, others: &Self) -> bool {
        let mut pairs = self.list.iter().zip(&others.list);
        self.list.len() == others.list.len() && pairs.all(|(a, b)| Arc::ptr_eq(a, b))
    }

    /// Their names, in the order of the configuration.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|c| c.config.name.as_str())
    }

    /// Asks those named, all at the same time, each within its own time and none past `until`
    /// (by more than a tenth of a second). Blocks until the last has answered or its time is up.
    ///
    /// Gives one opinion for each name, in their order; a name that is not configured is silent.
    pub fn ask(&self, names: &[&str], asked: &Asked, until: Instant) -> Vec<Opinion> {
        let (tell, hear) = channel();
        let mut latest = Instant::now();
        for (at, name) in names.iter().enumerate() {
            let Some(checker) = self.list.iter().find(|c| c.config.name == *name) else { continue };
            let end = until.min(Instant::now() + checker.config.timeout);
            latest = latest.max(end);
            checker.start(at, asked, end, tell.clone());
        }
        drop(tell);
        let mut heard: Vec<Option<Opinion>> = vec![None; names.len()];
        // Ends when all have told, or when the time is up.
        let left = || (latest + GRACE).saturating_duration_since(Instant::now());
        while let Ok((at, opinion)) = hear.recv_timeout(left()) {
            if let Some(place) = heard.get_mut(at) {
                *place = Some(opinion);
            }
        }
        let silent = |name: &str| {
            let known = self.list.iter().any(|c| c.config.name == name);
            let late = Silence::late().public;
            Opinion::silent(name, if known { &late } else { "no checker of this name is there" })
        };
        heard.into_iter().zip(names).map(|(o, name)| o.unwrap_or_else(|| silent(name))).collect()
    }
}

impl Checker {
    /// Asks on a thread of its own and tells what came of it. Should it never tell, whoever
    /// listens hears nothing, which is silence.
    fn start(
        self: &Arc<Self>,
        at: usize,
        asked: &Asked,
        until: Instant,
        tell: Sender<(usize, Opinion)>,
    ) {
        let mut asked = asked.clone();
        if !self.kind.takes_context() {
            asked = asked.without_context();
        }
        if let Some(said) = self.memory.recall(&asked) {
            // Nobody listens only when the asker is gone.
            _ = tell.send((at, self.opinion(Ok(said))));
            return;
        }
        let Some(ticket) = self.slots.ticket() else {
            let full = Silence::new("too many questions wait for it already");
            _ = tell.send((at, self.opinion(Err(full))));
            return;
        };
        let this = Arc::clone(self);
        let work = move || {
            let said = match ticket.turn(until) {
                None => Err(Silence::new("it was busy with other questions for too long")),
                Some(_turn) => this.kind.ask(&asked, until),
            };
            if let Ok(said) = &said {
                this.memory.keep(asked, said.clone());
            }
            _ = tell.send((at, this.opinion(said)));
        };
        // Without a thread nobody tells anything.
        if let Err(error) = std::thread::Builder::new().name("checker".into()).spawn(work) {
            tracing::error!(checker = self.config.name, "no thread to ask on: {error}");
        }
    }

    fn opinion(&self, said: std::result::Result<Said, Silence>) -> Opinion {
        match said {
            Ok(Said::Agrees) => Opinion::agrees(&self.config.name),
            Ok(Said::Disagrees(reason)) => Opinion::disagrees(&self.config.name, &reason),
            Err(silence) => {
                let log = cleanbill_core::opinion::one_line(&silence.log);
                tracing::warn!(
                    checker = self.config.name,
                    cause = log,
                    "silent: {}",
                    silence.public
                );
                Opinion::silent(&self.config.name, &silence.public)
            }
        }
    }
}
