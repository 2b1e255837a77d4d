//! Certificates as Go's `crypto/x509` judges them: what it takes, what it refuses and in which
//! words.
//!
//! rustls' own verifier is stricter and says other things: it takes no version 1 certificates and
//! no certificate that is its own authority, both of which Go takes and tutorials make. This one
//! plays Go's part in `simulate` and `doctor`. The gate itself never uses it.

use cleanbill_core::Timestamp;
use ring::signature as algorithm;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{DigitallySignedStruct, SignatureScheme};
use x509_cert::Certificate;
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::der::{Decode as _, Encode as _};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName,
};

mod names;

/// How long a chain may be.
const DEPTH_MAX: usize = 8;
/// Certificates of one file or handshake that are looked at.
const COUNT_MAX: usize = 1000;

/// A certificate that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cert {
    /// Its bytes.
    pub der: Vec<u8>,
    parsed: Certificate,
}

/// What a certificate is presented for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// By a server.
    Server,
    /// By a client.
    Client,
}

impl Cert {
    /// Reads DER.
    ///
    /// # Errors
    /// Where it is no certificate.
    pub fn new(der: &[u8]) -> Result<Self, String> {
        let parsed =
            Certificate::from_der(der).map_err(|e| format!("x509: malformed certificate ({e})"))?;
        let cert = Self { der: der.to_owned(), parsed };
        // What cannot be read must not count as what is not there.
        let good = cert.reads::<BasicConstraints>()
            && cert.reads::<ExtendedKeyUsage>()
            && cert.reads::<KeyUsage>()
            && cert.reads::<SubjectAltName>();
        good.then_some(cert).ok_or_else(|| "x509: malformed extension".to_owned())
    }

    /// All certificates of a PEM file. Other blocks are passed over, as Go does.
    pub fn all(pem: &[u8]) -> Vec<Self> {
        CertificateDer::pem_slice_iter(pem)
            .take(COUNT_MAX)
            .filter_map(|der| Self::new(&der.ok()?).ok())
            .collect()
    }

    /// The subject, for people.
    pub fn subject(&self) -> String {
        self.parsed.tbs_certificate.subject.to_string()
    }

    /// The common name of the subject.
    pub fn common_name(&self) -> Option<String> {
        names::common_name(self)
    }

    /// The DNS names and addresses that it is for.
    pub fn names(&self) -> Vec<String> {
        names::all(self)
    }

    /// The public key, to be compared.
    pub fn public_key(&self) -> Vec<u8> {
        self.parsed.tbs_certificate.subject_public_key_info.to_der().unwrap_or_default()
    }

    /// The issuer, for people.
    pub fn issuer(&self) -> String {
        self.parsed.tbs_certificate.issuer.to_string()
    }

    /// From and until when it is good, in seconds since 1970.
    pub fn validity(&self) -> (i64, i64) {
        let seconds = |t: x509_cert::time::Time| {
            i64::try_from(t.to_unix_duration().as_secs()).unwrap_or(i64::MAX)
        };
        let valid = &self.parsed.tbs_certificate.validity;
        (seconds(valid.not_before), seconds(valid.not_after))
    }

    /// Whether it says that it may sign others; version 1 certificates cannot say so.
    pub fn is_authority(&self) -> bool {
        match self.extension::<BasicConstraints>() {
            Some(constraints) => constraints.ca,
            None => self.parsed.tbs_certificate.version != x509_cert::Version::V3,
        }
    }

    /// Whether it can be presented by such a peer; `None` in the extension means for anything.
    pub fn is_for(&self, purpose: Purpose) -> bool {
        let Some(usages) = self.extension::<ExtendedKeyUsage>() else { return true };
        let wanted = match purpose {
            Purpose::Server => "1.3.6.1.5.5.7.3.1",
            Purpose::Client => "1.3.6.1.5.5.7.3.2",
        };
        let any = "2.5.29.37.0";
        usages.0.iter().any(|oid| [wanted, any].contains(&oid.to_string().as_str()))
    }

    /// Whether its key signed that certificate.
    ///
    /// # Errors
    /// Go's word for what is wrong with the signature.
    pub fn signed(&self, child: &Self) -> Result<(), String> {
        let version3 = self.parsed.tbs_certificate.version == x509_cert::Version::V3;
        let constraints = self.extension::<BasicConstraints>();
        let no = "x509: invalid signature: parent certificate cannot sign this kind of certificate";
        if (version3 && constraints.is_none()) || constraints.is_some_and(|c| !c.ca) {
            return Err(no.into());
        }
        if self.extension::<KeyUsage>().is_some_and(|u| !u.0.contains(KeyUsages::KeyCertSign)) {
            return Err(no.into());
        }
        let tbs = child.parsed.tbs_certificate.to_der().map_err(|e| format!("x509: {e}"))?;
        let signature = child.parsed.signature.raw_bytes();
        let oid = child.parsed.signature_algorithm.oid.to_string();
        let rsa = || {
            let params = match oid.as_str() {
                "1.2.840.113549.1.1.11" => {
                    &algorithm::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY
                }
                "1.2.840.113549.1.1.13" => {
                    &algorithm::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY
                }
                "1.2.840.113549.1.1.12" => &algorithm::RSA_PKCS1_2048_8192_SHA384,
                _ => return Err(insecure(&oid)),
            };
            self.check(params, &tbs, signature, "crypto/rsa: verification error")
        };
        match (oid.as_str(), self.curve().as_deref()) {
            ("1.2.840.10045.4.3.2", Some("1.2.840.10045.3.1.7")) => {
                self.check(&algorithm::ECDSA_P256_SHA256_ASN1, &tbs, signature, ECDSA)
            }
            ("1.2.840.10045.4.3.3", Some("1.2.840.10045.3.1.7")) => {
                self.check(&algorithm::ECDSA_P256_SHA384_ASN1, &tbs, signature, ECDSA)
            }
            ("1.2.840.10045.4.3.2", Some("1.3.132.0.34")) => {
                self.check(&algorithm::ECDSA_P384_SHA256_ASN1, &tbs, signature, ECDSA)
            }
            ("1.2.840.10045.4.3.3", Some("1.3.132.0.34")) => {
                self.check(&algorithm::ECDSA_P384_SHA384_ASN1, &tbs, signature, ECDSA)
            }
            ("1.3.101.112", _) => self.check(
                &algorithm::ED25519,
                &tbs,
                signature,
                "x509: Ed25519 verification failure",
            ),
            _ => rsa(),
        }
    }

    /// Whether its key made a signature of a handshake.
    pub fn signed_handshake(
        &self,
        scheme: SignatureScheme,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        use SignatureScheme as S;
        let params: &'static dyn algorithm::VerificationAlgorithm = match scheme {
            S::RSA_PSS_SHA256 => &algorithm::RSA_PSS_2048_8192_SHA256,
            S::RSA_PSS_SHA384 => &algorithm::RSA_PSS_2048_8192_SHA384,
            S::RSA_PSS_SHA512 => &algorithm::RSA_PSS_2048_8192_SHA512,
            S::RSA_PKCS1_SHA256 => &algorithm::RSA_PKCS1_2048_8192_SHA256,
            S::RSA_PKCS1_SHA384 => &algorithm::RSA_PKCS1_2048_8192_SHA384,
            S::RSA_PKCS1_SHA512 => &algorithm::RSA_PKCS1_2048_8192_SHA512,
            S::ECDSA_NISTP256_SHA256 => &algorithm::ECDSA_P256_SHA256_ASN1,
            S::ECDSA_NISTP384_SHA384 => &algorithm::ECDSA_P384_SHA384_ASN1,
            S::ED25519 => &algorithm::ED25519,
            _ => return false,
        };
        self.check(params, message, signature, "").is_ok()
    }

    fn check(
        &self,
        params: &'static dyn algorithm::VerificationAlgorithm,
        message: &[u8],
        signature: &[u8],
        wrong: &str,
    ) -> Result<(), String> {
        let key = &self.parsed.tbs_certificate.subject_public_key_info.subject_public_key;
        algorithm::UnparsedPublicKey::new(params, key.raw_bytes())
            .verify(message, signature)
            .map_err(|_| wrong.to_owned())
    }

    fn curve(&self) -> Option<String> {
        let info = &self.parsed.tbs_certificate.subject_public_key_info;
        let parameters = info.algorithm.parameters.as_ref()?;
        parameters.decode_as::<ObjectIdentifier>().ok().map(|oid| oid.to_string())
    }

    fn extension<'a, T>(&'a self) -> Option<T>
    where
        T: x509_cert::der::Decode<'a> + x509_cert::der::oid::AssociatedOid,
    {
        let all = self.parsed.tbs_certificate.extensions.as_ref()?;
        let found = all.iter().find(|e| e.extn_id == T::OID)?;
        T::from_der(found.extn_value.as_bytes()).ok()
    }

    /// Whether an extension is absent, or can be read.
    fn reads<'a, T>(&'a self) -> bool
    where
        T: x509_cert::der::Decode<'a> + x509_cert::der::oid::AssociatedOid,
    {
        let all = self.parsed.tbs_certificate.extensions.iter().flatten();
        let mut same = all.filter(|e| e.extn_id == T::OID);
        same.all(|e| T::from_der(e.extn_value.as_bytes()).is_ok())
    }

    /// The names that it is for; `None`: it has no extension for them.
    fn alternatives(&self) -> Option<Vec<GeneralName>> {
        self.extension::<SubjectAltName>().map(|names| names.0)
    }
}

const ECDSA: &str = "x509: ECDSA verification failure";

fn insecure(oid: &str) -> String {
    match oid {
        "1.2.840.113549.1.1.5" => {
            "x509: cannot verify signature: insecure algorithm SHA1-RSA".to_owned()
        }
        "1.2.840.113549.1.1.4" => {
            "x509: cannot verify signature: insecure algorithm MD5-RSA".to_owned()
        }
        _ => "x509: cannot verify signature: algorithm unimplemented".to_owned(),
    }
}

/// The signatures of handshakes that [`Cert::signed_handshake`] knows, for rustls' verifiers.
pub fn schemes() -> Vec<SignatureScheme> {
    use SignatureScheme as S;
    vec![
        S::ECDSA_NISTP256_SHA256,
        S::ECDSA_NISTP384_SHA384,
        S::ED25519,
        S::RSA_PSS_SHA256,
        S::RSA_PSS_SHA384,
        S::RSA_PSS_SHA512,
        S::RSA_PKCS1_SHA256,
        S::RSA_PKCS1_SHA384,
        S::RSA_PKCS1_SHA512,
    ]
}

/// Checks the signature of a handshake, for rustls' verifiers.
///
/// # Errors
/// When the certificate's key did not make it.
pub fn check_handshake(
    der: &[u8],
    message: &[u8],
    signed: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, rustls::Error> {
    let good = Cert::new(der)
        .is_ok_and(|cert| cert.signed_handshake(signed.scheme, message, signed.signature()));
    let bad = || rustls::Error::General("tls: invalid signature by the server certificate".into());
    good.then(HandshakeSignatureValid::assertion).ok_or_else(bad)
}

/// Judges what a peer presented, its own certificate first.
///
/// # Errors
/// In Go's words, without `tls: failed to verify certificate: `.
pub fn verify(
    presented: &[Cert],
    roots: &[Cert],
    name: Option<&ServerName<'_>>,
    purpose: Purpose,
    now: Timestamp,
) -> Result<(), String> {
    let Some(leaf) = presented.first() else {
        return Err("tls: peer presented no certificate".into());
    };
    in_time(leaf, now)?;
    if let Some(name) = name {
        names::matches(leaf, name)?;
    }
    if !roots.contains(leaf) {
        let mut search = Search { presented, roots, now, hint: None, tried: 0 };
        search.chain(&mut vec![leaf])?;
    }
    if !leaf.is_for(purpose) {
        return Err("x509: certificate specifies an incompatible key usage".into());
    }
    Ok(())
}

fn in_time(cert: &Cert, now: Timestamp) -> Result<(), String> {
    let (from, until) = cert.validity();
    let shown = |seconds| {
        let time = Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
        time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    };
    let (second, expired) = (now.as_second(), "x509: certificate has expired or is not yet valid");
    if second < from {
        return Err(format!("{expired}: current time {} is before {}", shown(second), shown(from)));
    }
    if second > until {
        return Err(format!("{expired}: current time {} is after {}", shown(second), shown(until)));
    }
    Ok(())
}

struct Search<'c> {
    presented: &'c [Cert],
    roots: &'c [Cert],
    now: Timestamp,
    /// Why an authority of the right name would not do, and its name.
    hint: Option<(String, String)>,
    tried: usize,
}

impl<'c> Search<'c> {
    /// Finds a way from the last of `chain` to a root.
    fn chain(&mut self, chain: &mut Vec<&'c Cert>) -> Result<(), String> {
        let mut late = None;
        let Some(last) = chain.last().copied() else { return Ok(()) };
        for (candidate, root) in
            (self.roots.iter().map(|c| (c, true))).chain(self.presented.iter().map(|c| (c, false)))
        {
            let names = |c: &Cert| c.parsed.tbs_certificate.subject.to_der().ok();
            if names(candidate) != last.parsed.tbs_certificate.issuer.to_der().ok()
                || chain.contains(&candidate)
            {
                continue;
            }
            self.tried += 1;
            if chain.len() >= DEPTH_MAX || self.tried > 100 {
                return Err("x509: signature check attempts limit reached while verifying \
                            certificate chain"
                    .into());
            }
            let hinted = |search: &mut Self, why: String| {
                let name = names::common_name(candidate).unwrap_or_else(|| "serial".into());
                search.hint.get_or_insert((why, name));
            };
            if let Err(why) = candidate.signed(last) {
                hinted(self, why);
                continue;
            }
            if let Err(why) = in_time(candidate, self.now) {
                hinted(self, why.clone());
                late = Some(why);
                continue;
            }
            if root {
                return Ok(());
            }
            chain.push(candidate);
            let found = self.chain(chain);
            chain.pop();
            if found.is_ok() {
                return Ok(());
            }
        }
        Err(late.unwrap_or_else(|| self.unknown()))
    }

    fn unknown(&self) -> String {
        let unknown = "x509: certificate signed by unknown authority";
        match &self.hint {
            None => unknown.to_owned(),
            Some((why, name)) => format!(
                "{unknown} (possibly because of {why:?} while trying to verify candidate authority \
                 certificate {name:?})"
            ),
        }
    }
}
