//! JSON of which only what a [`Shape`] names is kept.
//!
//! A question holds two whole objects of up to 3 MiB each, chosen by whoever writes them; what is
//! kept of them here is at most as large as what is judged. Keys are compared exactly, as the
//! API server's own decoder does; one that is read may not stand twice. What has not the form
//! expected is kept as [`Node::Wrong`], since a stranger's kind of object may well differ.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Entries of one list that are kept.
pub(super) const LIST_MAX: usize = 10_000;

/// What is kept.
#[derive(Debug)]
pub(super) enum Shape {
    /// A text.
    Text,
    /// True or false.
    Flag,
    /// A list of texts.
    Texts,
    /// An object with free keys and texts.
    Map,
    /// A list of the same shape.
    List(&'static Self),
    /// These fields of an object; others are passed over.
    Object(&'static [(&'static str, Self)]),
}

/// What was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// Absent, or `null`, which Go writes for absent.
    Null,
    Text(String),
    Flag(bool),
    Map(BTreeMap<String, String>),
    List(Vec<Self>),
    Object(BTreeMap<&'static str, Self>),
    /// Something else than expected, or too many of it: what there was.
    Wrong(&'static str),
}

static NULL: Node = Node::Null;

impl Node {
    /// A field; [`Node::Null`] where there is none.
    pub fn get(&self, field: &str) -> &Self {
        match self {
            Self::Object(fields) => fields.get(field).unwrap_or(&NULL),
            Self::Null
            | Self::Text(_)
            | Self::Flag(_)
            | Self::Map(_)
            | Self::List(_)
            | Self::Wrong(_) => &NULL,
        }
    }

    /// The field at the end of a path.
    pub fn at(&self, path: &[&str]) -> &Self {
        path.iter().fold(self, |node, field| node.get(field))
    }

    /// The text, if there is one; what there is instead is the error. Likewise below.
    pub fn text(&self) -> Result<Option<&str>, &'static str> {
        if let Self::Text(text) = self { Ok(Some(text)) } else { self.absent() }
    }

    /// The flag.
    pub fn flag(&self) -> Result<Option<bool>, &'static str> {
        if let Self::Flag(flag) = self { Ok(Some(*flag)) } else { self.absent() }
    }

    /// The map.
    pub fn map(&self) -> Result<Option<&BTreeMap<String, String>>, &'static str> {
        if let Self::Map(map) = self { Ok(Some(map)) } else { self.absent() }
    }

    /// The list.
    pub fn list(&self) -> Result<Option<&[Self]>, &'static str> {
        if let Self::List(list) = self { Ok(Some(list)) } else { self.absent() }
    }

    /// Whether it is an object.
    pub fn object(&self) -> Result<(), &'static str> {
        if let Self::Object(_) = self { Ok(()) } else { Err(self.what()) }
    }

    fn absent<T>(&self) -> Result<Option<T>, &'static str> {
        if let Self::Null = self { Ok(None) } else { Err(self.what()) }
    }

    /// What it is, for messages.
    pub fn what(&self) -> &'static str {
        match self {
            Self::Null => "absent",
            Self::Text(_) => "a text",
            Self::Flag(_) => "true or false",
            Self::Map(_) | Self::Object(_) => "an object",
            Self::List(_) => "a list",
            Self::Wrong(what) => what,
        }
    }
}

/// Reads a document. Lists of more than [`LIST_MAX`] entries become [`Node::Wrong`].
///
/// # Errors
/// When it is no JSON, or a key that is read stands twice.
pub(super) fn keep(body: &[u8], shape: &'static Shape) -> Result<Node, String> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let read = Keep { shape }.deserialize(&mut json);
    let node = read.map_err(|e| e.to_string())?;
    json.end().map_err(|e| e.to_string())?;
    Ok(node)
}

#[derive(Clone, Copy)]
struct Keep {
    shape: &'static Shape,
}

impl<'de> DeserializeSeed<'de> for Keep {
    type Value = Node;

    fn deserialize<D: serde::Deserializer<'de>>(self, d: D) -> Result<Node, D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Keep {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        let expected = matches!(self.shape, Shape::Flag);
        Ok(if expected { Node::Flag(value) } else { Node::Wrong("true or false") })
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Wrong("a number"))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
        Ok(Node::Wrong("a number"))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Wrong("a number"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        let expected = matches!(self.shape, Shape::Text);
        Ok(if expected { Node::Text(text.to_owned()) } else { Node::Wrong("a text") })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let shape = match self.shape {
            Shape::List(shape) => *shape,
            Shape::Texts => &Shape::Text,
            Shape::Text | Shape::Flag | Shape::Map | Shape::Object(_) => {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                return Ok(Node::Wrong("a list"));
            }
        };
        let mut list = Vec::new();
        while list.len() < LIST_MAX {
            match seq.next_element_seed(Self { shape })? {
                Some(node) => list.push(node),
                None => return Ok(Node::List(list)),
            }
        }
        let mut more = false;
        while seq.next_element::<IgnoredAny>()?.is_some() {
            more = true;
        }
        Ok(if more { Node::Wrong("a list of more than 10,000 entries") } else { Node::List(list) })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Node, A::Error> {
        match self.shape {
            Shape::Object(wanted) => {
                let mut fields = BTreeMap::new();
                while let Some(key) = object.next_key::<String>()? {
                    let Some((name, shape)) = wanted.iter().find(|(name, _)| *name == key) else {
                        object.next_value::<IgnoredAny>()?;
                        continue;
                    };
                    let node = object.next_value_seed(Self { shape })?;
                    if fields.insert(*name, node).is_some() {
                        return Err(A::Error::custom(format!("the key \"{name}\" stands twice")));
                    }
                }
                Ok(Node::Object(fields))
            }
            Shape::Map => {
                let (mut map, mut wrong) = (BTreeMap::new(), false);
                while let Some(key) = object.next_key::<String>()? {
                    let text = Self { shape: &Shape::Text };
                    let Node::Text(value) = object.next_value_seed(text)? else {
                        wrong = true;
                        continue;
                    };
                    if map.insert(key, value).is_some() {
                        return Err(A::Error::custom("a label or annotation stands twice"));
                    }
                }
                Ok(if wrong { Node::Wrong("an object of other things") } else { Node::Map(map) })
            }
            Shape::Text | Shape::Flag | Shape::Texts | Shape::List(_) => {
                while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Node::Wrong("an object"))
            }
        }
    }
}
