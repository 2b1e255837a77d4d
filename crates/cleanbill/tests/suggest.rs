//! `cleanbill policy suggest` as a person or a script meets it: on archives, on a registry, on what
//! the gate recorded. What it prints is given back to the other commands.
#![allow(clippy::unwrap_used)] // Helpers of tests, outside of test functions.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use cleanbill::quickstart::examples;
use cleanbill::quickstart::registry::{Hosted, Registry};
use cleanbill::store::{Api, Decision, Entry, Journal, Owner, Packed, Store};
use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use cleanbill_core::policy::Policy;
use cleanbill_oci::image::PlatformChoice;
use cleanbill_oci::limits::Limits;
use cleanbill_oci::source::{InputSpec, open_input};
use sha2::{Digest as _, Sha256};

struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    /// A folder with both examples.
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for example in examples::ALL {
            let path = dir.path().join(format!("{}.tar", example.name));
            std::fs::write(path, example.archive()).unwrap();
        }
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Exit code and both streams of a command, given this on standard input.
    fn run(&self, line: &str, input: &str) -> (i32, String, String) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_cleanbill"))
            .args(line.split_whitespace())
            .current_dir(self.dir.path())
            .env_clear()
            .env("HOME", self.dir.path())
            .env("TMPDIR", self.dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Whoever does not read it may be gone by now.
        _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }
}

/// Command line, standard input, exit code, all of these on standard output, these on standard
/// error.
type Row<'t> = (&'t str, &'t str, i32, &'t [&'t str], &'t [&'t str]);

fn hold(place: &Place, table: &[Row<'_>]) {
    for (line, input, code, out, err) in table {
        let (got, stdout, stderr) = place.run(line, input);
        let all = format!("{line}\n--- stdout\n{stdout}\n--- stderr\n{stderr}");
        assert_eq!(got, *code, "{all}");
        assert!(out.iter().all(|part| stdout.contains(part)), "{all}");
        assert!(err.iter().all(|part| stderr.contains(part)), "{all}");
        assert!(*code != 2 || stdout.is_empty() || line.starts_with("check"), "{all}");
        assert!(!stderr.contains("panicked"), "{all}");
    }
}

const CASES: &str = "\
policy: policy.yaml
cases:
  - name: the old one runs
    request: {images: [r.example/old:1]}
    evidence: {input: alpine-3.9.0.tar}
    expect: allowed
  - name: so does the new one
    evidence: {input: hello-go.tar}
    request: {images: [r.example/new:1]}
    expect: allowed
";

#[test]
fn from_archives_to_a_policy_that_check_agrees_with() {
    let place = Place::new();
    std::fs::write(place.path("names"), "127.0.0.1:1/a:1 127.0.0.1:1/a:1\n\n127.0.0.1:1/b:1\n")
        .unwrap();
    // Cases about the policy that is suggested, beside it.
    std::fs::write(place.path("cases.yaml"), CASES).unwrap();
    std::fs::write(place.path("wrong.yaml"), CASES.replace("old:1]", "oldest:1]")).unwrap();
    std::fs::write(place.path("gone.yaml"), CASES.replace("hello-go", "gone")).unwrap();
    let both = "policy suggest -i r.example/old:1=alpine-3.9.0.tar -i r.example/new:1=hello-go.tar";
    let one = "policy suggest -i r.example/new:1=hello-go.tar";
    let table: &[Row<'_>] = &[
        // The old one is spared, and needs exceptions.
        (
            &format!("{both} -o policy.yaml"),
            "",
            0,
            &[],
            &["passing: 2 images of 2 repositories", "for 1 repository", "nobody answers"],
        ),
        ("policy check policy.yaml", "", 0, &["warning: policy.yaml:", "nobody-yet"], &[]),
        (
            "policy explain policy.yaml",
            "",
            0,
            &["CVE-2019-14697 in musl for images of r.example/old"],
            &[],
        ),
        (
            "check --policy policy.yaml -i alpine-3.9.0.tar r.example/old:1",
            "",
            0,
            &["ALLOWED"],
            &[],
        ),
        ("check --policy policy.yaml -i hello-go.tar r.example/new:1", "", 0, &["ALLOWED"], &[]),
        ("policy test cases.yaml", "", 0, &["passed 2, failed 0"], &[]),
        (
            "policy test wrong.yaml",
            "",
            1,
            &["FAILED  wrong.yaml: the old one runs", "denied by allowed"],
            &[],
        ),
        ("policy test gone.yaml", "", 2, &[], &["gone.yaml:8:23: there is no gone.tar"]),
        // The same bytes from elsewhere, and other bytes under a name that is spared nothing.
        ("check --policy policy.yaml -i hello-go.tar r.example/other:1", "", 1, &["DENIED"], &[]),
        (
            "check --policy policy.yaml -i alpine-3.9.0.tar r.example/new:1",
            "",
            1,
            &["end-of-life"],
            &[],
        ),
        (
            &format!("{both} -o policy.yaml"),
            "",
            2,
            &[],
            &["cannot write policy.yaml", "not there yet"],
        ),
        (
            &format!("{both} --owner anna@example.org --expires 10d"),
            "",
            0,
            &["highest_severity: none", "owner: \"anna@example.org\"", "subject: \"alpine 3.9\""],
            &["passing: 2 images"],
        ),
        (
            &format!("{both} --exceptions 0"),
            "",
            0,
            &["highest_severity: low", "unrated_as: low", "exceptions: []"],
            &["0 exceptions for 0 repositories"],
        ),
        // What cannot be examined is named, in the policy too, and is an exit code of its own.
        (
            &format!("{one} -i r.example/gone:1=absent.tar --images-from names"),
            "",
            3,
            &[
                "- r.example/new",
                "# NOT COVERED",
                "# - r.example/gone:1: ",
                "# - 127.0.0.1:1/b:1: ",
            ],
            &["not examined: 127.0.0.1:1/a:1: ", "not examined: r.example/gone:1: absent.tar"],
        ),
        ("policy suggest -", "127.0.0.1:1/a:1", 2, &[], &["none of the images could be examined"]),
        ("policy suggest -", "", 2, &[], &["nothing to suggest a policy from"]),
        ("policy suggest -i hello-go.tar", "", 2, &[], &["gives its image no name"]),
        ("policy suggest", "", 2, &[], &["no images were named", "--config"]),
        (&format!("{one} --owner FILL-IN"), "", 2, &[], &["--owner names nobody"]),
        (&format!("{one} --expires 400d"), "", 2, &[], &["no number of days"]),
        (&format!("{one} --since 3d"), "", 2, &[], &["--since has no place here"]),
        (&format!("{one} --images-from absent"), "", 2, &[], &["absent cannot be read"]),
        ("policy suggest --config absent.yaml", "", 2, &[], &["absent.yaml cannot be read"]),
    ];
    hold(&place, table);
}

#[test]
fn names_are_examined_where_their_registry_has_them() {
    let place = Place::new();
    let limits = Arc::new(Limits::default());
    let mut hosted = Vec::new();
    for example in examples::ALL {
        let path = place.path(&format!("{}.tar", example.name));
        let spec = InputSpec::parse(path.to_str().unwrap());
        let image = open_input(&spec, &PlatformChoice::All, &limits).unwrap().images.remove(0);
        hosted.push(Hosted::new(example.name, image));
    }
    let pinned: Vec<_> = hosted.iter().map(Hosted::digest).collect();
    let registry = Registry::start(hosted).unwrap();
    let host = registry.host();
    let name = |at: usize| format!("{host}/{}@{}", examples::ALL[at].name, pinned[at]);
    let names = format!("{} {}\n", name(0), name(1));
    let repositories: Vec<String> =
        examples::ALL.iter().map(|e| format!("- {:?}", format!("{host}/{}", e.name))).collect();
    let written: Vec<&str> =
        repositories.iter().map(String::as_str).chain(["digest_required: true"]).collect();
    let gone = format!("policy suggest --plain-http {host} {host}/nothing:1 -");
    let not = format!("not examined: {host}/nothing:1: ");
    let table: &[Row<'_>] = &[
        (&format!("policy suggest --plain-http {host} -"), &names, 0, &written, &["passing: 2"]),
        (&gone, &names, 3, &written, &[&not]),
    ];
    hold(&place, table);
    // By the gate's configuration, which says how the registry is reached.
    let config = config(&format!(
        "registries: [{{host: '{host}', plain_http: true, private: true}}]\n\
         policy: {{local_images: [morc], already_admitted: keep 1d}}\n"
    ));
    std::fs::write(place.path("cleanbill.yaml"), config).unwrap();
    let gate = "policy suggest --config cleanbill.yaml";
    let local = format!("{gate} morc:1 -");
    let table: &[Row<'_>] = &[
        (&format!("{gate} -"), &names, 0, &written, &["passing: 2"]),
        (
            &format!("{gate} -"),
            &names,
            0,
            &["The policy in force also says: already_admitted."],
            &[],
        ),
        (&local, &names, 3, &written, &["not examined: morc:1: nothing is registered"]),
        (
            &format!("{gate} -i morc:1=hello-go.tar"),
            "",
            0,
            &["local_images:\n- docker.io/library/morc"],
            &["passing: 1 image"],
        ),
        (&format!("{gate} --plain-http {host} -"), &names, 2, &[], &["--plain-http has no place"]),
    ];
    hold(&place, table);
}

fn config(more: &str) -> String {
    format!(
        "listen: 127.0.0.1:1\nstate_dir: state\n\
         tls: {{cert: a, key: b, client_ca: c, client_names: [d]}}\n{more}"
    )
}

/// Evidence about an image of `r.example`, with one flaw or none, of advisories a day older than
/// the decision.
fn evidence(image: &str, flaw: Option<&str>, judged: Timestamp) -> Vec<u8> {
    let digest = Digest::Sha256([7; 32]);
    let feed = judged - jiff::SignedDuration::from_hours(24);
    let package = serde_json::json!({
        "kind": "python", "name": "p", "version": "1", "source": null, "arch": null,
        "purl": "pkg:pypi/p@1", "layer": null, "evidence": "p", "owner": null,
    });
    let findings: Vec<_> = flaw
        .iter()
        .map(|id| {
            serde_json::json!({
                "id": id, "aliases": [], "errata": [], "package": package, "severity": "CRITICAL",
                "cvss": null, "status": "fixed", "fixed_versions": ["2"], "known_exploited": false,
                "published": null, "modified": null,
                "why": {"feed": "osv:PyPI", "stream": "PyPI",
                    "looked_up": "p", "compared": "1", "range": "< 2"},
            })
        })
        .collect();
    let value = serde_json::json!({
        "reference": image, "resolved": digest, "gaps": [],
        "platforms": [{
            "platform": null, "digest": digest, "distribution": null, "packages": [package],
            "findings": findings, "gaps": [], "feeds": [{"feed": "osv:PyPI", "as_of": feed}],
            "config": {"user": "7", "runs_as_root": {"not_root": 7}},
        }],
        "snapshot": {"digest": digest, "starter": false,
            "known_exploited": {"feed": "kev", "as_of": feed}},
    });
    let evidence: cleanbill_core::evidence::Evidence = serde_json::from_value(value).unwrap();
    serde_json::to_vec(&evidence).unwrap()
}

/// Records decisions: id, days ago, image, outcome, and how the examination went.
fn record(dir: &Path, policy: &Policy) {
    let store = Store::open(&dir.join("state"), Owner::Gate).unwrap();
    let journal = Journal::start(&store).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let sha = |bytes: &[u8]| Digest::Sha256(Sha256::digest(bytes).into());
    let text = serde_json::to_string(policy).unwrap();
    store.put_policy(&sha(text.as_bytes()), &text).unwrap();
    let pinned = |name: &str| format!("r.example/{name}@{}", Digest::Sha256([7; 32]));
    for (id, days, name, outcome, kept, flaw) in [
        ("a", 3, "web", "allowed", true, Some("CVE-2026-1")),
        // Advisories of later know better.
        ("b", 2, "web", "allowed", true, None),
        ("c", 2, "db", "allowed", true, None),
        ("d", 2, "bad", "allowed", true, Some("CVE-2026-2")),
        ("e", 1, "worse", "denied", true, Some("CVE-2026-3")),
        ("f", 1, "slow", "undecided", false, None),
        ("g", 1, "forgotten", "allowed", false, None),
        // Asked again when it was done.
        ("h", 1, "web", "undecided", false, None),
        ("i", 30, "ancient", "allowed", true, None),
        // A dry run ran nothing; and what was let in by break-glass was never examined.
        ("dry", 5, "dry", "allowed", true, None),
        ("glass", 5, "glass", "allowed", true, None),
    ] {
        let image = pinned(name);
        let then = Timestamp::now() - jiff::SignedDuration::from_hours(24 * days);
        let time = Timestamp::from_millisecond(then.as_millisecond()).unwrap();
        let value = evidence(&image, flaw, time);
        let case = match (outcome, id) {
            ("undecided", _) | (_, "glass") => {
                serde_json::json!({"image": image, "failed": "it is being examined"})
            }
            _ => serde_json::json!({"image": image, "examined": sha(&value)}),
        };
        let decision = Decision {
            id: id.into(),
            time,
            api: Api::ImageReview,
            question: Some(format!("{{\"images\":[\"{image}\"],\"namespace\":\"shop\"}}")),
            namespace: Some("shop".into()),
            images: vec![(image, Some(Digest::Sha256([7; 32])))],
            outcome: outcome.into(),
            reason: String::new(),
            warnings: Vec::new(),
            policy: sha(text.as_bytes()),
            snapshot: Some(Digest::Sha256([2; 32])),
            evidence: if outcome == "undecided" { Vec::new() } else { vec![sha(&value)] },
            trace: serde_json::json!({"cases": [case]}).to_string(),
            engine: "cleanbill 0".into(),
            judged_at: time,
            latency_us: 1,
            enforced: id != "dry",
            break_glass: None,
        };
        let evidence = if kept { vec![Packed::new(&value).unwrap()] } else { Vec::new() };
        runtime.block_on(journal.record(Entry { decision, evidence, admitted: None })).unwrap();
    }
}

#[test]
fn from_what_the_gate_let_run_to_a_policy_that_replay_agrees_with() {
    let place = Place::new();
    let observe = Policy { highest_severity: None, ..Policy::default() };
    record(place.dir.path(), &observe);
    let glass = "policy: {action: audit, break_glass: {users: [anna@example.org]}}\n";
    std::fs::write(place.path("cleanbill.yaml"), config(glass)).unwrap();
    let from = "policy suggest --config cleanbill.yaml --owner anna@example.org";
    let table: &[Row<'_>] = &[
        (
            from,
            "",
            3,
            &[
                "allowed:\n- r.example/bad\n- r.example/db\n- r.example/web\n",
                "digest_required: true",
                "highest_severity: none",
                "exceptions:\n- id: CVE-2026-2\n  package: p\n",
                "# - r.example/bad: 1 flaw",
                "# - r.example/forgotten@",
                "The policy in force also says: break_glass.",
            ],
            &[
                "left out: r.example/worse@",
                "not examined: r.example/slow@sha256:0707070707070707070707070707070707070707070707070707070707070707: it is being examined",
                "not examined: r.example/forgotten@",
                "not examined: r.example/glass@",
                "passing: 3 images of 3 repositories; 1 exception for 1 repository",
            ],
        ),
        (
            &format!("{from} --since 36h"),
            "",
            2,
            &[],
            &["none of the images could be examined", "r.example/slow@", "r.example/forgotten@"],
        ),
        (&format!("{from} --since 1m"), "", 2, &[], &["nothing to suggest a policy from"]),
        (&format!("{from} --platform linux/amd64"), "", 2, &[], &["--platform has no place here"]),
        (&format!("{from} -o suggested.yaml"), "", 3, &[], &["passing: 3"]),
        ("policy check suggested.yaml", "", 0, &["no warnings"], &[]),
        // All that ran would have run, but for what advisories took back since.
        (
            "replay --policy suggested.yaml --since 60h",
            "",
            3,
            &["6 the same, 0 changed, 1 could not"],
            &[],
        ),
    ];
    hold(&place, table);
}
