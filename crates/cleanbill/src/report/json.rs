//! Trivy's JSON, schema 2, plus `Gaps` and `Cleanbill` at the top and `Cleanbill` in each
//! vulnerability. Fields that Cleanbill has no facts for (descriptions, titles, CWEs) are absent.
//!
//! Everything but printable ASCII is written as `\uXXXX`, so that showing the file steers no
//! terminal.

pub(super) mod ids;

use serde::Serialize;
use serde_json::{Map, Value, json};

use cleanbill_advisory::base_score;
use cleanbill_core::finding::{Finding, Status};
use cleanbill_core::package::{Package, PackageKind};
use cleanbill_core::severity::Severity;
use cleanbill_core::suppression::{By, Remark};

use self::ids::{artifact_id, identifier, package_id, report_id, sha256};
use crate::failure::{Failure, Result};
use crate::report::lines::fixed;
use crate::report::suppressed::{self, Said};
use crate::report::targets::{Examined, Target, language};
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
        cleanbill: cleanbill(view),
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
    let image = view.report.image.as_ref();
    let mut out = Map::new();
    out.insert("Target".into(), target.name.clone().into());
    out.insert("Class".into(), target.class.into());
    out.insert("Type".into(), target.kind.clone().into());
    if view.filter.packages && !target.packages.is_empty() {
        out.insert("Packages".into(), target.packages.iter().map(|p| package(p, image)).collect());
    }
    if !target.findings.is_empty() {
        let one = |f: &&Finding| vulnerability(f, target, artifact.unwrap_or_default(), image);
        out.insert("Vulnerabilities".into(), target.findings.iter().map(one).collect());
    }
    if view.filter.suppressed && !target.suppressed.is_empty() {
        let one = |(f, by): &(&Finding, By<'_>)| {
            let said = Said::by(by);
            let finding = vulnerability(f, target, artifact.unwrap_or_default(), image);
            json!({"Type": "vulnerability", "Status": said.status, "Statement": said.statement,
                   "Source": said.source, "Finding": finding, "Cleanbill": said.fields()})
        };
        let all = target.suppressed.iter().map(one).collect();
        out.insert("ExperimentalModifiedFindings".into(), all);
    }
    let mut ours = Map::new();
    if target.examined == Examined::InPart {
        ours.insert("ExaminedInPart".into(), true.into());
    }
    if !target.remarks.is_empty() {
        let one = |(f, remark): &(&Finding, Remark<'_>)| {
            json!({"VulnerabilityID": f.id, "PkgIdentifier": identifier(&f.package),
                   "Said": Said::remark(remark).fields()})
        };
        ours.insert("Said".into(), target.remarks.iter().map(one).collect());
    }
    if !ours.is_empty() {
        out.insert("Cleanbill".into(), ours.into());
    }
    out.into()
}

/// Only files of which each holds one package are named by path, as in Trivy.
fn file_path(package: &Package) -> Option<&str> {
    language(package.kind).filter(|of| of.target.is_some()).map(|_| &*package.evidence)
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
    let own = if package.kind == PackageKind::Deb { "dpkg" } else { package.kind.as_str() };
    let analyser = language(package.kind).map_or(own, |of| of.kind);
    put(&mut out, "AnalyzedBy", Some(analyser));
    out.into()
}

/// A version as Trivy writes it: dpkg's and rpm's in three fields (epoch, upstream version,
/// revision or release), all others in one.
pub(super) fn version(out: &mut Map<String, Value>, prefix: &str, kind: PackageKind, text: &str) {
    let (epoch, upstream, release) = if matches!(kind, PackageKind::Deb | PackageKind::Rpm) {
        let (epoch, rest) = match text.split_once(':') {
            Some((epoch, rest)) => (epoch.parse::<u64>().ok(), rest),
            None => (None, text),
        };
        let (upstream, release) = rest.rsplit_once('-').map_or((rest, None), |(u, r)| (u, Some(r)));
        (epoch.filter(|e| *e > 0), upstream, release)
    } else {
        (None, text, None)
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
            let version = match vector.get(..6) {
                Some("CVSS:3") => "V3",
                Some("CVSS:4") => "V40",
                _ => "V2",
            };
            let mut of = Map::new();
            of.insert(format!("{version}Vector"), json!(vector));
            // One that cannot be computed has no score.
            if let Some(score) = base_score(vector) {
                of.insert(format!("{version}Score"), json!(score));
            }
            vectors.insert(source.clone(), Value::Object(of));
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

fn cleanbill(view: &View<'_>) -> Value {
    let report = view.report;
    let feeds: Vec<Value> = report
        .evidence
        .feeds
        .iter()
        .map(|f| json!({"ID": f.feed, "AsOf": f.as_of.map(|t| t.to_string())}))
        .collect();
    let mut out = json!({
        "Version": env!("CARGO_PKG_VERSION"),
        "Snapshot": {
            "Digest": report.snapshot.id.digest.to_string(),
            "Starter": report.snapshot.id.starter,
            "File": report.snapshot.file.as_ref().map(|f| f.display().to_string()),
            "Feeds": feeds,
        },
        "Platform": report.evidence.platform.as_ref().map(ToString::to_string),
        "Digest": report.evidence.digest.to_string(),
    });
    if let Some(suppressed) = suppressed::json(view) {
        out["Suppressed"] = suppressed;
    }
    out
}
