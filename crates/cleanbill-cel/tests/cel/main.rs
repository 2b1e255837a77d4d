//! The language as its definition has it, row by row: what expressions give, what is wrong with
//! them when they are loaded, and how they fail when they run.

#![allow(clippy::panic, reason = "helpers of tests fail as tests do")]

mod bounds;
mod documented;
mod failing;
mod giving;
mod mistaken;
mod polarity;

use cleanbill_cel::{Cost, Environment, Field, Key, Program, Type, Value};

/// What the rows may speak of.
fn environment() -> Environment {
    let labels = || Field::always(Type::map(Type::String, Type::String));
    Environment::new()
        .variable("request", Type::Record("Request"))
        .variable("image", Type::Record("Image"))
        .variable("names", Type::list(Type::String))
        .variable("any", Type::Dyn)
        .variable("big", Type::list(Type::Int))
        .record(
            "Request",
            [
                ("labels", labels()),
                ("annotations", labels()),
                ("account", Field::always(Type::String)),
                ("owner", Field::maybe(Type::String)),
                ("privileged", Field::always(Type::Bool)),
                ("ports", Field::always(Type::list(Type::Int))),
                ("extra", Field::always(Type::Dyn)),
                ("notes", Field::maybe(Type::map(Type::String, Type::String))),
                ("groups", Field::always(Type::list(Type::String))),
            ],
        )
        .record(
            "Image",
            [
                ("name", Field::always(Type::String)),
                ("findings", Field::always(Type::list(Type::Record("Finding")))),
                ("built", Field::maybe(Type::Timestamp)),
            ],
        )
        .record(
            "Finding",
            [("id", Field::always(Type::String)), ("score", Field::maybe(Type::Double))],
        )
}

fn value(name: &str) -> Option<Value> {
    let map = |entries: &[(&'static str, &'static str)]| {
        Value::map(entries.iter().map(|(k, v)| (Key::from(*k), Value::from(*v))))
    };
    let finding = |id: &str, score: Option<f64>| {
        let score = score.map(|s| ("score", Value::Double(s)));
        Value::record("Finding", [("id", Value::from(id))].into_iter().chain(score))
    };
    Some(match name {
        "request" => Value::record(
            "Request",
            [
                ("labels", map(&[("team", "red"), ("tier", "7")])),
                ("annotations", map(&[])),
                ("account", Value::from("default")),
                ("privileged", Value::Bool(false)),
                ("groups", Value::list(["dev", "ops"].map(Value::from))),
            ],
        ),
        "image" => Value::record(
            "Image",
            [
                ("name", Value::from("nginx")),
                ("findings", Value::list([finding("A-1", Some(9.8)), finding("A-2", None)])),
            ],
        ),
        "names" => Value::list(["a", "b"].map(Value::from)),
        "any" => Value::map([
            (Key::from("n"), Value::Double(1.0)),
            (Key::from("s"), Value::from("x")),
            (Key::from("list"), Value::list([Value::Int(1), Value::from("y")])),
        ]),
        "big" => Value::list((0..1000).map(Value::Int)),
        _ => return None,
    })
}

fn compiled(source: &str) -> Program {
    Program::compile(source, &environment(), &Type::Dyn)
        .unwrap_or_else(|mistakes| panic!("{source}: {}", shown(&mistakes)))
}

fn shown(mistakes: &[cleanbill_cel::Mistake]) -> String {
    mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// The value as text, or how it stopped.
fn outcome(source: &str) -> Result<String, String> {
    let value = compiled(source).run(&value, Cost::DEFAULT);
    value.map(|v| v.to_string()).map_err(|s| s.to_string())
}

#[track_caller]
fn gives(table: &[(&str, &str)]) {
    check(table.iter().map(|(source, expected)| {
        let given = outcome(source).unwrap_or_else(|stopped| format!("stopped: {stopped}"));
        (*source, given, *expected)
    }));
}

/// Compares what rows gave with what they should; all that differ are told at once.
#[track_caller]
fn check<'a>(rows: impl IntoIterator<Item = (&'a str, String, &'a str)>) {
    let wrong: Vec<String> = rows
        .into_iter()
        .filter(|(_, given, expected)| given != expected)
        .map(|(source, given, expected)| format!("{source}\n  gave:  {given}\n  wants: {expected}"))
        .collect();
    assert!(wrong.is_empty(), "{} row(s):\n{}", wrong.len(), wrong.join("\n"));
}
