//! What stands in a certificate that was made before, so that another can be made like it.

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::der::asn1::{PrintableStringRef, Utf8StringRef};
use x509_cert::der::oid::db::rfc4519::CN;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use crate::failure::{Failure, Result};

/// What counts of a certificate here.
pub struct Read {
    /// The one common name.
    pub name: String,
    /// Alternative names: host names and IP addresses.
    pub hosts: Vec<String>,
    /// The last moment, in seconds since 1970.
    pub until: i64,
}

/// Reads the first certificate of a PEM text.
///
/// # Errors
/// When it is none, or has what ours never have; `what` names it.
pub fn read(what: &str, pem: &str) -> Result<Read> {
    let wrong = |why: &str| {
        Failure::new(format!("{what} {why}"))
            .next("make new certificates with `cleanbill setup DIR --force`, all at once")
    };
    let der = CertificateDer::from_pem_slice(pem.as_bytes())
        .map_err(|_| wrong("is no PEM certificate"))?;
    let parsed = Certificate::from_der(&der).map_err(|_| wrong("cannot be decoded"))?;
    let body = parsed.tbs_certificate;
    let mut names = Vec::new();
    for part in body.subject.0.iter().flat_map(|set| set.0.iter()) {
        let text =
            part.value.decode_as::<Utf8StringRef<'_>>().map(|s| s.as_str().to_owned()).or_else(
                |_| part.value.decode_as::<PrintableStringRef<'_>>().map(|s| s.as_str().to_owned()),
            );
        names.push(text.ok().filter(|_| part.oid == CN));
    }
    let [Some(name)] = names.as_slice() else {
        return Err(wrong("has another name than a common name alone, so setup did not make it"));
    };
    let alternative =
        body.get::<SubjectAltName>().map_err(|_| wrong("has names that cannot be decoded"))?;
    let mut hosts = Vec::new();
    for name in alternative.iter().flat_map(|(_, names)| names.0.iter()) {
        let host = match name {
            GeneralName::DnsName(dns) => Some(dns.as_str().to_owned()),
            GeneralName::IpAddress(ip) => address(ip.as_bytes()),
            GeneralName::OtherName(_)
            | GeneralName::Rfc822Name(_)
            | GeneralName::DirectoryName(_)
            | GeneralName::EdiPartyName(_)
            | GeneralName::UniformResourceIdentifier(_)
            | GeneralName::RegisteredId(_) => None,
        };
        hosts.push(host.ok_or_else(|| wrong("has a name that is neither a host nor an address"))?);
    }
    let end = body.validity.not_after.to_unix_duration().as_secs();
    let until = i64::try_from(end).map_err(|_| wrong("never ends"))?;
    Ok(Read { name: name.clone(), hosts, until })
}

fn address(bytes: &[u8]) -> Option<String> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(std::net::Ipv4Addr::from(four).to_string());
    }
    let sixteen = <[u8; 16]>::try_from(bytes).ok()?;
    Some(std::net::Ipv6Addr::from(sixteen).to_string())
}
