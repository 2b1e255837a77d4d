//! The entry point for fuzzing: any bytes as an expression.

use crate::environment::{Environment, Field};
use crate::meter::Cost;
use crate::program::Program;
use crate::record::Key;
use crate::types::Type;
use crate::value::Value;

/// Takes any bytes for an expression: compiles it, runs it on a small request under a small
/// limit, and looks at its polarity. Must not panic, and must end. `true` when what it cost was
/// within the limit, which is always.
#[must_use]
pub fn fuzz_cel(bytes: &[u8]) -> bool {
    let Ok(source) = std::str::from_utf8(bytes) else { return true };
    let limit = Cost(20_000);
    let Ok(program) = Program::compile(source, &environment(), &Type::Dyn) else { return true };
    let (_, cost) = program.run_measured(&|name| Some(value(name)), limit);
    let _ = program.loosens_on(&["request.labels", "request.account"]);
    let _ = program.references();
    cost <= limit
}

fn environment() -> Environment {
    Environment::new()
        .variable("request", Type::Record("Request"))
        .variable("names", Type::list(Type::String))
        .variable("any", Type::Dyn)
        .record(
            "Request",
            [
                ("labels", Field::always(Type::map(Type::String, Type::String))),
                ("account", Field::always(Type::String)),
                ("count", Field::maybe(Type::Int)),
            ],
        )
}

fn value(name: &str) -> Value {
    let names = Value::list(["openssl", "busybox", "glibc ü"].map(Value::from));
    match name {
        "names" => names,
        "any" => Value::map([(Key::from("a"), names), (Key::Int(1), Value::Double(0.5))]),
        _ => {
            let labels = [("team", "red"), ("tier", "7")];
            let labels = labels.map(|(k, v)| (Key::from(k), Value::from(v)));
            Value::record(
                "Request",
                [("labels", Value::map(labels)), ("account", Value::from("default"))],
            )
        }
    }
}
