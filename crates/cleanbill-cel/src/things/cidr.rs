//! IP addresses and their ranges. Written forms that other software reads in two ways (leading
//! zeros, IPv4 inside IPv6, zones) are refused.

use std::fmt;
use std::net::IpAddr;

/// An address and how many of its leading bits are fixed. The address may have bits beyond the
/// prefix; they are kept and do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    ip: IpAddr,
    prefix: u8,
}

/// An address in one of its written forms.
pub(crate) fn parse_ip(text: &str) -> Option<IpAddr> {
    let ip: IpAddr = text.parse().ok()?;
    match ip {
        IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some() => None,
        IpAddr::V4(_) | IpAddr::V6(_) => Some(ip),
    }
}

impl Cidr {
    /// Reads `address/prefix`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (ip, prefix) = text.split_once('/')?;
        let ip = parse_ip(ip)?;
        let plain = prefix.bytes().all(|b| b.is_ascii_digit());
        let canonical = plain && (prefix == "0" || !prefix.starts_with('0'));
        let prefix: u8 = prefix.parse().ok().filter(|_| canonical)?;
        (prefix <= bits(ip)).then_some(Self { ip, prefix })
    }

    /// The address as written.
    #[must_use]
    pub fn ip(self) -> IpAddr {
        self.ip
    }

    /// How many leading bits are fixed.
    #[must_use]
    pub fn prefix(self) -> u8 {
        self.prefix
    }

    /// The same range with all other bits zero.
    #[must_use]
    pub fn masked(self) -> Self {
        let ip = match self.ip {
            IpAddr::V4(v4) => {
                let mask = u32::MAX.checked_shl(u32::from(32 - self.prefix.min(32))).unwrap_or(0);
                IpAddr::V4((u32::from(v4) & mask).into())
            }
            IpAddr::V6(v6) => {
                let shift = u32::from(128 - self.prefix.min(128));
                let mask = u128::MAX.checked_shl(shift).unwrap_or(0);
                IpAddr::V6((u128::from(v6) & mask).into())
            }
        };
        Self { ip, prefix: self.prefix }
    }

    /// Whether the address is in the range.
    #[must_use]
    pub fn contains_ip(self, ip: IpAddr) -> bool {
        let other = Self { ip, prefix: self.prefix };
        ip.is_ipv4() == self.ip.is_ipv4() && other.masked().ip == self.masked().ip
    }

    /// Whether the whole of another range is in this one.
    #[must_use]
    pub fn contains_cidr(self, other: Self) -> bool {
        other.prefix >= self.prefix && self.contains_ip(other.ip)
    }
}

fn bits(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { 32 } else { 128 }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.ip, self.prefix)
    }
}
