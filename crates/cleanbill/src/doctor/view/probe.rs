//! One call to the webhook's address, step by step: name, port, handshake, one HTTP request.
//!
//! The handshake accepts any certificate, so that each of its faults can be named; nothing that
//! comes over it is believed. No question is asked unless an image is named.

use std::io::{ErrorKind, Write as _};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};

use super::target::Target;
use crate::apiserver::client::tls_words;
use crate::apiserver::files::words;
use crate::apiserver::x509::{Cert, check_handshake, schemes};

/// How long each step may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the answer to a question may take: as long as kube-apiserver waits.
const ANSWER: Duration = Duration::from_secs(30);
/// The largest answer that is read.
const ANSWER_MAX: usize = 1 << 20;

/// What happened. Each step's error is its own; `None`: an earlier one had failed.
#[derive(Clone, Debug, Default)]
pub struct Probe {
    /// The addresses of the name.
    pub resolved: Option<Result<Vec<SocketAddr>, String>>,
    /// The address that took the connection.
    pub connected: Option<Result<SocketAddr, String>>,
    /// What the server presented, its own certificate first.
    pub presented: Vec<Cert>,
    /// The handshake, and whether the server took our certificate.
    pub shaken: Option<Result<(), String>>,
    /// The answer's status, its `Date` and its body.
    pub answer: Option<Result<Answer, String>>,
    /// Whether a question was sent.
    pub asked: bool,
}

/// An HTTP answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The server's clock, in seconds since 1970.
    pub date: Option<i64>,
    /// The body.
    pub body: String,
}

/// Who calls: the client certificate's chain and key, PEM.
pub type Client = Option<(Vec<u8>, Vec<u8>)>;

/// Calls.
pub fn call(target: &Target, name: &str, client: &Client, ask: Option<&str>) -> Probe {
    let mut probe = Probe { asked: ask.is_some(), ..Probe::default() };
    let resolved = (target.host(), target.port()).to_socket_addrs();
    let addresses: Vec<SocketAddr> = match resolved {
        Ok(found) => found.collect(),
        Err(e) => {
            probe.resolved = Some(Err(e.to_string()));
            return probe;
        }
    };
    probe.resolved = Some(Ok(addresses.clone()));
    let mut refused = format!("{} has no address", target.host());
    let mut stream = None;
    for address in addresses.iter().take(4) {
        match TcpStream::connect_timeout(address, PATIENCE) {
            Ok(open) => {
                stream = Some((open, *address));
                break;
            }
            Err(e) if e.kind() == ErrorKind::TimedOut => {
                refused = format!("{address}: no answer in {}s", PATIENCE.as_secs());
            }
            Err(e) => refused = format!("dial tcp {address}: connect: {}", words(&e)),
        }
    }
    let Some((stream, address)) = stream else {
        probe.connected = Some(Err(refused));
        return probe;
    };
    probe.connected = Some(Ok(address));
    for set in [stream.set_read_timeout(Some(PATIENCE)), stream.set_write_timeout(Some(PATIENCE))] {
        if let Err(e) = set {
            probe.shaken = Some(Err(words(&e)));
            return probe;
        }
    }
    if !target.tls() {
        return probe;
    }
    talk(&mut probe, stream, (target, name), client, ask);
    probe
}

/// Over TLS, in the API server's name.
fn talk(
    probe: &mut Probe,
    stream: TcpStream,
    (target, name): (&Target, &str),
    client: &Client,
    ask: Option<&str>,
) {
    let seen = Arc::new(Collect::default());
    let connection = match connection(name, client, &seen) {
        Ok(connection) => connection,
        Err(why) => {
            probe.shaken = Some(Err(why));
            return;
        }
    };
    let mut tls = StreamOwned::new(connection, stream);
    while tls.conn.is_handshaking() {
        if let Err(e) = tls.conn.complete_io(&mut tls.sock) {
            probe.presented = seen.chain();
            probe.shaken = Some(Err(alert(&e)));
            return;
        }
    }
    probe.presented = seen.chain();
    let request = match ask {
        None => format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n", target.authority()),
        Some(_) => format!(
            "POST {} HTTP/1.1\r\nHost: {}\r\nAccept: application/json, */*\r\n\
             Content-Type: application/json\r\n",
            target.address.target(),
            target.authority()
        ),
    };
    let body = ask.map(|image| crate::quickstart::ask::question(image).to_string() + "\n");
    let body = body.unwrap_or_default();
    let whole = format!(
        "{request}User-Agent: cleanbill-doctor\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let sent = tls.write_all(whole.as_bytes()).and_then(|()| tls.flush());
    let patience = if ask.is_some() { ANSWER } else { PATIENCE };
    let read = sent.and_then(|()| {
        tls.sock.set_read_timeout(Some(patience))?;
        answer(&mut tls, Instant::now() + patience)
    });
    match read {
        // With TLS 1.3 a server refuses our certificate after we think that we are done.
        Err(e) if alert(&e).starts_with("remote error") => probe.shaken = Some(Err(alert(&e))),
        Err(e) => {
            probe.shaken = Some(Ok(()));
            probe.answer = Some(Err(alert(&e)));
        }
        Ok(text) => {
            probe.shaken = Some(Ok(()));
            probe.answer = Some(parse(&text));
        }
    }
}

fn connection(
    name: &str,
    client: &Client,
    seen: &Arc<Collect>,
) -> Result<ClientConnection, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::<Collect>::clone(seen));
    let config = match client {
        None => builder.with_no_client_auth(),
        Some((chain, key)) => {
            let chain = CertificateDer::pem_slice_iter(chain).collect::<Result<Vec<_>, _>>();
            let chain = chain.map_err(|_| "the client certificate is no PEM")?;
            let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| "the client key is no PEM")?;
            builder.with_client_auth_cert(chain, key).map_err(|e| e.to_string())?
        }
    };
    let name = ServerName::try_from(name.to_owned()).map_err(|e| e.to_string())?;
    ClientConnection::new(Arc::new(config), name).map_err(|e| e.to_string())
}

fn answer(tls: &mut impl std::io::Read, until: Instant) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    while bytes.len() < ANSWER_MAX && Instant::now() < until {
        match tls.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => bytes.extend_from_slice(chunk.get(..read).unwrap_or_default()),
            Err(e) if e.kind() == ErrorKind::UnexpectedEof => break,
            Err(_) if !bytes.is_empty() => break,
            Err(e) => return Err(e),
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn parse(text: &str) -> Result<Answer, String> {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
    let status = head.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)?.parse().ok());
    let status = status.ok_or("what answers does not speak HTTP")?;
    let date = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("date").then(|| super::http_date(value.trim()))?
    });
    Ok(Answer { status, date, body: body.to_owned() })
}

/// What Go says of the end of a handshake.
#[allow(clippy::wildcard_enum_match_arm)]
fn alert(error: &std::io::Error) -> String {
    let inner = error.get_ref().and_then(|e| e.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::InvalidMessage(_)) => {
            "tls: first record does not look like a TLS handshake".to_owned()
        }
        Some(other) => tls_words(other),
        None if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            "no answer in time".to_owned()
        }
        None if error.kind() == ErrorKind::UnexpectedEof => "EOF".to_owned(),
        None => words(error),
    }
}

/// Takes any certificate and keeps it for judgement.
#[derive(Debug, Default)]
struct Collect(Mutex<Vec<Cert>>);

impl Collect {
    fn chain(&self) -> Vec<Cert> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ServerCertVerifier for Collect {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let all = std::iter::once(end_entity).chain(intermediates);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
            all.filter_map(|der| Cert::new(der).ok()).collect();
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        check_handshake(cert, message, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        check_handshake(cert, message, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        schemes()
    }
}
