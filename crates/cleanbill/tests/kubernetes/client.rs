//! Who is asked as whom, and what comes of what goes wrong.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cleanbill::kube::{Client, Unread};

use crate::server::{Objects, TOKEN, start};

const PATH: &str = "/api/v1/namespaces/shop/secrets/login";

fn open(kubeconfig: &str) -> Result<Client, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    std::fs::write(&file, kubeconfig).unwrap();
    Client::from_kubeconfig(&file)
        .map_err(|e| e.to_string().replace(file.to_str().unwrap(), "FILE"))
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

#[test]
fn objects_are_read_with_a_token_or_a_certificate() {
    let objects =
        |status: u16, body: &str| Objects::from([(PATH.to_owned(), (status, body.to_owned()))]);
    let get = |client: &Client| client.get("secrets", "shop", "login", soon());

    let api = start(objects(200, "{\"kind\":\"Secret\"}"), false);
    let client = open(&api.kubeconfig(&format!("    token: {TOKEN}\n"))).unwrap();
    assert_eq!(get(&client), Ok(b"{\"kind\":\"Secret\"}".to_vec()));
    assert_eq!(client.get("secrets", "shop", "other", soon()), Err(Unread::Absent));
    assert_eq!(api.asked.lock().unwrap().len(), 2);
    // What is no name is not asked for.
    for name in ["", "..", "a/b", "A", "a?b", "a%2fb", "-a", &"a".repeat(254)] {
        assert_eq!(client.get("secrets", "shop", name, soon()), Err(Unread::Absent), "{name}");
        assert_eq!(client.get("secrets", name, "login", soon()), Err(Unread::Absent), "{name}");
    }
    assert_eq!(api.asked.lock().unwrap().len(), 2);
    let wrong = open(&api.kubeconfig("    token: wrong\n")).unwrap();
    assert_eq!(get(&wrong), Err(Unread::Forbidden));
    let nobody = open(&api.kubeconfig("    {}\n")).unwrap();
    assert_eq!(get(&nobody), Err(Unread::Forbidden));
    assert!(matches!(
        client.get("secrets", "shop", "login", Instant::now()),
        Err(Unread::Failed(_))
    ));

    let mutual = start(objects(200, "{}"), true);
    let data = |pem: &str| STANDARD.encode(pem);
    let user = format!(
        "    client-certificate-data: {}\n    client-key-data: {}\n",
        data(&mutual.client.certificate),
        data(&mutual.client.key)
    );
    assert_eq!(get(&open(&mutual.kubeconfig(&user)).unwrap()), Ok(b"{}".to_vec()));

    // Another authority, another status, a redirect, an answer without end.
    let config = api.kubeconfig("    {}\n").replace(&api.address, &mutual.address);
    let Err(Unread::Failed(why)) = get(&open(&config).unwrap()) else { panic!() };
    assert!(why.contains("certificate"), "{why}");
    for (status, body, want) in [
        (403, String::new(), Unread::Forbidden),
        (500, String::new(), Unread::Failed("the API server answers 500".into())),
        (302, String::new(), Unread::Failed("the API server answers 302".into())),
        (200, "x".repeat(4 << 20), Unread::Failed(String::new())),
    ] {
        let api = start(objects(status, &body), false);
        let client = open(&api.kubeconfig(&format!("    token: {TOKEN}\n"))).unwrap();
        match (get(&client), want) {
            (Err(Unread::Failed(got)), Unread::Failed(want)) => {
                assert!(got.contains(&want) && !got.contains(TOKEN), "{got}");
            }
            (got, want) => assert_eq!(got, Err(want)),
        }
    }
}

#[test]
fn what_a_kubeconfig_asks_for_and_is_not_done_is_an_error() {
    let api = start(Objects::new(), false);
    let good = api.kubeconfig("    token: hunter2\n");
    let edit = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replace(from, to)
    };
    let table = [
        ("hunter2".to_owned(), "it is no kubeconfig"),
        (String::new(), "it has no current-context"),
        (edit("current-context: c", "current-context: \"\""), "it has no current-context"),
        (edit("current-context: c", "current-context: d"), "there is no context \"d\""),
        (edit("cluster: k,", "cluster: l,"), "there is no cluster \"l\""),
        (edit("user: u}", "user: v}"), "there is no user \"v\""),
        (edit("https://", "http://"), "the API server's address is not https://HOST"),
        (
            edit("    server:", "    insecure-skip-tls-verify: true\n    server:"),
            "\"insecure-skip-tls-verify\" is not supported",
        ),
        (
            edit("    server:", "    proxy-url: http://p\n    server:"),
            "\"proxy-url\" is not supported",
        ),
        (edit("token: hunter2", "exec: {command: x}"), "\"exec\" is not supported"),
        (edit("token: hunter2", "username: x"), "\"username\" is not supported"),
        (edit("token: hunter2", "client-key: /hunter2"), "/hunter2 cannot be read"),
        (edit("token: hunter2", "client-key-data: '*hunter2'"), "client-key-data is no base64"),
        (edit("token: hunter2", "client-key-data: aHVudGVyMg=="), "is there alone"),
        (edit("token: hunter2", "token: ''"), "the token is none"),
        (edit("certificate-authority-data", "x"), "the cluster has no certificate-authority"),
        (
            edit("data: ", "data: aHVudGVyMg== #"),
            "the authority of the API server is no PEM certificate",
        ),
    ];
    for (config, want) in table {
        let Err(got) = open(&config) else { panic!("{config}") };
        assert!(got.contains(want), "{want}: {got}");
        assert!(want.contains("hunter2") || !got.contains("hunter2"), "{got}");
    }
}

/// A kubeconfig with everything in it, of which pieces are cut out, doubled and overwritten below.
const KUBECONFIG: &str = "apiVersion: v1
kind: Config
current-context: one
contexts:
- {name: one, context: {cluster: here, user: me}}
clusters:
- name: here
  cluster: {server: \"https://127.0.0.1:6443\", certificate-authority-data: QUFB, tls-server-name: x}
users:
- name: me
  user: {client-certificate-data: QUFB, client-key-data: QUFB, token: t, exec: {command: x}}
";

proptest::proptest! {
    #[test]
    fn no_kubeconfig_makes_it_panic(
        bytes: Vec<u8>,
        from in 0..KUBECONFIG.len(), length in 0_usize..40, text in "[ -~\n]{0,12}", twice: bool,
    ) {
        cleanbill::kube::fuzz_kubeconfig(&bytes);
        let to = (from + length).min(KUBECONFIG.len());
        let kept = if twice { &KUBECONFIG[from..to] } else { "" };
        let odd = [&KUBECONFIG[..from], kept, &text, kept, &KUBECONFIG[to..]].concat();
        cleanbill::kube::fuzz_kubeconfig(odd.as_bytes());
    }
}
