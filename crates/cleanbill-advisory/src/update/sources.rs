//! Of whom feeds are asked: of their publishers, whose addresses are in the [table](crate::feeds::table),
//! or of one server in their place.

use cleanbill_core::ecosystem::Ecosystem;

use crate::feeds::osv;

/// Who is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    way: Way,
    /// Whether plain HTTP may be used, which is only ever so towards this very machine.
    pub(super) plain: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Way {
    /// The publishers themselves.
    #[default]
    Themselves,
    /// This address, which holds every file as `<folder>/<file>`.
    Mirror(String),
    /// This address, which holds what is at `https://<host>/<path>` as `<host>/<path>`.
    Through(String),
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
        Ok(Self { way: Way::Mirror(base.to_owned()), plain })
    }

    /// A server that stands for all publishers, with what each has at `https://<host>/<path>` as
    /// `<base>/<host>/<path>`: a proxy that keeps copies, or one that plays them in a test. HTTPS,
    /// or plain HTTP on this very machine.
    ///
    /// # Errors
    /// When the address is neither, in words.
    pub fn through(base: &str) -> Result<Self, String> {
        let Self { plain, .. } = Self::mirror(base)?;
        Ok(Self { way: Way::Through(base.trim_end_matches('/').to_owned()), plain })
    }

    /// Whether all files are at one place under their own names.
    pub(super) fn is_mirror(&self) -> bool {
        matches!(self.way, Way::Mirror(_))
    }

    /// Where a file is that its publisher has at `at`, and a mirror under this name.
    pub(super) fn address(&self, name: &str, at: &str) -> String {
        match &self.way {
            Way::Themselves => at.to_owned(),
            Way::Mirror(base) => format!("{base}/{name}"),
            Way::Through(base) => format!("{base}/{}", at.strip_prefix("https://").unwrap_or(at)),
        }
    }

    /// The same of an ecosystem's zip, whose name `{}` stands for.
    pub(super) fn zip(&self, ecosystem: Ecosystem, at: &str) -> String {
        let name = segment(ecosystem.as_str());
        self.address(&format!("{name}/{}", osv::FILE), &at.replace("{}", &name))
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
            ("https://mirror.example/osv/", "ok https://mirror.example/osv/x false"),
            ("http://127.0.0.1:8080/osv", "ok http://127.0.0.1:8080/osv/x true"),
            ("http://[::1]:8080", "ok http://[::1]:8080/x true"),
            ("http://localhost/x", "ok http://localhost/x/x true"),
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
                Ok(s) => format!("ok {} {}", s.address("x", "https://a/b"), s.plain),
                Err(e) => e,
            };
            assert_eq!(said, wanted, "{base}");
        }
    }
}
