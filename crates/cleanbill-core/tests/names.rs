//! Patterns of image names, as policies write them.

use cleanbill_core::policy::NamePattern;

#[test]
fn patterns_of_names() {
    let table: &[(&str, &[&str], &[&str])] = &[
        ("docker.io/*", &["nginx", "a/b"], &["reg.example/nginx"]),
        ("docker.io/library/*", &["nginx"], &["a/b", "docker.io/libraryx/a"]),
        ("docker.io/library/nginx", &["nginx:1", "nginx"], &["nginxx", "library/nginx/x"]),
        (
            "reg.example:5000/*",
            &["reg.example:5000/a/b/c"],
            &["reg.example/a", "reg.example:50000/a"],
        ),
        ("reg.example/*", &["reg.example/a"], &["reg.example.evil/a", "a.reg.example/a"]),
    ];
    for (pattern, yes, no) in table {
        let parsed = NamePattern::try_from((*pattern).to_owned()).unwrap();
        assert_eq!(parsed.to_string(), *pattern);
        for (name, want) in yes.iter().map(|n| (n, true)).chain(no.iter().map(|n| (n, false))) {
            assert_eq!(parsed.matches(&name.parse().unwrap()), want, "{pattern} {name}");
        }
    }
    for wrong in [
        "",
        "*",
        "/*",
        "nginx",
        "nginx/*",
        "reg.example/a:1",
        "reg.example/*/a",
        "reg.example/a*",
        "reg.example",
    ] {
        assert!(NamePattern::try_from(wrong.to_owned()).is_err(), "{wrong}");
    }
}
