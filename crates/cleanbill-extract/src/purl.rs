//! Package URLs (<https://github.com/package-url/purl-spec>), spelt as Trivy spells them.

use std::fmt::Write;

use cleanbill_core::distribution::Distribution;
use cleanbill_core::package::PackageKind;

use crate::facts::Claim;

/// The package URL of a claim, in the image of this distribution.
pub(crate) fn purl(claim: &Claim, distribution: Option<&Distribution>) -> String {
    let mut out = String::from("pkg:");
    let os = |out: &mut String, kind: &str, fallback: &str| {
        let id = distribution.map_or(fallback, |d| &d.id);
        out.push_str(kind);
        encode(out, id);
        out.push('/');
    };
    let mut version = claim.version.as_str();
    let mut epoch = None;
    match claim.kind {
        PackageKind::Apk => {
            os(&mut out, "apk/", "alpine");
            encode(&mut out, &claim.name);
        }
        PackageKind::Deb => {
            os(&mut out, "deb/", "debian");
            encode(&mut out, &claim.name);
            if let Some((number, rest)) = version.split_once(':') {
                (epoch, version) = (Some(number).filter(|n| *n != "0"), rest);
            }
        }
        PackageKind::Rpm => {
            os(&mut out, "rpm/", "rpm");
            encode(&mut out, &claim.name);
            if let Some((number, rest)) = version.split_once(':') {
                (epoch, version) = (Some(number), rest);
            }
        }
        PackageKind::Python => {
            out.push_str("pypi/");
            encode(&mut out, &claim.name.to_lowercase().replace('_', "-"));
        }
        PackageKind::Npm => named(&mut out, "npm/", &claim.name),
        PackageKind::Go => named(&mut out, "golang/", &claim.name.to_lowercase()),
        PackageKind::Cargo => named(&mut out, "cargo/", &claim.name),
        PackageKind::Maven => named(&mut out, "maven/", &claim.name.replace(':', "/")),
        PackageKind::Gem => named(&mut out, "gem/", &claim.name),
        PackageKind::NuGet => named(&mut out, "nuget/", &claim.name),
        PackageKind::Composer => named(&mut out, "composer/", &claim.name.to_lowercase()),
        PackageKind::Hex => named(&mut out, "hex/", &claim.name.to_lowercase()),
        PackageKind::Pub => named(&mut out, "pub/", &claim.name),
        PackageKind::Swift => named(&mut out, "swift/", &claim.name),
        PackageKind::Bitnami => named(&mut out, "bitnami/", &claim.name.to_lowercase()),
    }
    out.push('@');
    encode(&mut out, version);
    if claim.kind.is_os() {
        let mut separator = '?';
        let mut qualifier = |key: &str, value: &str| {
            let _ = write!(out, "{separator}{key}=");
            encode(&mut out, value);
            separator = '&';
        };
        if let Some(arch) = &claim.arch {
            qualifier("arch", arch);
        }
        if let Some(d) = distribution {
            let version = if d.version.is_empty() { &d.release } else { &d.version };
            if claim.kind == PackageKind::Apk {
                qualifier("distro", version);
            } else {
                qualifier("distro", &format!("{}-{version}", d.id));
            }
        }
        if let Some(epoch) = epoch {
            qualifier("epoch", epoch);
        }
        if let Some(module) = &claim.module {
            qualifier("modularitylabel", module);
        }
    }
    out
}

/// The type, and a name with its namespace.
fn named(out: &mut String, kind: &str, name: &str) {
    out.push_str(kind);
    path(out, name);
}

/// Percent-encodes all but what the specification leaves as it is.
fn encode(out: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

/// The same with its slashes kept: namespace and name.
fn path(out: &mut String, text: &str) {
    for (index, part) in text.split('/').enumerate() {
        if index > 0 {
            out.push('/');
        }
        encode(out, part);
    }
}

#[cfg(test)]
mod tests {
    use super::{Claim, Distribution, PackageKind, purl};

    #[test]
    fn purls_are_spelt_as_others_spell_them() {
        use PackageKind::{Apk, Bitnami, Cargo, Composer, Deb, Go, Maven, Npm, Python, Rpm};
        let table = [
            (
                Apk,
                "musl",
                "1.2.5-r0",
                Some("x86_64"),
                "pkg:apk/alpine/musl@1.2.5-r0?arch=x86_64&distro=3.20.3",
            ),
            (
                Deb,
                "g++",
                "4:12.2.0-3",
                Some("amd64"),
                "pkg:deb/debian/g%2B%2B@12.2.0-3?arch=amd64&distro=debian-12.11&epoch=4",
            ),
            (
                Deb,
                "usr-is-merged",
                "37~deb12u1",
                None,
                "pkg:deb/debian/usr-is-merged@37~deb12u1?distro=debian-12.11",
            ),
            (
                Rpm,
                "openssl-libs",
                "1:3.0.7-27.el9",
                Some("x86_64"),
                "pkg:rpm/almalinux/openssl-libs@3.0.7-27.el9?arch=x86_64&distro=almalinux-9.4&epoch=1",
            ),
            (Python, "Typing_Extensions", "4.15.0", None, "pkg:pypi/typing-extensions@4.15.0"),
            (Npm, "@babel/core", "7.0.0", None, "pkg:npm/%40babel/core@7.0.0"),
            (
                Go,
                "github.com/Azure/go-ansiterm",
                "v0.0.0+incompatible",
                None,
                "pkg:golang/github.com/azure/go-ansiterm@v0.0.0%2Bincompatible",
            ),
            (Cargo, "serde_json", "1.0.0+1", None, "pkg:cargo/serde_json@1.0.0%2B1"),
            (Maven, "org.a:b", "1.0", None, "pkg:maven/org.a/b@1.0"),
            (Composer, "Symfony/http", "v6.4.1", None, "pkg:composer/symfony/http@v6.4.1"),
            (Bitnami, "nginx", "1.25.4-2", None, "pkg:bitnami/nginx@1.25.4-2"),
        ];
        for (kind, name, version, arch, expected) in table {
            let of = [(Apk, ("alpine", "3.20.3")), (Rpm, ("almalinux", "9.4"))];
            let of = of.into_iter().find(|(of, _)| *of == kind);
            let (id, distro) = of.map_or(("debian", "12.11"), |(_, named)| named);
            let distribution = Distribution {
                id: id.into(),
                version: distro.into(),
                release: String::new(),
                pretty_name: String::new(),
                evidence: String::new(),
                content_sets: Vec::new(),
            };
            let claim = Claim {
                kind,
                name: name.into(),
                version: version.into(),
                source: None,
                arch: arch.map(str::to_owned),
                vendor: None,
                module: None,
            };
            assert_eq!(purl(&claim, Some(&distribution)), expected);
        }
    }
}
