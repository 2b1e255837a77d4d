//! Values as a reader knows them: close to how an expression would write them.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use crate::numbers::show_double;
use crate::record::{Key, Map, Record};
use crate::value::Value;

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(b) => write!(f, "{b}"),
            Self::Int(n) => write!(f, "{n}"),
            Self::Uint(n) => write!(f, "{n}u"),
            Self::Double(d) => {
                let shown = show_double(*d);
                let plain = shown.bytes().all(|b| b.is_ascii_digit() || b == b'-');
                write!(f, "{shown}{}", if plain { ".0" } else { "" })
            }
            Self::String(text) => write!(f, "{text:?}"),
            Self::Bytes(octets) => write!(f, "b\"{}\"", octets.escape_ascii()),
            Self::Timestamp(at) => write!(f, "timestamp(\"{}\")", show_timestamp(*at)),
            Self::Duration(length) => write!(f, "duration(\"{}\")", show_duration(*length)),
            Self::List(items) => {
                f.write_str("[")?;
                for (n, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if n > 0 { ", " } else { "" })?;
                }
                f.write_str("]")
            }
            Self::Map(map) => write!(f, "{map}"),
            Self::Record(record) => write!(f, "{record}"),
            Self::Semver(version) => write!(f, "semver(\"{version}\")"),
            Self::Quantity(quantity) => write!(f, "quantity(\"{quantity}\")"),
            Self::Url(url) => write!(f, "url({:?})", url.as_str()),
            Self::Ip(ip) => write!(f, "ip(\"{ip}\")"),
            Self::Cidr(cidr) => write!(f, "cidr(\"{cidr}\")"),
            Self::Type(name) => f.write_str(name.as_str()),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.value())
    }
}

impl fmt::Display for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (n, (key, value)) in self.entries().enumerate() {
            write!(f, "{}{key}: {value}", if n > 0 { ", " } else { "" })?;
        }
        f.write_str("}")
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{{", self.name())?;
        for (n, (field, value)) in self.fields().enumerate() {
            write!(f, "{}{field}: {value}", if n > 0 { ", " } else { "" })?;
        }
        f.write_str("}")
    }
}

/// RFC 3339 in UTC, with as many digits of the second as are needed.
pub(crate) fn show_timestamp(at: Timestamp) -> String {
    at.to_string()
}

/// Seconds with a fraction and an `s`, as in `60.001s`.
pub(crate) fn show_duration(length: SignedDuration) -> String {
    let nanos = length.as_nanos();
    let sign = if nanos < 0 { "-" } else { "" };
    let (seconds, rest) =
        (nanos.unsigned_abs() / 1_000_000_000, nanos.unsigned_abs() % 1_000_000_000);
    if rest == 0 {
        return format!("{sign}{seconds}s");
    }
    let fraction = format!("{rest:09}");
    format!("{sign}{seconds}.{}s", fraction.trim_end_matches('0'))
}
