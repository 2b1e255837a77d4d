//! Who built a package: whether its distribution did, whose advisories speak of it, or somebody else,
//! of whose packages these say nothing.
//!
//! rpm writes down the vendor, and Ubuntu's builds the maintainer. Debian's and Alpine's maintainers are
//! people with addresses of all kinds, so of their packages nothing proves that they are the
//! distribution's own, and what shows that they are not is a list: who publishes packages for them.

/// How a distribution's own packages are told from others'.
pub(super) enum Vendors {
    /// They name nobody that could be relied on.
    Unnamed,
    /// Their vendor begins with one of these, in lower case.
    Named(&'static [&'static str]),
    /// Their maintainer's address is of one of these domains.
    Addresses(&'static [&'static str]),
    /// They are anybody's but of those, who are known to publish packages beside it ([`BESIDE_DEBIAN`],
    /// [`BESIDE_ALPINE`]), and of those whose versions show it ([`MARKS`]).
    AllBut(&'static [&'static str]),
}

/// Domains, and single addresses, of who publishes packages for Alpine beside it. It is short, since
/// companies maintain packages of Alpine's own too (`libmsquic` is Microsoft's).
pub(super) const BESIDE_ALPINE: &[&str] = &[
    "azul.com",
    "bell-sw.com",
    "corretto-team@amazon.com",
    "eclipse.org",
    "f5.com",
    "nginx.com",
    "nginx.org",
];

/// Domains, and single addresses, of who publishes packages for Debian beside it. None is
/// that of a maintainer in the index of Debian 12, by which a new row has to be checked: its 681 domains
/// include `nvidia.com`, `google.com` and `apache.org`.
pub(super) const BESIDE_DEBIAN: &[&str] = &[
    "1password.com",
    "amazon.com",
    "amd.com",
    "azul.com",
    "azulsystems.com",
    "bell-sw.com",
    "brave.com",
    "broadcom.com",
    "caddyserver.com",
    "chromium.org",
    "clickhouse.com",
    "cloudflare.com",
    "cockroachlabs.com",
    "confluent.io",
    "containerd.io",
    "couchbase.com",
    "cudatools@nvidia.com",
    "datadoghq.com",
    "docker.com",
    "eclipse.org",
    "elastic.co",
    "erlang-solutions.com",
    "f5.com",
    "github.com",
    "gitlab.com",
    "goteleport.com",
    "grafana.com",
    "gravitational.com",
    "haproxy.com",
    "hashicorp.com",
    "heroku.com",
    "influxdata.com",
    "influxdb.com",
    "jellyfin.org",
    "kubernetes.io",
    "mariadb.com",
    "mariadb.org",
    "microsoft.com",
    "mongodb.com",
    "mozilla.com",
    "neo4j.com",
    "newrelic.com",
    "nginx.com",
    "nginx.org",
    "nodesource.com",
    "oracle.com",
    "percona.com",
    "pivotal.io",
    "plex.tv",
    "rabbitmq.com",
    "redis.com",
    "redis.io",
    "slack-corp.com",
    "splunk.com",
    "sysdig.com",
    "tailscale.com",
    "timescale.com",
    "varnish-software.com",
    "vmware.com",
    "zabbix.com",
];

/// Who publishes packages under a name, with no address or one that is anybody's.
const NAMES: [&str; 3] = ["GitHub", "Google Cloud CLI Authors", "Kubernetes Authors"];

/// What versions of packages have in them that are published beside Debian by people of Debian's, and
/// by whom: PostgreSQL's own repository, NodeSource, and those that are built from snapshots
/// (`+0~20240101.1+debian12~1.gbp1234ab`).
const MARKS: [(&str, &str); 3] = [
    (".pgdg", "the PostgreSQL project"),
    ("nodesource", "NodeSource"),
    ("~1.gbp", "a repository of snapshots"),
];

impl Vendors {
    /// Who built a package, if that was not the distribution.
    pub(super) fn other<'p>(&self, vendor: Option<&'p str>, version: &str) -> Option<&'p str> {
        match (self, vendor) {
            (Self::Unnamed, _) => None,
            (Self::Named(_) | Self::Addresses(_), None) => None,
            (Self::Named(own), Some(vendor)) => {
                let is_own = own.iter().any(|own| begins(vendor, own));
                (!is_own && !own.is_empty()).then_some(vendor)
            }
            (Self::Addresses(own), Some(vendor)) => {
                let is_own = own.iter().any(|own| is_of(vendor, own));
                (!is_own).then_some(vendor)
            }
            (Self::AllBut(others), vendor) => {
                let mark = MARKS.iter().find(|(mark, _)| version.contains(mark));
                let name = |vendor: &str| vendor.split('<').next().is_some_and(named);
                let known =
                    |vendor: &&str| name(vendor) || others.iter().any(|of| is_of(vendor, of));
                vendor.filter(known).or(mark.map(|(_, by)| *by))
            }
        }
    }
}

fn named(name: &str) -> bool {
    NAMES.contains(&name.trim_end())
}

/// Whether a text begins with another, which is in lower case.
fn begins(text: &str, with: &str) -> bool {
    let start = text.as_bytes().get(..with.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(with.as_bytes()))
}

/// Whether the address of a maintainer (`Name <name@lists.ubuntu.com>`) is this one, or of this domain.
fn is_of(maintainer: &str, of: &str) -> bool {
    let address = maintainer.trim_end().trim_end_matches('>').as_bytes();
    let Some(at) = address.len().checked_sub(of.len()) else { return false };
    let (before, end) = address.split_at(at);
    let starts = match before.last() {
        Some(b'@' | b'.') => true,
        Some(b'<' | b' ') | None => of.contains('@'),
        Some(_) => false,
    };
    starts && end.eq_ignore_ascii_case(of.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::{BESIDE_ALPINE, BESIDE_DEBIAN, MARKS, Vendors};

    #[test]
    fn whose_a_package_is() {
        let ubuntu = Vendors::Addresses(&["ubuntu.com", "canonical.com"]);
        let named = Vendors::Named(&["red hat"]);
        let (debian, alpine) = (Vendors::AllBut(BESIDE_DEBIAN), Vendors::AllBut(BESIDE_ALPINE));
        // how, maintainer, version → whether another built it
        let table = [
            (&debian, "Docker <support@docker.com>", "5:1.0", true),
            (&debian, "Ivan <ivan@nodesource.com>", "20.5.0", true),
            (&debian, "MySQL <mysql-build@oss.oracle.com>", "8.0", true),
            (&debian, "NGINX Packaging <nginx-packaging@F5.com>", "1", true),
            (&debian, "cudatools <cudatools@nvidia.com>", "12", true),
            (&debian, "Somebody <somebody@nvidia.com>", "1", false),
            (&debian, "GitHub", "2.0", true),
            (
                &debian,
                "Kubernetes Authors <kubernetes-dev+release@googlegroups.com>",
                "1.30.0-1.1",
                true,
            ),
            (&debian, "GitHub Fans <fans@example.com>", "2.0", false),
            (&debian, "A Person <a@notdocker.com>", "1", false),
            (&debian, "A Person <a@docker.com.example>", "1", false),
            (&debian, "Marco d'Itri <md@linux.it>", "4.4", false),
            (&debian, "", "1", false),
            (
                &debian,
                "Debian PostgreSQL Maintainers <team+postgresql@tracker.debian.org>",
                "15.6-1.pgdg120+2",
                true,
            ),
            (
                &debian,
                "Debian PostgreSQL Maintainers <team+postgresql@tracker.debian.org>",
                "15.6-0+deb12u1",
                false,
            ),
            (
                &debian,
                "Ondřej Surý <ondrej@debian.org>",
                "8.2.10-2+0~20230910.20+debian12~1.gbp1234ab",
                true,
            ),
            (&debian, "Somebody <s@debian.org>", "3.4.4~r2+gbp-1+b1", false),
            (&ubuntu, "Ubuntu Developers <ubuntu-devel-discuss@lists.ubuntu.com>", "1", false),
            (&ubuntu, "A Person <a@canonical.com>", "1", false),
            (&ubuntu, "Ondřej Surý <ondrej@debian.org>", "1", true),
            (&ubuntu, "Docker <support@docker.com>", "1", true),
            (&alpine, "NGINX Packaging <nginx-packaging@f5.com>", "1-r1", true),
            (&alpine, "Microsoft QUIC Team <quicdev@microsoft.com>", "2-r0", false),
            (&named, "Red Hat, Inc.", "1", false),
            (&named, "Fedora Project", "1", true),
            (&Vendors::Unnamed, "Docker <support@docker.com>", "1", false),
        ];
        for (vendors, maintainer, version, is_other) in table {
            let other = vendors.other(Some(maintainer), version);
            assert_eq!(other.is_some(), is_other, "{maintainer} {version}");
        }
        assert_eq!(ubuntu.other(None, "1"), None);
        assert_eq!(named.other(None, "1"), None);
        assert_eq!(debian.other(None, "1"), None);
        assert_eq!(debian.other(None, "15-1.pgdg12"), Some(MARKS[0].1));
    }

    #[test]
    fn the_lists_are_sorted_and_in_lower_case() {
        for list in [BESIDE_ALPINE, BESIDE_DEBIAN] {
            assert!(list.is_sorted());
            assert!(list.iter().all(|of| of.bytes().all(|b| !b.is_ascii_uppercase())));
        }
    }
}
