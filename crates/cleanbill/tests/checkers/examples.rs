//! Each checker below `examples/checkers` is run and asked: it agrees with one image, disagrees
//! with another, and refuses strangers.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use cleanbill::checkers::{ClientFiles, Endpoint, KindConfig};
use cleanbill_core::opinion::Answer;
use cleanbill_oci::testing::free_port;

use super::parts::{Running, absent, run};
use super::rig::{ask, asked, asked_about, checker, endpoint, program};
use super::servers::{Keys, keys};

const ALLOW: [&str; 4] = ["--allow", "registry.example/team/", "--allow", "other.example/"];

/// One language's examples, ready to be run: the words that each command line begins with.
struct Examples {
    program: Vec<String>,
    http: Vec<String>,
    imagereview: Vec<String>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/checkers").canonicalize().unwrap()
}

fn there(tool: &str) -> bool {
    Command::new("which").arg(tool).output().is_ok_and(|found| found.status.success())
}

fn python() -> Option<Examples> {
    if !there("python3") {
        absent("python3");
        return None;
    }
    // Where it really is: what `python3` means may depend on the environment, and there is none.
    let show = ["-c", "import sys; print(sys.executable)"];
    let python = run(Command::new("python3").args(show)).trim().to_owned();
    let script = |name: &str| {
        let path = folder().join("python").join(name);
        vec![python.clone(), "-I".into(), path.to_str().unwrap().into()]
    };
    Some(Examples {
        program: script("program.py"),
        http: script("endpoint.py"),
        imagereview: script("imagereview.py"),
    })
}

/// Builds the three once, without a network.
fn go() -> Option<Examples> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        if !there("go") {
            absent("go (Debian: golang-go)");
            return None;
        }
        let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let into = target.join("checkers-go");
        std::fs::create_dir_all(&into).unwrap();
        let mut build = Command::new("go");
        build.args(["build", "-buildvcs=false", "-o"]).arg(&into).arg("./...");
        build.current_dir(folder().join("go"));
        build.env("GOFLAGS", "-mod=mod").env("GOPROXY", "off").env("GOTOOLCHAIN", "local");
        build.env("CGO_ENABLED", "0").env("GOCACHE", target.join("checkers-go-cache"));
        run(&mut build);
        Some(into)
    });
    let built = built.as_ref()?;
    let program = |name: &str| vec![built.join(name).to_str().unwrap().to_owned()];
    Some(Examples {
        program: program("program"),
        http: program("endpoint"),
        imagereview: program("imagereview"),
    })
}

fn start(what: &'static str, words: &[String], more: &[&str]) -> (Running, u16) {
    let port = free_port();
    let (first, rest) = words.split_first().unwrap();
    let mut command = Command::new(first);
    command.args(rest).args(more).args(ALLOW).arg("--listen").arg(format!("127.0.0.1:{port}"));
    (Running::start(what, &mut command, port), port)
}

fn agrees_and_disagrees(kind: &KindConfig) {
    let opinion = ask(checker(kind.clone()), &asked("default"));
    assert_eq!(opinion.answer, Answer::Agrees, "{kind:?}");
    let stranger = asked_about("stranger.example/team/app:1", "default");
    let opinion = ask(checker(kind.clone()), &stranger);
    let Answer::Disagrees { reason } = &opinion.answer else { panic!("{kind:?}: {opinion:?}") };
    assert!(reason.contains("stranger.example") && reason.contains("from"), "{reason}");
}

fn silent(kind: KindConfig, detail: &str) {
    let opinion = ask(checker(kind), &asked("default"));
    let gap = opinion.gap().unwrap_or_else(|| panic!("{opinion:?}"));
    assert!(gap.detail.contains(detail), "{gap}");
}

fn program_example(examples: &Examples) {
    let words = examples.program.iter().map(String::as_str);
    let argv: Vec<&str> = words.clone().chain(ALLOW).collect();
    agrees_and_disagrees(&program(&argv));
    let argv: Vec<&str> = words.chain(["--no-such-flag"]).collect();
    silent(program(&argv), "exit code 2");
}

fn http_example(examples: &Examples) {
    let folder = tempfile::tempdir().unwrap();
    let token_file = folder.path().join("token");
    std::fs::write(&token_file, "s3cret\n").unwrap();
    let (_running, port) =
        start("endpoint", &examples.http, &["--token-file", token_file.to_str().unwrap()]);
    let at = endpoint(&format!("http://127.0.0.1:{port}/"));
    let with = |token: PathBuf| Endpoint { token_file: Some(token), ..at.clone() };
    agrees_and_disagrees(&KindConfig::Http(with(token_file)));
    silent(KindConfig::Http(at.clone()), "HTTP status 401");
    let wrong = folder.path().join("wrong");
    std::fs::write(&wrong, "guess").unwrap();
    silent(KindConfig::Http(with(wrong)), "HTTP status 401");
    silent(KindConfig::ImageReview(at), "HTTP status 401");
}

fn imagereview_example(examples: &Examples) {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let (ours, theirs) = (keys(), keys());
    let ca = file("ca.crt", &ours.authority.certificate());
    let cert = file("server.crt", &ours.server.certificate);
    let key = file("server.key", &ours.server.key);
    let [ca_path, cert, key] = [&ca, &cert, &key].map(|p| p.to_str().unwrap());
    let files = ["--cert", cert, "--key", key, "--client-ca", ca_path];
    let (_running, port) = start("imagereview", &examples.imagereview, &files);
    let client = |name: &str, keys: &Keys| ClientFiles {
        cert: file(&format!("{name}.crt"), &keys.client.certificate),
        key: file(&format!("{name}.key"), &keys.client.key),
    };
    let at = |client| Endpoint {
        ca: Some(ca.clone()),
        client,
        ..endpoint(&format!("https://127.0.0.1:{port}/"))
    };
    agrees_and_disagrees(&KindConfig::ImageReview(at(Some(client("ours", &ours)))));
    silent(KindConfig::ImageReview(at(None)), "failed");
    silent(KindConfig::ImageReview(at(Some(client("theirs", &theirs)))), "failed");
    silent(KindConfig::Http(at(Some(client("ours", &ours)))), "HTTP status 400");
}

/// The examples, each as one test.
macro_rules! examples {
    ($($test:ident: $language:ident, $example:ident;)+) => {
        $(#[test] fn $test() {
            if let Some(examples) = $language() {
                $example(&examples);
            }
        })+
    };
}

examples! {
    a_program_in_python_answers: python, program_example;
    an_endpoint_in_python_answers: python, http_example;
    an_image_review_server_in_python_answers: python, imagereview_example;
    a_program_in_go_answers: go, program_example;
    an_endpoint_in_go_answers: go, http_example;
    an_image_review_server_in_go_answers: go, imagereview_example;
}
