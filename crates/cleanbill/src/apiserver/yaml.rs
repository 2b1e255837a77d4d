//! YAML as `sigs.k8s.io/yaml` reads it (a fork of go-yaml v2): YAML 1.1 scalars, so `yes` is true
//! and `010` is eight; keys that come twice are kept, so that whoever reads strictly can refuse.

use std::collections::HashMap;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError};

use super::Refused;
use super::node::{Entry, Node, Value};

/// The largest file that is read.
pub const FILE_MAX: usize = 3 << 20;
/// How deep a document may be nested.
const DEPTH_MAX: usize = 100;
/// How many values a document may have, with what its aliases repeat.
const NODES_MAX: usize = 200_000;

/// Reads the first document.
///
/// # Errors
/// Where the text is no YAML, or past the bounds.
pub fn first(text: &str) -> Result<Node, Refused> {
    Ok(all(text)?.into_iter().next().unwrap_or_else(Node::null))
}

/// Reads all documents.
///
/// # Errors
/// Where the text is no YAML, or past the bounds.
pub fn all(text: &str) -> Result<Vec<Node>, Refused> {
    if text.len() > FILE_MAX {
        return Err(Refused::new(format!("the document is larger than {FILE_MAX} bytes")));
    }
    let mut documents = Vec::new();
    let mut build = Build::default();
    for next in Parser::new_from_str(text) {
        let (event, span) = next.map_err(|e| wrong(&e))?;
        let line = span.start.line();
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let tag = tag.as_deref().and_then(|t| t.core_suffix().map(str::to_owned));
                let value = scalar(&text, style, tag.as_deref());
                build.add(Node { value, line }, anchor)?;
            }
            Event::SequenceStart(_, anchor, _) => {
                build.open(Value::List(Vec::new()), line, anchor)?
            }
            Event::MappingStart(_, anchor, _) => {
                build.open(Value::Map(Vec::new()), line, anchor)?
            }
            Event::SequenceEnd | Event::MappingEnd => build.close()?,
            Event::Alias(id) => build.alias(id)?,
            Event::DocumentEnd => {
                documents.push(std::mem::take(&mut build).done.unwrap_or_else(Node::null))
            }
            _ => {}
        }
    }
    Ok(documents)
}

/// A document that is being built.
#[derive(Default)]
struct Build {
    open: Vec<Open>,
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
    done: Option<Node>,
}

struct Open {
    node: Node,
    anchor: usize,
    /// The key whose value comes next.
    key: Option<(String, usize)>,
    /// Values within.
    size: usize,
}

impl Build {
    fn open(&mut self, value: Value, line: usize, anchor: usize) -> Result<(), Refused> {
        if self.open.len() >= DEPTH_MAX {
            return Err(Refused::new(format!(
                "yaml: line {line}: exceeded max depth of {DEPTH_MAX}"
            ))
            .at(line));
        }
        self.open.push(Open { node: Node { value, line }, anchor, key: None, size: 1 });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Refused> {
        let Some(Open { node, anchor, size, .. }) = self.open.pop() else { return Ok(()) };
        self.put(node, anchor, size)
    }

    fn add(&mut self, node: Node, anchor: usize) -> Result<(), Refused> {
        self.put(node, anchor, 1)
    }

    fn alias(&mut self, id: usize) -> Result<(), Refused> {
        match self.anchors.get(&id).cloned() {
            Some((node, size)) => self.put(node, 0, size),
            None => Err(Refused::new("yaml: an anchor contains itself")),
        }
    }

    fn put(&mut self, node: Node, anchor: usize, size: usize) -> Result<(), Refused> {
        self.nodes = self.nodes.saturating_add(size);
        if self.nodes > NODES_MAX {
            return Err(Refused::new("yaml: document contains excessive aliasing"));
        }
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), size));
        }
        let Some(parent) = self.open.last_mut() else {
            self.done = Some(node);
            return Ok(());
        };
        parent.size = parent.size.saturating_add(size);
        match &mut parent.node.value {
            Value::List(items) => items.push(node),
            Value::Map(entries) => match parent.key.take() {
                None => parent.key = Some((key(&node)?, node.line)),
                Some((key, _)) if key == "<<" => merge(entries, &node),
                Some((key, line)) => entries.push(Entry { key, line, node }),
            },
            _ => {}
        }
        Ok(())
    }
}

/// What `<<` brings stands behind what the object says itself.
fn merge(entries: &mut Vec<Entry>, from: &Node) {
    let sources: Vec<&Node> = match &from.value {
        Value::List(items) => items.iter().collect(),
        _ => vec![from],
    };
    for entry in sources.into_iter().flat_map(Node::entries) {
        if !entries.iter().any(|e| e.key == entry.key) {
            entries.insert(0, entry.clone());
        }
    }
}

fn key(node: &Node) -> Result<String, Refused> {
    match &node.value {
        Value::Text(text) | Value::Number(text) => Ok(text.clone()),
        Value::Bool(value) => Ok(value.to_string()),
        Value::Null => Ok("null".into()),
        Value::List(_) | Value::Map(_) => {
            Err(Refused::new(format!("yaml: invalid map key: {}", node.json())).at(node.line))
        }
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&str>) -> Value {
    match tag {
        Some("str") => return Value::Text(text.to_owned()),
        Some("null") => return Value::Null,
        _ => {}
    }
    if style != ScalarStyle::Plain && tag.is_none() {
        return Value::Text(text.to_owned());
    }
    plain(text)
}

/// What a scalar without quotes is, by go-yaml v2's `resolve`.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Value::Bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Value::Bool(false);
        }
        _ => {}
    }
    number(text).map_or_else(|| Value::Text(text.to_owned()), Value::Number)
}

fn number(text: &str) -> Option<String> {
    let first = text.bytes().next()?;
    if !first.is_ascii_digit() && !b"+-.".contains(&first) {
        return None;
    }
    let bare = text.replace('_', "");
    let (sign, digits) = match bare.as_bytes().first()? {
        b'-' => ("-", bare.get(1..)?),
        b'+' => ("", bare.get(1..)?),
        _ => ("", bare.as_str()),
    };
    let prefixed = |prefixes: [&str; 2], radix| {
        let rest = prefixes.iter().find_map(|p| digits.strip_prefix(p))?;
        u64::from_str_radix(rest, radix).ok()
    };
    let leading_zero = || {
        let rest = digits.strip_prefix('0').filter(|r| !r.is_empty())?;
        u64::from_str_radix(rest, 8).ok()
    };
    let whole = (prefixed(["0x", "0X"], 16))
        .or_else(|| prefixed(["0b", "0B"], 2))
        .or_else(|| prefixed(["0o", "0O"], 8))
        .or_else(leading_zero)
        .or_else(|| digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?);
    if let Some(whole) = whole
        && (sign.is_empty() || whole <= 1 << 63)
    {
        let zero = whole == 0;
        return Some(if zero { "0".into() } else { format!("{sign}{whole}") });
    }
    is_float(digits).then(|| bare.parse::<f64>().ok()).flatten().and_then(float)
}

/// `(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_float(text: &str) -> bool {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    let exponent = exponent.is_none_or(|e| {
        let e = e.strip_prefix(['-', '+']).unwrap_or(e);
        !e.is_empty() && digits(e)
    });
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    exponent && digits(whole) && digits(part) && (!whole.is_empty() || !part.is_empty())
}

/// A float as Go's JSON writes it.
fn float(value: f64) -> Option<String> {
    if !value.is_finite() {
        return None;
    }
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{value:e}");
        // Go writes a sign and, below ten, one digit: 1e+21, 1e-7.
        return Some(if size >= 1e21 { text.replace('e', "e+") } else { text });
    }
    Some(format!("{value}"))
}

/// The words are go-yaml's where its error is the same; the line always is.
fn wrong(error: &ScanError) -> Refused {
    let line = error.marker().line();
    let words = match error.kind() {
        ErrorKind::UnknownAnchor => "unknown anchor referenced".to_owned(),
        ErrorKind::ExpectedBlockMappingKey => "did not find expected key".to_owned(),
        ErrorKind::ExpectedBlockSequenceEntry => "did not find expected '-' indicator".to_owned(),
        ErrorKind::ExpectedNodeContent => "did not find expected node content".to_owned(),
        _ => {
            let said = error.to_string();
            match () {
                () if said.contains("mapping values") => {
                    "mapping values are not allowed in this context".to_owned()
                }
                () if said.contains("tab") => {
                    "found character that cannot start any token".to_owned()
                }
                () => said,
            }
        }
    };
    Refused::new(format!("yaml: line {line}: {words}")).at(line)
}
