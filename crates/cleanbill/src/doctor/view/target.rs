//! The address of a kubeconfig as client-go takes it, and whether a proxy stands before it.

use std::net::IpAddr;

use ureq::http::Uri;

/// Where the API server calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Whether it speaks TLS.
    pub tls: bool,
    /// Whether the scheme was written.
    pub scheme_written: bool,
    /// Name or address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The path, `/` where there is none.
    pub path: String,
    /// Query or fragment, which client-go drops.
    pub dropped: Option<String>,
}

impl Target {
    /// Reads an address. Without a scheme it is `http`, whatever certificates the kubeconfig gives:
    /// client-go asks whether it is TLS before it looks at them, and then passes them over.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn of(server: &str) -> Result<Self, String> {
        let scheme_written = server.contains("://");
        let path = server.split_once('/').map_or("", |(_, path)| path);
        if !scheme_written && !path.is_empty() {
            return Err(format!("host must be a URL or a host:port pair: {server:?}"));
        }
        let whole = if scheme_written { server.to_owned() } else { format!("http://{server}") };
        let (whole, fragment) = match whole.split_once('#') {
            Some((before, fragment)) => (before.to_owned(), Some(format!("#{fragment}"))),
            None => (whole, None),
        };
        let uri: Uri = whole.parse().map_err(|e| format!("it is no URL ({e})"))?;
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            other => return Err(format!("its scheme is {:?}", other.unwrap_or_default())),
        };
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        if host.is_empty() {
            return Err("it names no host".into());
        }
        let port = match uri.port() {
            Some(port) => port.as_u16(),
            None if uri.authority().is_some_and(|a| a.as_str().ends_with(':')) => {
                return Err("its port is empty".into());
            }
            None if tls => 443,
            None => 80,
        };
        let dropped = uri.query().map(|q| format!("?{q}")).or(fragment);
        Ok(Self { tls, scheme_written, host, port, path: uri.path().to_owned(), dropped })
    }

    /// The address, if the host is one.
    pub fn ip(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    /// Whether it is the machine itself.
    pub fn is_loopback(&self) -> bool {
        let name = self.host.trim_end_matches('.').to_ascii_lowercase();
        self.ip().is_some_and(|ip| ip.is_loopback())
            || name == "localhost"
            || name.ends_with(".localhost")
    }

    /// `HOST:PORT`, as in URLs.
    pub fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// Whether Go asks it directly although a proxy is set, by the value of `NO_PROXY`.
    pub fn is_exempt(&self, no_proxy: &str) -> bool {
        if self.host == "localhost" || self.ip().is_some_and(|ip| ip.is_loopback()) {
            return true;
        }
        let host = self.host.to_ascii_lowercase();
        no_proxy.split(',').map(|part| part.trim().to_ascii_lowercase()).any(|part| {
            if part.is_empty() {
                return false;
            }
            if part == "*" {
                return true;
            }
            if let (Some((net, bits)), Some(ip)) = (part.split_once('/'), self.ip()) {
                return covers(net, bits, ip);
            }
            let (name, port) = match part.rsplit_once(':') {
                Some((name, port)) if !name.contains(':') => (name, Some(port)),
                _ => (part.as_str(), None),
            };
            if port.is_some_and(|port| port != self.port.to_string()) {
                return false;
            }
            let bare = name.trim_start_matches("*.").trim_start_matches('.');
            let inner = host.strip_suffix(bare).is_some_and(|rest| rest.ends_with('.'));
            if name.starts_with('.') || name.starts_with("*.") {
                inner
            } else {
                host == bare || (self.ip().is_none() && inner)
            }
        })
    }
}

/// Whether a network has an address.
fn covers(net: &str, bits: &str, ip: IpAddr) -> bool {
    let (Ok(net), Ok(bits)) = (net.parse::<IpAddr>(), bits.parse::<u32>()) else { return false };
    match (net, ip) {
        (IpAddr::V4(net), IpAddr::V4(ip)) => {
            let shift = 32_u32.saturating_sub(bits);
            bits <= 32 && (u64::from(net.to_bits()) >> shift) == (u64::from(ip.to_bits()) >> shift)
        }
        (IpAddr::V6(net), IpAddr::V6(ip)) => {
            let cut = |a: u128| if bits == 0 { 0 } else { a >> 128_u32.saturating_sub(bits) };
            bits <= 128 && cut(net.to_bits()) == cut(ip.to_bits())
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::Target;

    #[test]
    fn addresses_are_read_and_proxies_passed_by_as_go_does() {
        let table = [
            ("https://10.0.0.7:1234/review", "10.0.0.8", false),
            ("https://10.0.0.7:1234/review", "10.0.0.7", true),
            ("https://10.0.0.7:1234", "10.0.0.0/8", true),
            ("https://10.0.0.7:1234", "10.1.0.0/16,*", true),
            ("https://gate.example:1234", "example", true),
            ("https://gate.example:1234", ".example", true),
            ("https://gate.example:1234", "gate.example:1234", true),
            ("https://gate.example:1234", "gate.example:99", false),
            ("https://gate.example:1234", "ate.example", false),
            ("https://localhost:1", "", true),
            ("https://[fd00::1]:1", "fd00::/16", true),
        ];
        for (server, no_proxy, exempt) in table {
            let target = Target::of(server).unwrap();
            assert_eq!(target.is_exempt(no_proxy), exempt, "{server} {no_proxy}");
        }
        assert!(Target::of("https://").is_err());
        assert!(Target::of("https://h:").is_err());
        assert!(Target::of("ftp://h").is_err());
        assert!(Target::of("h:1/a").is_err());
        let bare = Target::of("h:1?b").unwrap();
        assert!(!bare.tls && !bare.scheme_written && bare.dropped == Some("?b".into()));
    }
}
