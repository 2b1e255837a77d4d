//! Connections: names, ports, proxies, TLS; and what is said where one fails.

use std::error::Error as _;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::super::files::words;
use super::tls::{self, Tls};
use super::{Address, Lost};

/// The proxies of kube-apiserver's environment, or of the kubeconfig.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    https: Option<String>,
    http: Option<String>,
    not_for: Vec<String>,
    /// Whether it is for every address (`proxy-url`).
    always: bool,
}

impl Proxies {
    /// As `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` say, in upper or lower case.
    pub fn of_environment(get: impl Fn(&str) -> Option<String>) -> Self {
        let either = |name: &str| {
            let value = get(name).or_else(|| get(&name.to_lowercase()));
            value.filter(|value| !value.is_empty())
        };
        let not_for = either("NO_PROXY").unwrap_or_default();
        Self {
            https: either("HTTPS_PROXY"),
            http: either("HTTP_PROXY"),
            not_for: not_for.split(',').map(|n| n.trim().to_lowercase()).collect(),
            always: false,
        }
    }

    /// One proxy for everything.
    pub(super) fn always(proxy: &str) -> Self {
        let proxy = Some(proxy.to_owned());
        Self { https: proxy.clone(), http: proxy, not_for: Vec::new(), always: true }
    }

    /// The proxy for an address. This machine itself is never reached through one.
    pub fn of(&self, address: &Address) -> Option<&str> {
        let proxy = if address.secure { &self.https } else { &self.http };
        let host = address.host.to_lowercase();
        let ip: Option<IpAddr> = host.parse().ok();
        let here = host == "localhost" || ip.is_some_and(|ip| ip.is_loopback());
        if !self.always && (here || self.not_for.iter().any(|n| excluded(n, address, ip))) {
            return None;
        }
        proxy.as_deref()
    }
}

/// One entry of `NO_PROXY`: `*`, a name (with what is below it), an address or a range.
fn excluded(entry: &str, address: &Address, ip: Option<IpAddr>) -> bool {
    if entry.is_empty() {
        return false;
    }
    let (entry, port) = match entry.rsplit_once(':') {
        Some((name, port)) if port.parse::<u16>().is_ok() && !name.contains(':') => {
            (name, port.parse::<u16>().ok())
        }
        _ => (entry, None),
    };
    if port.is_some_and(|port| port != address.port) {
        return false;
    }
    if entry == "*" {
        return true;
    }
    if let (Some((net, bits)), Some(ip)) = (entry.split_once('/'), ip) {
        return in_range(ip, net, bits);
    }
    let host = address.host.to_lowercase();
    let name = entry.trim_start_matches("*.").trim_start_matches('.');
    let below = host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'));
    below || (host == name && !entry.starts_with('.') && !entry.starts_with('*'))
}

fn in_range(ip: IpAddr, net: &str, bits: &str) -> bool {
    let bytes = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let (Ok(net), Ok(bits)) = (net.parse::<IpAddr>(), bits.parse::<usize>()) else { return false };
    let (a, b) = (bytes(ip), bytes(net));
    let same = |at: usize| {
        let bit = |of: &[u8]| of.get(at / 8).map(|byte| byte >> (7 - at % 8) & 1);
        bit(&a) == bit(&b)
    };
    a.len() == b.len() && (0..bits.min(a.len() * 8)).all(same)
}

/// A connection, and whether HTTP/2 is spoken on it.
pub(super) async fn open(
    address: &Address,
    tls: &Tls,
    proxies: &Proxies,
) -> Result<(Stream, bool), Lost> {
    let tcp = match proxies.of(address) {
        Some(proxy) => through(proxy, address).await?,
        None => dial(&address.host, address.port).await?,
    };
    let plain = Watched { tcp, first: Vec::new() };
    if !address.secure {
        return Ok((Stream::Plain(plain), false));
    }
    let (stream, http2) = tls::secure(plain, tls, address).await?;
    Ok((Stream::Tls(Box::new(stream)), http2))
}

async fn dial(host: &str, port: u16) -> Result<TcpStream, Lost> {
    let found = match host.parse::<IpAddr>() {
        Ok(ip) => vec![(ip, port).into()],
        Err(_) => match tokio::net::lookup_host((host, port)).await {
            Ok(found) => found.collect::<Vec<_>>(),
            Err(_) => return Err(Lost::new(format!("dial tcp: lookup {host}: no such host"))),
        },
    };
    let mut first = None;
    for address in found {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(e) => {
                let lost = format!("dial tcp {address}: connect: {}", words(&e));
                first.get_or_insert(lost);
            }
        }
    }
    Err(Lost::new(first.unwrap_or_else(|| format!("dial tcp: lookup {host}: no such host"))))
}

/// A tunnel (`CONNECT`) for https; for http the proxy itself is spoken to.
async fn through(proxy: &str, address: &Address) -> Result<TcpStream, Lost> {
    let written = if proxy.contains("://") { proxy.to_owned() } else { format!("http://{proxy}") };
    if !written.starts_with("http://") {
        return Err(Lost::new(format!(
            "the proxy {} is not spoken to here: only http:// ones are",
            written.split("://").next().unwrap_or_default()
        )));
    }
    let proxy = Address::parse(&written).map_err(|e| Lost::new(e.words))?;
    let port =
        if written.rsplit('/').next().is_some_and(|h| h.contains(':')) { proxy.port } else { 80 };
    let tunnel = |lost: Lost| Lost { words: format!("proxyconnect tcp: {}", lost.words), ..lost };
    let mut tcp = dial(&proxy.host, port).await.map_err(tunnel)?;
    if !address.secure {
        return Ok(tcp);
    }
    let target = address.dialled();
    let ask = format!(
        "CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nUser-Agent: Go-http-client/1.1\r\n\r\n"
    );
    let broken = |e: io::Error| tunnel(Lost::new(words(&e)));
    tcp.write_all(ask.as_bytes()).await.map_err(broken)?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if head.len() > 16 << 10 || tcp.read(&mut byte).await.map_err(broken)? == 0 {
            return Err(tunnel(Lost::new("unexpected EOF")));
        }
        head.extend_from_slice(&byte);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let line = head.lines().next().unwrap_or_default();
    let status = line.split_once(' ').map_or("", |(_, status)| status);
    if status.starts_with("200") {
        return Ok(tcp);
    }
    Err(Lost::new(status.split_once(' ').map_or(status, |(_, text)| text)))
}

/// A connection that remembers how the peer began, to tell what he speaks.
pub(super) struct Watched {
    tcp: TcpStream,
    pub(super) first: Vec<u8>,
}

/// What HTTP is spoken on.
pub(super) enum Stream {
    Plain(Watched),
    Tls(Box<TlsStream<Watched>>),
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.tcp).poll_read(context, buffer);
        if self.first.len() < 5 {
            let new = buffer.filled().get(before..).unwrap_or_default().to_owned();
            let room = 5 - self.first.len();
            self.first.extend(new.into_iter().take(room));
        }
        polled
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(context)
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(plain) => Pin::new(plain).poll_read(context, buffer),
            Self::Tls(tls) => Pin::new(tls).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(plain) => Pin::new(plain).poll_write(context, bytes),
            Self::Tls(tls) => Pin::new(tls).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(plain) => Pin::new(plain).poll_flush(context),
            Self::Tls(tls) => Pin::new(tls).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(plain) => Pin::new(plain).poll_shutdown(context),
            Self::Tls(tls) => Pin::new(tls).poll_shutdown(context),
        }
    }
}

/// What is said of a call that broke off.
pub(super) fn lost(error: &hyper::Error) -> Lost {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            return broken(io);
        }
        if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
            return Lost::new(tls::words(tls));
        }
        source = cause.source();
    }
    if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        return Lost::new("EOF");
    }
    if error.is_parse() {
        return Lost::new(
            "net/http: HTTP/1.x transport connection broken: malformed HTTP response",
        );
    }
    Lost::new(error.to_string())
}

/// What is said of an error of the system.
pub(super) fn broken(error: &io::Error) -> Lost {
    if let Some(tls) = error.get_ref().and_then(|e| e.downcast_ref::<rustls::Error>()) {
        return Lost::new(tls::words(tls));
    }
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Lost::new("EOF"),
        io::ErrorKind::ConnectionReset => {
            Lost { words: "read: connection reset by peer".into(), reset: true }
        }
        _ => Lost::new(words(error)),
    }
}
