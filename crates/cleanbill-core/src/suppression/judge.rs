//! Which findings are left out, by what.
//!
//! The order is Trivy's: status, ignore files, VEX. Of the VEX statements that are about a flaw
//! in a package,
//!
//! - in one document the latest counts, and of several of one time the most cautious;
//! - between documents, one that says "affected" outweighs all; else the first that says "not
//!   affected" or "fixed" counts. "Under investigation" contradicts nobody.

use std::collections::HashMap;
use std::sync::Arc;

use super::{By, Document, IgnoreEntry, IgnoreFile, Product, Remark, Rules, Ruling, Statement};
use super::{Stance, Subject};
use crate::Timestamp;
use crate::finding::Finding;
use crate::package::Package;
use crate::purl::PackageUrl;

/// An entry, and the file that it is in.
type Entry<'r> = (&'r IgnoreFile, &'r IgnoreEntry);

/// What becomes of each finding, in their order, in the image with these packages.
pub fn suppress<'r>(
    findings: &[Finding],
    rules: &'r Rules,
    subject: &Subject,
    packages: &[Package],
    now: Timestamp,
) -> Vec<Ruling<'r>> {
    let judge = Judge::new(rules, subject, packages, now);
    findings.iter().map(|f| judge.rule(f)).collect()
}

/// Rules made ready for one image, so that a finding meets only what names it.
#[derive(Debug)]
pub struct Judge<'r> {
    rules: &'r Rules,
    now: Timestamp,
    /// By the flaw's id in upper case.
    ignored: HashMap<String, Vec<Entry<'r>>>,
    /// By the flaw's id in upper case and the name of the package; the empty name is the whole
    /// image.
    stated: HashMap<String, HashMap<&'r str, Vec<Candidate<'r>>>>,
}

/// A statement that may be about a finding.
#[derive(Clone, Debug)]
struct Candidate<'r> {
    /// The document's position.
    document: usize,
    statement: &'r Statement,
    /// The package that must be meant; `None`: any of the image.
    package: Option<&'r PackageUrl>,
    /// The programs that it must be part of; `None`: wherever it is.
    within: Option<Arc<[String]>>,
}

impl<'r> Judge<'r> {
    /// Makes rules ready for an image with these packages.
    pub fn new(rules: &'r Rules, subject: &Subject, packages: &[Package], now: Timestamp) -> Self {
        let mut ignored: HashMap<String, Vec<_>> = HashMap::new();
        for file in &rules.ignore_files {
            for entry in &file.entries {
                ignored.entry(key(&entry.id)).or_default().push((file, entry));
            }
        }
        let mut judge = Self { rules, now, ignored, stated: HashMap::new() };
        let mut programs = Programs { packages, by_name: None };
        for (document, of) in rules.documents.iter().enumerate() {
            for statement in &of.statements {
                for product in &statement.products {
                    judge.add(document, statement, product, subject, &mut programs);
                }
            }
        }
        judge
    }

    fn add(
        &mut self,
        document: usize,
        statement: &'r Statement,
        product: &'r Product,
        subject: &Subject,
        programs: &mut Programs<'_>,
    ) {
        let is_image = product.purl.kind() == "oci";
        if is_image && !subject.is_named_by(&product.purl) {
            return;
        }
        let within = match (is_image, product.subcomponents.is_empty()) {
            (true, _) | (false, true) => None,
            (false, false) => {
                let files = programs.of(&product.purl);
                if files.is_empty() {
                    return;
                }
                Some(files.into())
            }
        };
        let mut put = |name, package| {
            let candidate = Candidate { document, statement, package, within: within.clone() };
            for flaw in statement.flaws.iter() {
                let of_flaw = self.stated.entry(key(flaw)).or_default();
                of_flaw.entry(name).or_default().push(candidate.clone());
            }
        };
        match (is_image, product.subcomponents.as_slice()) {
            (true, []) => put("", None),
            (false, []) => put(product.purl.name(), Some(&product.purl)),
            (_, parts) => parts.iter().for_each(|part| put(part.name(), Some(part))),
        }
    }

    /// What becomes of a finding.
    pub fn rule(&self, finding: &Finding) -> Ruling<'r> {
        if self.rules.only_fixed && finding.status != crate::finding::Status::Fixed {
            return Ruling::Suppressed(By::Unfixed);
        }
        if self.rules.statuses.contains(&finding.status) {
            return Ruling::Suppressed(By::Status(finding.status));
        }
        let purl: Option<PackageUrl> = finding.package.purl.parse().ok();
        let (entry, expired) = self.entry(finding, purl.as_ref());
        if let Some((file, entry)) = entry {
            return Ruling::Suppressed(By::Ignored(file, entry));
        }
        match (self.statement(finding, purl.as_ref()), expired) {
            (Some((document, statement)), _) if statement.stance.suppresses() => {
                Ruling::Suppressed(By::Vex(document, statement))
            }
            (_, Some((file, entry))) => Ruling::CountsThough(Remark::Expired(file, entry)),
            (Some((document, statement)), None) => {
                Ruling::CountsThough(Remark::Vex(document, statement))
            }
            (None, None) => Ruling::Counts,
        }
    }

    /// What the caller gave.
    pub(super) fn rules(&self) -> &'r Rules {
        self.rules
    }

    /// The time of judging.
    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    /// Whether a statement is about a finding, whatever else is said of it.
    pub(super) fn is_about(&self, statement: &Statement, finding: &Finding) -> bool {
        let purl: Option<PackageUrl> = finding.package.purl.parse().ok();
        self.candidates(finding, purl.as_ref()).any(|c| std::ptr::eq(c.statement, statement))
    }

    /// The first entry of an ignore file that holds, and the first that no longer does.
    fn entry(
        &self,
        finding: &Finding,
        purl: Option<&PackageUrl>,
    ) -> (Option<Entry<'r>>, Option<Entry<'r>>) {
        let mut expired = None;
        for id in ids(finding) {
            for (file, entry) in self.ignored.get(&id).into_iter().flatten() {
                let path = |p: &super::PathPattern| p.matches(&finding.package.evidence);
                let package = |p: &PackageUrl| purl.is_some_and(|found| p.covers(found));
                let meant = (entry.paths.is_empty() || entry.paths.iter().any(path))
                    && (entry.purls.is_empty() || entry.purls.iter().any(package));
                match entry.expires {
                    _ if !meant => {}
                    Some(end) if self.now > end => {
                        expired = expired.or(Some((*file, *entry)));
                    }
                    Some(_) | None => return (Some((*file, *entry)), expired),
                }
            }
        }
        (None, expired)
    }

    /// The VEX statement that counts for a finding.
    fn statement(
        &self,
        finding: &Finding,
        purl: Option<&PackageUrl>,
    ) -> Option<(&'r Document, &'r Statement)> {
        let mut said: Vec<(usize, &'r Statement)> = Vec::new();
        for c in self.candidates(finding, purl) {
            // Later documents only add to the end: candidates of one document come together for
            // each id, and the one that counts is kept.
            match said.iter_mut().find(|(document, _)| *document == c.document) {
                Some((_, counts)) if rank(c.statement) > rank(counts) => *counts = c.statement,
                Some(_) => {}
                None => said.push((c.document, c.statement)),
            }
        }
        said.sort_by_key(|(document, _)| *document);
        let affected = said.iter().find(|(_, s)| matches!(s.stance, Stance::Affected));
        let chosen = affected
            .or_else(|| said.iter().find(|(_, s)| s.stance.suppresses()))
            .or_else(|| said.first());
        chosen.and_then(|(document, s)| Some((self.rules.documents.get(*document)?, *s)))
    }
}

impl<'r> Judge<'r> {
    /// The statements that are about a finding, for each of its ids those about the whole image
    /// first.
    fn candidates<'j>(
        &'j self,
        finding: &'j Finding,
        purl: Option<&'j PackageUrl>,
    ) -> impl Iterator<Item = &'j Candidate<'r>> {
        let name = purl.map(PackageUrl::name).filter(|name| !name.is_empty());
        let stated = ids(finding).into_iter().filter_map(|id| self.stated.get(&id));
        stated
            .flat_map(move |of| std::iter::once("").chain(name).filter_map(|name| of.get(name)))
            .flatten()
            .filter(move |c| c.is_about(finding, purl))
    }
}

impl Candidate<'_> {
    fn is_about(&self, finding: &Finding, purl: Option<&PackageUrl>) -> bool {
        let package = &finding.package;
        self.package.is_none_or(|wanted| purl.is_some_and(|found| wanted.covers(found)))
            && self.within.as_ref().is_none_or(|files| {
                package.kind.is_compiled_in() && files.contains(&package.evidence)
            })
    }
}

/// Of two statements of one document, the greater counts.
fn rank(statement: &Statement) -> (Option<Timestamp>, u8) {
    (statement.time, statement.stance.caution())
}

/// Ids are compared without regard to case.
pub(super) fn key(id: &str) -> String {
    id.to_ascii_uppercase()
}

/// All ids of a finding, as they are compared.
pub(super) fn ids(finding: &Finding) -> Vec<String> {
    std::iter::once(&finding.id).chain(&finding.aliases).map(|id| key(id)).collect()
}

/// Which programs hold a package. Only a Go or Rust program is known to be made of the modules that
/// are told with it; of other packages nobody knows here what they are part of.
struct Programs<'p> {
    packages: &'p [Package],
    /// Modules by name, and the program of each; made when first asked for.
    by_name: Option<HashMap<String, Vec<(PackageUrl, &'p str)>>>,
}

impl Programs<'_> {
    fn of(&mut self, purl: &PackageUrl) -> Vec<String> {
        let packages = self.packages;
        let by_name = self.by_name.get_or_insert_with(|| {
            let mut modules: HashMap<String, Vec<_>> = HashMap::new();
            for package in packages.iter().filter(|p| p.kind.is_compiled_in()) {
                if let Ok(url) = package.purl.parse::<PackageUrl>() {
                    let same = modules.entry(url.name().to_owned()).or_default();
                    same.push((url, package.evidence.as_str()));
                }
            }
            modules
        });
        let found = by_name.get(purl.name()).into_iter().flatten();
        found.filter(|(url, _)| purl.covers(url)).map(|(_, file)| (*file).to_owned()).collect()
    }
}
