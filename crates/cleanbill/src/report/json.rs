//! Trivy's JSON, schema 2, plus `Gaps` and `Cleanbill` at the top and `Cleanbill` in each
//! vulnerability. Fields that Cleanbill has no facts for (descriptions, titles, CWEs) are absent.
//!
//! Everything but printable ASCII is written as `\uXXXX`, so that showing the file steers no
//! terminal.

use serde::Serialize;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use cleanbill_core::digest::Digest;
use cleanbill_core::finding::{Finding, Status};
use cleanbill_core::package::{Package, PackageKind};
use cleanbill_core::severity::Severity;

use crate::failure::{Failure, Result};
use crate::report::lines::fixed;
use crate::report::targets::{Examined, Target};
use crate::report::{ImageMetadata, ScanReport, View};

/// The schema that Trivy has used since 0.20.
const SCHEMA: u8 = 2;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Report {
    schema_version: u8,
    #[serde(rename = "ReportID")]
    report_id: String,
    created_at: String,
    #[serde(rename = "ArtifactID", skip_serializing_if = "Option::is_none")]
    artifact_id: Option<String>,
    artifact_name: String,
    artifact_type: &'static str,
    metadata: Value,
    results: Vec<Value>,
    gaps: Vec<Value>,
    cleanbill: Value,
}

/// The whole report.
///
/// # Errors
/// When the image's configuration is no JSON after all.
pub fn write(view: &View<'_>) -> Result<String> {
    let report = view.report;
    let artifact = report.image.as_ref().map(artifact_id);
    let gap = |g: &&cleanbill_core::gap::Gap| {
        json!({"Kind": g.kind.as_str(), "Subject": g.subject, "Detail": g.detail,
               "NextStep": g.kind.next_step()})
    };
    let whole = Report {
        schema_version: SCHEMA,
        report_id: report_id(report),
        created_at: report.created_at.to_string(),
        artifact_name: report.artifact_name.clone(),
        artifact_type: if report.image.is_some() { "container_image" } else { "filesystem" },
        metadata: metadata(report)?,
        results: view.targets.iter().map(|t| result(view, t, artifact.as_deref())).collect(),
        artifact_id: artifact,
        gaps: view.gaps().iter().map(gap).collect(),
        cleanbill: cleanbill(report),
    };
    let text = serde_json::to_string_pretty(&whole)
        .map_err(|e| Failure::new(format!("cannot put the report into JSON: {e}")))?;
    Ok(ascii(&text) + "\n")
}

/// Outside its strings JSON is ASCII already, so what is not can be escaped where it stands.
pub fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | ' '..='~' => out.push(c),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    out
}

fn sha256(text: &str) -> String {
    Digest::Sha256(Sha256::digest(text.as_bytes()).into()).to_string()
}

/// Trivy's: the image's id and, where it has a name, the repository as Go libraries write it.
fn artifact_id(image: &ImageMetadata) -> String {
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
fn report_id(report: &ScanReport) -> String {
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

fn metadata(report: &ScanReport) -> Result<Value> {
    let mut out = Map::new();
    if let Some(d) = &report.inventory.distribution {
        let mut os = json!({"Family": d.id, "Name": d.version});
        if report.end_of_life().is_some() {
            os["EOSL"] = true.into();
        }
        out.insert("OS".into(), os);
    }
    let Some(image) = &report.image else { return Ok(out.into()) };
    let config: Value = serde_json::from_slice(&image.config).map_err(|e| {
        Failure::new(format!("the configuration of {} is no JSON: {e}", report.artifact_name))
    })?;
    out.insert("ImageID".into(), image.image_id.to_string().into());
    let diff_ids: Vec<String> = image.layers.iter().map(|l| l.diff_id.to_string()).collect();
    out.insert("DiffIDs".into(), diff_ids.into());
    for (name, list) in [("RepoTags", &image.repo_tags), ("RepoDigests", &image.repo_digests)] {
        if !list.is_empty() {
            out.insert(name.into(), list.clone().into());
        }
    }
    if let Some(reference) = image.reference.as_ref().or_else(|| image.repo_tags.first()) {
        out.insert("Reference".into(), reference.clone().into());
    }
    out.insert("ImageConfig".into(), config);
    let layer = |l: &crate::report::LayerMetadata| {
        let mut out = Map::new();
        if let Some(size) = l.size {
            out.insert("Size".into(), size.into());
        }
        if let Some(blob) = l.blob {
            out.insert("Digest".into(), blob.to_string().into());
        }
        out.insert("DiffID".into(), l.diff_id.to_string().into());
        Value::from(out)
    };
    out.insert("Layers".into(), image.layers.iter().map(layer).collect());
    Ok(out.into())
}

fn result(view: &View<'_>, target: &Target<'_>, artifact: Option<&str>) -> Value {
    let mut out = Map::new();
    out.insert("Target".into(), target.name.clone().into());
    out.insert("Class".into(), target.class.into());
    out.insert("Type".into(), target.kind.clone().into());
    if view.filter.packages && !target.packages.is_empty() {
        let blobs = view.report.image.as_ref();
        out.insert("Packages".into(), target.packages.iter().map(|p| package(p, blobs)).collect());
    }
    if !target.findings.is_empty() {
        let found = target.findings.iter();
        let image = view.report.image.as_ref();
        let all = found.map(|f| vulnerability(f, target, artifact.unwrap_or_default(), image));
        out.insert("Vulnerabilities".into(), all.collect());
    }
    if target.examined == Examined::InPart {
        out.insert("Cleanbill".into(), json!({"ExaminedInPart": true}));
    }
    out.into()
}

/// Trivy's package id: name and version (rpm: without epoch, with architecture), and none for
/// installed Python packages.
pub(super) fn package_id(package: &Package) -> Option<String> {
    let (name, version) = (&package.name, &package.version);
    match package.kind {
        PackageKind::Apk | PackageKind::Deb | PackageKind::Npm | PackageKind::Go => {
            Some(format!("{name}@{version}"))
        }
        PackageKind::Rpm => {
            let version = version.split_once(':').map_or(version.as_str(), |(_, rest)| rest);
            let arch = package.arch.as_ref().map(|arch| format!(".{arch}"));
            Some(format!("{name}@{version}{}", arch.unwrap_or_default()))
        }
        PackageKind::Python => None,
    }
}

fn identifier(package: &Package) -> Value {
    let mut uid = sha256(&format!("{} {}", package.purl, package.evidence));
    uid = uid.chars().skip("sha256:".len()).take(16).collect();
    json!({"PURL": package.purl, "UID": uid})
}

/// Only files of which each holds one package are named by path, as in Trivy.
fn file_path(package: &Package) -> Option<&str> {
    match package.kind {
        PackageKind::Npm | PackageKind::Python => Some(&package.evidence),
        PackageKind::Apk | PackageKind::Deb | PackageKind::Rpm | PackageKind::Go => None,
    }
}

/// The stored digest only where the source stores blobs by digest.
fn layer(package: &Package, image: Option<&ImageMetadata>) -> Option<Value> {
    let id = package.layer?;
    let mut out = Map::new();
    let known = |i: &ImageMetadata| i.layers.iter().any(|l| l.blob == Some(id.blob));
    if image.is_some_and(known) {
        out.insert("Digest".into(), id.blob.to_string().into());
    }
    out.insert("DiffID".into(), id.diff_id.to_string().into());
    Some(out.into())
}

fn put(out: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        out.insert(name.into(), value.into());
    }
}

fn package(package: &Package, image: Option<&ImageMetadata>) -> Value {
    let mut out = Map::new();
    put(&mut out, "ID", package_id(package));
    put(&mut out, "Name", Some(package.name.clone()));
    put(&mut out, "Identifier", Some(identifier(package)));
    version(&mut out, "", package.kind, &package.version);
    put(&mut out, "Arch", package.arch.clone());
    put(&mut out, "Maintainer", package.vendor.clone());
    put(&mut out, "Modularitylabel", package.module.clone());
    if package.kind.is_os() {
        put(&mut out, "SrcName", Some(package.source_name()));
        version(&mut out, "Src", package.kind, package.source_version());
    }
    put(&mut out, "Layer", layer(package, image));
    put(&mut out, "FilePath", file_path(package));
    let analyser = match package.kind {
        PackageKind::Apk => "apk",
        PackageKind::Deb => "dpkg",
        PackageKind::Rpm => "rpm",
        PackageKind::Python => "python-pkg",
        PackageKind::Npm => "node-pkg",
        PackageKind::Go => "gobinary",
    };
    put(&mut out, "AnalyzedBy", Some(analyser));
    out.into()
}

/// A version as Trivy writes it: dpkg's and rpm's in three fields (epoch, upstream version,
/// revision or release), all others in one.
pub(super) fn version(out: &mut Map<String, Value>, prefix: &str, kind: PackageKind, text: &str) {
    let (epoch, upstream, release) = match kind {
        PackageKind::Deb | PackageKind::Rpm => {
            let (epoch, rest) = match text.split_once(':') {
                Some((epoch, rest)) => (epoch.parse::<u64>().ok(), rest),
                None => (None, text),
            };
            let (upstream, release) =
                rest.rsplit_once('-').map_or((rest, None), |(u, r)| (u, Some(r)));
            (epoch.filter(|e| *e > 0), upstream, release)
        }
        PackageKind::Apk | PackageKind::Python | PackageKind::Npm | PackageKind::Go => {
            (None, text, None)
        }
    };
    put(out, &format!("{prefix}Version"), Some(upstream));
    put(out, &format!("{prefix}Release"), release);
    put(out, &format!("{prefix}Epoch"), epoch);
}

fn vulnerability(
    finding: &Finding,
    target: &Target<'_>,
    artifact: &str,
    image: Option<&ImageMetadata>,
) -> Value {
    let package = &finding.package;
    let id = package_id(package);
    let seed = [artifact, &target.name, id.as_deref().unwrap_or_default(), &finding.id].join(":");
    let mut out = Map::new();
    put(&mut out, "VulnerabilityID", Some(finding.id.clone()));
    put(&mut out, "VendorIDs", Some(finding.errata.clone()).filter(|e| !e.is_empty()));
    put(&mut out, "PkgID", id.clone());
    put(&mut out, "PkgName", Some(package.name.clone()));
    put(&mut out, "PkgPath", file_path(package));
    put(&mut out, "PkgIdentifier", Some(identifier(package)));
    put(&mut out, "InstalledVersion", Some(package.version.clone()));
    put(&mut out, "FixedVersion", Some(fixed(finding)).filter(|f| !f.is_empty()));
    put(&mut out, "Status", Some(finding.status.as_str()));
    put(&mut out, "Layer", layer(package, image));
    let (severities, vectors) = ratings(finding);
    put(&mut out, "SeveritySource", Some(finding.rated_by.as_str()).filter(|by| !by.is_empty()));
    put(&mut out, "PrimaryURL", url(&finding.id));
    put(&mut out, "DataSource", Some(json!({"ID": finding.why.feed, "Name": finding.why.feed})));
    put(&mut out, "Fingerprint", Some(sha256(&seed)));
    put(&mut out, "Severity", Some(finding.severity.as_str()));
    put(&mut out, "VendorSeverity", Some(severities).filter(|all| !all.is_empty()));
    put(&mut out, "CVSS", Some(vectors).filter(|all| !all.is_empty()));
    put(&mut out, "PublishedDate", finding.published.map(|t| t.to_string()));
    put(&mut out, "LastModifiedDate", finding.modified.map(|t| t.to_string()));
    let why = &finding.why;
    let ours = json!({
        "Aliases": finding.aliases,
        "KnownExploited": finding.known_exploited,
        "EPSS": finding.epss.map(|epss| json!({
            "Probability": f64::from(epss.probability) / 1e5,
            "Percentile": f64::from(epss.percentile) / 1e5,
        })),
        "FixKnown": finding.status == Status::Fixed,
        "Evidence": package.evidence,
        "Why": {"Feed": why.feed, "Stream": why.stream.to_string(), "LookedUp": why.looked_up,
                "Compared": why.compared, "Range": why.range},
    });
    put(&mut out, "Cleanbill", Some(ours));
    out.into()
}

/// All severities and vectors by who gave them, in Trivy's form: the one that counts, and others'.
fn ratings(finding: &Finding) -> (Map<String, Value>, Map<String, Value>) {
    let (mut severities, mut vectors) = (Map::new(), Map::new());
    // A vector that could not be computed has been rated by nobody.
    let by = if finding.rated_by.is_empty() { &finding.why.feed } else { &finding.rated_by };
    let own = (by, finding.severity, finding.cvss.as_ref());
    let others = finding.ratings.iter().map(|r| (&r.source, r.severity, r.cvss.as_ref()));
    for (source, severity, vector) in others.chain([own]) {
        if severity != Severity::Unknown {
            severities.insert(source.clone(), json!(severity as u8));
        }
        if let Some(vector) = vector {
            let name = match vector.get(..6) {
                Some("CVSS:3") => "V3Vector",
                Some("CVSS:4") => "V40Vector",
                _ => "V2Vector",
            };
            vectors.insert(source.clone(), json!({name: vector}));
        }
    }
    (severities, vectors)
}

/// Where a person can read about it. Only ids of a known shape, so that no feed writes links.
fn url(id: &str) -> Option<String> {
    if !id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return None;
    }
    let place = if id.starts_with("CVE-") {
        "https://nvd.nist.gov/vuln/detail/"
    } else {
        "https://osv.dev/vulnerability/"
    };
    Some(format!("{place}{id}"))
}

fn cleanbill(report: &ScanReport) -> Value {
    let feeds: Vec<Value> = report
        .evidence
        .feeds
        .iter()
        .map(|f| json!({"ID": f.feed, "AsOf": f.as_of.map(|t| t.to_string())}))
        .collect();
    json!({
        "Version": env!("CARGO_PKG_VERSION"),
        "Snapshot": {
            "Digest": report.snapshot.id.digest.to_string(),
            "Starter": report.snapshot.id.starter,
            "File": report.snapshot.file.as_ref().map(|f| f.display().to_string()),
            "Feeds": feeds,
        },
        "Platform": report.evidence.platform.as_ref().map(ToString::to_string),
        "Digest": report.evidence.digest.to_string(),
    })
}
