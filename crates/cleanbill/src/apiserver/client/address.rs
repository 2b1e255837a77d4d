//! The webhook's address: what client-go makes of `server`.

use super::super::Refused;

/// Where a call goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Whether by TLS.
    pub secure: bool,
    /// Name or address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Host and port as they are written.
    written: String,
    /// The path, cleaned, and the query.
    path: String,
}

impl Address {
    /// `DefaultServerURL` of client-go: without a scheme it is `http`, since whether there are
    /// certificates is not known yet. Query and fragment are dropped, the path is cleaned.
    ///
    /// # Errors
    /// What ends kube-apiserver.
    pub fn parse(server: &str) -> Result<Self, Refused> {
        let wrong = || Refused::new(format!("host must be a URL or a host:port pair: {server:?}"));
        let (scheme, rest) = match server.split_once("://") {
            Some((scheme, rest)) => (scheme, rest),
            None => {
                let path = server.split_once('/').map_or("", |(_, path)| path);
                if !path.is_empty() {
                    return Err(wrong());
                }
                ("http", server)
            }
        };
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            // Go finds out only when it asks; nothing else can be asked here.
            _ => return Err(Refused::new(format!("unsupported protocol scheme {scheme:?}"))),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (written, path) = rest.split_at(end);
        let path = path.split(['?', '#']).next().unwrap_or_default();
        // What stands before `@` would be a password.
        let written = written.rsplit_once('@').map_or(written, |(_, host)| host);
        let (host, port) = host_port(written, secure).ok_or_else(wrong)?;
        let path = format!("{}?timeout=30s", clean(path));
        Ok(Self { secure, host, port, written: written.to_owned(), path })
    }

    /// The whole address.
    pub fn url(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{}{}", self.written, self.path)
    }

    /// The path, without the query.
    pub fn path(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }

    /// Path and query.
    pub fn target(&self) -> String {
        self.path.clone()
    }

    /// What stands in `Host`.
    pub(super) fn host_header(&self) -> String {
        self.written.clone()
    }

    /// `HOST:PORT`, as Go dials it.
    pub fn dialled(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }

    /// Where a redirect leads.
    pub(super) fn join(&self, location: &str) -> Result<Self, String> {
        if location.contains("://") {
            let (base, query) = location.split_once('?').unwrap_or((location, ""));
            let mut next = Self::parse(base).map_err(|e| e.words)?;
            let end = next.path.find('?').unwrap_or(next.path.len());
            next.path.truncate(end);
            if !query.is_empty() {
                next.path = format!("{}?{query}", next.path);
            }
            return Ok(next);
        }
        let path = match location.strip_prefix('/') {
            Some(_) => location.to_owned(),
            None => {
                let folder = self.path().rsplit_once('/').map_or("", |(folder, _)| folder);
                format!("{folder}/{location}")
            }
        };
        if path.contains(|c: char| c.is_control() || c == ' ') {
            return Err("invalid control character in URL".into());
        }
        Ok(Self { path, ..self.clone() })
    }
}

fn host_port(written: &str, secure: bool) -> Option<(String, u16)> {
    let default = if secure { 443 } else { 80 };
    let port = |text: &str| if text.is_empty() { Some(default) } else { text.parse().ok() };
    let (host, port) = match written.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            (host, rest.strip_prefix(':').map_or(Some(default), port)?)
        }
        None => match written.rsplit_once(':') {
            Some((host, text)) => (host, port(text)?),
            None => (written, default),
        },
    };
    let good = !host.is_empty() && !host.contains(|c: char| c.is_control() || c == ' ');
    good.then(|| (host.to_owned(), port))
}

/// Go's `path.Join("/", …)`.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}
