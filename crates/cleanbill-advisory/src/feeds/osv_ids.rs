//! Which flaws an OSV entry speaks of: one finding goes by one id, and a CVE where there is one.

/// The ids of one entry, sorted by what they are for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ids {
    /// One advisory each, never empty.
    pub flaws: Vec<String>,
    /// Other names of the one flaw; empty where the entry speaks of several flaws.
    pub aliases: Vec<String>,
    /// Names of the group, where the entry speaks of several flaws, or is an erratum. Matching joins
    /// nothing by them, and knows them where other entries have them as aliases.
    pub errata: Vec<String>,
}

/// What errata are called: they fix flaws that have ids of their own.
#[rustfmt::skip]
const ERRATA: [&str; 22] = [
    "ALSA-", "ALBA-", "ALEA-", "RLSA-", "RXSA-", "RHSA-", "RHBA-", "RHLW-", "DSA-", "DLA-", "DTSA-",
    "USN-", "LSN-", "ELSA-", "SUSE-SU-", "SUSE-RU-", "SUSE-FU-", "SUSE-OU-", "openSUSE-SU-",
    "openSUSE-RU-", "OESA-", "MGASA-",
];

impl Ids {
    /// CVEs among the aliases, else among `upstream` (the flaw as others named it), else, of an
    /// erratum, among `related`; an entry with several gives a flaw each, as Trivy does with the
    /// same data. An entry without any goes by its own id.
    ///
    /// `related` of anything but an erratum names other flaws, and is not read.
    pub(super) fn of(
        own: &str,
        aliases: Vec<String>,
        upstream: Vec<String>,
        related: Vec<String>,
    ) -> Self {
        let erratum = is_erratum(own);
        let cves = |ids: &[String]| {
            let mut cves: Vec<_> = ids.iter().filter(|id| is_cve(id)).cloned().collect();
            cves.sort();
            cves.dedup();
            cves
        };
        let mut flaws = cves(&aliases);
        if flaws.is_empty() {
            flaws = cves(&upstream);
        }
        if flaws.is_empty() && erratum {
            flaws = cves(&related);
        }
        if flaws.is_empty() || is_cve(own) {
            flaws = vec![own.to_owned()];
        }
        let mut others: Vec<_> = std::iter::once(own.to_owned())
            .chain(aliases)
            .filter(|id| !id.is_empty() && !flaws.contains(id))
            .collect();
        others.sort();
        others.dedup();
        if erratum || flaws.len() > 1 {
            Self { flaws, aliases: Vec::new(), errata: others }
        } else {
            Self { flaws, aliases: others, errata: Vec::new() }
        }
    }
}

/// Whether an entry of this id is an erratum.
pub(super) fn is_erratum(id: &str) -> bool {
    ERRATA.iter().any(|prefix| id.starts_with(prefix))
}

fn is_cve(id: &str) -> bool {
    id.strip_prefix("CVE-").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::Ids;

    #[test]
    fn an_entry_is_filed_under_its_cves() {
        type Row = (&'static str, [&'static [&'static str]; 3], [&'static [&'static str]; 3]);
        // own id, [aliases, upstream, related] → [flaws, aliases, errata]
        let table: &[Row] = &[
            (
                "GO-2022-0969",
                [&["CVE-2022-27664", "GHSA-69cg-p879-7622"], &[], &[]],
                [&["CVE-2022-27664"], &["GHSA-69cg-p879-7622", "GO-2022-0969"], &[]],
            ),
            (
                "GO-2022-0001",
                [&["GHSA-a", "CVE-2020-2", "CVE-2020-1"], &[], &["CVE-2020-9"]],
                [&["CVE-2020-1", "CVE-2020-2"], &[], &["GHSA-a", "GO-2022-0001"]],
            ),
            (
                "GO-2026-5091",
                [&["GHSA-3m6q-h5gj-7mrw"], &[], &[]],
                [&["GO-2026-5091"], &["GHSA-3m6q-h5gj-7mrw"], &[]],
            ),
            (
                "ALSA-2025:1",
                [&[], &[], &["CVE-2025-2", "CVE-2025-1"]],
                [&["CVE-2025-1", "CVE-2025-2"], &[], &["ALSA-2025:1"]],
            ),
            (
                "SUSE-SU-2024:1-1",
                [&[], &[], &["CVE-2024-1"]],
                [&["CVE-2024-1"], &[], &["SUSE-SU-2024:1-1"]],
            ),
            ("ALSA-2025:2", [&[], &[], &[]], [&["ALSA-2025:2"], &[], &[]]),
            (
                "RHLW-2026-00001",
                [&[], &["CVE-2026-1"], &[]],
                [&["CVE-2026-1"], &[], &["RHLW-2026-00001"]],
            ),
            (
                "openSUSE-SU-2025:1-1",
                [&[], &["CVE-2025-1"], &[]],
                [&["CVE-2025-1"], &[], &["openSUSE-SU-2025:1-1"]],
            ),
            (
                "DEBIAN-CVE-2024-1",
                [&[], &["CVE-2024-1"], &[]],
                [&["CVE-2024-1"], &["DEBIAN-CVE-2024-1"], &[]],
            ),
            (
                "DSA-5000-1",
                [&[], &["CVE-2021-1", "CVE-2021-2"], &[]],
                [&["CVE-2021-1", "CVE-2021-2"], &[], &["DSA-5000-1"]],
            ),
            ("PYSEC-2024-1", [&[], &[], &["CVE-2020-1"]], [&["PYSEC-2024-1"], &[], &[]]),
            ("CVE-2020-1", [&["CVE-2020-2"], &[], &[]], [&["CVE-2020-1"], &["CVE-2020-2"], &[]]),
        ];
        let owned = |ids: &[&str]| ids.iter().map(|i| (*i).to_owned()).collect::<Vec<_>>();
        for (own, [aliases, upstream, related], [flaws, others, errata]) in table {
            let ids = Ids::of(own, owned(aliases), owned(upstream), owned(related));
            let wanted = Ids { flaws: owned(flaws), aliases: owned(others), errata: owned(errata) };
            assert_eq!(ids, wanted, "{own}");
        }
    }
}
