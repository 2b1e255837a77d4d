//! Checkers and the ways to registries are replaced while the gate runs, whole or not at all.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::checker::{answers, policy, policy_in_force, program};
use crate::registry::{Login, Registry, reached};
use crate::rig::{Choice, Gate};

/// Tells it to reload, and waits until it has looked: until `failing` is so for `what`.
fn reload(gate: &Gate, what: &str, failing: bool) {
    gate.signal("HUP");
    let line = format!("reload_failing{{what=\"{what}\"}} {}", u8::from(failing));
    gate.until(&line, |gate| gate.counted(&line));
    let told = gate.get("/readyz");
    assert_eq!((told.status, told.body.contains(&format!("in force: {what}"))), (200, failing));
}

#[test]
fn checkers_and_the_policy_that_names_them_come_into_force_together() {
    let registry = Registry::start();
    let (yes, no) = (answers(true), answers(false));
    let keys = |checkers: &str| format!("{}checkers:\n{checkers}", registry.key());
    let gate = Gate::start(Choice {
        keys: keys(&program("a", &yes)),
        policy: policy("first", "a"),
        ..Choice::default()
    });
    let image = registry.clean("app");
    let says_no = |gate: &Gate, name: &str| {
        let answer = gate.ask(&[&image]);
        !answer.allowed && answer.reason.contains(&format!("checker {name} says no: not ours"))
    };
    assert!(gate.ask(&[&image]).allowed);

    gate.configure(&keys(&program("a", &no)));
    gate.signal("HUP");
    gate.until("another a", |gate| says_no(gate, "a"));

    // One that cannot be used: the one before stays, and it is told.
    gate.configure(&keys(
        "- {name: a, imagereview: {url: \"https://c.example/\", ca: none.crt}}\n",
    ));
    reload(&gate, "checkers", true);
    assert!(says_no(&gate, "a") && gate.log().contains("checker a: the authority"));
    // As soon as the file is there, it is taken.
    let authority = std::fs::read(gate.path("ca.crt")).unwrap();
    gate.write("none.crt", authority);
    reload(&gate, "checkers", false);

    // A new one, and a policy that wants it.
    gate.configure(&keys(&(program("a", &yes) + &program("b", &no))));
    gate.write("policy.yaml", policy("second", "a, b"));
    gate.signal("HUP");
    gate.until("b is asked", |gate| says_no(gate, "b"));
    assert_eq!(policy_in_force(&gate, &image), "second");

    // One that the policy still wants is gone: both stay as they were.
    gate.configure(&keys(&program("a", &yes)));
    reload(&gate, "policy", true);
    assert!(says_no(&gate, "b") && gate.log().contains("unknown checkers: b"));
    // And goes when the policy does not want it any more.
    gate.write("policy.yaml", policy("third", "a"));
    reload(&gate, "policy", false);
    assert!(gate.ask(&[&image]).allowed);
    assert_eq!(policy_in_force(&gate, &image), "third");

    // None at all.
    gate.configure(&registry.key());
    gate.write("policy.yaml", crate::rig::POLICY);
    gate.signal("HUP");
    gate.until("nobody is asked", |gate| policy_in_force(gate, &image) == "whole");
    assert!(gate.ask(&[&image]).allowed);
    assert!(!gate.log().contains("need a restart"), "{}", gate.log());

    // What does take a restart is named, each key.
    let keys = "decisions: {keep: 5d}\nwhen_unexamined: fail\ntag_ttl: 5s\nlimits: {budget: 5s}\n";
    gate.configure(&(registry.key() + keys));
    gate.signal("HUP");
    let named = r#"changed="decisions,when_unexamined,tag_ttl,limits""#;
    gate.until("what takes a restart", |gate| gate.log().contains(named));
}

#[test]
fn registries_and_their_passwords_are_replaced_while_it_runs() {
    let basic = |password: &str| format!("Basic {}", STANDARD.encode(format!("puller:{password}")));
    let (first, second) = (Registry::start(), Registry::start());
    first.login(Login { basic: basic("right"), ..Login::default() });
    let key = reached(&first.host(), ", username: puller, password_file: password");
    let password = tempfile::NamedTempFile::new().unwrap();
    let key =
        key.replace("password_file: password", &format!("password_file: {:?}", password.path()));
    let write = |text: &str| std::fs::write(password.path(), text).unwrap();
    write("wrong\n");
    let gate = Gate::start(Choice { keys: key.clone(), ..Choice::default() });
    let (a, b, c, d) = (first.clean("a"), first.clean("b"), first.clean("c"), second.clean("d"));
    let refused = |image: &str, words: &str| {
        let answer = gate.ask(&[image]);
        assert!(!answer.allowed && answer.reason.contains(words), "{answer:?}");
    };
    refused(&a, "the registry refuses access to the image");
    write("right\n");
    gate.signal("HUP");
    gate.until("the right password", |gate| gate.ask(&[&a]).allowed);

    // Half written, or gone: the one before is used on.
    write("");
    reload(&gate, "registries", true);
    assert!(gate.log().contains("no password is in it"));
    assert!(gate.ask(&[&b]).allowed, "{}", gate.log());
    std::fs::remove_file(password.path()).unwrap();
    reload(&gate, "registries", true);
    assert!(gate.ask(&[&c]).allowed);
    write("right");
    reload(&gate, "registries", false);

    // A registry at a private address, which nobody may name before the operator has.
    refused(&d, "the image could not be read from its registry");
    assert!(second.asked().is_empty(), "it was not even contacted");
    gate.configure(&(key + reached(&second.host(), "").trim_start_matches("registries:\n")));
    gate.signal("HUP");
    gate.until("the second registry", |gate| gate.ask(&[&d]).allowed);
    assert!(!gate.log().contains("need a restart"), "{}", gate.log());
    assert!(!gate.log().contains("right"), "passwords are not logged");
}
