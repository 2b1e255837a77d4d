//! `int()`, `string()` and the rest: from one type to another, exactly or not at all.

use super::call::Arguments;
use super::signature::Ty::{
    A, Bool, Bytes, Cidr, Double, Duration, Dyn, Int, Ip, Quantity, Semver, String, Timestamp,
    Type, Uint, Url,
};
use super::signature::{Function, Outcome, Style, Ty};
use crate::fault::Fault;
use crate::numbers::{show_double, to_double, to_int, to_uint};
use crate::show::{show_duration, show_timestamp};
use crate::value::Value;

const fn f(
    name: &'static str,
    takes: &'static [Ty],
    gives: Ty,
    run: fn(&mut Arguments<'_>) -> Outcome,
) -> Function {
    Function::new(name, Style::Global, takes, gives, run)
}

pub(super) const FUNCTIONS: &[Function] = &[
    f("dyn", &[A], Dyn, same),
    f("type", &[A], Type, |a| Ok(Value::Type(a.value(0)?.type_name()))),
    f("bool", &[Bool], Bool, same),
    f("bool", &[String], Bool, |a| match a.text(0)? {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(Value::Bool(true)),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(Value::Bool(false)),
        other => Err(Fault::unreadable("a bool", other)),
    }),
    f("int", &[Int], Int, same),
    f("int", &[Uint], Int, |a| {
        i64::try_from(*a.uint(0)?).map(Value::Int).map_err(|_| Fault::Overflow)
    }),
    f("int", &[Double], Int, |a| to_int(*a.double(0)?).map(Value::Int).ok_or(Fault::Overflow)),
    f("int", &[String], Int, |a| {
        let text = a.text(0)?;
        text.parse().map(Value::Int).map_err(|_| Fault::unreadable("an int", text))
    }),
    f("int", &[Timestamp], Int, |a| {
        Ok(Value::Int(
            a.timestamp(0)?
                .as_nanosecond()
                .div_euclid(1_000_000_000)
                .try_into()
                .map_err(|_| Fault::Overflow)?,
        ))
    }),
    f("uint", &[Uint], Uint, same),
    f("uint", &[Int], Uint, |a| {
        u64::try_from(*a.int(0)?).map(Value::Uint).map_err(|_| Fault::Overflow)
    }),
    f("uint", &[Double], Uint, |a| to_uint(*a.double(0)?).map(Value::Uint).ok_or(Fault::Overflow)),
    f("uint", &[String], Uint, |a| {
        let text = a.text(0)?;
        text.parse().map(Value::Uint).map_err(|_| Fault::unreadable("a uint", text))
    }),
    f("double", &[Double], Double, same),
    f("double", &[Int], Double, |a| Ok(Value::Double(to_double(i128::from(*a.int(0)?))))),
    f("double", &[Uint], Double, |a| Ok(Value::Double(to_double(i128::from(*a.uint(0)?))))),
    f("double", &[String], Double, |a| {
        let text = a.text(0)?;
        text.parse().map(Value::Double).map_err(|_| Fault::unreadable("a double", text))
    }),
    f("string", &[String], String, same),
    f("string", &[Bool], String, |a| Ok(Value::from(a.bool(0)?.to_string()))),
    f("string", &[Int], String, |a| Ok(Value::from(a.int(0)?.to_string()))),
    f("string", &[Uint], String, |a| Ok(Value::from(a.uint(0)?.to_string()))),
    f("string", &[Double], String, |a| Ok(Value::from(show_double(*a.double(0)?)))),
    f("string", &[Bytes], String, |a| {
        let octets = a.octets(0)?;
        a.meter.bytes(octets.len())?;
        match std::str::from_utf8(octets) {
            Ok(text) => a.give(text),
            Err(_) => Err(Fault::Unreadable("these bytes are not UTF-8".into())),
        }
    }),
    f("string", &[Timestamp], String, |a| Ok(Value::from(show_timestamp(*a.timestamp(0)?)))),
    f("string", &[Duration], String, |a| Ok(Value::from(show_duration(*a.duration(0)?)))),
    f("string", &[Semver], String, |a| Ok(Value::from(a.semver(0)?.to_string()))),
    f("string", &[Quantity], String, |a| Ok(Value::from(a.quantity(0)?.to_string()))),
    f("string", &[Url], String, |a| {
        let url = a.url(0)?;
        a.give(url.as_str())
    }),
    f("string", &[Ip], String, |a| Ok(Value::from(a.ip(0)?.to_string()))),
    f("string", &[Cidr], String, |a| Ok(Value::from(a.cidr(0)?.to_string()))),
    f("bytes", &[Bytes], Bytes, same),
    f("bytes", &[String], Bytes, |a| Ok(Value::Bytes(a.text(0)?.as_bytes().into()))),
];

fn same(a: &mut Arguments<'_>) -> Outcome {
    a.value(0).cloned()
}
