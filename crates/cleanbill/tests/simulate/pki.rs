//! Certificates of every kind, good and bad, made once.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

use crate::rows::Listens;

/// A certificate and its key, PEM.
#[derive(Clone)]
pub struct Pair {
    /// The certificate.
    pub certificate: String,
    /// The key.
    pub key: String,
}

/// All of them.
pub struct Pki {
    ca: Pair,
    other_ca: Pair,
    client: Pair,
    stranger: Pair,
    for_servers: Pair,
    servers: Vec<(Listens, Pair)>,
}

/// The one of this run.
pub fn pki() -> &'static Pki {
    static PKI: OnceLock<Pki> = OnceLock::new();
    PKI.get_or_init(Pki::new)
}

type Signer<'i> = Issuer<'i, KeyPair>;

impl Pki {
    fn new() -> Self {
        let (ca, issuer) = authority("simulated CA");
        let (other_ca, other) = authority("another CA");
        let server = |names: &[&str], days: (i64, i64), by: &Signer<'_>, usage| {
            leaf("localhost", names, days, by, usage)
        };
        let (servers, clients) =
            (ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth);
        let here: &[&str] = &["localhost", "127.0.0.1"];
        let now = (-1, 30);
        let kinds = vec![
            (Listens::Well, server(here, now, &issuer, servers.clone())),
            (Listens::WithoutSan, server(&[], now, &issuer, servers.clone())),
            (
                Listens::OtherHost,
                server(&["a.example", "b.example"], now, &issuer, servers.clone()),
            ),
            (Listens::Expired, server(here, (-30, -1), &issuer, servers.clone())),
            (Listens::NotYet, server(here, (1, 30), &issuer, servers.clone())),
            (Listens::OtherCa, server(here, now, &other, servers.clone())),
            (Listens::ForClients, server(here, now, &issuer, clients.clone())),
            (Listens::SelfSigned, self_signed(here)),
        ];
        Self {
            client: leaf("apiserver", &[], now, &issuer, clients.clone()),
            stranger: leaf("apiserver", &[], now, &other, clients),
            for_servers: leaf("apiserver", &[], now, &issuer, servers),
            ca,
            other_ca,
            servers: kinds,
        }
    }

    /// The server's certificate.
    pub fn server(&self, listens: Listens) -> &Pair {
        let found = self.servers.iter().find(|(kind, _)| *kind == listens);
        &found.unwrap_or(&self.servers[0]).1
    }

    /// The authority of clients.
    pub fn ca(&self) -> &str {
        &self.ca.certificate
    }

    /// The files of a folder.
    pub fn files(&self) -> Vec<(&'static str, &str)> {
        let own = self.server(Listens::SelfSigned);
        vec![
            ("ca.crt", &self.ca.certificate),
            ("other-ca.crt", &self.other_ca.certificate),
            ("self-signed.crt", &own.certificate),
            ("client.crt", &self.client.certificate),
            ("client.key", &self.client.key),
            ("stranger.crt", &self.stranger.certificate),
            ("stranger.key", &self.stranger.key),
            ("for-servers.crt", &self.for_servers.certificate),
            ("for-servers.key", &self.for_servers.key),
            ("empty", ""),
            ("garbage", "this is no certificate\n"),
            ("token", "a-token\n"),
        ]
    }

    /// One of them as a kubeconfig holds it inline.
    pub fn base64(&self, name: &str) -> String {
        let text = match name {
            "ca" => &self.ca.certificate,
            "client" => &self.client.certificate,
            _ => &self.client.key,
        };
        base64::engine::general_purpose::STANDARD.encode(text)
    }
}

fn params(name: &str, names: &[&str], (from, until): (i64, i64)) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|&n| n.to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let day = |days: i64| {
        let time = Duration::from_secs(days.unsigned_abs() * 86_400);
        let now = SystemTime::now();
        if days < 0 { now - time } else { now + time }
    };
    params.not_before = day(from).into();
    params.not_after = day(until).into();
    params
}

fn authority(name: &str) -> (Pair, Signer<'static>) {
    let key = KeyPair::generate().unwrap();
    let mut params = params(name, &[], (-1, 30));
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let certificate = params.self_signed(&key).unwrap().pem();
    let pair = Pair { certificate, key: key.serialize_pem() };
    (pair, Issuer::new(params, key))
}

fn leaf(
    name: &str,
    names: &[&str],
    days: (i64, i64),
    by: &Signer<'_>,
    usage: ExtendedKeyUsagePurpose,
) -> Pair {
    let key = KeyPair::generate().unwrap();
    let mut params = params(name, names, days);
    params.extended_key_usages = vec![usage];
    let certificate = params.signed_by(&key, by).unwrap().pem();
    Pair { certificate, key: key.serialize_pem() }
}

/// As `openssl req -x509` makes it: its own authority.
fn self_signed(names: &[&str]) -> Pair {
    let key = KeyPair::generate().unwrap();
    let mut params = params("localhost", names, (-1, 30));
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = params.self_signed(&key).unwrap().pem();
    Pair { certificate, key: key.serialize_pem() }
}
