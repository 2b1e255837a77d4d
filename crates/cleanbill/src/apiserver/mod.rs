//! The API server's own side: how kube-apiserver reads its admission configuration and
//! kubeconfigs, asks an image policy webhook, and what it makes of the answer.
//!
//! `simulate`, `doctor` and `practice` stand on this. It follows Kubernetes' sources
//! (`plugin/pkg/admission/imagepolicy`, `apiserver/pkg/admission`, `apiserver/pkg/util/webhook`,
//! client-go) so closely that what is refused there is refused here, in the same words. Nothing
//! here decides about an image, and nothing here writes a file.

// A value of the wrong type, an error of the system, a name of another kind: whatever is not the
// one that is asked about is all the same here.
#![allow(clippy::wildcard_enum_match_arm)]

pub mod admission;
pub mod files;
pub mod image_policy;
pub mod json;
pub mod kubeconfig;
pub mod node;
pub mod version;
pub mod x509;
pub mod yaml;

pub use files::Files;
pub use version::Version;

#[cfg(test)]
mod tests;

/// Why kube-apiserver does not start, in its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// As kube-apiserver says it, without what it puts in front.
    pub words: String,
    /// The line of the file at fault, where there is one.
    pub line: Option<usize>,
}

impl Refused {
    /// Without a line.
    pub fn new(words: impl Into<String>) -> Self {
        Self { words: words.into(), line: None }
    }

    /// The same, about a line.
    #[must_use]
    pub fn at(mut self, line: usize) -> Self {
        self.line = (line > 0).then_some(line);
        self
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.words)
    }
}
