//! `db.yaml` as a person writes it → a valid [`Config`], or everything that is wrong with it, at once,
//! each with its place and a hint. Reads nothing but the text it is given.

use std::path::{Path, PathBuf};

use cleanbill_advisory::update::{Publisher, Sources};
use cleanbill_core::ecosystem::Ecosystem;
use cleanbill_core::reference::ImageRef;

use super::config::{Config, Feeds, Source, Way};
use super::origin::Origin;
use super::update::Choice;
use crate::commands::source::duration;
use crate::mirror;
use crate::policy_file::node::{Node, Placed};
use crate::policy_file::read::{Reader, shown};
use crate::policy_file::{self, Problem};

const KEYS: [&str; 3] = ["sources", "out", "cache"];
/// The keys of a source, of which it has one.
const KINDS: [&str; 3] = ["feeds", "trivy", "snapshot"];
const FEEDS_KEYS: [&str; 4] = ["ecosystems", "feeds", "mirror", "ca"];
const TRIVY_KEYS: [&str; 6] =
    ["repository", "plain_http", "ca", "username", "password_file", "timeout"];
const SNAPSHOT_KEYS: [&str; 7] =
    ["ref", "keys", "plain_http", "ca", "username", "password_file", "timeout"];
/// The most sources of one configuration.
const MOST: usize = 16;

/// Reads a configuration. `file` is its path: for the problems, and because relative paths are
/// relative to its folder. An empty one says nothing.
///
/// # Errors
/// All problems, in the order of the file; never an empty list.
pub fn parse(text: &str, file: &Path) -> Result<Config, Vec<Problem>> {
    let name = file.display().to_string();
    let root = policy_file::tree(text, &name)?;
    let reader = Reader { file: &name, text, problems: Vec::new() };
    let mut raw = Raw { reader, folder: file.parent().unwrap_or(Path::new("")) };
    let config = match root.value {
        Node::Null => Config::default(),
        Node::Bool(_) | Node::Number(_) | Node::Text(_) | Node::List(_) | Node::Map(_) => {
            raw.config(&root)
        }
    };
    let mut problems = raw.reader.problems;
    problems.sort_by_key(|p| (p.line, p.column));
    if problems.is_empty() { Ok(config) } else { Err(problems) }
}

/// Reads bytes as a configuration: the entry for fuzzing. True when it was one.
pub fn fuzz_config(bytes: &[u8]) -> bool {
    parse(&String::from_utf8_lossy(bytes), Path::new("fuzz")).is_ok()
}

struct Raw<'a> {
    reader: Reader<'a>,
    folder: &'a Path,
}

impl Raw<'_> {
    fn config(&mut self, root: &Placed) -> Config {
        let mut config = Config::default();
        for (key, value) in self.reader.entries(root, "the configuration", &KEYS) {
            match key {
                "out" => config.out = self.path(key, value),
                "cache" => config.cache = self.path(key, value),
                // `entries` gives none but the known keys: this is `sources`.
                _ => config.sources = self.sources(value),
            }
        }
        config
    }

    fn sources(&mut self, node: &Placed) -> Vec<Source> {
        let list = self.reader.list("sources", node);
        if matches!(node.value, Node::List(_)) && !(1..=MOST).contains(&list.len()) {
            let message = format!("\"sources\" has {} entries", list.len());
            self.reader.problem(node.referenced, message, format!("from 1 to {MOST}"));
            return Vec::new();
        }
        let mut found: Vec<Source> = Vec::new();
        for entry in list {
            let Some(source) = self.source(entry) else { continue };
            let origin = source.origin();
            if found.iter().any(|s| s.origin() == origin) {
                let message = format!("{origin} is there twice");
                self.reader.problem(entry.referenced, message, "keep one of them");
            }
            found.push(source);
        }
        found
    }

    /// A source, as `--from` names it or with its settings.
    fn source(&mut self, node: &Placed) -> Option<Source> {
        if let Node::Text(text) = &node.value {
            return match text.parse() {
                Ok(Origin::Feeds) => Some(Source::Feeds(Feeds::default())),
                Ok(Origin::Trivy(name)) => Some(Source::Trivy(name, Way::default())),
                Ok(Origin::Snapshot(name)) => {
                    Some(Source::Snapshot(name, Way::default(), Vec::new()))
                }
                Err(_) => {
                    let message = format!("\"{}\" is no source", shown(text));
                    let hint =
                        "feeds, trivy:REPOSITORY or snapshot:REF, or one of them with settings";
                    self.reader.problem(node.referenced, message, hint);
                    None
                }
            };
        }
        let entries = self.reader.entries(node, "a source", &KINDS);
        if matches!(node.value, Node::Map(_)) && entries.len() != 1 {
            let message = format!("a source has {} kinds", entries.len());
            let hint = format!("give it exactly one of {}", KINDS.join(", "));
            self.reader.problem(node.referenced, message, hint);
            return None;
        }
        let (key, value) = *entries.first()?;
        match key {
            "feeds" => Some(Source::Feeds(self.feeds(value))),
            "trivy" => self.trivy(value),
            _ => self.snapshot(value),
        }
    }

    fn feeds(&mut self, node: &Placed) -> Feeds {
        let mut feeds = Feeds::default();
        for (key, value) in self.reader.entries(node, "\"feeds\"", &FEEDS_KEYS) {
            match key {
                "ecosystems" => {
                    let words = Ecosystem::ALL.map(|e| (e.as_str(), e));
                    feeds.ecosystems = self.words(key, value, &words);
                }
                "feeds" => {
                    let named = Publisher::ALL.iter().map(|p| (p.as_str(), Choice::Of(*p)));
                    let words: Vec<_> = named.chain([("none", Choice::None)]).collect();
                    feeds.publishers = self.words(key, value, &words);
                }
                "ca" => feeds.ca = self.path(key, value),
                // `entries` gives none but the known keys: this is `mirror`.
                _ => feeds.mirror = self.mirror(key, value),
            }
        }
        feeds
    }

    fn trivy(&mut self, node: &Placed) -> Option<Source> {
        let entries = self.reader.entries(node, "\"trivy\"", &TRIVY_KEYS);
        let hint = "write repository: REGISTRY/REPOSITORY, such as ghcr.io/aquasecurity/trivy-db";
        self.reader.demand("\"trivy\"", node, &entries, &["repository"], hint);
        let mut name = None;
        for (key, value) in entries.iter().filter(|(key, _)| *key == "repository") {
            name = self.name(key, value, |text| mirror::trivy::name(text).ok());
        }
        let way = self.way(node, &entries);
        Some(Source::Trivy(name?, way))
    }

    fn snapshot(&mut self, node: &Placed) -> Option<Source> {
        let entries = self.reader.entries(node, "\"snapshot\"", &SNAPSHOT_KEYS);
        let hint = "write ref: REGISTRY/REPOSITORY:TAG, where `cleanbill db push` put one";
        self.reader.demand("\"snapshot\"", node, &entries, &["ref"], hint);
        let (mut name, mut keys) = (None, Vec::new());
        for (key, value) in &entries {
            match *key {
                "ref" => name = self.name(key, value, |text| text.parse().ok()),
                "keys" => keys = self.reader.texts(key, value),
                _ => {}
            }
        }
        let way = self.way(node, &entries);
        let keys = keys.into_iter().map(|key| self.folder.join(key)).collect();
        Some(Source::Snapshot(name?, way, keys))
    }

    /// The keys that all sources in registries have.
    fn way(&mut self, node: &Placed, entries: &[(&'static str, &Placed)]) -> Way {
        let (mut way, mut user, mut password) = (Way::default(), None, None);
        for (key, value) in entries {
            match *key {
                "plain_http" => way.plain_http = self.reader.boolean(key, value),
                "ca" => way.ca = self.path(key, value),
                "username" => user = self.reader.text(key, value),
                "password_file" => password = self.path(key, value),
                "timeout" => {
                    way.timeout = duration(value.value.as_text()).ok();
                    if way.timeout.is_none() {
                        let message = format!("\"{key}\" is no time");
                        let hint = "write it as 90s, 5m or 1h30m";
                        self.reader.problem(value.referenced, message, hint);
                    }
                }
                _ => {}
            }
        }
        let has = |wanted: &str| entries.iter().any(|(key, _)| *key == wanted);
        if has("username") != has("password_file") {
            let message = "one of \"username\" and \"password_file\" alone".to_owned();
            self.reader.problem(node.referenced, message, "give both, or neither");
        }
        way.login = user.zip(password);
        way
    }

    fn words<T: Copy>(&mut self, key: &str, node: &Placed, words: &[(&'static str, T)]) -> Vec<T> {
        let list = self.reader.some(key, node);
        list.iter().filter_map(|entry| self.reader.word(key, entry, words)).collect()
    }

    fn name(
        &mut self,
        key: &str,
        node: &Placed,
        read: impl Fn(&str) -> Option<ImageRef>,
    ) -> Option<ImageRef> {
        let text = self.reader.text(key, node)?;
        let name = read(&text);
        if name.is_none() {
            let message = format!("\"{key}\" cannot be \"{}\"", shown(&text));
            let hint = "write it as [REGISTRY/]REPOSITORY[:TAG][@DIGEST]";
            self.reader.problem(node.referenced, message, hint);
        }
        name
    }

    fn mirror(&mut self, key: &str, node: &Placed) -> Option<Sources> {
        let text = self.reader.text(key, node)?;
        let mirror = Sources::mirror(&text).ok();
        if mirror.is_none() {
            let message = format!("\"{key}\" cannot be \"{}\"", shown(&text));
            let hint = "write https://host/path; plain HTTP is for a mirror on this machine only";
            self.reader.problem(node.referenced, message, hint);
        }
        mirror
    }

    fn path(&mut self, key: &str, node: &Placed) -> Option<PathBuf> {
        self.reader.text(key, node).map(|text| self.folder.join(text))
    }
}

#[cfg(test)]
#[path = "config_file_tests.rs"]
mod tests;
