//! Whether a certificate is for a name, as Go's `VerifyHostname` says.

use std::net::IpAddr;

use rustls::pki_types::ServerName;
use x509_cert::der::asn1::{PrintableStringRef, TeletexStringRef, Utf8StringRef};
use x509_cert::ext::pkix::name::GeneralName;

use super::Cert;

/// # Errors
/// In Go's words.
pub(super) fn matches(leaf: &Cert, name: &ServerName<'_>) -> Result<(), String> {
    let alternatives = leaf.alternatives();
    let wanted = match name {
        ServerName::IpAddress(ip) => IpAddr::from(*ip).to_string(),
        name => name.to_str().into_owned(),
    };
    let without = alternatives.is_none();
    let alternatives = alternatives.unwrap_or_default();
    if let ServerName::IpAddress(ip) = name {
        let ip = IpAddr::from(*ip);
        let all: Vec<IpAddr> = alternatives.iter().filter_map(address).collect();
        if all.contains(&ip) {
            return Ok(());
        }
        if let Some(legacy) = legacy(leaf, without, &wanted) {
            return Err(legacy);
        }
        if all.is_empty() {
            return Err(format!(
                "x509: cannot validate certificate for {wanted} because it doesn't contain any IP \
                 SANs"
            ));
        }
        let all: Vec<String> = all.iter().map(ToString::to_string).collect();
        return Err(format!("x509: certificate is valid for {}, not {wanted}", all.join(", ")));
    }
    let all: Vec<&str> = alternatives
        .iter()
        .filter_map(|n| match n {
            GeneralName::DnsName(name) => Some(name.as_str()),
            _ => None,
        })
        .collect();
    if all.iter().any(|pattern| covers(pattern, &wanted)) {
        return Ok(());
    }
    if let Some(legacy) = legacy(leaf, without, &wanted) {
        return Err(legacy);
    }
    if all.is_empty() {
        return Err(format!(
            "x509: certificate is not valid for any names, but wanted to match {wanted}"
        ));
    }
    Err(format!("x509: certificate is valid for {}, not {wanted}", all.join(", ")))
}

fn legacy(leaf: &Cert, without: bool, wanted: &str) -> Option<String> {
    let named = without && common_name(leaf).is_some_and(|name| covers(&name, wanted));
    named.then(|| {
        "x509: certificate relies on legacy Common Name field, use SANs instead".to_owned()
    })
}

/// The names that a certificate is for, as people write them.
pub(super) fn all(cert: &Cert) -> Vec<String> {
    let named = |n: &GeneralName| match n {
        GeneralName::DnsName(name) => Some(name.as_str().to_owned()),
        other => address(other).map(|ip| ip.to_string()),
    };
    cert.alternatives().unwrap_or_default().iter().filter_map(named).collect()
}

fn address(name: &GeneralName) -> Option<IpAddr> {
    let GeneralName::IpAddress(bytes) = name else { return None };
    let bytes = bytes.as_bytes();
    <[u8; 4]>::try_from(bytes)
        .map(IpAddr::from)
        .or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from))
        .ok()
}

/// A star stands for the whole first label only.
fn covers(pattern: &str, name: &str) -> bool {
    let lower = |text: &str| text.trim_end_matches('.').to_ascii_lowercase();
    let (pattern, name) = (lower(pattern), lower(name));
    if pattern.is_empty() || name.is_empty() {
        return false;
    }
    match (pattern.strip_prefix("*."), name.split_once('.')) {
        (Some(rest), Some((first, name))) => !first.is_empty() && rest == name,
        _ => pattern == name,
    }
}

/// The common name of the subject; the last, where there are several.
pub(super) fn common_name(cert: &Cert) -> Option<String> {
    let subject = &cert.parsed.tbs_certificate.subject;
    let parts = subject.0.iter().flat_map(|set| set.0.iter());
    parts
        .filter(|part| part.oid == x509_cert::der::oid::db::rfc4519::CN)
        .filter_map(|part| {
            let value = &part.value;
            let utf8 = value.decode_as::<Utf8StringRef<'_>>().map(|t| t.as_str().to_owned());
            let printable =
                || value.decode_as::<PrintableStringRef<'_>>().map(|t| t.as_str().to_owned());
            let teletex =
                || value.decode_as::<TeletexStringRef<'_>>().map(|t| t.as_str().to_owned());
            utf8.or_else(|_| printable()).or_else(|_| teletex()).ok()
        })
        .next_back()
}
