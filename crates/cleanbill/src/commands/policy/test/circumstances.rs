//! What a case says besides its request and its images: others' opinions, what is registered under
//! names that no registry has, fixture keys, and an earlier admission.

use std::path::Path;

use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use cleanbill_core::opinion::Opinion;
use cleanbill_core::policy::IssuerKey;
use cleanbill_core::reference::ImageRef;

use super::facts;
use super::found::{self, Source};
use crate::policy_file::node::{Node, Placed};
use crate::policy_file::read::{Reader, shown};

/// Every key of a registration.
pub(super) const REGISTERED_KEYS: [&str; 4] = ["name", "digest", "node", "evidence"];
/// Every key of an opinion that is more than a word.
pub(super) const OPINION_KEYS: [&str; 2] = ["deny", "gap"];
/// Every key of an earlier admission.
pub(super) const EARLIER_KEYS: [&str; 2] = ["at", "images"];

/// A registration of an image that no registry has.
#[derive(Debug)]
pub(super) struct Registration {
    pub(super) name: ImageRef,
    /// `None`: that of what was found.
    pub(super) digest: Option<Digest>,
    pub(super) node: String,
    /// What was found; `None`: it was registered without being examined.
    pub(super) source: Option<Source>,
}

/// An earlier decision that allowed images in the namespace.
#[derive(Debug)]
pub(super) struct Before {
    pub(super) at: Timestamp,
    /// The images and their digests; `None`: those of the request, as they are known now.
    pub(super) images: Option<Vec<(String, Digest)>>,
}

/// What each checker said.
pub(super) fn opinions(reader: &mut Reader<'_>, key: &str, node: &Placed) -> Vec<Opinion> {
    let mut opinions: Vec<Opinion> = Vec::new();
    let Node::Map(map) = &node.value else {
        reader.wrong_type(key, node, "a mapping of checkers to what they said");
        return opinions;
    };
    for (checker, said) in map {
        let Some(name) = reader.text("a checker", checker) else { continue };
        if opinions.iter().any(|o| o.checker == name) {
            let message = format!("\"{}\" is there twice", shown(&name));
            reader.problem(checker.referenced, message, "keep one of them");
            continue;
        }
        opinions.extend(opinion(reader, &name, said));
    }
    opinions
}

/// `allow`, `deny`, `gap`, or the last two with words.
fn opinion(reader: &mut Reader<'_>, name: &str, node: &Placed) -> Option<Opinion> {
    let Node::Map(map) = &node.value else {
        let words = ["allow", "deny", "gap"].map(|w| (w, w));
        return Some(match reader.word(name, node, &words)? {
            "allow" => Opinion::agrees(name),
            "deny" => Opinion::disagrees(name, ""),
            _ => Opinion::silent(name, "as the case says"),
        });
    };
    if map.len() != 1 {
        let hint = "write allow, {deny: ITS WORDS} or {gap: WHY}";
        reader.problem(node.referenced, "an opinion is one thing".to_owned(), hint);
        return None;
    }
    let entries = reader.entries(node, "an opinion", &OPINION_KEYS);
    let (key, value) = entries.first()?;
    let words = reader.text(key, value)?;
    Some(match *key {
        "deny" => Opinion::disagrees(name, &words),
        _ => Opinion::silent(name, &words),
    })
}

/// Everything that is registered.
pub(super) fn registered(
    reader: &mut Reader<'_>,
    key: &str,
    node: &Placed,
    folder: &Path,
) -> Vec<Registration> {
    let list = reader.list(key, node);
    list.iter().filter_map(|entry| registration(reader, entry, folder)).collect()
}

fn registration(reader: &mut Reader<'_>, node: &Placed, folder: &Path) -> Option<Registration> {
    let (mut name, mut digest, mut node_name, mut source) = (None, None, "any".to_owned(), None);
    let before = reader.problems.len();
    let entries = reader.entries(node, "a registration", &REGISTERED_KEYS);
    let hint = "say under which name, such as name: morc-api:0.1-5";
    reader.demand("the registration", node, &entries, &["name"], hint);
    for (key, value) in entries {
        match key {
            "name" => name = registered_name(reader, key, value),
            "digest" => digest = digest_of(reader, key, value),
            "node" => node_name = reader.text(key, value).unwrap_or_default(),
            _ => source = found::read(reader, value, folder),
        }
    }
    if reader.problems.len() > before {
        return None;
    }
    Some(Registration { name: name?, digest, node: node_name, source })
}

fn registered_name(reader: &mut Reader<'_>, key: &str, node: &Placed) -> Option<ImageRef> {
    let text = reader.text(key, node)?;
    let name = text.parse::<ImageRef>().ok().filter(|name| name.digest().is_none());
    if name.is_none() {
        let message = format!("\"{}\" is no name that can be registered", shown(&text));
        reader.problem(node.referenced, message, "write it as pods do, without a digest");
    }
    name
}

pub(super) fn digest_of(reader: &mut Reader<'_>, key: &str, node: &Placed) -> Option<Digest> {
    let digest = reader.text(key, node)?.parse().ok();
    if digest.is_none() {
        let message = format!("\"{key}\" is no digest");
        reader.problem(node.referenced, message, "write sha256: and 64 digits from 0 to f");
    }
    digest
}

/// Public keys that count besides the policy's.
pub(super) fn keys(reader: &mut Reader<'_>, key: &str, node: &Placed) -> Vec<IssuerKey> {
    let list = reader.list(key, node);
    list.iter().filter_map(|entry| reader.issuer(key, entry)).collect()
}

/// An earlier admission.
pub(super) fn earlier(reader: &mut Reader<'_>, node: &Placed) -> Option<Before> {
    let (mut at, mut images) = (None, None);
    let entries = reader.entries(node, "\"earlier\"", &EARLIER_KEYS);
    let hint = "say when they were allowed, such as at: 2026-06-01";
    reader.demand("\"earlier\"", node, &entries, &["at"], hint);
    for (key, value) in entries {
        match key {
            "at" => at = facts::time(reader, key, value),
            _ => images = Some(digests(reader, key, value)),
        }
    }
    Some(Before { at: at?, images })
}

fn digests(reader: &mut Reader<'_>, key: &str, node: &Placed) -> Vec<(String, Digest)> {
    let mut images = Vec::new();
    let Node::Map(map) = &node.value else {
        reader.wrong_type(key, node, "a mapping of images to digests");
        return images;
    };
    for (image, digest) in map {
        let Some(image) = reader.text("an image", image) else { continue };
        images.extend(digest_of(reader, &image, digest).map(|digest| (image.clone(), digest)));
    }
    images
}
