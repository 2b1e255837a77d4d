//! Errata of distributions by rpm: which flaws one closes, and in which builds of which packages.
//! Several repositories tell of one erratum, each of its own architectures; here they are one
//! again, and each of its flaws becomes an advisory. An erratum's id never joins flaws.

use std::collections::{BTreeMap, BTreeSet};

use cleanbill_core::Timestamp;
use cleanbill_core::advisory::{Advisory, Range, RangeEnd};
use cleanbill_core::ecosystem::Stream;
use cleanbill_core::severity::Severity;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use super::dates::Dates;
use crate::error::{Error, ErrorKind, Result};
use crate::gather::Gathered;
use crate::limits::Limits;

/// Every architecture of Red Hat Enterprise Linux, and of what is rebuilt from it: what is said of
/// all of them is said of any.
pub(super) const ARCHES: [&str; 4] = ["aarch64", "ppc64le", "s390x", "x86_64"];

/// One erratum, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Erratum {
    pub id: String,
    /// How bad its worst flaw is; of single flaws nothing is said.
    pub severity: Severity,
    pub published: Option<Timestamp>,
    pub modified: Option<Timestamp>,
    /// Empty: the erratum is the only name of what it closes.
    pub cves: BTreeSet<String>,
    /// What it brings, with the architectures that each build is there for.
    pub builds: BTreeMap<Build, BTreeSet<String>>,
}

/// A build of a package.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Build {
    pub name: String,
    /// The module stream that it is of, `nodejs:18`.
    pub module: Option<String>,
    /// `epoch:version-release`, without an epoch of 0; `None`: it cannot be read.
    pub version: Option<String>,
}

/// The errata of one release, by id.
#[derive(Debug, Default)]
pub(super) struct Errata {
    by_id: BTreeMap<String, Erratum>,
    /// Builds and flaws that are held, over all errata.
    held: u64,
}

impl Errata {
    /// Adds an erratum to what is known of it.
    ///
    /// # Errors
    /// When more is held than a build may hold.
    pub(super) fn add(&mut self, erratum: Erratum, limits: &Limits) -> Result<()> {
        self.held =
            self.held.saturating_add((erratum.builds.len() + erratum.cves.len()) as u64 + 1);
        within(self.held, limits)?;
        let Some(known) = self.by_id.get_mut(&erratum.id) else {
            self.by_id.insert(erratum.id.clone(), erratum);
            return Ok(());
        };
        known.severity = known.severity.max(erratum.severity);
        known.published = [known.published, erratum.published].into_iter().flatten().min();
        known.modified = known.modified.max(erratum.modified);
        known.cves.extend(erratum.cves);
        for (build, arches) in erratum.builds {
            known.builds.entry(build).or_default().extend(arches);
        }
        Ok(())
    }

    /// The same errata, of which each build is of this module.
    pub(super) fn within(mut self, module: &str) -> Self {
        for erratum in self.by_id.values_mut() {
            let builds = std::mem::take(&mut erratum.builds).into_iter();
            let labelled = |build| Build { module: Some(module.to_owned()), ..build };
            erratum.builds = builds.map(|(build, arches)| (labelled(build), arches)).collect();
        }
        self
    }

    /// How many there are.
    pub(super) fn len(&self) -> u64 {
        self.by_id.len() as u64
    }

    /// Looks at the date of each.
    pub(super) fn dated(&self, dates: &mut Dates) {
        for erratum in self.by_id.values() {
            dates.see(erratum.published);
            dates.see(erratum.modified);
        }
    }

    /// Makes an advisory of each flaw and build. A build that is there for every one of `arches`
    /// is said of all architectures.
    ///
    /// # Errors
    /// When there are more than a build may hold.
    pub(super) fn expand(
        self,
        stream: &Stream,
        arches: &[&str],
        limits: &Limits,
        into: &mut Gathered,
    ) -> Result<()> {
        let mut made = 0u64;
        for erratum in self.by_id.into_values() {
            let alone = erratum.cves.is_empty().then_some(&erratum.id);
            let flaws: Vec<&String> = alone.into_iter().chain(&erratum.cves).collect();
            made = made
                .saturating_add((flaws.len() as u64).saturating_mul(erratum.builds.len() as u64));
            within(made, limits)?;
            for (build, of) in &erratum.builds {
                let everywhere = arches.iter().all(|arch| of.contains(*arch));
                for flaw in &flaws {
                    let mut advisory = Advisory {
                        id: (*flaw).clone(),
                        errata: vec![erratum.id.clone()],
                        severity: erratum.severity,
                        module: build.module.clone(),
                        arches: if everywhere { Vec::new() } else { of.iter().cloned().collect() },
                        published: erratum.published,
                        modified: erratum.modified,
                        ..Advisory::default()
                    };
                    if *flaw == &erratum.id {
                        advisory.errata.clear();
                    }
                    match &build.version {
                        Some(version) => {
                            let end = RangeEnd::Fixed(version.clone());
                            advisory.ranges.push(Range { introduced: None, end });
                        }
                        None => {
                            let why =
                                format!("{} does not say which version has the fix", erratum.id);
                            advisory.unreadable = Some(why);
                        }
                    }
                    into.add(stream, &build.name, advisory);
                }
            }
        }
        Ok(())
    }
}

fn within(number: u64, limits: &Limits) -> Result<()> {
    if number > limits.entries {
        let message = format!("more than {} entries", limits.entries);
        return Err(Error::new(ErrorKind::OverLimit, message));
    }
    Ok(())
}

/// `epoch:version-release` of its parts, or nothing where one is missing.
pub(super) fn version(epoch: &str, version: &str, release: &str) -> Option<String> {
    if version.is_empty() || release.is_empty() {
        return None;
    }
    match epoch.trim() {
        "" | "0" | "(none)" => Some(format!("{version}-{release}")),
        epoch if epoch.len() <= 10 && epoch.bytes().all(|b| b.is_ascii_digit()) => {
            Some(format!("{epoch}:{version}-{release}"))
        }
        _ => None,
    }
}

/// A time in one of the forms of errata: RFC 3339, `2023-02-17 20:41[:00]` or `2023-02-17` in UTC,
/// or seconds since 1970.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let text = text.strip_suffix(" UTC").unwrap_or(text);
    let seconds = || text.parse().ok().and_then(|s| Timestamp::from_second(s).ok());
    let civil = || Offset::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok();
    let time = text.parse::<Timestamp>().ok().or_else(seconds).or_else(civil)?;
    (time > Timestamp::UNIX_EPOCH).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::{time, version};

    #[test]
    fn times_of_errata() {
        let table = [
            ("2023-02-17 20:41:00", "2023-02-17T20:41:00Z"),
            ("2023-02-17 20:41", "2023-02-17T20:41:00Z"),
            ("2023-02-17", "2023-02-17T00:00:00Z"),
            ("2023-02-17 20:41:00 UTC", "2023-02-17T20:41:00Z"),
            ("2023-02-17T20:41:00Z", "2023-02-17T20:41:00Z"),
            ("1676666460", "2023-02-17T20:41:00Z"),
            ("0", "-"),
            ("soon", "-"),
            ("", "-"),
        ];
        for (text, want) in table {
            let said = time(text).map_or("-".to_owned(), |t| t.to_string());
            assert_eq!(said, want, "{text:?}");
        }
    }

    #[test]
    fn versions_of_builds() {
        let table = [
            (("0", "1.2", "3.amzn2"), Some("1.2-3.amzn2")),
            (("", "1.2", "3"), Some("1.2-3")),
            (("(none)", "1.2", "3"), Some("1.2-3")),
            (("1", "1.2", "3"), Some("1:1.2-3")),
            (("x", "1.2", "3"), None),
            (("-1", "1.2", "3"), None),
            (("0", "", "3"), None),
            (("0", "1.2", ""), None),
        ];
        for ((epoch, text, release), want) in table {
            assert_eq!(version(epoch, text, release).as_deref(), want, "{epoch} {text} {release}");
        }
    }
}
