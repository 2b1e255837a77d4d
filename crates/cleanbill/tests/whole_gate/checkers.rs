//! Others who are asked and hang, crash, or answer a gigabyte: the gate answers in time, denies,
//! holds no more memory for it, and hears them again when they are well.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::checker::{answers, policy, program};
use crate::registry::Registry;
use crate::rig::{Choice, Gate};

/// Answers every question with a gigabyte, without saying how long it is.
fn endless() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                _ = stream.read(&mut [0; 4096]);
                _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
                let part = vec![b' '; 1 << 16];
                for _ in 0..1 << 14 {
                    if stream.write_all(&part).is_err() {
                        return;
                    }
                }
            });
        }
    });
    format!("- {{name: c, timeout: 2s, http: {{url: \"http://{address}/\"}}}}\n")
}

#[test]
fn checkers_that_fail_deny_in_time_and_are_heard_again() {
    let yes = answers(true);
    let table: [(&str, String, &str); 8] = [
        ("hangs", program("c", "sleep 300"), "it gave no answer in time"),
        ("hangs after it", program("c", &format!("{yes}; sleep 300")), "no answer in time"),
        ("crashes", program("c", &format!("{yes}; kill -11 $$")), "it was ended by signal 11"),
        ("fails", program("c", "exit 7"), "it ended with exit code 7"),
        ("is gone", program("c", "exec /no/such/file"), "it ended with exit code"),
        ("1 GB", program("c", "head -c 1073741824 /dev/zero"), "its answer is larger than 1 MiB"),
        ("1 GB of errors", program("c", "head -c 1073741824 /dev/zero >&2"), "standard error"),
        ("1 GB by HTTP", endless(), "its answer is larger than 1 MiB"),
    ];
    let registry = Registry::start();
    let keys = |checkers: &str| format!("{}checkers:\n{checkers}", registry.key());
    let gate = Gate::start(Choice {
        keys: keys(&program("c", &yes)),
        policy: policy("heard", "c"),
        ..Choice::default()
    });
    let image = registry.clean("app");
    assert!(gate.ask(&[&image]).allowed, "{}", gate.log());
    let before = gate.peak();
    for (name, checker, words) in &table {
        gate.configure(&keys(checker));
        gate.signal("HUP");
        gate.until(name, |gate| !gate.ask(&[&image]).allowed);
        // At the same time, as many as a busy cluster asks.
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let began = Instant::now();
                    let answer = gate.ask(&[&image]);
                    let took = began.elapsed();
                    assert!(!answer.allowed && answer.status == 200, "{name}: {answer:?}");
                    let gap = answer.reason.contains("`checker-silent` c (");
                    // Four at a time: those who wait longer than they may are told so.
                    let waited = answer.reason.contains("it was busy with other questions");
                    let said = answer.reason.contains(words) || waited;
                    assert!(gap && said, "{name}: {answer:?}");
                    assert!(took < Duration::from_secs(20), "{name}: {took:?}");
                    let kept = gate.recorded(answer.id()).unwrap();
                    assert_eq!(kept.outcome, "denied", "{name}");
                });
            }
        });
        gate.configure(&keys(&program("c", &yes)));
        gate.signal("HUP");
        gate.until("heard again", |gate| gate.ask(&[&image]).allowed);
    }
    let more = gate.peak().saturating_sub(before);
    assert!(more < 128 << 20, "{more} bytes more, for gigabytes that nobody wanted");
}
