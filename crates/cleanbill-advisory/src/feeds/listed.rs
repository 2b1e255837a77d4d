//! A document that is an object with one long list, as NVD and AlmaLinux publish them: read item by
//! item, and no more than one item is held.

use std::fmt;
use std::io::{BufReader, Read};

use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use super::bounded::Bounded;
use crate::error::{Error, Result};
use crate::limits::Limits;

/// Who takes the items of such a document.
pub(super) trait Listed {
    /// One item. Where it may be anything, it is a value, so that one that is wrong ends nothing.
    type Item: DeserializeOwned;
    /// The field that has the list.
    const LIST: &'static str;
    /// A field of text that counts besides.
    const TEXT: Option<&'static str> = None;

    /// Takes the next item.
    ///
    /// # Errors
    /// When a limit is passed: nothing more is read then.
    fn item(&mut self, item: Self::Item) -> Result<()>;

    /// Takes the text of the field beside.
    fn text(&mut self, _text: &str) {}
}

/// Reads a document; `what` it is, for people.
///
/// # Errors
/// When it is no such document, is too large, or whoever takes the items wants no more.
pub(super) fn read<L: Listed>(
    into: &mut L,
    from: impl Read,
    limits: &Limits,
    what: &'static str,
) -> Result<()> {
    let mut json =
        serde_json::Deserializer::from_reader(BufReader::new(Bounded::new(from, 2, limits)));
    let mut over = None;
    let document = Document { into, over: &mut over };
    let whole = document.deserialize(&mut json).and_then(|()| json.end());
    match over {
        Some(over) => Err(over),
        None => whole.map_err(|e| Error::malformed(format!("no {what}")).because(e)),
    }
}

/// The outer object.
struct Document<'l, L> {
    into: &'l mut L,
    /// Why no more is wanted.
    over: &'l mut Option<Error>,
}

impl<'de, L: Listed> DeserializeSeed<'de> for Document<'_, L> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> std::result::Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de, L: Listed> Visitor<'de> for Document<'_, L> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with {}", L::LIST)
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> std::result::Result<(), M::Error> {
        let Self { into, over } = self;
        while let Some(key) = map.next_key::<String>()? {
            if key == L::LIST {
                map.next_value_seed(Items { into: &mut *into, over: &mut *over })?;
            } else if L::TEXT == Some(&key) {
                into.text(&map.next_value::<String>()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// The list, item by item.
struct Items<'l, L> {
    into: &'l mut L,
    over: &'l mut Option<Error>,
}

impl<'de, L: Listed> DeserializeSeed<'de> for Items<'_, L> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> std::result::Result<(), D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de, L: Listed> Visitor<'de> for Items<'_, L> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the list {}", L::LIST)
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> std::result::Result<(), S::Error> {
        while let Some(item) = list.next_element::<L::Item>()? {
            if let Err(over) = self.into.item(item) {
                *self.over = Some(over);
                return Err(serde::de::Error::custom("a limit was passed"));
            }
        }
        Ok(())
    }
}
