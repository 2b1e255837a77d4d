//! Expressions that are well typed and have no value all the same.

use cleanbill_cel::{Cost, Failure, Fault, Stopped};

use crate::{check, compiled, outcome, value};

#[test]
fn what_has_no_value_says_where_and_why() {
    let table: &[(&str, &str)] = &[
        ("1 / 0", "1:3: division by zero"),
        ("1 % 0", "1:3: division by zero"),
        ("1u / 0u", "1:4: division by zero"),
        ("9223372036854775807 + 1", "1:21: the result is out of range"),
        ("-9223372036854775808 - 1", "1:22: the result is out of range"),
        ("-(-9223372036854775808)", "1:1: the result is out of range"),
        ("-9223372036854775808 / -1", "1:22: the result is out of range"),
        ("0u - 1u", "1:4: the result is out of range"),
        ("9223372036854775807 * 2", "1:21: the result is out of range"),
        ("int(1e19)", "1:1: the result is out of range"),
        ("uint(-1)", "1:1: the result is out of range"),
        ("[1][1]", "1:4: no item at index 1"),
        ("[1][-1]", "1:4: no item at index -1"),
        ("request.labels['x']", "1:15: no such key: \"x\""),
        ("request.labels.x", "1:16: no such key: \"x\""),
        ("request.owner", "1:9: the field `owner` is absent here"),
        ("any.s + 1", "1:7: `+` does not take (string, int)"),
        ("any.s && true", "1:5: this is string, where a bool is wanted"),
        ("any.s.foo", "1:7: string has no parts"),
        ("any.list.exists(x, x > 5)", "1:22: string and int have no order"),
        ("1 in any.s", "1:3: `in` looks into lists and maps, not string"),
        ("any.s.exists(x, true)", "1:5: exists() goes through a list or map, not string"),
        ("{'a': 1, 'a': 2}", "1:10: the key \"a\" is given twice"),
        ("{1: 1, dyn(1u): 2}", "1:8: the key 1u is given twice"),
        ("[1, 0].all(x, 2 / x > 0)", "1:17: division by zero"),
        ("[1, 0].exists_one(x, 2 / x == 2)", "1:24: division by zero"),
        ("[1, 0].map(x, 1 / x)", "1:17: division by zero"),
        ("true && 1 / 0 == 1", "1:11: division by zero"),
        ("false || 1 / 0 == 1", "1:12: division by zero"),
        ("1 / 0 == 1 ? 2 : 3", "1:3: division by zero"),
        ("int(any.s)", "1:1: \"x\" is not an int"),
        (
            "timestamp(any.s)",
            "1:1: \"x\" is not a time as of RFC 3339, such as 2026-01-31T12:00:00Z",
        ),
        ("string(b'\\xff')", "1:1: these bytes are not UTF-8"),
        ("'abc'.charAt(4)", "1:7: no item at index 4"),
        ("'abc'.substring(2, 1)", "1:7: no item at index 2"),
        ("'x'.matches(any.s + '(')", "1:5: \"x(\" is no pattern: unclosed group"),
        ("[].min()", "1:4: no item at index 0"),
        ("timestamp('9999-12-30T22:00:00Z') + duration('1s')", "1:35: the result is out of range"),
        ("timestamp('0001-01-01T00:00:00Z') - duration('1ns')", "1:35: the result is out of range"),
        (
            "timestamp('9999-12-30T00:00:00Z') - timestamp('0001-01-01T00:00:00Z')",
            "1:35: the result is out of range",
        ),
        ("quantity('1.5').asInteger()", "1:17: the result is out of range"),
        ("1 +\n 1 / 0", "2:4: division by zero"),
    ];
    check(table.iter().map(|(source, expected)| {
        (*source, outcome(source).map_or_else(|stopped| stopped, |v| format!("{v}!")), *expected)
    }));
}

#[test]
fn the_limit_is_told_apart_from_an_error_and_is_not_absorbed() {
    for source in
        ["big.exists(x, big.exists(y, x + y < 0)) || true", "big.all(x, big.all(y, x + y >= 0))"]
    {
        let (result, cost) = compiled(source).run_measured(&value, Cost(10_000));
        assert_eq!(result, Err(Stopped::CostExceeded { limit: Cost(10_000) }), "{source}");
        assert_eq!(cost, Cost(10_000));
    }
    assert!(compiled("big.all(x, x >= 0)").run(&value, Cost::DEFAULT).is_ok());
}

#[test]
fn a_variable_that_was_not_given_is_an_error() {
    let stopped = compiled("names.size() == 2").run(&|_| None, Cost::DEFAULT);
    let fault = Fault::NoSuchVariable("names".into());
    assert_eq!(stopped, Err(Stopped::Failed(Failure { line: 1, column: 1, fault })));
}

#[test]
fn variables_are_asked_for_once_and_only_when_needed() {
    let asked = std::cell::RefCell::new(Vec::new());
    let lookup = |name: &str| {
        asked.borrow_mut().push(name.to_owned());
        value(name)
    };
    let program = compiled("names.size() + names.size() == 4 || any.s == 'x'");
    program.run(&lookup, Cost::DEFAULT).unwrap();
    assert_eq!(*asked.borrow(), ["names"]);
}

#[test]
fn hostile_values_in_messages_are_cut_and_escaped() {
    let key = "\u{1b}[31m".repeat(1000);
    let lookup = |_: &str| Some(cleanbill_cel::Value::from(key.as_str()));
    let stopped = compiled("{'a': 1}[any]").run(&lookup, Cost::DEFAULT).unwrap_err();
    let text = stopped.to_string();
    assert!(text.len() < 500 && !text.contains('\u{1b}'), "{text}");
}
