//! Why what is said of a flaw leaves one of its findings as it is, for whoever expected otherwise.
//! Must not rule: it asks the judge, and tells what he did not go by.

use super::judge::{Judge, ids, key};
use super::{By, Document, IgnoreEntry, IgnoreFile, Remark, Ruling, Statement, Subject};
use crate::finding::Finding;
use crate::purl::PackageUrl;

/// What names the flaw of a finding, and is not what the judge went by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aside<'r> {
    /// What is said.
    pub said: Said<'r>,
    /// Why it changes nothing.
    pub why: NotMeant,
}

/// An entry or a statement, with the file that it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said<'r> {
    /// An entry of an ignore file.
    Entry(&'r IgnoreFile, &'r IgnoreEntry),
    /// A VEX statement.
    Statement(&'r Document, &'r Statement),
}

/// Why something that is said does not count for a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotMeant {
    /// It is about another image.
    Image,
    /// It is about another package or version, or about a package as part of another one that it
    /// is not known to be in.
    Package,
    /// It is about packages in other files.
    File,
    /// It no longer holds.
    Expired,
    /// Something else that is said of the finding counts before it.
    Outweighed,
}

impl<'r> Judge<'r> {
    /// All that names the flaw of a finding and is not what the finding is ruled by, in the order
    /// of the files and of what they say; the first `most`, since one document may say a great deal
    /// of one flaw. `subject` is the image that the judge was made for.
    pub fn asides(&self, finding: &Finding, subject: &Subject, most: usize) -> Vec<Aside<'r>> {
        let ids = ids(finding);
        let named = |id: &str| ids.contains(&key(id));
        let (purl, ruled) = (finding.package.purl.parse::<PackageUrl>().ok(), self.rule(finding));
        let mut asides = Vec::new();
        for file in &self.rules().ignore_files {
            for entry in file.entries.iter().filter(|e| named(&e.id)) {
                if asides.len() < most && !ruled.is_by_entry(entry) {
                    let why = self.entry_aside(entry, finding, purl.as_ref());
                    asides.push(Aside { said: Said::Entry(file, entry), why });
                }
            }
        }
        for document in &self.rules().documents {
            let about = |s: &&Statement| s.flaws.iter().any(|flaw| named(flaw));
            for statement in document.statements.iter().filter(about) {
                if asides.len() < most && !ruled.is_by_statement(statement) {
                    let why = self.statement_aside(statement, finding, subject);
                    asides.push(Aside { said: Said::Statement(document, statement), why });
                }
            }
        }
        asides
    }

    fn entry_aside(
        &self,
        entry: &IgnoreEntry,
        finding: &Finding,
        purl: Option<&PackageUrl>,
    ) -> NotMeant {
        let path = entry.paths.iter().any(|p| p.matches(&finding.package.evidence));
        let package = entry.purls.iter().any(|p| purl.is_some_and(|found| p.covers(found)));
        if !entry.purls.is_empty() && !package {
            NotMeant::Package
        } else if !entry.paths.is_empty() && !path {
            NotMeant::File
        } else if entry.expires.is_some_and(|end| self.now() > end) {
            NotMeant::Expired
        } else {
            NotMeant::Outweighed
        }
    }

    fn statement_aside(
        &self,
        statement: &Statement,
        finding: &Finding,
        subject: &Subject,
    ) -> NotMeant {
        if self.is_about(statement, finding) {
            return NotMeant::Outweighed;
        }
        let other = |purl: &PackageUrl| purl.kind() == "oci" && !subject.is_named_by(purl);
        match statement.products.iter().all(|product| other(&product.purl)) {
            true => NotMeant::Image,
            false => NotMeant::Package,
        }
    }
}

impl Ruling<'_> {
    fn is_by_entry(&self, entry: &IgnoreEntry) -> bool {
        match self {
            Ruling::Suppressed(By::Ignored(_, by))
            | Ruling::CountsThough(Remark::Expired(_, by)) => std::ptr::eq(*by, entry),
            Ruling::Suppressed(By::Unfixed | By::Status(_) | By::Vex(..) | By::Owner(_))
            | Ruling::CountsThough(Remark::Vex(..))
            | Ruling::Counts => false,
        }
    }

    fn is_by_statement(&self, statement: &Statement) -> bool {
        match self {
            Ruling::Suppressed(By::Vex(_, by)) | Ruling::CountsThough(Remark::Vex(_, by)) => {
                std::ptr::eq(*by, statement)
            }
            Ruling::Suppressed(By::Unfixed | By::Status(_) | By::Ignored(..) | By::Owner(_))
            | Ruling::CountsThough(Remark::Expired(..))
            | Ruling::Counts => false,
        }
    }
}
