//! The address of a kubeconfig as client-go takes it, with what it passes over.

use std::net::IpAddr;

use crate::apiserver::client::{Address, Proxies};

/// Where the API server calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The address itself.
    pub address: Address,
    /// Whether the scheme was written.
    pub scheme_written: bool,
    /// Query or fragment, which client-go drops.
    pub dropped: Option<String>,
}

impl Target {
    /// Reads an address.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn of(server: &str) -> Result<Self, String> {
        let address = Address::parse(server).map_err(|e| e.words)?;
        let (scheme_written, rest) = match server.split_once("://") {
            Some((_, rest)) => (true, rest),
            None => (false, server),
        };
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if host.ends_with(':') {
            return Err("its port is empty".into());
        }
        let dropped = rest.find(['?', '#']).and_then(|at| rest.get(at..)).map(str::to_owned);
        Ok(Self { address, scheme_written, dropped })
    }

    /// Whether it speaks TLS.
    pub fn tls(&self) -> bool {
        self.address.secure
    }

    /// Name or address, without brackets.
    pub fn host(&self) -> &str {
        &self.address.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.address.port
    }

    /// The address, if the host is one.
    pub fn ip(&self) -> Option<IpAddr> {
        self.host().parse().ok()
    }

    /// Whether it is the machine itself.
    pub fn is_loopback(&self) -> bool {
        let name = self.host().trim_end_matches('.').to_ascii_lowercase();
        self.ip().is_some_and(|ip| ip.is_loopback())
            || name == "localhost"
            || name.ends_with(".localhost")
    }

    /// `HOST:PORT`, as in URLs.
    pub fn authority(&self) -> String {
        self.address.dialled()
    }

    /// Whether Go asks it directly although a proxy is set, by the value of `NO_PROXY`.
    pub fn is_exempt(&self, no_proxy: &str) -> bool {
        let value = |name: &str| if name == "NO_PROXY" { no_proxy } else { "any" };
        Proxies::of_environment(|name| Some(value(name).to_owned())).of(&self.address).is_none()
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
        assert!(!bare.tls() && !bare.scheme_written && bare.dropped == Some("?b".into()));
    }
}
