//! Which addresses may be connected to: one rule on *resolved* addresses.
//!
//! Whoever may create a pod chooses the host that the gate contacts, so the rule stands where
//! a name becomes addresses: the resolver that every connection passes (registry, redirects,
//! token realms, blobs). Only addresses that passed are handed on to connect to; there is no
//! second look-up that could answer otherwise (DNS rebinding).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::http::uri::Authority;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// Where connections may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddressRule {
    /// Anywhere: for a command that a user runs on a machine of their own.
    Open,
    /// Public addresses only, for whoever contacts hosts that others choose.
    Guarded {
        /// `host[:port]` (without a port: the registry's default port) that may lie at any
        /// address. They count only while an image of one of them is read: a public registry
        /// cannot redirect to a private one.
        private_hosts: Vec<String>,
    },
}

/// A host as it stands in a URL (lower case, no brackets) and its port.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct HostPort {
    pub host: String,
    pub port: u16,
}

impl HostPort {
    /// From `host`, `host:port`, `[v6]` or `[v6]:port`.
    pub(super) fn parse(text: &str, default_port: u16) -> Option<Self> {
        Self::new(&text.parse().ok()?, default_port)
    }

    /// Of a URL; `None` where it has no host, or a scheme without a known port.
    pub(super) fn of(uri: &Uri) -> Option<Self> {
        let default = match uri.scheme_str()? {
            "https" => 443,
            "http" => 80,
            _ => return None,
        };
        Self::new(uri.authority()?, default)
    }

    /// Whether it is `localhost` or a loopback address, as written.
    pub(super) fn is_local(&self) -> bool {
        self.host == "localhost" || self.host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
    }

    /// Read strictly: where `Authority` finds no valid port it says there is none, and an
    /// invalid one would be taken for the default.
    fn new(authority: &Authority, default_port: u16) -> Option<Self> {
        let host = authority.host();
        let port = match authority.as_str().strip_prefix(host)? {
            "" => default_port,
            rest => rest.strip_prefix(':')?.parse().ok().filter(|port| *port > 0)?,
        };
        (!host.is_empty()).then(|| Self { host: bare(host), port })
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

fn bare(host: &str) -> String {
    host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase()
}

/// The resolver of one agent: looks a name up and keeps only the addresses that the rule allows.
#[derive(Debug)]
pub(super) struct Guard {
    /// `None`: everything is allowed.
    pub private: Option<Vec<HostPort>>,
    /// The proxy that the configuration names: it may lie anywhere, and nothing else at its
    /// host and port may, which is why the whole URL is compared.
    pub proxy: Option<Uri>,
    pub inner: DefaultResolver,
}

/// Why a host was not connected to.
#[derive(Debug)]
pub(super) struct Refused {
    host: HostPort,
    class: &'static str,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} lies at a {} address, where only registries may lie that the policy names",
            self.host, self.class
        )
    }
}

impl std::error::Error for Refused {}

impl Resolver for Guard {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.inner.resolve(uri, config, timeout)?;
        let Some(private) = &self.private else { return Ok(found) };
        let host = HostPort::of(uri).ok_or(ureq::Error::HostNotFound)?;
        if private.contains(&host) || self.proxy.as_ref() == Some(uri) {
            return Ok(found);
        }
        let mut allowed = self.empty();
        let mut refused = None;
        for address in &found {
            match special(address.ip()) {
                None => allowed.push(*address),
                Some(class) => refused = Some(class),
            }
        }
        match refused {
            Some(class) if allowed.is_empty() => {
                Err(ureq::Error::Other(Box::new(Refused { host, class })))
            }
            _ => Ok(allowed),
        }
    }
}

/// The class of an address that is not an ordinary public one; `None` for those that are.
///
/// After the IANA special-purpose address registries (RFC 6890 and successors), read strictly:
/// what they do not call globally reachable unicast is special. IPv6 is judged by what may be
/// public (`2000::/3`), and addresses that carry an IPv4 address by that one.
pub fn special(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(v4) => special_v4(v4),
        IpAddr::V6(v6) => special_v6(v6),
    }
}

fn special_v4(address: Ipv4Addr) -> Option<&'static str> {
    let table: [([u8; 4], u32, &'static str); 19] = [
        ([0, 0, 0, 0], 8, "unspecified"),
        ([10, 0, 0, 0], 8, "private"),
        ([100, 64, 0, 0], 10, "carrier-grade NAT"),
        ([127, 0, 0, 0], 8, "loopback"),
        ([169, 254, 0, 0], 16, "link-local (metadata)"),
        // Azure's platform service answers at this one public-looking address on every host.
        ([168, 63, 129, 16], 32, "metadata"),
        ([172, 16, 0, 0], 12, "private"),
        ([192, 0, 0, 0], 24, "reserved"),
        ([192, 0, 2, 0], 24, "documentation"),
        ([192, 31, 196, 0], 24, "reserved"),
        ([192, 52, 193, 0], 24, "reserved"),
        ([192, 88, 99, 0], 24, "reserved"),
        ([192, 168, 0, 0], 16, "private"),
        ([192, 175, 48, 0], 24, "reserved"),
        ([198, 18, 0, 0], 15, "benchmarking"),
        ([198, 51, 100, 0], 24, "documentation"),
        ([203, 0, 113, 0], 24, "documentation"),
        ([224, 0, 0, 0], 4, "multicast"),
        ([240, 0, 0, 0], 4, "reserved"),
    ];
    let bits = u32::from(address);
    table
        .iter()
        .find(|(net, length, _)| (bits ^ u32::from(Ipv4Addr::from(*net))) >> (32 - length) == 0)
        .map(|(_, _, class)| *class)
}

fn special_v6(address: Ipv6Addr) -> Option<&'static str> {
    let bits = u128::from(address);
    let within = |net: [u16; 8], length: u32| {
        (bits ^ u128::from(Ipv6Addr::from(net))) >> (128 - length) == 0
    };
    let embedded = |shift: u32| special_v4(Ipv4Addr::from((bits >> shift) as u32));
    if address.is_unspecified() {
        return Some("unspecified");
    }
    if address.is_loopback() {
        return Some("loopback");
    }
    // IPv4-mapped, and NAT64's well-known prefix: the connection goes to the IPv4 address.
    if within([0, 0, 0, 0, 0, 0xffff, 0, 0], 96) || within([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96) {
        return embedded(0);
    }
    if within([0x2002, 0, 0, 0, 0, 0, 0, 0], 16) {
        return Some(embedded(80).unwrap_or("6to4"));
    }
    let table: [([u16; 8], u32, &'static str); 8] = [
        ([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7, "unique-local"),
        ([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10, "link-local"),
        ([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10, "site-local"),
        ([0xff00, 0, 0, 0, 0, 0, 0, 0], 8, "multicast"),
        // Protocol assignments: Teredo, benchmarking, ORCHID and the like.
        ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23, "reserved"),
        ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32, "documentation"),
        ([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0], 48, "reserved"),
        ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20, "documentation"),
    ];
    if let Some((_, _, class)) = table.iter().find(|(net, length, _)| within(*net, *length)) {
        return Some(class);
    }
    // ISATAP: an interface identifier that carries an IPv4 address, 0:5efe:a.b.c.d.
    if (bits >> 32) as u32 & 0xfdff_ffff == 0x5efe {
        return Some(embedded(0).unwrap_or("ISATAP"));
    }
    (!within([0x2000, 0, 0, 0, 0, 0, 0, 0], 3)).then_some("reserved")
}

#[cfg(test)]
mod tests {
    use super::{HostPort, special};

    #[test]
    fn only_public_unicast_addresses_are_ordinary() {
        let ordinary = [
            "1.1.1.1",
            "8.8.8.8",
            "172.15.255.255",
            "172.32.0.1",
            "100.63.255.255",
            "100.128.0.0",
            "169.253.0.1",
            "192.0.1.1",
            "198.17.0.1",
            "198.20.0.0",
            "223.255.255.255",
            "168.63.129.17",
            "2606:4700:4700::1111",
            "2001:4860:4860::8888",
            "2a00:1450:4001::1",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
        ];
        for address in ordinary {
            assert_eq!(special(address.parse().unwrap()), None, "{address}");
        }
        let table = [
            ("0.0.0.0", "unspecified"),
            ("0.1.2.3", "unspecified"),
            ("127.0.0.1", "loopback"),
            ("127.255.255.254", "loopback"),
            ("10.1.2.3", "private"),
            ("172.16.0.1", "private"),
            ("172.31.255.255", "private"),
            ("192.168.1.1", "private"),
            ("100.64.0.1", "carrier-grade NAT"),
            ("100.100.100.200", "carrier-grade NAT"),
            ("169.254.169.254", "link-local (metadata)"),
            ("168.63.129.16", "metadata"),
            ("192.0.0.192", "reserved"),
            ("192.0.2.1", "documentation"),
            ("198.51.100.1", "documentation"),
            ("203.0.113.1", "documentation"),
            ("198.19.255.255", "benchmarking"),
            ("224.0.0.1", "multicast"),
            ("239.255.255.255", "multicast"),
            ("240.0.0.1", "reserved"),
            ("255.255.255.255", "reserved"),
            ("::", "unspecified"),
            ("::1", "loopback"),
            ("::127.0.0.1", "reserved"),
            ("::ffff:127.0.0.1", "loopback"),
            ("::ffff:169.254.169.254", "link-local (metadata)"),
            ("64:ff9b::10.0.0.1", "private"),
            ("64:ff9b::a9fe:a9fe", "link-local (metadata)"),
            ("64:ff9b:1::8.8.8.8", "reserved"),
            ("2002:7f00:1::", "loopback"),
            ("2002:a9fe:a9fe::1", "link-local (metadata)"),
            ("2002:808:808::1", "6to4"),
            ("2001::1", "reserved"),
            ("2001:db8::1", "documentation"),
            ("3fff::1", "documentation"),
            ("fe80::1", "link-local"),
            ("fec0::1", "site-local"),
            ("fc00::1", "unique-local"),
            ("fd00:ec2::254", "unique-local"),
            ("fd20:ce::254", "unique-local"),
            ("ff02::1", "multicast"),
            ("100::1", "reserved"),
            ("5f00::1", "reserved"),
            ("4000::1", "reserved"),
            ("2a00:1450::5efe:7f00:1", "loopback"),
            ("2a00:1450::200:5efe:8.8.8.8", "ISATAP"),
        ];
        for (address, class) in table {
            assert_eq!(special(address.parse().unwrap()), Some(class), "{address}");
        }
    }

    #[test]
    fn this_machine_is_known_by_its_written_names() {
        let table = [
            ("localhost:5000", true),
            ("127.0.0.1", true),
            ("127.8.8.8:1", true),
            ("[::1]:5000", true),
            ("localhost.example", false),
            ("10.0.0.1", false),
            ("registry.example", false),
        ];
        for (text, local) in table {
            let host = HostPort::parse(text, 443).unwrap();
            assert_eq!(host.is_local(), local, "{text}");
        }
    }

    #[test]
    fn hosts_are_compared_with_their_ports() {
        let table: &[(&str, Option<&str>)] = &[
            ("Registry.Example", Some("registry.example:443")),
            ("registry.example:5000", Some("registry.example:5000")),
            ("[::1]:5000", Some("[::1]:5000")),
            ("[::1]", Some("[::1]:443")),
            ("user@registry.example", None),
            ("registry.example:0", None),
            ("registry.example:99999", None),
            ("a/b", None),
            ("", None),
        ];
        for (text, shown) in table {
            let parsed = HostPort::parse(text, 443).map(|h| h.to_string());
            assert_eq!(parsed.as_deref(), *shown, "{text:?}");
        }
    }
}
