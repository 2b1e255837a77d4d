//! Ed25519 keys (RFC 8032) as files hold them: PKCS#8 (RFC 5958) and SubjectPublicKeyInfo
//! (RFC 8410), both in PEM. Must not read or write files, and must not show a private key.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cleanbill_core::digest::Digest;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use rustls_pki_types::pem::{SectionKind, SliceIter};

use crate::error::{Error, ErrorKind, Result};

/// Bytes that a key's file may have.
pub const FILE_MAX: usize = 16 << 10;
/// Bytes of a signature.
pub const SIGNATURE_LEN: usize = 64;
const KEY_LEN: usize = 32;
/// What stands before the 32 bytes of a private key in PKCS#8 version 1, which openssl reads;
/// version 2, which ring writes, it does not.
const PKCS8: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
/// What stands before the 32 bytes of a public key in its SubjectPublicKeyInfo.
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// A private key. It has no accessor for its secret but [`SigningKey::to_pem`], and its `Debug`
/// shows the public key's id.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    pkcs8: Vec<u8>,
}

impl SigningKey {
    /// A new key from the system's randomness.
    ///
    /// # Errors
    /// [`ErrorKind::Random`] when the system gives none.
    pub fn generate() -> Result<Self> {
        let mut seed = [0; KEY_LEN];
        random(&mut seed)?;
        Self::from_der([&PKCS8[..], &seed].concat())
    }

    /// Reads a key that [`SigningKey::to_pem`] or `openssl genpkey -algorithm ED25519` wrote.
    ///
    /// # Errors
    /// [`ErrorKind::Key`] when it is no PEM with exactly one PKCS#8 key, or the key is not
    /// Ed25519, or is encrypted.
    pub fn from_pem(pem: &[u8]) -> Result<Self> {
        Self::from_der(only(pem, SectionKind::PrivateKey)?)
    }

    fn from_der(pkcs8: Vec<u8>) -> Result<Self> {
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&pkcs8).map_err(|_| {
            unusable("it is no Ed25519 key in PKCS#8: make one with `cleanbill keygen`")
        })?;
        Ok(Self { pair, pkcs8 })
    }

    /// The private key as PEM. Whoever writes it down takes care that nobody else reads it.
    pub fn to_pem(&self) -> String {
        to_pem("PRIVATE KEY", &self.pkcs8)
    }

    /// The key that verifies what this one signs.
    pub fn public(&self) -> PublicKey {
        let mut key = [0; KEY_LEN];
        // Always as long: an Ed25519 public key.
        key.iter_mut().zip(self.pair.public_key().as_ref()).for_each(|(to, from)| *to = *from);
        PublicKey(key)
    }

    /// Signs a message. Callers separate their domains: see [`crate::dsse::pae`].
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(message).as_ref().to_vec()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public().id())
    }
}

/// A public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicKey([u8; KEY_LEN]);

impl PublicKey {
    /// Reads a key that [`PublicKey::to_pem`] or `openssl pkey -pubout` wrote.
    ///
    /// # Errors
    /// [`ErrorKind::Key`] when it is no PEM with exactly one public key, or it is not Ed25519.
    pub fn from_pem(pem: &[u8]) -> Result<Self> {
        let der = only(pem, SectionKind::PublicKey)?;
        der.strip_prefix(&SPKI)
            .and_then(|key| key.try_into().ok())
            .map(Self)
            .ok_or_else(|| unusable("it is a public key, but not an Ed25519 one"))
    }

    /// The key as PEM.
    pub fn to_pem(&self) -> String {
        to_pem("PUBLIC KEY", &self.der())
    }

    /// What the key is called: the SHA-256 of its SubjectPublicKeyInfo in DER, so
    /// `openssl pkey -pubin -in FILE -outform DER | sha256sum` gives the same.
    /// [`Digest::short`] is what people are shown.
    pub fn id(&self) -> Digest {
        let mut id = [0; 32];
        id.iter_mut().zip(digest(&SHA256, &self.der()).as_ref()).for_each(|(to, from)| *to = *from);
        Digest::Sha256(id)
    }

    fn der(&self) -> Vec<u8> {
        [&SPKI[..], &self.0].concat()
    }

    /// Whether this key signed the message.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0).verify(message, signature).is_ok()
    }
}

/// Fills `bytes` with the system's randomness.
pub(crate) fn random(bytes: &mut [u8]) -> Result<()> {
    SystemRandom::new()
        .fill(bytes)
        .map_err(|_| Error::new(ErrorKind::Random, "the system gives no random numbers"))
}

/// The only section of a PEM file, which must be of this kind. Causes of the reader's are not
/// passed on, since they quote lines.
fn only(pem: &[u8], kind: SectionKind) -> Result<Vec<u8>> {
    if pem.len() > FILE_MAX {
        return Err(unusable(format!("its file has more than {FILE_MAX} bytes")));
    }
    let mut sections = SliceIter::<(SectionKind, Vec<u8>)>::new(pem);
    let (first, more) = (sections.next(), sections.next());
    let secret = kind == SectionKind::PrivateKey;
    let label = if secret { "PRIVATE KEY" } else { "PUBLIC KEY" };
    let other = match (first, more) {
        (Some(Ok((found, der))), None) if found == kind => return Ok(der),
        (Some(Ok((SectionKind::PrivateKey, _))), None) => {
            "it is the private key: the public one is the file beside it that ends in .pub"
        }
        (Some(Ok((SectionKind::PublicKey, _))), None) => {
            "it is the public key: name the private one"
        }
        (Some(_), Some(_)) => "there is more than one section in its file",
        (Some(Err(_)), None) => "its PEM is damaged",
        (Some(Ok(_)), None) => "it is of another form",
        (None, _) if secret => {
            "there is no unencrypted PKCS#8 key in its file: make one with `cleanbill keygen`"
        }
        (None, _) => "there is no public key in its file",
    };
    Err(unusable(format!("{other} (expected: one PEM section `{label}`)")))
}

fn unusable(why: impl fmt::Display) -> Error {
    Error::new(ErrorKind::Key, format!("the key cannot be used: {why}"))
}

fn to_pem(label: &str, der: &[u8]) -> String {
    let mut pem = format!("-----BEGIN {label}-----\n");
    for (i, c) in STANDARD.encode(der).chars().enumerate() {
        if i > 0 && i % 64 == 0 {
            pem.push('\n');
        }
        pem.push(c);
    }
    pem.push_str(&format!("\n-----END {label}-----\n"));
    pem
}

#[cfg(test)]
mod tests {
    use super::{PublicKey, SigningKey};

    /// RFC 8032, 7.1, test 3: a key, a message, and the one signature that there is.
    #[test]
    fn the_rfcs_key_signs_as_the_rfc_says() {
        let unhex = |hex: &str| -> Vec<u8> {
            let pair = |i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap();
            (0..hex.len()).step_by(2).map(pair).collect()
        };
        let seed = unhex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7");
        let public = unhex("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025");
        let signature = unhex(
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac\
             18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        );
        let key = SigningKey::from_der([&super::PKCS8[..], &seed].concat()).unwrap();
        assert_eq!(key.public().0.to_vec(), public);
        assert_eq!(key.sign(&[0xaf, 0x82]), signature);
        assert!(key.public().verifies(&[0xaf, 0x82], &signature));
        assert!(!key.public().verifies(&[0xaf, 0x83], &signature));
    }

    #[test]
    fn keys_survive_their_files_and_are_all_different() {
        let key = SigningKey::generate().unwrap();
        let again = SigningKey::from_pem(key.to_pem().as_bytes()).unwrap();
        assert_eq!(key.to_pem(), again.to_pem());
        assert_eq!(PublicKey::from_pem(key.public().to_pem().as_bytes()), Ok(again.public()));
        assert_ne!(key.public().id(), SigningKey::generate().unwrap().public().id());
    }

    #[test]
    fn a_private_key_is_never_shown() {
        let key = SigningKey::generate().unwrap();
        assert_eq!(format!("{key:?}"), format!("SigningKey({})", key.public().id()));
        let swapped = PublicKey::from_pem(key.to_pem().as_bytes()).unwrap_err().to_string();
        let secret = key.to_pem();
        let secret = secret.lines().nth(1).unwrap();
        assert!(!swapped.contains(secret) && !swapped.contains(&secret[24..40]), "{swapped}");
    }

    #[test]
    fn what_is_no_key_says_what_it_is() {
        let key = SigningKey::generate().unwrap();
        let (private, public) = (key.to_pem(), key.public().to_pem());
        let p256 = super::to_pem("PUBLIC KEY", &[0x30; 91]);
        let v9 = super::to_pem("PRIVATE KEY", &[0x30; 48]);
        let secret = |pem: &str| SigningKey::from_pem(pem.as_bytes()).map(|_| ());
        let open = |pem: &str| PublicKey::from_pem(pem.as_bytes()).map(|_| ());
        let encrypted = private.replace("PRIVATE", "ENCRYPTED PRIVATE");
        let cut = &private[..private.len() - 30];
        let odd = private.replacen('M', "*", 1);
        let long = format!("{}{private}", "#".repeat(20_000));
        let table = [
            ("the public as private", secret(&public), "it is the public key"),
            ("the private as public", open(&private), "it is the private key"),
            ("encrypted", secret(&encrypted), "no unencrypted PKCS#8 key"),
            ("nothing", secret(""), "no unencrypted PKCS#8 key"),
            ("no public key", open("hello"), "there is no public key"),
            ("cut off", secret(cut), "damaged"),
            ("no base64", secret(&odd), "damaged"),
            ("two keys", secret(&private.repeat(2)), "more than one section"),
            ("a key and its certificate", open(&format!("{public}{private}")), "more than one"),
            ("another algorithm", open(&p256), "not an Ed25519 one"),
            ("another algorithm, private", secret(&v9), "no Ed25519 key"),
            ("an endless file", secret(&long), "more than 16384 bytes"),
        ];
        for (name, got, part) in table {
            let said = got.unwrap_err().to_string();
            assert!(said.starts_with("the key cannot be used: "), "{name}: {said}");
            assert!(said.contains(part), "{name}: {said}");
        }
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_key_files_never_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
            let _ = (SigningKey::from_pem(&bytes), PublicKey::from_pem(&bytes));
        }
    }
}
