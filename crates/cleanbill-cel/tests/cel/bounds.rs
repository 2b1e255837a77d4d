//! Bounds: no source is too long, too deep or too costly to be refused in time.

use cleanbill_cel::{Cost, Program, Type, fuzz_cel, limits};
use proptest::prelude::*;

use crate::{compiled, environment, shown, value};

fn refused(source: &str) -> String {
    Program::compile(source, &environment(), &Type::Dyn)
        .map_or_else(|m| shown(&m), |_| String::new())
}

#[test]
fn what_is_too_large_is_refused_when_it_is_loaded() {
    for (source, expected) in [
        (" ".repeat(limits::SOURCE_BYTES + 1), "longer than"),
        (format!("{}1{}", "(".repeat(40), ")".repeat(40)), "nested more than"),
        (format!("{}1{}", "[".repeat(40), "]".repeat(40)), "nested more than"),
        ("!".repeat(10_000), "an expression comes here"),
        (format!("{}true", "!".repeat(10_000)), "a chain of more than"),
        (format!("{}x", "-".repeat(10_000)), "a chain of more than"),
        (format!("1{}", "+1".repeat(200)), "a chain of more than"),
        (format!("any{}", ".a".repeat(200)), "a chain of more than"),
        (format!("any{}", "[0]".repeat(200)), "a chain of more than"),
        (format!("{}1", "true?1:".repeat(100)), "nested more than"),
        (format!("[{}1]", "1,".repeat(5000)), "more than 4096 parts"),
        ("'a'.matches('".to_owned() + &"a".repeat(3000) + "')", "a pattern of more than"),
        ("'a'.matches('".to_owned() + &"(".repeat(1000) + &")".repeat(1000) + "')", "no pattern"),
    ] {
        let told = refused(&source);
        assert!(told.contains(expected), "{expected}: {told}");
    }
}

#[test]
fn what_the_definition_asks_for_fits() {
    for source in [
        vec!["true"; 64].join("||"),
        vec!["true"; 64].join("&&"),
        vec!["1"; 33].join("+"),
        format!("[{}]", vec!["1"; 500].join(",")),
        format!("{}1", "true?1:".repeat(24)),
        format!("{}1{}", "[".repeat(20), "]".repeat(20)),
        format!("{}'a'{}", "string(".repeat(20), ")".repeat(20)),
        format!("{{{}}}", (0..64).map(|n| format!("{n}:{n}")).collect::<Vec<_>>().join(",")),
        vec!["1 < 2"; 30].join(" && "),
    ] {
        assert_eq!(refused(&source), "", "{source}");
        assert!(compiled(&source).run(&value, Cost::DEFAULT).is_ok());
    }
}

#[test]
fn the_deepest_expressions_fit_a_small_stack() {
    let sources = [
        format!("{}1{}", "[".repeat(31), "]".repeat(31)),
        format!("{}true{}", "!(".repeat(31), ")".repeat(31)),
        format!("{}1{}", "[1].map(x, ".repeat(31), ")".repeat(31)),
        format!("{}1{}", "{1: ".repeat(31), "}".repeat(31)),
        format!("{}'a'{}", "string(".repeat(31), ")".repeat(31)),
        format!("{}1{}", "1 + (2 * (".repeat(15), "))".repeat(15)),
        format!("{}'a' in request.labels", "names.exists(n, true && (false || ".repeat(15))
            + &"))".repeat(15),
        format!("any{}", ".a".repeat(63)),
        format!("1{}", " + 1".repeat(63)),
        format!("{}true", "!".repeat(63)),
        format!("{}1", "true ? 1 : ".repeat(31)),
    ];
    let run = move || {
        for source in sources {
            let program = compiled(&source);
            let _ = program.run(&value, Cost::DEFAULT);
            let _ = program.loosens_on(crate::polarity::THEIRS);
            let _ = program.references();
        }
    };
    // Half of what threads of the gate have, and without optimisation.
    let small = std::thread::Builder::new().stack_size(1024 * 1024);
    small.spawn(run).unwrap().join().unwrap();
}

#[test]
fn what_grows_when_it_runs_is_stopped() {
    let nested = "big.map(a, big.map(b, big.map(c, a)))";
    let growing = format!("['x'].map(x, x{}).size()", " + x".repeat(30));
    assert_eq!(crate::outcome(&growing), Ok("1".into()));
    for source in [
        nested.to_owned(),
        "big.map(a, 'xxxxxxxxxxxxxxxx').join().split('').map(x, big).map(x, x + x)".to_owned(),
        "big.map(a, '0123456789012345').join('').replace('0', 'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy')\
         .replace('y', 'zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz')"
            .to_owned(),
        "big.exists(x, string(x).matches('(' + string(x)))".to_owned(),
    ] {
        let (result, cost) = compiled(&source).run_measured(&value, Cost(100_000));
        assert!(result.is_err() && cost <= Cost(100_000), "{source}");
    }
}

/// Pieces that expressions are made of, so that random ones get past the parser.
fn pieces() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "1",
        "2u",
        "1.5",
        "'a'",
        "b'x'",
        "true",
        "null",
        "request",
        ".labels",
        ".account",
        "['team']",
        "names",
        "any",
        "[",
        "]",
        "{",
        "}",
        "(",
        ")",
        ",",
        ":",
        "?",
        "&&",
        "||",
        "!",
        "-",
        "+",
        "*",
        "/",
        "%",
        "==",
        "!=",
        "<",
        " in ",
        ".size()",
        ".exists(x, ",
        ".all(y, ",
        ".map(z, ",
        "x",
        "y",
        "has(",
        ".matches('a+')",
        "int(",
        "string(",
        "duration('1h')",
        "timestamp('2026-01-01T00:00:00Z')",
        ".substring(1)",
        ".split('')",
        ".join(',')",
        "\n",
    ];
    proptest::collection::vec(proptest::sample::select(PIECES), 0..30).prop_map(|p| p.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(fuzz_cel(&bytes));
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,100}") {
        prop_assert!(fuzz_cel(text.as_bytes()));
    }

    #[test]
    fn no_pieces_make_it_panic_or_cost_more_than_the_limit(source in pieces()) {
        prop_assert!(fuzz_cel(source.as_bytes()));
    }

    #[test]
    fn what_runs_under_a_limit_runs_the_same_under_a_higher_one(source in pieces(), limit in 1..500_u64) {
        if let Ok(program) = Program::compile(&source, &environment(), &Type::Dyn) {
            let (low, cost) = program.run_measured(&value, Cost(limit));
            prop_assert!(cost <= Cost(limit));
            if let Ok(low) = low {
                let high = program.run(&value, Cost::DEFAULT);
                prop_assert_eq!(high.map(|v| v.to_string()), Ok(low.to_string()));
            }
        }
    }
}
