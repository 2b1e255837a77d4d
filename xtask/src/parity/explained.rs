//! The differences that docs/parity.md explains, one entry a paragraph there.

use super::Only;
use super::facts::{Fact, Kind};

/// One explained difference.
struct Explained {
    /// The heading in docs/parity.md.
    why: &'static str,
    only: Only,
    is: fn(&Fact) -> bool,
}

const EXPLAINED: &[Explained] = &[
    Explained {
        why: "A Go main module's version",
        only: Only::Us,
        is: |f| is_syft(f) && f.version == "v1.18.1",
    },
    Explained {
        why: "A Go main module's version",
        only: Only::Trivy,
        is: |f| is_syft(f) && f.version == "1.18.1",
    },
    Explained {
        why: "Go modules without a version",
        only: Only::Trivy,
        is: |f| f.kind == Kind::Package && f.source == "gobinary" && f.version.is_empty(),
    },
];

fn is_syft(fact: &Fact) -> bool {
    fact.source == "gobinary" && fact.name == "github.com/anchore/syft"
}

/// The heading that explains a difference, where one does.
pub fn why(only: Only, fact: &Fact) -> Option<&'static str> {
    EXPLAINED.iter().find(|e| e.only == only && (e.is)(fact)).map(|e| e.why)
}

#[cfg(test)]
mod tests {
    use super::EXPLAINED;

    #[test]
    fn every_explanation_stands_in_the_document() {
        let doc = std::fs::read_to_string(crate::root().join("docs/parity.md")).unwrap();
        for e in EXPLAINED {
            assert!(doc.contains(&format!("## {}", e.why)), "docs/parity.md lacks {:?}", e.why);
        }
    }
}
