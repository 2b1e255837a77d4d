//! The same with a client that is not ours: curl, over HTTP/1.1 and HTTP/2.

use std::path::Path;
use std::process::Command;

use cleanbill::setup::pki::{Authority, Pair};

use crate::rig::{CLIENT, Choice, Rig, good, question, rig, validity};

struct Curl<'a> {
    rig: &'a Rig,
    dir: &'a Path,
}

impl Curl<'_> {
    /// curl's exit code and what came back, the HTTP version and status in the last line.
    fn ask(&self, http: &str, who: Option<&Pair>, body: &str) -> (i32, String) {
        let path = |name: &str, text: &str| {
            let path = self.dir.join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--max-time", "20", http, "-w", "\n%{http_version} %{http_code}"]);
        curl.args(["-H", "Content-Type: application/json", "--noproxy", "*"]);
        curl.arg("--cacert").arg(path("ca.crt", &self.rig.authority.certificate()));
        if let Some(pair) = who {
            curl.arg("--cert").arg(path("client.crt", &pair.certificate));
            curl.arg("--key").arg(path("client.key", &pair.key));
        }
        curl.arg("--data-binary").arg(format!("@{}", path("body", body).display()));
        curl.arg(format!("https://{}/review?timeout=30s", self.rig.address));
        let out = curl.output().unwrap();
        (out.status.code().unwrap(), String::from_utf8_lossy(&out.stdout).into_owned())
    }
}

#[test]
fn curl_is_answered_and_refused_as_an_api_server_would_be() {
    if Command::new("curl").arg("--version").output().is_err() {
        println!("skipped: curl_is_answered (curl is not installed)");
        return;
    }
    let rig = rig(Choice::default());
    let dir = tempfile::tempdir().unwrap();
    let curl = Curl { rig: &rig, dir: dir.path() };
    let valid = validity(-60, 3600);
    let fresh = || Authority::new(valid).unwrap();
    let right = &rig.authority;
    let bad: Vec<(&str, Option<Pair>)> = vec![
        ("no certificate", None),
        ("wrong authority", Some(fresh().client(CLIENT, valid).unwrap())),
        ("expired", Some(right.client(CLIENT, validity(-7200, -3600)).unwrap())),
        ("server certificate", Some(right.server(&[CLIENT.into()], valid).unwrap())),
        ("another name", Some(right.client("kubelet", valid).unwrap())),
    ];
    for (http, version) in [("--http1.1", "1.1"), ("--http2", "2")] {
        let (code, said) = curl.ask(http, Some(&rig.client), &question(&[&good()]));
        assert_eq!(code, 0, "{said}");
        assert!(
            said.contains("\"allowed\":true") && said.ends_with(&format!("\n{version} 200")),
            "{said}"
        );
        let (code, said) =
            curl.ask(http, Some(&rig.client), &question(&["registry.example/eol:1"]));
        assert_eq!(code, 0, "{said}");
        assert!(said.contains("\"allowed\":false") && said.contains("end-of-life"), "{said}");
        let huge = question(&[&"a".repeat(3 << 20)]);
        let (_, said) = curl.ask(http, Some(&rig.client), &huge);
        assert!(said.contains("\"allowed\":false") && said.contains("larger than"), "{said}");
        for (what, who) in &bad {
            let (code, said) = curl.ask(http, who.as_ref(), &question(&[&good()]));
            assert!(code != 0 && said.trim_end().ends_with(" 000"), "{what} {http}: {code} {said}");
        }
    }
}
