//! The key `checkers` of `cleanbill.yaml` → valid [`CheckerConfig`]s, every mistake with its
//! place and a hint. Reads nothing but the tree it is given.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::config::{CheckerConfig, ClientFiles, Endpoint, KindConfig, ProgramConfig, Url};
use crate::policy_file::node::{Node, Placed};
use crate::policy_file::read::Reader;

/// The keys of a checker: its kind is the one of [`KINDS`] that is there.
const KEYS: [&str; 7] =
    ["name", "imagereview", "http", "program", "timeout", "remember", "parallel"];
/// The keys that name a kind.
const KINDS: [&str; 3] = ["imagereview", "http", "program"];
const ENDPOINT_KEYS: [&str; 6] =
    ["url", "ca", "client_cert", "client_key", "token_file", "plain_http"];
const PROGRAM_KEYS: [&str; 2] = ["argv", "memory_bytes"];

/// The most checkers of one configuration.
const MOST: usize = 32;
/// The longest time for one answer, in seconds.
const TIMEOUT: u64 = 20;
/// The longest time for which an answer may be remembered, in seconds.
const REMEMBER: u64 = 3600;

/// Reads the value of `checkers`. Relative paths are relative to `folder`. The list is only
/// complete where the reader has no problems afterwards.
pub(crate) fn read(reader: &mut Reader<'_>, folder: &Path, node: &Placed) -> Vec<CheckerConfig> {
    let list = reader.list("checkers", node);
    if list.len() > MOST {
        let message = format!("{} checkers are given", list.len());
        reader.problem(node.referenced, message, format!("at most {MOST}"));
        return Vec::new();
    }
    let mut found: Vec<CheckerConfig> = Vec::new();
    for entry in list {
        let Some(config) = (Raw { reader, folder }).checker(entry) else { continue };
        if found.iter().any(|c| c.name == config.name) {
            let message = format!("two checkers are called \"{}\"", config.name);
            reader.problem(entry.referenced, message, "give each a name of its own");
        }
        found.push(config);
    }
    found
}

/// Reads bytes as a list of checkers: the entry for fuzzing. True when it was one.
pub fn fuzz_checkers(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Ok(root) = crate::policy_file::tree(&text, "fuzz") else {
        return false;
    };
    let mut reader = Reader { file: "fuzz", text: &text, problems: Vec::new() };
    read(&mut reader, Path::new(""), &root);
    reader.problems.is_empty()
}

struct Raw<'a, 'r> {
    reader: &'a mut Reader<'r>,
    folder: &'a Path,
}

impl Raw<'_, '_> {
    fn checker(&mut self, node: &Placed) -> Option<CheckerConfig> {
        let (mut name, mut kind) = (None, None);
        let mut timeout = Duration::from_secs(3);
        let (mut remember, mut parallel) = (Duration::ZERO, None);
        let entries = self.reader.entries(node, "a checker", &KEYS);
        let is_map = matches!(node.value, Node::Map(_));
        if is_map && !entries.iter().any(|(key, _)| *key == "name") {
            let hint = "a checker has a name, by which the policy speaks of it";
            self.reader.problem(node.referenced, "\"name\" is missing".into(), hint);
        }
        let kinds = entries.iter().filter(|(key, _)| KINDS.contains(key)).count();
        if is_map && kinds != 1 {
            let message = format!("a checker has {kinds} kinds");
            let hint = format!("give it exactly one of {}", KINDS.join(", "));
            self.reader.problem(node.referenced, message, hint);
        }
        for (key, value) in entries {
            match key {
                "name" => name = self.name(value),
                "imagereview" => kind = self.endpoint(key, value).map(KindConfig::ImageReview),
                "http" => kind = self.endpoint(key, value).map(KindConfig::Http),
                "program" => kind = self.program(value).map(KindConfig::Program),
                "timeout" => timeout = self.time(key, value, 1, TIMEOUT).unwrap_or(timeout),
                "remember" => remember = self.time(key, value, 0, REMEMBER).unwrap_or(remember),
                // `entries` gives none but the known keys: this is `parallel`.
                _ => parallel = self.number(key, value, 1, 256),
            }
        }
        let kind = kind?;
        let usual = match kind {
            KindConfig::ImageReview(_) | KindConfig::Http(_) => 16,
            KindConfig::Program(_) => 4,
        };
        let parallel = parallel.and_then(|n| usize::try_from(n).ok()).unwrap_or(usual);
        Some(CheckerConfig { name: name?, kind, timeout, remember, parallel })
    }

    fn name(&mut self, node: &Placed) -> Option<String> {
        let text = self.reader.text("name", node)?;
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if text.len() <= 63 && text.bytes().all(plain) {
            return Some(text);
        }
        let hint = "lower-case letters, digits and -, at most 63 of them";
        self.reader.problem(node.referenced, "\"name\" is no name of a checker".into(), hint);
        None
    }

    fn endpoint(&mut self, kind: &str, node: &Placed) -> Option<Endpoint> {
        let before = self.reader.problems.len();
        let (mut url, mut ca, mut cert, mut key_file) = (None, None, None, None);
        let (mut token_file, mut plain_http) = (None, false);
        let entries = self.reader.entries(node, &format!("\"{kind}\""), &ENDPOINT_KEYS);
        let is_map = matches!(node.value, Node::Map(_));
        let has = |wanted: &str| entries.iter().any(|(key, _)| *key == wanted);
        let (has_url, halves) = (has("url"), has("client_cert") != has("client_key"));
        if is_map && !has_url {
            let hint = "write where it is asked, such as https://checker.example/review";
            self.reader.problem(node.referenced, "\"url\" is missing".into(), hint);
        }
        if halves {
            let message = "one of \"client_cert\" and \"client_key\" alone".to_owned();
            self.reader.problem(node.referenced, message, "give both, or neither");
        }
        for (key, value) in entries {
            match key {
                "url" => url = self.url(value).map(|url| (url, value)),
                "ca" => ca = self.path(key, value),
                "client_cert" => cert = self.path(key, value),
                "client_key" => key_file = self.path(key, value),
                "token_file" => token_file = self.path(key, value),
                _ => plain_http = self.reader.boolean(key, value),
            }
        }
        let (url, at) = url?;
        let mut wrong = |message: &str, hint: &str| {
            self.reader.problem(at.referenced, message.to_owned(), hint);
        };
        let elsewhere = url.is_plain() && !url.is_loopback();
        if elsewhere && !plain_http {
            let hint = "use https://, or say plain_http: true if everybody on the way may answer";
            wrong("\"url\" is http:// to another machine", hint);
        }
        if elsewhere && token_file.is_some() {
            wrong("a token would be sent in the clear", "use https://, or no token");
        }
        if url.is_plain() && (ca.is_some() || cert.is_some()) {
            wrong("\"url\" is http://, where certificates are not used", "use https://");
        }
        if kind == "imagereview" && url.has_query() {
            let hint = "the API server drops it too: give the server a path of its own";
            wrong("\"url\" of an imagereview has a query", hint);
        }
        let client = cert.zip(key_file).map(|(cert, key)| ClientFiles { cert, key });
        (self.reader.problems.len() == before).then_some(Endpoint { url, ca, client, token_file })
    }

    fn url(&mut self, node: &Placed) -> Option<Url> {
        let text = self.reader.text("url", node)?;
        match Url::parse(&text) {
            Ok(url) => Some(url),
            Err(why) => {
                let hint = "write it as https://checker.example/review";
                self.reader.problem(node.referenced, format!("\"url\": {why}"), hint);
                None
            }
        }
    }

    fn program(&mut self, node: &Placed) -> Option<ProgramConfig> {
        let (mut argv, mut memory_bytes) = (Vec::new(), 4 << 30);
        let entries = self.reader.entries(node, "\"program\"", &PROGRAM_KEYS);
        if matches!(node.value, Node::Map(_)) && !entries.iter().any(|(key, _)| *key == "argv") {
            let hint = "write the program's path and its arguments: argv: [/opt/checker, --fast]";
            self.reader.problem(node.referenced, "\"argv\" is missing".into(), hint);
        }
        for (key, value) in entries {
            match key {
                "argv" => argv = self.argv(value),
                _ => {
                    let number = self.number(key, value, 16 << 20, 1 << 40);
                    memory_bytes = number.unwrap_or(memory_bytes);
                }
            }
        }
        (!argv.is_empty()).then_some(ProgramConfig { argv, memory_bytes })
    }

    fn argv(&mut self, node: &Placed) -> Vec<String> {
        let mut argv = Vec::new();
        let list = self.reader.list("argv", node);
        for entry in list {
            // An argument may be empty, so this is not `Reader::text`.
            if let Node::Text(text) = &entry.value
                && !text.contains('\0')
            {
                argv.push(text.clone());
                continue;
            }
            let message = format!("\"argv\" has {}, not a text", entry.value.what());
            let hint = "each argument is a text without NUL; put quotes around numbers";
            self.reader.problem(entry.referenced, message, hint);
            return Vec::new();
        }
        if matches!(node.value, Node::List(_)) && !argv.first().is_some_and(|p| p.starts_with('/'))
        {
            let message = "\"argv\" does not begin with an absolute path".to_owned();
            let hint = "no shell and no PATH looks for the program: write where it is";
            self.reader.problem(node.referenced, message, hint);
            return Vec::new();
        }
        argv
    }

    fn path(&mut self, key: &str, node: &Placed) -> Option<PathBuf> {
        self.reader.text(key, node).map(|text| self.folder.join(text))
    }

    fn time(&mut self, key: &str, node: &Placed, least: u64, most: u64) -> Option<Duration> {
        let text = match &node.value {
            Node::Text(text) => text.as_str(),
            Node::Null | Node::Bool(_) | Node::Number(_) | Node::List(_) | Node::Map(_) => "",
        };
        let seconds = [("s", 1), ("m", 60), ("h", 3600)]
            .into_iter()
            .find_map(|(unit, scale)| {
                text.strip_suffix(unit)?.parse::<u64>().ok()?.checked_mul(scale)
            })
            .filter(|seconds| (least..=most).contains(seconds));
        if seconds.is_none() {
            let hint = format!("write it as 10s or 5m; from {least}s to {most}s");
            self.reader.problem(node.referenced, format!("\"{key}\" is no time"), hint);
        }
        seconds.map(Duration::from_secs)
    }

    fn number(&mut self, key: &str, node: &Placed, least: u64, most: u64) -> Option<u64> {
        let number = match &node.value {
            Node::Number(number) => number.parse().ok().filter(|n| (least..=most).contains(n)),
            Node::Null | Node::Bool(_) | Node::Text(_) | Node::List(_) | Node::Map(_) => None,
        };
        if number.is_none() {
            let message = format!("\"{key}\" is no number within bounds");
            self.reader.problem(node.referenced, message, format!("from {least} to {most}"));
        }
        number
    }
}

#[cfg(test)]
#[path = "config_file_tests.rs"]
mod tests;
