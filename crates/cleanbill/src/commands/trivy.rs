//! Trivy's flags that Cleanbill does not have yet. A flag that was passed over in silence would
//! make a report say something else than its reader thinks, so each is refused by name.

use crate::failure::Failure;

/// The flags of `trivy image` and `trivy rootfs` that are not there, and what to do instead.
const NOT_YET: &[(&str, &str)] = &[
    ("--artifact-type", ""),
    ("--cache-backend", "Cleanbill's scan keeps no cache"),
    ("--cache-dir", "Cleanbill's scan keeps no cache; advisories are chosen with --db"),
    ("--cache-ttl", "Cleanbill's scan keeps no cache"),
    ("--clear-cache", "Cleanbill's scan keeps no cache"),
    ("--compliance", ""),
    ("--config", ""),
    ("-c", ""),
    ("--config-check", ""),
    ("--config-data", ""),
    ("--custom-headers", ""),
    ("--db-repository", "fetch it with `cleanbill db update --from trivy:REPOSITORY`"),
    ("--debug", ""),
    ("-d", ""),
    ("--dependency-tree", ""),
    ("--detection-priority", ""),
    ("--distro", ""),
    ("--docker-host", "save the image and use --input"),
    ("--download-db-only", "use `cleanbill db update`"),
    ("--download-java-db-only", ""),
    ("--enable-modules", ""),
    ("--exit-on-eol", "use --exit-code: an end of life is a gap and exits 3"),
    ("--file-patterns", ""),
    ("--generate-default-config", ""),
    ("--ignore-policy", "use --ignorefile or --vex; the gate has exceptions in its policy"),
    ("--ignored-licenses", ""),
    ("--image-config-scanners", ""),
    ("--image-src", "an image is read from its registry, or from --input"),
    ("--include-dev-deps", ""),
    ("--include-non-failures", ""),
    ("--insecure", "name the registry's authority with --cacert, or use --plain-http HOST"),
    ("--java-db-repository", ""),
    ("--license-full", ""),
    ("--max-image-size", "use --limit layer-bytes=SIZE"),
    ("--module-dir", ""),
    ("--output-plugin-arg", ""),
    ("--parallel", ""),
    ("--pkg-relationships", ""),
    ("--pkg-types", ""),
    ("--podman-host", "save the image and use --input"),
    ("--redis-ca", ""),
    ("--redis-tls", ""),
    ("--registry-token", "use --username and --password-stdin"),
    ("--rekor-url", ""),
    ("--removed-pkgs", ""),
    ("--report", ""),
    ("--reset", ""),
    ("--sbom-sources", ""),
    ("--secret-config", ""),
    ("--server", "every scan runs in this process"),
    ("--severity-source", ""),
    ("--skip-check-update", ""),
    ("--skip-dirs", ""),
    ("--skip-files", ""),
    ("--skip-java-db-update", ""),
    ("--skip-policy-update", ""),
    ("--skip-version-check", ""),
    ("--skip-vex-repo-update", ""),
    ("--table-mode", ""),
    ("--template", "use -f json and jq"),
    ("-t", "use -f json and jq"),
    ("--token", "every scan runs in this process"),
    ("--token-header", "every scan runs in this process"),
    ("--trace-http", ""),
    ("--vuln-severity-source", ""),
];

/// The refusal for a flag of Trivy's that is not there yet; `None` if it is none of them.
pub fn not_there_yet(flag: &str) -> Option<Failure> {
    let name = flag.split('=').next().unwrap_or(flag);
    NOT_YET.iter().find(|(known, _)| *known == name).map(|(_, instead)| {
        let failure = Failure::new(format!("{name} is not there yet"));
        let step = if instead.is_empty() { "leave the flag out" } else { instead };
        failure.next(step)
    })
}

/// Reads `--scanners`: flaws are all that is looked for so far.
///
/// # Errors
/// Names the scanner that is not there.
pub fn scanners(text: &str) -> Result<(), String> {
    match text.split(',').find(|s| *s != "vuln") {
        None => Ok(()),
        Some(other) => Err(format!("--scanners {other} is not there yet; vuln is")),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_list_is_sorted_by_word_and_has_no_doubles() {
        let mut names: Vec<_> = super::NOT_YET.iter().map(|(n, _)| n).collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
