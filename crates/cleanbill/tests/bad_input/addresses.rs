//! Image names that point where only this machine can reach, asked as the gate would: nobody is
//! contacted, the operator is told which address, and whoever made a pod is told nothing of it.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::program::{Place, Said};

/// A server on loopback that answers every request with these bytes, and counts.
struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Server {
    fn start(answer: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                count.fetch_add(1, Ordering::SeqCst);
                let mut socket = socket.unwrap();
                _ = socket.read(&mut [0; 4096]);
                _ = socket.write_all(answer.as_bytes());
            }
        });
        Self { address, connections }
    }

    fn count(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn redirect(to: &str) -> String {
    format!(
        "HTTP/1.1 307 Temporary Redirect\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )
}

/// What the gate's configuration says: one registry on loopback is named, and no other.
fn config(named: SocketAddr) -> String {
    format!(
        "listen: \"127.0.0.1:1\"\n\
         tls: {{cert: a, key: b, client_ca: c, client_names: [d]}}\n\
         policy: {{name: test, accept_gaps: [mutable-reference]}}\nstate_dir: state\n\
         registries:\n- {{host: \"{named}\", plain_http: true, private: true}}\n"
    )
}

/// Asks `check` as the gate is configured; what it says of the image.
fn asked(place: &Place, image: &str) -> String {
    let Said { code, out, err } =
        place.run(&format!("check -q --config cleanbill.yaml {image}"), b"");
    assert_eq!((code, err.as_str()), (Some(2), ""), "{image}: {out}");
    out
}

#[test]
fn addresses_of_this_network_are_not_contacted_and_not_spoken_of() {
    let inner = Server::start("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".into());
    let (at, port) = (inner.address, inner.address.port());
    let lies = |host: &str, kind: &str| {
        format!(
            "{host} lies at a {kind} address, where only registries may lie that the policy names"
        )
    };
    let plain =
        |host: &str| format!("{host} is asked for over plain HTTP, which is not configured");
    let metadata = "link-local (metadata)";
    let name = |name: String| (name, None);
    let to = |url: &str| ("NAMED/a:1".to_owned(), Some(url.to_owned()));
    let table = [
        (name(format!("{at}/a:1")), lies(&at.to_string(), "loopback")),
        (name(format!("localhost:{port}/a:1")), lies(&format!("localhost:{port}"), "loopback")),
        (name("[::1]:1/a:1".into()), lies("[::1]:1", "loopback")),
        (name("169.254.169.254/latest/meta-data:1".into()), lies("169.254.169.254:443", metadata)),
        (name("10.0.0.1/a:1".into()), lies("10.0.0.1:443", "private")),
        (to(&format!("http://{at}/secret")), plain(&at.to_string())),
        (to(&format!("https://{at}/secret")), lies(&at.to_string(), "loopback")),
        (to("http://169.254.169.254/latest/meta-data/"), plain("169.254.169.254:80")),
        (to("https://169.254.169.254/latest/meta-data/"), lies("169.254.169.254:443", metadata)),
    ];
    for ((image, to), why) in table {
        let named = Server::start(redirect(to.as_deref().unwrap_or("/")));
        let place = Place::new();
        place.write("cleanbill.yaml", config(named.address).as_bytes());
        let host = named.address.to_string();
        let said = asked(&place, &image.replace("NAMED", &host)).replace(&host, "NAMED");
        let expected = format!(
            "UNDECIDED  {image}\n\
             Policy     test\n\
             Examined   nothing: the name was enough, or it could not be\n\n\
             Not judged: {image}: {why}\n\n\
             The gate would say:\n  \
             {image}: could not be judged: the image could not be read from its registry. \
             Decision not recorded, as this was a check.\n"
        );
        assert_eq!(said, expected);
        assert_eq!(named.count(), usize::from(to.is_some()), "{image}");
        assert_eq!(inner.count(), 0, "{image}");
    }
}
