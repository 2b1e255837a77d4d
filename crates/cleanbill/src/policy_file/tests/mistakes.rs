//! Every mistake in rules, scopes, conditions and the rest, with place and hint.

use super::problems;

/// A rule around a condition, on one line: its keys begin at column 31.
fn refuse(condition: &str) -> String {
    format!("rules: [{{name: r, refuse:    {{{condition}}}}}]")
}

/// A rule around a scope.
fn scoped(scope: &str) -> String {
    format!("rules: [{{name: r, refuse: {{always: true}}, scope: {{{scope}}}}}]")
}

#[test]
fn of_rules() {
    let table: &[(&str, &str)] = &[
        ("rules: x", "p:1:8: \"rules\" is a text, not a list (write a list)"),
        (
            "rules: [{}]",
            "p:1:9: the rule has no \"name\" (every rule has a name, and says under \"refuse\" what it refuses)\n\
             p:1:9: the rule has no \"refuse\" (every rule has a name, and says under \"refuse\" what it refuses)",
        ),
        (
            "rules: [{name: r, refuse: {}}]",
            "p:1:27: \"refuse\" is empty (say what it refuses; always: true refuses everything in its scope)",
        ),
        (
            "rules: [{name: R 1, refuse: {always: true}}]",
            "p:1:16: \"R 1\" is no name of a rule (lower-case letters, digits and -, at most 63)",
        ),
        (
            "rules: [{name: allowed, refuse: {always: true}}]",
            "p:1:16: \"allowed\" cannot be the name of a rule (answers call something else by it: give the rule another name)",
        ),
        (
            "rules:\n- {name: r, refuse: {always: true}}\n- {name: r, refuse: {always: true}}",
            "p:3:3: two rules are called \"r\" (give each a name of its own)",
        ),
        (
            "rules: [{name: r, refuse: {always: true}, action: deny}]",
            "p:1:51: \"action\" cannot be \"deny\" (one of enforce, warn, audit)",
        ),
        ("action: adit", "p:1:9: \"action\" cannot be \"adit\" (did you mean \"audit\"?)"),
        (
            "rules: [{name: r, refuse: {always: true}, message: ''}]",
            "p:1:52: \"message\" is empty (write what it is)",
        ),
        (
            "rules: [{name: r, refuse: {always: true}, kev: true}]",
            "p:1:43: unknown key \"kev\" (it belongs in a rule: refuse: {flaws: {kev: true}})",
        ),
        (
            "namespaces: [a]",
            "p:1:1: unknown key \"namespaces\" (it belongs in a scope: scope: {namespaces: [prod-*]})",
        ),
        (
            "profile: strickt",
            "p:1:10: \"profile\" cannot be \"strickt\" (did you mean \"strict\"?)",
        ),
        (
            "exceptions: [{id: '*', reason: r, owner: o, expires: 2026-07-01}]",
            "p:1:19: \"id\" is no id of a flaw: \"*\" (write one id, such as CVE-2026-1234; there are no patterns)",
        ),
        (
            "profile: airgap",
            "p:1:1: the profile airgap has no \"allowed\" (name the registries inside: allowed: [registry.example/*])",
        ),
    ];
    for (text, want) in table {
        assert_eq!(problems(text), *want, "{text}");
    }
}

#[test]
fn of_conditions() {
    let table: &[(&str, &str)] = &[
        ("always: false", "p:1:39: \"always\" can only be true (write true, or remove the key)"),
        (
            "runs_as_root: no",
            "p:1:45: \"runs_as_root\" can only be true (write true, or remove the key)",
        ),
        (
            "end_of_life: 1",
            "p:1:44: \"end_of_life\" can only be true (write true, or remove the key)",
        ),
        (
            "older_than: 90",
            "p:1:43: \"older_than\" is no number of days (write it as 7d; at most 3650d)",
        ),
        ("gaps: []", "p:1:37: \"gaps\" is an empty list (name at least one, or remove the key)"),
        ("gaps: [stale]", "p:1:38: unknown kind of gap \"stale\" (the kinds are "),
        (
            "flaws:",
            "p:1:36: \"flaws\" is nothing, not a mapping (write KEY: VALUE; the keys are severity, fixable, fix_older_than, kev, epss, epss_percentile, cvss, packages, ids, count)",
        ),
        (
            "flaws: {severity: any}",
            "p:1:49: \"severity\" is no severity (one of low, medium, high, critical)",
        ),
        (
            "flaws: {ids: [CVE-2026-1, 'CVE-*']}",
            "p:1:57: \"ids\" is no id of a flaw: \"CVE-*\" (write one id, such as CVE-2026-1234; there are no patterns)",
        ),
        (
            "flaws: {fixable: yes}",
            "p:1:48: \"fixable\" is a text, not true or false (write true or false)",
        ),
        (
            "flaws: {fix_older_than: x}",
            "p:1:55: \"fix_older_than\" is no number of days (write it as 7d; at most 3650d)",
        ),
        (
            "flaws: {fixable: false, fix_older_than: 3d}",
            "p:1:38: \"fixable: false\" and \"fix_older_than\" hold for no flaw (remove one of them)",
        ),
        ("flaws: {kev: false}", "p:1:44: \"kev\" can only be true (write true, or remove the key)"),
        (
            "flaws: {cvss: {}}",
            "p:1:45: \"cvss\" is empty (name a metric, such as AV: N, or remove the key)",
        ),
        ("flaws: {cvss: {AV: [N, X]}}", "p:1:54: \"X\" is no value of AV (one of N, A, L, P)"),
        ("flaws: {cvss: {av: N}}", "p:1:46: unknown key \"av\" (the keys are AV, AC"),
        ("flaws: {packages: openssl}", "p:1:49: \"packages\" is a text, not a list (write a list)"),
        (
            "flaws: {ids: []}",
            "p:1:44: \"ids\" is an empty list (name at least one, or remove the key)",
        ),
        (
            "flaws: {count: 0}",
            "p:1:46: \"count\" is no number within bounds (from 1 to 100000: so many flaws, or more)",
        ),
        ("flaws: {count: '3'}", "p:1:46: \"count\" is no number within bounds"),
        (
            "flaws: {epss: 0}",
            "p:1:45: \"epss\" is no share of one (from 0.00001 to 1, with at most five decimals: 0.1 is 10 %)",
        ),
        ("flaws: {epss: 10}", "p:1:45: \"epss\" is no share of one ("),
        ("flaws: {epss: 0.123456}", "p:1:45: \"epss\" is no share of one ("),
        ("flaws: {epss: 10%}", "p:1:45: \"epss\" is no share of one ("),
        ("flaws: {epss_percentile: -0.5}", "p:1:56: \"epss_percentile\" is no share of one ("),
        (
            "epss: 0.5",
            "p:1:31: unknown key \"epss\" (it belongs in a rule: refuse: {flaws: {epss: 0.1}}",
        ),
        ("secrets: true", "p:1:31: \"secrets\" is not there yet ("),
        ("licences: [GPL-3.0]", "p:1:31: \"licences\" is not there yet ("),
        ("signed_by: x", "p:1:31: \"signed_by\" is not there yet ("),
        ("attestations: x", "p:1:31: \"attestations\" is not there yet ("),
        ("misconfigurations: x", "p:1:31: \"misconfigurations\" is not there yet ("),
        ("vex: x", "p:1:31: \"vex\" is not there yet ("),
        (
            "packages: [1]",
            "p:1:42: \"packages\" is a number, not a text (put quotes around it if you mean \"1\")",
        ),
        (
            "packages: [{kind: deb}]",
            "p:1:42: the package has no \"name\" (say which, such as name: xz-utils)",
        ),
        (
            "packages: [{name: x, kind: rust}]",
            "p:1:58: \"kind\" cannot be \"rust\" (one of apk, deb, rpm, python, npm, go, cargo, maven, gem, nuget, composer, hex, pub, swift, bitnami)",
        ),
        (
            "packages: [{name: x, versions: 5.6.0}]",
            "p:1:62: \"5.6.0\" is no bound on a version (write <, <=, =, >= or > and a version, such as \">=5.6.0, <5.6.2\")",
        ),
        (
            "packages: [{name: x, versions: '>=1, <'}]",
            "p:1:62: \"<\" is no bound on a version (write <, <=, =, >= or > and a version, such as \">=5.6.0, <5.6.2\")",
        ),
        (
            "packages: [{name: x, kind: npm, versions: '>=5:6~1'}]",
            "p:1:73: \"5:6~1\" is no version of packages of this kind (write it as the package's own tool does)",
        ),
        (
            "packages: [{name: x, versions: '>= x y'}]",
            "p:1:62: \"x y\" is no version of any kind of package (write it as the package's own tool does)",
        ),
    ];
    for (condition, want) in table {
        let told = problems(&refuse(condition));
        assert!(told.starts_with(want), "{condition}\n{told}\n{want}");
        assert_eq!(told.lines().count(), 1, "{told}");
    }
}

#[test]
fn of_scopes() {
    let table: &[(&str, &str)] = &[
        (
            "",
            "p:1:50: \"scope\" is empty (say where it holds, or remove the key: then it holds everywhere)",
        ),
        (
            "namespaces: []",
            "p:1:63: \"namespaces\" is an empty list (name at least one, or remove the key)",
        ),
        (
            "not_namespaces: [1]",
            "p:1:68: \"not_namespaces\" is a number, not a text (put quotes around it if you mean \"1\")",
        ),
        (
            "repositories: [nginx]",
            "p:1:66: \"nginx\" names no repositories (write the registry in full",
        ),
        (
            "not_repositories: x",
            "p:1:69: \"not_repositories\" is a text, not a list (write a list)",
        ),
        (
            "registries: [https://a.example]",
            "p:1:64: \"https://a.example\" is no registry (write it as in image names, such as registry.example:5000 or docker.io)",
        ),
        (
            "platforms: [linux]",
            "p:1:63: \"linux\" is no platform (write OS/ARCH, such as linux/amd64)",
        ),
        (
            "labels: [a]",
            "p:1:59: \"labels\" is a list, not a mapping of labels to values (write a mapping of labels to values)",
        ),
        ("labels: {}", "p:1:59: \"labels\" is empty (name at least one, or remove the key)"),
        ("labels: {a: b, a: c}", "p:1:66: \"a\" is there twice (keep one of them)"),
        ("users: ['']", "p:1:59: \"users\" is empty (write what it is)"),
        ("groups: {a: b}", "p:1:59: \"groups\" is a mapping, not a list (write a list)"),
        (
            "service_accounts: [default]",
            "p:1:70: \"default\" is no service account (write NAMESPACE/NAME, such as ci/builder or */default)",
        ),
        (
            "not_labels: {a: b}",
            "p:1:51: there is no \"not_labels\" (a pod's author chooses its labels: they may only make a decision stricter)",
        ),
        (
            "annotations: {a: b}",
            "p:1:51: there is no \"annotations\" (a pod's author chooses its annotations: no scope depends on them)",
        ),
        ("namespace: [a]", "p:1:51: unknown key \"namespace\" (did you mean \"namespaces\"?)"),
    ];
    for (scope, want) in table {
        let told = problems(&scoped(scope));
        assert!(told.starts_with(want), "{scope}\n{told}\n{want}");
        assert_eq!(told.lines().count(), 1, "{told}");
    }
}

#[test]
fn what_permits_cannot_depend_on_what_the_author_chooses() {
    let why = "(the pod's author chooses it, so anybody could permit himself: scope it by namespaces, repositories, users or groups)";
    let exception = "{id: CVE-1, reason: r, owner: o, expires: 2026-01-01, scope: {";
    for (key, value) in [("labels", "{a: b}"), ("service_accounts", "[a/b]")] {
        let told = problems(&format!("exceptions:\n- {exception}{key}: {value}}}}}"));
        assert_eq!(told, format!("p:2:65: what permits cannot depend on \"{key}\" {why}"));
        let told =
            problems(&format!("accept_gaps:\n- {{kind: stale-feed, scope: {{{key}: {value}}}}}"));
        assert_eq!(told, format!("p:2:30: what permits cannot depend on \"{key}\" {why}"));
    }
}

#[test]
fn of_the_rest() {
    let table: &[(&str, &str)] = &[
        (
            "local_images: []",
            "p:1:15: \"local_images\" is an empty list (name at least one, or remove the key)",
        ),
        (
            "local_images: [morc-api:0.1]",
            "p:1:16: \"morc-api:0.1\" names no images (write their name without tag or digest, such as morc-api, or end with /* for everything below, such as team/*)",
        ),
        ("local_images: [morc-*]", "p:1:16: \"morc-*\" names no images (write"),
        (
            "already_admitted: keep",
            "p:1:19: \"already_admitted\" says neither to judge nor how long to keep (write judge, keep 12h or keep 7d; at most 90d)",
        ),
        ("already_admitted: keep 91d", "p:1:19: \"already_admitted\" says neither"),
        ("already_admitted: keep 0h", "p:1:19: \"already_admitted\" says neither"),
        ("already_admitted: keep -1d", "p:1:19: \"already_admitted\" says neither"),
        ("already_admitted: 7d", "p:1:19: \"already_admitted\" says neither"),
        (
            "accept_gaps: [{subject: x}]",
            "p:1:15: the accepted gap has no \"kind\" (say which kind: docs/policy.md)",
        ),
        (
            "accept_gaps: [{kind: stale-fed}]",
            "p:1:22: unknown kind of gap \"stale-fed\" (did you mean \"stale-feed\"?)",
        ),
        (
            "accept_gaps: [{kind: stale-feed, where: x}]",
            "p:1:34: unknown key \"where\" (the keys are kind, subject, scope)",
        ),
        (
            "exceptions: [{id: CVE-1, reason: FILL-IN, owner: o, expires: 2026-01-01}]",
            "p:1:34: \"reason\" still says FILL-IN (write why it is acceptable)",
        ),
        (
            "exceptions: [{id: CVE-1, reason: r, owner: FILL-IN, expires: 2026-01-01}]",
            "p:1:44: \"owner\" still says FILL-IN (name who answers for it)",
        ),
        (
            "break_glass: {keys: [x]}",
            "p:1:22: \"keys\" has what is no Ed25519 public key in PEM (paste the .pub file that `cleanbill keygen` wrote, as a block (|))",
        ),
        (
            "break_glass: {keys: ['-----BEGIN PRIVATE KEY-----']}",
            "p:1:22: \"keys\" has a private key (anybody who reads this file has it now: make another one, and write the content of its .pub file here)",
        ),
        (
            "break_glass: {users: ['*']}",
            "p:1:23: \"*\" names no single user (write the whole name, without *)",
        ),
        (
            "break_glass: {groups: [dev-*]}",
            "p:1:24: \"dev-*\" names no single group (write the whole name, without *)",
        ),
        (
            "break_glass: {groups: [system:authenticated]}",
            "p:1:24: the group \"system:authenticated\" cannot break the glass (everybody who can log in is in it)",
        ),
        (
            "break_glass: {groups: [system:serviceaccounts:kube-system]}",
            "p:1:24: the group \"system:serviceaccounts:kube-system\" cannot break the glass (controllers make most pods, so it would hold for all of them)",
        ),
        (
            "break_glass: {users: [system:serviceaccount:kube-system:replicaset-controller]}",
            "p:1:23: the user \"system:serviceaccount:kube-system:replicaset-controller\" cannot break the glass (controllers make pods for everybody, so it would hold for all of them)",
        ),
        (
            "break_glass: {users: [system:anonymous]}",
            "p:1:23: the user \"system:anonymous\" cannot break the glass (whoever does not log in is called so)",
        ),
        (
            "break_glass: {token: x}",
            "p:1:15: unknown key \"token\" (the keys are keys, users, groups)",
        ),
        (
            "checkers: []",
            "p:1:11: \"checkers\" is an empty list (name at least one, or remove the key)",
        ),
        (
            "checkers: [{names: [a]}]",
            "p:1:12: the agreement has no \"require\" (say whose opinion is needed, by the names in cleanbill.yaml, and whether all or any of them has to agree)",
        ),
        (
            "checkers: [{names: [A b], require: all}]",
            "p:1:21: \"A b\" is no name of a checker (lower-case letters, digits and -, at most 63)",
        ),
        (
            "checkers: [{names: [a], require: most}]",
            "p:1:34: \"require\" cannot be \"most\" (one of all, any)",
        ),
    ];
    for (text, want) in table {
        let told = problems(text);
        assert!(told.starts_with(want), "{text}\n{told}\n{want}");
        assert_eq!(told.lines().count(), 1, "{told}");
    }
}

#[test]
fn of_expressions_at_their_places_within_the_text() {
    let rule = |cel: &str| format!("rules:\n- name: r\n  refuse:\n    cel: {cel}");
    let table: &[(&str, &str)] = &[
        ("image.nme == 'x'", "p:4:16: image has no field `nme` (did you mean `name`?)"),
        ("\"image.nme == 'x'\"", "p:4:17: image has no field `nme`"),
        ("|\n      image.pinned &&\n        image.nme == 'x'", "p:6:15: image has no field `nme`"),
        ("|-\n\n      image.nme == 'x'", "p:6:13: image has no field `nme`"),
        // Folded and escaped texts have other places than the file: that of the whole is told.
        (">\n      image.pinned &&\n      image.nme == 'x'", "p:5:7: image has no field `nme`"),
        ("\"'\\u0041' == image.nme\"", "p:4:10: image has no field `nme`"),
        ("image.name", "p:4:16: this gives string, but bool is wanted (docs/policy.md"),
        ("'a' in request.labels && 1", "p:4:"),
        ("!('a' in request.labels)", "p:4:"),
        ("request.service_account != 'x'", "p:4:"),
        ("''", "p:4:10: \"cel\" is empty (write what it is)"),
        ("[x]", "p:4:10: \"cel\" is a list, not a text (write a text)"),
    ];
    for (cel, want) in table {
        let told = problems(&rule(cel));
        assert!(told.starts_with(want), "{cel}\n{told}\n{want}");
    }
}
