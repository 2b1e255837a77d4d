//! Who publishes what, and where: data, in one place.

use cleanbill_core::ecosystem::Ecosystem;

use crate::feeds::osv;

/// Addresses of the publishers, without a slash at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sources {
    /// Holds `<Ecosystem>/all.zip`.
    pub osv: String,
    /// CISA's catalogue.
    pub kev: String,
    /// Holds `<product>.json`.
    pub end_of_life: String,
    /// Holds what is published at one address each, as `<folder>/<file>`; `None`: there.
    pub(super) mirror: Option<String>,
    /// Holds what is at `https://<host>/<path>` as `<host>/<path>`; `None`: there itself.
    pub(super) through: Option<String>,
    /// Whether plain HTTP may be used, which is only ever so towards this very machine.
    pub(super) plain: bool,
}

impl Default for Sources {
    /// The publishers themselves.
    fn default() -> Self {
        Self {
            osv: "https://osv-vulnerabilities.storage.googleapis.com".to_owned(),
            kev: "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json"
                .to_owned(),
            end_of_life: "https://endoflife.date/api".to_owned(),
            mirror: None,
            through: None,
            plain: false,
        }
    }
}

impl Sources {
    /// A mirror: `<base>/<Ecosystem>/all.zip`, `<base>/kev/known_exploited_vulnerabilities.json`,
    /// `<base>/eol/<product>.json`, `<base>/debian/tracker.json` and so on (`<base>/<folder>/<file>`
    /// of [`Publisher`](super::Publisher)), all as their publishers offer them. HTTPS, or plain HTTP
    /// on this very machine.
    ///
    /// # Errors
    /// When the address is neither, in words.
    pub fn mirror(base: &str) -> Result<Self, String> {
        let base = base.trim_end_matches('/');
        let none = || format!("{base}: no address of a mirror: write https://host/path");
        base.parse::<ureq::http::Uri>().map_err(|_| none())?;
        let plain = match base.split_once("://") {
            Some(("https", rest)) if !rest.is_empty() => false,
            Some(("http", rest)) if is_loopback(rest) => true,
            Some(("http", _)) => {
                return Err(format!(
                    "{base}: plain HTTP is for a mirror on this machine only: use https"
                ));
            }
            Some(_) | None => return Err(none()),
        };
        Ok(Self {
            osv: base.to_owned(),
            kev: format!("{base}/kev/{}", crate::feeds::kev::FILE),
            end_of_life: format!("{base}/eol"),
            mirror: Some(base.to_owned()),
            through: None,
            plain,
        })
    }

    /// A server that stands for all publishers, with what each has at `https://<host>/<path>` as
    /// `<base>/<host>/<path>`: a proxy that keeps copies, or one that plays them in a test. HTTPS,
    /// or plain HTTP on this very machine.
    ///
    /// # Errors
    /// When the address is neither, in words.
    pub fn through(base: &str) -> Result<Self, String> {
        let Self { mirror, plain, .. } = Self::mirror(base)?;
        let itself = Self { through: mirror, plain, ..Self::default() };
        let [osv, kev, end_of_life] = [&itself.osv, &itself.kev, &itself.end_of_life]
            .map(|address| itself.address("", address));
        Ok(Self { osv, kev, end_of_life, ..itself })
    }
}

impl Sources {
    /// Whether all files are at one place under their own names.
    pub(super) fn is_mirror(&self) -> bool {
        self.mirror.is_some()
    }

    /// Where OSV has the zip of an ecosystem.
    pub(super) fn zip(&self, ecosystem: Ecosystem) -> String {
        format!("{}/{}/{}", self.osv, segment(ecosystem.as_str()), osv::FILE)
    }

    /// Where a file is that its publisher has at `address`.
    pub(super) fn address(&self, name: &str, address: &str) -> String {
        match (&self.mirror, &self.through) {
            (Some(base), _) => format!("{base}/{name}"),
            (None, Some(base)) => {
                format!("{base}/{}", address.strip_prefix("https://").unwrap_or(address))
            }
            (None, None) => address.to_owned(),
        }
    }
}

/// A name as a part of a path in an address (RFC 3986, 2.3): `Rocky%20Linux`.
fn segment(name: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    let part = |b: u8| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") };
    name.bytes().map(part).collect()
}

/// Whether the host is an address of the loopback interface, or its name.
fn is_loopback(rest: &str) -> bool {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[').and_then(|a| a.split_once(']')) {
        Some((host, _)) => host,
        None => authority.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// What is fetched unless told otherwise: the ecosystems of the packages that are recognised in
/// images, except Ubuntu, whose feed is many times larger than the others (building holds every
/// advisory in memory, about 650 bytes each). An Ubuntu image says by a gap what to ask for.
/// Debian's own tracker says more than OSV's zip of it.
pub const DEFAULT_ECOSYSTEMS: [Ecosystem; 4] =
    [Ecosystem::Alpine, Ecosystem::Go, Ecosystem::PyPI, Ecosystem::Npm];

/// Distributions by the `ID` of os-release, and what endoflife.date calls them.
pub(super) const DISTRIBUTIONS: [(&str, &str); 14] = [
    ("alpine", "alpine-linux"),
    ("debian", "debian"),
    ("ubuntu", "ubuntu"),
    ("almalinux", "almalinux"),
    ("rocky", "rocky-linux"),
    ("rhel", "rhel"),
    ("amzn", "amazon-linux"),
    ("ol", "oracle-linux"),
    ("fedora", "fedora"),
    ("centos", "centos"),
    ("centos-stream", "centos-stream"),
    ("opensuse-leap", "opensuse"),
    ("sles", "sles"),
    ("photon", "photon"),
];

#[cfg(test)]
mod tests {
    use super::{Sources, segment};

    #[test]
    fn names_become_parts_of_addresses() {
        let table = [
            ("npm", "npm"),
            ("crates.io", "crates.io"),
            ("Rocky Linux", "Rocky%20Linux"),
            ("BellSoft Hardened Containers", "BellSoft%20Hardened%20Containers"),
            ("a/b?c#d%é", "a%2Fb%3Fc%23d%25%C3%A9"),
        ];
        for (name, wanted) in table {
            assert_eq!(segment(name), wanted);
        }
    }

    #[test]
    fn a_mirror_is_https_or_on_this_machine() {
        let plain = "plain HTTP is for a mirror on this machine only: use https";
        let none = "no address of a mirror: write https://host/path";
        let table = [
            ("https://mirror.example/osv/", "ok https://mirror.example/osv false"),
            ("http://127.0.0.1:8080/osv", "ok http://127.0.0.1:8080/osv true"),
            ("http://[::1]:8080", "ok http://[::1]:8080 true"),
            ("http://localhost/x", "ok http://localhost/x true"),
            ("http://mirror.example", &format!("http://mirror.example: {plain}")),
            ("http://127.0.0.1.example", &format!("http://127.0.0.1.example: {plain}")),
            ("http://localhost@evil.example", &format!("http://localhost@evil.example: {plain}")),
            ("http://10.0.0.1", &format!("http://10.0.0.1: {plain}")),
            ("ftp://x", &format!("ftp://x: {none}")),
            ("mirror.example", &format!("mirror.example: {none}")),
            ("https://", &format!("https:: {none}")),
            ("https://mirror.example/a b", &format!("https://mirror.example/a b: {none}")),
            ("http://127.0.0.1:8080/é é", &format!("http://127.0.0.1:8080/é é: {none}")),
        ];
        for (base, wanted) in table {
            let said = match Sources::mirror(base) {
                Ok(s) => format!("ok {} {}", s.osv, s.plain),
                Err(e) => e,
            };
            assert_eq!(said, wanted, "{base}");
        }
    }
}
