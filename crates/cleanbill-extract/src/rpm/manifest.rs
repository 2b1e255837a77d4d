//! `container-manifest-2`: what `rpm -qa` said when an image without rpm's database was built. A
//! package a line, ten columns with tabs between them: name, version and release, times of
//! installation and build, vendor, epoch, size, architecture, epoch as a number, source.

use cleanbill_core::package::PackageKind;

use super::packages::source_of;
use crate::facts::{Claim, Facts};

/// Reads the list; no column is interpreted that is not needed.
pub(super) fn read(bytes: &[u8]) -> Facts {
    let mut facts = Facts::default();
    let text = String::from_utf8_lossy(bytes);
    for (number, line) in (1u32..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let mut columns = line.split('\t');
        let fields: [Option<&str>; 10] = std::array::from_fn(|_| columns.next());
        let [Some(name), Some(version), _, _, vendor, _, _, arch, Some(epoch), source] = fields
        else {
            facts.unreadable(format!("line {number} is no package: it has too few columns"));
            continue;
        };
        if name.is_empty() || version.is_empty() {
            facts.unreadable(format!("line {number} has no name or no version"));
            continue;
        }
        if name == "gpg-pubkey" {
            continue;
        }
        let Ok(epoch) = epoch.parse::<u32>() else {
            facts.unreadable(format!("line {number}, {name}, has an epoch that is no number"));
            continue;
        };
        let known = |text: Option<&str>| {
            text.filter(|t| !t.is_empty() && *t != "(none)").map(str::to_owned)
        };
        facts.claim(Claim {
            kind: PackageKind::Rpm,
            name: name.to_owned(),
            version: match epoch {
                0 => version.to_owned(),
                epoch => format!("{epoch}:{version}"),
            },
            source: source.and_then(source_of),
            arch: known(arch),
            vendor: known(vendor),
            module: None,
        });
    }
    facts
}
