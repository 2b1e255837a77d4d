//! An ImagePolicyWebhook's server that only counts, and answers as a test says. It speaks plain
//! HTTP, which kube-apiserver takes too (but then it shows nobody its certificate).

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

/// What is answered: the status's line, a header, the body.
#[derive(Clone, Debug)]
pub struct Answer(pub &'static str, pub &'static str, pub String);

impl Answer {
    /// A decoded answer.
    pub fn allowed(allowed: bool) -> Self {
        let review = json!({
            "apiVersion": "imagepolicy.k8s.io/v1alpha1", "kind": "ImageReview",
            "status": {"allowed": allowed, "reason": "as the test says"},
        });
        Self("200 OK", "", review.to_string())
    }

    /// A status alone.
    pub fn status(line: &'static str) -> Self {
        Self(line, "", String::new())
    }
}

/// A server that runs until it is dropped.
pub struct Webhook {
    pub port: u16,
    state: Arc<State>,
}

struct State {
    answer: Mutex<Answer>,
    asked: Mutex<Vec<Value>>,
    over: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Webhook {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State {
            answer: Mutex::new(Answer::allowed(true)),
            asked: Mutex::default(),
            over: AtomicBool::new(false),
        });
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if shared.over.load(SeqCst) {
                    return;
                }
                let state = Arc::clone(&shared);
                std::thread::spawn(move || _ = serve(&stream, &state));
            }
        });
        Self { port, state }
    }

    /// Answers so from now on.
    pub fn answer(&self, answer: Answer) {
        *lock(&self.state.answer) = answer;
    }

    /// The bodies of every call since this was last asked.
    pub fn asked(&self) -> Vec<Value> {
        std::mem::take(&mut lock(&self.state.asked))
    }

    /// A kubeconfig for it.
    pub fn kubeconfig(&self) -> String {
        json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {
                "server": format!("http://127.0.0.1:{}/review", self.port),
            }}],
            "users": [{"name": "u", "user": {}}],
        })
        .to_string()
    }
}

impl Drop for Webhook {
    fn drop(&mut self) {
        self.state.over.store(true, SeqCst);
        _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn serve(stream: &TcpStream, state: &State) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    lock(&state.asked).push(serde_json::from_slice(&body).unwrap_or_default());
    let Answer(line, header, body) = lock(&state.answer).clone();
    let header = if header.is_empty() { String::new() } else { format!("{header}\r\n") };
    let mut out = stream;
    write!(
        out,
        "HTTP/1.1 {line}\r\n{header}Content-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}
