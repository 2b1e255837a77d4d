//! What is asked, who is asked, and that answers are remembered no longer than they may be.

use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cleanbill::checkers::{CheckerConfig, Checkers, Endpoint, KindConfig};
use cleanbill_core::opinion::{Answer, Opinion};
use serde_json::{Value, json};

use super::rig::{IMAGE, ask, asked, checker, endpoint, script};
use super::servers::{request, response, server};

/// The heads and bodies of requests.
type Requests = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

/// A server that keeps what it was asked and gives the answer.
fn keeps(answer: Value) -> (String, Requests) {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let list = Arc::clone(&kept);
    let address = server(move |mut stream| {
        list.lock().unwrap().push(request(&mut stream));
        _ = stream.write_all(response("200 OK", &answer.to_string()).as_bytes());
    });
    (address, kept)
}

fn answer(allowed: bool, reason: &str) -> Value {
    json!({"apiVersion": "cleanbill.checker/v1", "kind": "Answer", "image": IMAGE,
        "allowed": allowed, "reason": reason})
}

fn question() -> Value {
    json!({
        "apiVersion": "cleanbill.checker/v1",
        "kind": "Question",
        "image": IMAGE,
        "registry": "registry.example",
        "repository": "team/app",
        "tag": "1",
        "digest": IMAGE.split_once('@').unwrap().1,
        "namespace": "default",
        "annotations": {"ticket.image-policy.k8s.io/id": "T-1"},
        "context": {"user": "jane", "groups": ["developers"], "serviceAccount": "default",
            "labels": {"app": "shop"}},
    })
}

#[test]
fn a_server_is_asked_in_our_format_with_its_token() {
    let (address, kept) = keeps(answer(false, "no\nticket"));
    let folder = tempfile::tempdir().unwrap();
    let token_file = folder.path().join("token");
    std::fs::write(&token_file, "s3cret\n").unwrap();
    let url = endpoint(&format!("http://{address}/check?team=a"));
    let kind = KindConfig::Http(Endpoint { token_file: Some(token_file.clone()), ..url });
    let config = checker(kind);
    assert!(!format!("{config:?}").contains("team=a"));
    let opinion = ask(config.clone(), &asked("default"));
    assert_eq!(opinion, Opinion::disagrees("c", "no ticket"));
    let (head, body) = kept.lock().unwrap().remove(0);
    assert!(head.starts_with("post /check?team=a http/1.1\r\n"), "{head}");
    assert!(head.contains("authorization: bearer s3cret"), "{head}");
    assert!(head.contains("content-type: application/json"), "{head}");
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), question());

    std::fs::write(&token_file, "").unwrap();
    let opinion = ask(config, &asked("default"));
    assert!(opinion.gap().unwrap().detail.contains("its token cannot be read"));
    assert!(kept.lock().unwrap().is_empty(), "nothing is asked without the token");
}

#[test]
fn an_image_review_is_asked_as_the_api_server_does() {
    let (address, kept) = keeps(json!({"status": {"allowed": false, "reason": "no"}}));
    let kind = KindConfig::ImageReview(endpoint(&format!("http://{address}/review")));
    assert_eq!(ask(checker(kind), &asked("default")), Opinion::disagrees("c", "no"));
    let (head, body) = kept.lock().unwrap().remove(0);
    assert!(head.starts_with("post /review?timeout=9s http/1.1\r\n"), "{head}");
    let wanted = json!({
        "kind": "ImageReview",
        "apiVersion": "imagepolicy.k8s.io/v1alpha1",
        "metadata": {},
        "spec": {
            "containers": [{"image": IMAGE}],
            "annotations": {"ticket.image-policy.k8s.io/id": "T-1"},
            "namespace": "default",
        },
        "status": {"allowed": false},
    });
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), wanted);
    let ours = cleanbill::serve::review::parse(&body, 10).unwrap();
    assert_eq!(ours.images, [IMAGE], "our own gate could be the one that is asked");
}

#[test]
fn a_program_gets_its_question_and_nothing_of_ours() {
    // Descriptors of ours that must not be seen: a file, a socket.
    let _file = std::fs::File::open("/dev/null").unwrap();
    let _socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let seen = folder.path().join("seen");
    let text = format!(
        "cat > {0}.question; ls /proc/self/fd > {0}.fds; /usr/bin/env > {0}.env; pwd > {0}.pwd
         printf '%s' \"$1\" > {0}.arg; ulimit -v > {0}.memory; ulimit -c > {0}.core
         echo '{1}'",
        seen.display(),
        answer(true, ""),
    );
    let mut kind = script(&text, "name");
    let KindConfig::Program(program) = &mut kind else { unreachable!() };
    program.argv.push("$(id) `id` ; id".into());
    assert_eq!(ask(checker(kind), &asked("default")), Opinion::agrees("c"));
    let read = |what: &str| std::fs::read_to_string(format!("{}.{what}", seen.display())).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&read("question")).unwrap(), question());
    // 3 is the folder that `ls` reads; what we inherited open for all is not ours to close.
    let open: Vec<String> = read("fds").lines().map(str::to_owned).collect();
    let foreign = |fd: &&String| !["0", "1", "2", "3"].contains(&fd.as_str()) && !inherited(fd);
    assert_eq!(open.iter().filter(foreign).collect::<Vec<_>>(), [""; 0]);
    // The shell sets these for its children itself.
    let env = read("env");
    let foreign = |l: &&str| !["PWD=/", "_=/usr/bin/env", "OLDPWD=/", "SHLVL=0"].contains(l);
    assert_eq!(env.lines().filter(foreign).collect::<Vec<_>>(), [""; 0]);
    assert_eq!(read("pwd"), "/\n");
    assert_eq!(read("arg"), "$(id) `id` ; id", "no shell reads arguments");
    assert_eq!((read("memory").as_str(), read("core").as_str()), ("4194304\n", "0\n"));
}

/// Whether this descriptor of ours stays open in every program that we start: none that we
/// opened ourselves does (`O_CLOEXEC`).
fn inherited(fd: &str) -> bool {
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{fd}")).unwrap_or_default();
    let flags = info.lines().find_map(|l| l.strip_prefix("flags:"));
    let flags = flags.and_then(|f| u32::from_str_radix(f.trim(), 8).ok());
    flags.is_some_and(|flags| flags & 0o2_000_000 == 0)
}

#[test]
fn all_are_asked_at_the_same_time_and_each_has_its_place() {
    let named = |name: &str, text: &str| CheckerConfig {
        name: name.into(),
        ..checker(script(text, "all-at-once"))
    };
    let yes = format!("sleep 0.4; echo '{}'", answer(true, ""));
    let checkers = Checkers::open(&[
        named("first", &yes),
        named("second", "sleep 9000"),
        named("third", &yes),
        named("unwanted", "sleep 9000"),
    ])
    .unwrap();
    assert_eq!(checkers.names().count(), 4);
    let began = Instant::now();
    let until = began + Duration::from_millis(700);
    let opinions = checkers.ask(&["third", "no-such", "second", "first"], &asked("a"), until);
    assert!(began.elapsed() < Duration::from_millis(1000), "{:?}", began.elapsed());
    let names: Vec<&str> = opinions.iter().map(|o| o.checker.as_str()).collect();
    assert_eq!(names, ["third", "no-such", "second", "first"]);
    assert_eq!((&opinions[0].answer, &opinions[3].answer), (&Answer::Agrees, &Answer::Agrees));
    assert!(opinions[1].gap().unwrap().detail.contains("no checker of this name"));
    assert!(opinions[2].gap().unwrap().detail.contains("in time"));
}

#[test]
fn answers_are_remembered_only_where_that_was_asked_for_and_silence_never() {
    let asks = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asks);
    let address = server(move |mut stream| {
        request(&mut stream);
        // The first answer is none.
        let words = match count.fetch_add(1, Ordering::SeqCst) {
            0 => response("500 Internal Server Error", ""),
            _ => response("200 OK", &answer(true, "").to_string()),
        };
        _ = stream.write_all(words.as_bytes());
    });
    let kind = KindConfig::Http(endpoint(&format!("http://{address}/")));
    let remember = Duration::from_millis(400);
    let remembers = Checkers::open(&[CheckerConfig { remember, ..checker(kind.clone()) }]).unwrap();
    let forgets = Checkers::open(&[checker(kind)]).unwrap();
    let count = |checkers: &Checkers, namespace: &str| {
        let until = Instant::now() + Duration::from_secs(9);
        let opinion = checkers.ask(&["c"], &asked(namespace), until).remove(0);
        (opinion.answer == Answer::Agrees, asks.load(Ordering::SeqCst))
    };
    assert_eq!(count(&remembers, "a"), (false, 1));
    assert_eq!(count(&remembers, "a"), (true, 2), "silence is not remembered");
    assert_eq!(count(&remembers, "a"), (true, 2), "agreement is");
    assert_eq!(count(&remembers, "b"), (true, 3), "another namespace is another question");
    std::thread::sleep(remember);
    assert_eq!(count(&remembers, "a"), (true, 4), "not for longer");
    assert_eq!(count(&forgets, "a"), (true, 5));
    assert_eq!(count(&forgets, "a"), (true, 6));
}

#[test]
fn more_questions_than_places_wait_for_their_turn() {
    let text = format!("sleep 0.3; echo '{}'", answer(true, ""));
    let timeout = Duration::from_secs(1);
    let one = CheckerConfig { timeout, ..checker(script(&text, "turns")) };
    let checkers = Checkers::open(&[one]).unwrap();
    let until = Instant::now() + Duration::from_secs(9);
    let agreed: usize = std::thread::scope(|scope| {
        let ask = || checkers.ask(&["c"], &asked("a"), until).remove(0).answer == Answer::Agrees;
        let all: Vec<_> = (0..12).map(|_| scope.spawn(ask)).collect();
        all.into_iter().map(|a| usize::from(a.join().unwrap())).sum()
    });
    // Two at a time, 0.3 s each, within a second: six at most, and the others are silent.
    assert!((2..=6).contains(&agreed), "{agreed} agreed");
}
