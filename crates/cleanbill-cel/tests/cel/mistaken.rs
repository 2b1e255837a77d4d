//! What is wrong with an expression when it is loaded.

use cleanbill_cel::{Program, Type};

use crate::{check, environment, shown};

#[track_caller]
fn mistakes(source: &str, wanted: &Type) -> String {
    Program::compile(source, &environment(), wanted)
        .map_or_else(|m| shown(&m), |p| panic!("{} compiles", p.source()))
}

#[test]
fn what_cannot_be_read_is_told_with_its_place() {
    let table = [
        ("", "1:1: an expression comes here, not the end"),
        ("1 +", "1:4: an expression comes here, not the end"),
        ("(1", "1:3: `)` closes the bracket, not the end"),
        ("[1, 2", "1:6: `,` or `]` comes here, not the end"),
        ("f(1,)", "1:5: an expression comes here, not `)`"),
        ("1 2", "1:3: unexpected a number"),
        ("a & b", "1:3: unexpected '&' (write `&&`)"),
        ("a = b", "1:3: unexpected '=' (write `==`)"),
        ("a ? b", "1:6: `:` comes between the two results of `?`, not the end"),
        ("'abc", "1:1: this text is never closed by '"),
        ("'a\nc'", "1:1: this text is never closed by '; 2:2: this text is never closed by '"),
        ("'\\s'", "1:2: `\\s` is not an escape (a raw text, r'…', takes backslashes as they are)"),
        ("99999999999999999999", "1:1: this number is out of range"),
        ("9223372036854775808", "1:1: this number is out of the range of int"),
        ("12abc", "1:1: letters stand right behind a number"),
        ("0x", "1:1: digits are missing after `0x`"),
        ("1e999", "1:1: this number is out of the range of double"),
        ("for", "1:1: `for` is a reserved word"),
        ("Msg{a: 1}", "1:4: messages cannot be built (a map is written {'key': value})"),
        ("a.1", "1:2: unexpected a number"),
        ("a.", "1:3: a name comes after `.`, not the end"),
        (
            "has(a)",
            "1:1: has() takes one field, as in has(a.b) (for a key that is not a name, write 'key' in a)",
        ),
        (
            "names.all(1, true)",
            "1:11: the first argument of all() names a variable (as in list.all(x, …x…))",
        ),
        ("{'a' 1}", "1:6: `:` comes between a key and its value, not a number"),
        ("§", "1:1: unexpected '§'"),
    ];
    check(table.map(|(source, expected)| (source, mistakes(source, &Type::Dyn), expected)));
}

#[test]
fn what_does_not_go_together_is_told_with_its_place() {
    let table = [
        ("nmes", "1:1: there is no variable `nmes` (did you mean `names`?)"),
        (
            "size == 1",
            "1:1: there is no variable `size` (a function is called: string.size() -> int)",
        ),
        ("request.lables", "1:9: Request has no field `lables` (did you mean `labels`?)"),
        ("has(request.lables)", "1:1: Request has no field `lables` (did you mean `labels`?)"),
        ("names.foo", "1:7: list(string) has no fields, so no `foo`"),
        (
            "request['labels']",
            "1:8: Request has no items to be indexed (the fields of a record are written a.field)",
        ),
        ("names['a']", "1:7: the index is string, where int is wanted"),
        ("1 + 'a'", "1:3: int + string has no meaning"),
        ("1 + 1u", "1:3: int + uint has no meaning (convert one of them, as in int(…))"),
        ("1 == 'a'", "1:3: int and string are compared (they would never be equal)"),
        ("1 == 1.0", "1:3: int and double are compared (convert one of them, as in int(…))"),
        (
            "request.account == null",
            "1:17: string and null are compared (has(a.b) tells whether a field is there)",
        ),
        ("names < names", "1:7: list(string) < list(string) has no meaning"),
        (
            "semver('1.0.0') < semver('2.0.0')",
            "1:17: semver < semver has no meaning (write a.isLessThan(b), a.isGreaterThan(b) or a.compareTo(b))",
        ),
        ("1 in names", "1:3: int is looked for among string (it would never be found)"),
        (
            "'a' in request.account",
            "1:5: `in` looks into lists and maps, not string (write text.contains(part))",
        ),
        ("1 && true", "1:1: this is int, where a bool is wanted"),
        ("!1", "1:2: this is int, where a bool is wanted"),
        ("-'a'", "1:1: - does not go before (string)"),
        ("1 ? 2 : 3", "1:1: this is int, where a bool is wanted"),
        (
            "true ? 2 : 'a'",
            "1:12: string among int: both results of `?:` have one type (dyn(…) around one of them allows it)",
        ),
        (
            "[1, 'a']",
            "1:5: string among int: a list holds items of one type (dyn(…) around one of them allows it)",
        ),
        ("{1.0: 1}", "1:2: double cannot be a key (keys are bool, int, uint or string)"),
        (
            "'a'.startswith('b')",
            "1:5: there is no method `startswith` (did you mean `startsWith`?)",
        ),
        (
            "'a'.startsWith(1)",
            "1:5: `startsWith` does not take (string, int) (it is `string.startsWith(string) -> bool`)",
        ),
        (
            "startsWith('a', 'b')",
            "1:1: there is no function `startsWith` (it is a method: string.startsWith(string) -> bool)",
        ),
        (
            "names.quantity()",
            "1:7: there is no method `quantity` (it is a function: quantity(string) -> quantity)",
        ),
        (
            "names.exist(x, true)",
            "1:7: there is no method `exist` (did you mean `exists`?); 1:13: there is no variable `x`",
        ),
        (
            "names.exists(x)",
            "1:7: there is no method `exists` (the macro is written list.exists(x, …x…)); 1:14: there is no variable `x`",
        ),
        ("request.account.all(x, true)", "1:9: all() goes through a list or map, not string"),
        ("names.all(x, x)", "1:14: this is string, where a bool is wanted"),
        (
            "'a'.matches('(')",
            "1:13: this is no pattern: unclosed group (the syntax is that of RE2)",
        ),
        (
            "'a'.matches('\\\\w{1000}{1000}')",
            "1:13: this is no pattern: a pattern that takes too much memory (the syntax is that of RE2)",
        ),
        (
            "timestamp('2026-13-01T00:00:00Z')",
            "1:11: \"2026-13-01T00:00:00Z\" is not a time as of RFC 3339, such as 2026-01-31T12:00:00Z",
        ),
        (
            "timestamp('2026-01-01T00:00:00Z').getHours('Europe/Paris')",
            "1:44: \"Europe/Paris\" is not UTC or an offset, such as +02:00 (no names of zones)",
        ),
        ("duration('1d')", "1:10: \"1d\" is not a duration, such as 1h30m"),
        ("semver('1.2')", "1:8: \"1.2\" is not a semantic version"),
        ("ip('1.2.3.04')", "1:4: \"1.2.3.04\" is not an IP address"),
    ];
    check(table.map(|(source, expected)| (source, mistakes(source, &Type::Dyn), expected)));
}

#[test]
fn all_mistakes_are_told_at_once() {
    assert_eq!(
        mistakes("request.lables.size() > 1 &&\n  nmes.exists(n, n.foo() == 1 + 'a')", &Type::Bool),
        "1:9: Request has no field `lables` (did you mean `labels`?); \
         2:3: there is no variable `nmes` (did you mean `names`?); \
         2:20: there is no method `foo`; \
         2:31: int + string has no meaning"
    );
}

#[test]
fn the_result_has_the_wanted_type() {
    assert_eq!(mistakes("1", &Type::Bool), "1:1: this gives int, but bool is wanted");
    assert!(Program::compile("any.x", &environment(), &Type::Bool).is_ok());
    let program = Program::compile("any.n", &environment(), &Type::Bool).unwrap();
    let stopped = program.run(&crate::value, cleanbill_cel::Cost::DEFAULT).unwrap_err();
    assert_eq!(stopped.to_string(), "1:5: this gave double, but bool is wanted");
}
