//! Lists and values of strangers' JSON that are held only as far as they can be meant: a list of empty
//! objects takes a hundred times the memory of its text.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A list of `MOST` items at most, or none.
///
/// # Errors
/// Where it has more, or one of them is something else.
pub(super) fn few<'de, D, T, const MOST: usize>(from: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    from.deserialize_option(Few::<T, MOST>(PhantomData))
}

struct Few<T, const MOST: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for Few<T, MOST> {
    type Value = Option<Vec<T>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of {MOST} at most")
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_seq(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Self::Value, A::Error> {
        let mut all = Vec::new();
        while let Some(one) = from.next_element()? {
            if all.len() == MOST {
                return Err(A::Error::custom(format!("a list of more than {MOST}")));
            }
            all.push(one);
        }
        Ok(Some(all))
    }
}

/// The texts of an object under some keys; none where it is no object, or has something else there.
pub(super) fn texts<'de, D: Deserializer<'de>, const N: usize>(
    keys: [&str; N],
    from: D,
) -> Result<[Option<String>; N], D::Error> {
    from.deserialize_any(Texts(keys))
}

struct Texts<'k, const N: usize>([&'k str; N]);

/// What is there instead of an object is passed over.
macro_rules! passed_over {
    ($value:expr; $($visit:ident($of:ty)),+) => {
        $(fn $visit<E>(self, _: $of) -> Result<Self::Value, E> {
            Ok($value)
        })+
    };
}

impl<'de, const N: usize> Visitor<'de> for Texts<'_, N> {
    type Value = [Option<String>; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    passed_over!([const { None }; N]; visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_f64(f64), visit_str(&str));

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok([const { None }; N])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Self::Value, A::Error> {
        while from.next_element::<IgnoredAny>()?.is_some() {}
        Ok([const { None }; N])
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Self::Value, A::Error> {
        let mut found = [const { None }; N];
        while let Some(key) = from.next_key::<String>()? {
            let of = self.0.iter().zip(&mut found).find(|(wanted, _)| **wanted == key);
            match of {
                Some((_, place)) => *place = from.next_value::<Word>()?.0,
                None => _ = from.next_value::<IgnoredAny>()?,
            }
        }
        Ok(found)
    }
}

/// A text, or something else.
struct Word(Option<String>);

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Word;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }

            passed_over!(Word(None); visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_f64(f64));

            fn visit_str<E>(self, text: &str) -> Result<Word, E> {
                Ok(Word(Some(text.to_owned())))
            }

            fn visit_unit<E>(self) -> Result<Word, E> {
                Ok(Word(None))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Word, A::Error> {
                while from.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Word(None))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Word, A::Error> {
                while from.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Word(None))
            }
        }
        from.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::{few, texts};

    #[test]
    fn lists_are_held_up_to_their_bound() {
        let table = [
            ("[]", Ok(Some(0))),
            ("[1,2,3]", Ok(Some(3))),
            ("null", Ok(None)),
            ("[1,2,3,4]", Err("a list of more than 3")),
            ("{}", Err("a list of 3 at most")),
        ];
        for (json, want) in table {
            let read = few::<_, u8, 3>(&mut serde_json::Deserializer::from_str(json));
            match (read, want) {
                (Ok(list), Ok(want)) => assert_eq!(list.map(|list| list.len()), want, "{json}"),
                (Err(e), Err(want)) => assert!(e.to_string().contains(want), "{json}: {e}"),
                (got, want) => panic!("{json}: {got:?}, not {want:?}"),
            }
        }
    }

    #[test]
    fn texts_are_taken_out_of_whatever_it_is() {
        let table = [
            (r#"{"a":"1","b":"2","c":"3"}"#, [Some("1"), Some("2")]),
            (r#"{"a":[1,{"a":"x"}],"b":{"b":"x"}}"#, [None, None]),
            (r#"{"a":null,"b":1.5,"c":{"a":"x"}}"#, [None, None]),
            (r#"{"a":true,"b":-1}"#, [None, None]),
            ("[1,[2]]", [None, None]),
            ("null", [None, None]),
            ("\"a\"", [None, None]),
            ("1", [None, None]),
        ];
        for (json, want) in table {
            let read = texts(["a", "b"], &mut serde_json::Deserializer::from_str(json)).unwrap();
            assert_eq!(read.each_ref().map(Option::as_deref), want, "{json}");
        }
    }
}
