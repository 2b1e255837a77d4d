//! Ids that other tools key on, computed as Trivy does where that is known.

use cleanbill_core::digest::Digest;
use cleanbill_core::package::{Package, PackageKind};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::report::{ImageMetadata, ScanReport};

/// The digest of a text, written out.
pub(super) fn sha256(text: &str) -> String {
    Digest::Sha256(Sha256::digest(text.as_bytes()).into()).to_string()
}

/// Trivy's: the image's id and, where it has a name, the repository as Go libraries write it.
pub(super) fn artifact_id(image: &ImageMetadata) -> String {
    let name = image.reference.as_ref().or_else(|| image.repo_tags.first());
    let parsed = name.and_then(|n| n.parse::<cleanbill_core::reference::ImageRef>().ok());
    match parsed {
        Some(name) => {
            let registry = match name.registry() {
                "docker.io" => "index.docker.io",
                other => other,
            };
            sha256(&format!("{}:{registry}/{}", image.image_id, name.repository()))
        }
        None => image.image_id.to_string(),
    }
}

/// A UUID of version 8 (RFC 9562) made of what the report rests on: the same scan of the same
/// thing at the same time has the same id.
pub(super) fn report_id(report: &ScanReport) -> String {
    let seed = format!(
        "{} {} {} {}",
        report.created_at, report.artifact_name, report.evidence.digest, report.snapshot.id.digest
    );
    let hash = Sha256::digest(seed.as_bytes());
    let mut bytes = [0u8; 16];
    for (to, from) in bytes.iter_mut().zip(hash.iter()) {
        *to = *from;
    }
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    let part = |range| hex.get(range).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0..8), part(8..12), part(12..16), part(16..20), part(20..32))
}

/// Trivy's package id: name and version (rpm: without epoch, with architecture; Java: with colons), and
/// none for installed Python packages.
pub(in crate::report) fn package_id(package: &Package) -> Option<String> {
    let (name, version) = (&package.name, &package.version);
    match package.kind {
        PackageKind::Rpm => {
            let version = version.split_once(':').map_or(version.as_str(), |(_, rest)| rest);
            let arch = package.arch.as_ref().map(|arch| format!(".{arch}"));
            Some(format!("{name}@{version}{}", arch.unwrap_or_default()))
        }
        PackageKind::Python => None,
        PackageKind::Maven => Some(format!("{name}:{version}")),
        PackageKind::Apk
        | PackageKind::Deb
        | PackageKind::Npm
        | PackageKind::Go
        | PackageKind::Cargo
        | PackageKind::Gem
        | PackageKind::NuGet
        | PackageKind::Composer
        | PackageKind::Hex
        | PackageKind::Pub
        | PackageKind::Swift
        | PackageKind::Bitnami => Some(format!("{name}@{version}")),
    }
}

/// The package's URL, and an id of our own.
pub(super) fn identifier(package: &Package) -> Value {
    let mut uid = sha256(&format!("{} {}", package.purl, package.evidence));
    uid = uid.chars().skip("sha256:".len()).take(16).collect();
    json!({"PURL": package.purl, "UID": uid})
}
