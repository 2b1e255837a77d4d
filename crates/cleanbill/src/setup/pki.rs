//! A small certificate authority: one key that signs a server's and a client's certificate.
//!
//! ECDSA P-256 throughout: every Kubernetes release takes it, FIPS builds included. Keys are
//! only ever handed out as PEM text and have no `Debug`, so that none ends up in a log.

use cleanbill_core::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use crate::failure::{Failure, Result};

/// From when to when a certificate is good.
#[derive(Clone, Copy, Debug)]
pub struct Validity {
    /// The first moment.
    pub from: Timestamp,
    /// The last moment.
    pub until: Timestamp,
}

impl Validity {
    /// From five minutes ago, since clocks differ, for so many days.
    ///
    /// # Errors
    /// When the end is beyond the calendar.
    pub fn days(now: Timestamp, days: u32) -> Result<Self> {
        let add = |seconds: i64| {
            now.checked_add(jiff::SignedDuration::from_secs(seconds))
                .map_err(|e| Failure::new(format!("the certificates' dates: {e}")))
        };
        Ok(Self { from: add(-300)?, until: add(i64::from(days) * 86_400)? })
    }
}

/// A certificate and its key, both PEM.
pub struct Pair {
    /// The certificate.
    pub certificate: String,
    /// The private key, PKCS #8. Never to be logged.
    pub key: String,
}

/// The authority that both sides trust.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
}

impl Authority {
    /// A new authority with a new key.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn new(valid: Validity) -> Result<Self> {
        let key = new_key()?;
        let day = cleanbill_core::policy::today(valid.from);
        let mut params = params(&format!("Cleanbill CA {day}"), &[], valid)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).map_err(wrong)?.pem();
        Ok(Self { issuer: Issuer::new(params, key), certificate })
    }

    /// An authority that was made before, from its certificate (whose one name is `name`) and key.
    ///
    /// # Errors
    /// When the key is none, or not that of the certificate.
    pub fn again(name: &str, certificate: &str, key: &str, valid: Validity) -> Result<Self> {
        let key = KeyPair::from_pem(key)
            .map_err(|_| Failure::new("ca.key is no PEM private key that can sign"))?;
        let mut params = params(name, &[], valid)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let der = CertificateDer::from_pem_slice(certificate.as_bytes())
            .map_err(|_| Failure::new("ca.crt is no PEM certificate"))?;
        // The key of the certificate stands in it as it stands in the key pair.
        let public = key.public_key_raw();
        if !der.windows(public.len()).any(|bytes| bytes == public) {
            return Err(Failure::new("ca.key is not the key of ca.crt")
                .next("move it away; then a new authority is made"));
        }
        Ok(Self { issuer: Issuer::new(params, key), certificate: certificate.to_owned() })
    }

    /// Its own certificate, PEM.
    pub fn certificate(&self) -> String {
        self.certificate.clone()
    }

    /// Its key, PEM. Whoever has it can speak to the gate in the API server's name.
    pub fn key(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    /// A certificate for a server that is reached by these names and addresses; localhost and
    /// the loopback addresses are always among them.
    ///
    /// # Errors
    /// When a name does not fit into a certificate.
    pub fn server(&self, hosts: &[String], valid: Validity) -> Result<Pair> {
        let mut names = hosts.to_vec();
        for local in ["localhost", "127.0.0.1", "::1"] {
            if !names.iter().any(|n| n == local) {
                names.push(local.to_owned());
            }
        }
        self.sign("cleanbill", &names, ExtendedKeyUsagePurpose::ServerAuth, valid)
    }

    /// A certificate for a client of this name, as common name and, where it is a host name, as
    /// subject alternative name too.
    ///
    /// # Errors
    /// When the name does not fit into a certificate.
    pub fn client(&self, name: &str, valid: Validity) -> Result<Pair> {
        let host = rustls_pki_types::DnsName::try_from(name).is_ok();
        let names = if host { vec![name.to_owned()] } else { Vec::new() };
        self.sign(name, &names, ExtendedKeyUsagePurpose::ClientAuth, valid)
    }

    fn sign(
        &self,
        name: &str,
        alternative: &[String],
        usage: ExtendedKeyUsagePurpose,
        valid: Validity,
    ) -> Result<Pair> {
        let key = new_key()?;
        let mut params = params(name, alternative, valid)?;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![usage];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.issuer).map_err(wrong)?.pem();
        Ok(Pair { certificate, key: key.serialize_pem() })
    }
}

fn new_key() -> Result<KeyPair> {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(wrong)
}

fn params(name: &str, alternative: &[String], valid: Validity) -> Result<CertificateParams> {
    let mut params = CertificateParams::new(alternative).map_err(wrong)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = system_time(valid.from)?.into();
    params.not_after = system_time(valid.until)?.into();
    Ok(params)
}

fn system_time(at: Timestamp) -> Result<std::time::SystemTime> {
    let seconds = u64::try_from(at.as_second())
        .map_err(|_| Failure::new("the certificates' dates are before 1970"))?;
    Ok(std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds))
}

fn wrong(error: rcgen::Error) -> Failure {
    Failure::new(format!("a certificate could not be made: {error}"))
}
