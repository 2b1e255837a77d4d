//! What was found in a case's images: said in the case, or looked at, in an archive beside the file
//! or in a registry as `check` does.
//!
//! What cannot be looked at is a failed examination, as it is for the gate: never an empty image.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::path::Path;

use cleanbill_advisory::Snapshot;
use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use cleanbill_core::evidence::Evidence;
use cleanbill_core::reference::ImageRef;
use cleanbill_oci::source::InputSpec;

use super::facts::{self, Facts};
use crate::assess::{Against, Found, judge_found};
use crate::commands::policy::looking::LookingArgs;
use crate::commands::source::Wanted;
use crate::failure::Result;
use crate::policy_file::node::{Node, Placed};
use crate::policy_file::read::Reader;
use crate::trouble::Trouble;

/// The keys of `evidence` that name an image to be looked at.
pub(super) const LOOKED_AT_KEYS: [&str; 2] = ["image", "input"];

/// Where what was found comes from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// The case says it.
    Said(Box<Facts>),
    /// It is looked for in an image of a registry, or in an archive or layout.
    Looked(Wanted),
}

impl Source {
    /// Whether the case says what was found.
    pub(super) fn is_said(&self) -> bool {
        match self {
            Self::Said(_) => true,
            Self::Looked(_) => false,
        }
    }
}

/// Reads what stands under `evidence`; paths are relative to the folder.
pub(super) fn read(reader: &mut Reader<'_>, node: &Placed, folder: &Path) -> Option<Source> {
    let named = |entry: &&(Placed, Placed)| LOOKED_AT_KEYS.contains(&entry.0.value.as_text());
    let looked = match &node.value {
        Node::Map(map) => map.iter().any(|entry| named(&entry)),
        Node::Null | Node::Bool(_) | Node::Number(_) | Node::Text(_) | Node::List(_) => false,
    };
    if !looked {
        return Some(Source::Said(Box::new(facts::read(reader, node))));
    }
    let mut wanted = None;
    for (key, value) in reader.entries(node, "\"evidence\"", &facts::EVIDENCE_KEYS) {
        if !LOOKED_AT_KEYS.contains(&key) {
            let message = format!("\"{key}\" stands beside an image that is looked at");
            let hint = "what is found in the image counts: remove one of them";
            reader.problem(value.referenced, message, hint);
            continue;
        }
        let Some(text) = reader.text(key, value) else { continue };
        if wanted.is_some() {
            let message = "\"image\" and \"input\" are both there".to_owned();
            reader.problem(value.referenced, message, "keep one of them");
            continue;
        }
        wanted = match key {
            "image" => image(reader, value, &text).map(Wanted::Registry),
            _ => input(reader, value, &text, folder).map(Wanted::Input),
        };
    }
    wanted.map(Source::Looked)
}

fn image(reader: &mut Reader<'_>, node: &Placed, text: &str) -> Option<ImageRef> {
    match text.parse() {
        Ok(name) => Some(name),
        Err(e) => {
            let hint = "write it as [REGISTRY/]REPOSITORY[:TAG][@DIGEST]";
            reader.problem(node.referenced, format!("{e}"), hint);
            None
        }
    }
}

fn input(reader: &mut Reader<'_>, node: &Placed, text: &str, folder: &Path) -> Option<String> {
    let mut problem = |message: String, hint| {
        reader.problem(node.referenced, message, hint);
        None
    };
    if text == "-" {
        return problem("\"input\" cannot be standard input".into(), "write a file's name");
    }
    let path = folder.join(text);
    let Some(path) = path.to_str() else {
        return problem("the folder's name is no UTF-8".into(), "move the cases elsewhere");
    };
    match InputSpec::parse(path).path {
        Some(file) if file.exists() => Some(path.to_owned()),
        Some(_) | None => {
            let hint = "name an archive or layout; the path is relative to the file of cases";
            problem(format!("there is no {path}"), hint)
        }
    }
}

/// Looks at images, each once, and matches what is in them with one snapshot.
pub(super) struct Looker<'a> {
    how: &'a LookingArgs,
    snapshot: OnceCell<Snapshot>,
    looked: RefCell<HashMap<(String, String), std::result::Result<Seen, String>>>,
}

/// What was found, and the image's id (of its configuration), where it is one image.
#[derive(Clone)]
struct Seen {
    found: Found,
    id: Option<Digest>,
}

/// Evidence under a name, or why there is none.
pub(super) type Known = std::result::Result<Evidence, String>;

impl<'a> Looker<'a> {
    pub(super) fn new(how: &'a LookingArgs) -> Self {
        Self { how, snapshot: OnceCell::new(), looked: RefCell::default() }
    }

    /// What is known of an image of a registry.
    ///
    /// # Errors
    /// When the advisories cannot be read: then nothing can be tested.
    pub(super) fn evidence(
        &self,
        source: &Source,
        name: &ImageRef,
        now: Timestamp,
    ) -> Result<Known> {
        match source {
            Source::Said(facts) => Ok(Ok(facts.evidence(name, now))),
            Source::Looked(wanted) => match self.look(wanted, name) {
                Ok(seen) => self.judge(name, &seen.found, now).map(Ok),
                Err(why) => Ok(Err(why)),
            },
        }
    }

    /// The same of an image that was registered: its digest is its id, as `register` has it, and
    /// `own` for what the case says.
    ///
    /// # Errors
    /// As [`Looker::evidence`].
    pub(super) fn registered(
        &self,
        source: &Source,
        name: &ImageRef,
        own: Digest,
        now: Timestamp,
    ) -> Result<Known> {
        let mut known = self.evidence(source, name, now)?;
        if let Ok(evidence) = &mut known {
            evidence.resolved = match source {
                Source::Said(_) => own,
                Source::Looked(wanted) => {
                    let id = self.look(wanted, name).ok().and_then(|seen| seen.id);
                    id.unwrap_or(evidence.resolved)
                }
            };
        }
        Ok(known)
    }

    fn look(&self, wanted: &Wanted, name: &ImageRef) -> std::result::Result<Seen, String> {
        let key = (format!("{wanted:?}"), name.to_string());
        if let Some(seen) = self.looked.borrow().get(&key) {
            return seen.clone();
        }
        let look = || -> std::result::Result<Seen, Trouble> {
            let subject = self.how.open(wanted.clone(), &self.how.choice())?;
            let id = match subject.images.as_slice() {
                [only] => Some(only.config_digest),
                _ => None,
            };
            Ok(Seen { found: self.how.look(name, &subject)?, id })
        };
        let seen = look().map_err(|trouble| trouble.to_string());
        self.looked.borrow_mut().insert(key, seen.clone());
        seen
    }

    fn judge(&self, name: &ImageRef, found: &Found, now: Timestamp) -> Result<Evidence> {
        let snapshot = match self.snapshot.get() {
            Some(snapshot) => snapshot,
            None => {
                let opened = self.how.snapshot()?;
                self.snapshot.get_or_init(|| opened)
            }
        };
        // How old a feed may be is asked again by the judge, under the policy of the case.
        let against = Against { snapshot, now, max_feed_age_days: u32::MAX };
        Ok(judge_found(name, found, against)?)
    }
}
