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
pub mod answer;
pub mod cache;
pub mod client;
pub mod files;
pub mod image_policy;
pub mod json;
pub mod kubeconfig;
pub mod node;
pub mod plugin;
pub mod pod;
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

/// Reads bytes as each of the files: the entry for fuzzing.
pub fn fuzz_files(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let content = admission::Content::Text(text.clone().into_owned());
    _ = image_policy::read(&content);
    _ = admission::read(&text, Version::NEWEST);
    _ = kubeconfig::read(&text, std::path::Path::new("/no-such-folder"))
        .and_then(|config| config.reach(&Files::below(std::path::Path::new("/no-such-folder"))));
    if let Ok((pods, _)) = pod::read(&text, "default") {
        for pod in pods.iter().take(16) {
            _ = pod.question(pod::Operation::Create, Version::NEWEST);
        }
    }
    for cert in x509::Cert::all(bytes).iter().chain(&x509::Cert::new(bytes)) {
        _ = (cert.names(), cert.common_name(), cert.is_authority(), cert.signed(cert));
    }
    _ = client::Address::parse(&text);
}

/// Reads bytes as a reply: the entry for fuzzing.
///
/// # Panics
/// Where a yes was read that is not there.
pub fn fuzz_reply(bytes: &[u8]) {
    let Some((first, body)) = bytes.split_first() else { return };
    let status = 200 + u16::from(*first) * 2;
    let content_type = Some("application/json".to_owned());
    let reply = client::Reply { status, content_type, retry_after: None, body: body.to_owned() };
    let checked = answer::check(&reply);
    if answer::read(&reply).is_ok_and(|status| status.allowed) {
        let text = String::from_utf8_lossy(body);
        assert!(text.contains("allowed") || text.contains('\\'), "a yes out of nothing");
    }
    assert!(checked.is_err() || (200..=206).contains(&status), "an error that is none");
}
