//! What the name of one of Red Hat's repositories tells of it. Nothing is looked up here.

use super::{MAIN, MAIN_7};

/// A content set without `__9` or `__9_DOT_2`, which builds put behind the name of a repository that
/// is several releases' (<https://github.com/aquasecurity/trivy-db/issues/435>); and the minor release.
pub(super) fn without_suffix(set: &str) -> (&str, Option<String>) {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let Some((plain, suffix)) = set.rsplit_once("__") else { return (set, None) };
    match suffix.split_once("_DOT_") {
        Some((major, minor)) if number(major) && number(minor) => {
            (plain, Some(format!("{major}.{minor}")))
        }
        None if number(suffix) => (plain, None),
        Some(_) | None => (set, None),
    }
}

/// Whether a repository holds sources, which no image has installed.
pub(super) fn has_sources(set: &str) -> bool {
    let (plain, _) = without_suffix(set);
    plain.ends_with("-source-rpms") || plain.ends_with("-source")
}

/// Whether a repository is the main stream's of a release, by its name: `rhel-9-for-x86_64-baseos-rpms`,
/// `codeready-builder-for-rhel-9-x86_64-rpms`, `rhel-7-server-rpms`, `ubi-9-baseos-rpms`.
pub(super) fn is_main(set: &str, release: &str) -> bool {
    let (plain, _) = without_suffix(set);
    if has_sources(set) {
        return true;
    }
    let Some(name) = plain.strip_suffix("-rpms") else { return false };
    let name = name.strip_suffix("-debug").unwrap_or(name);
    let words: Vec<&str> = name.split('-').collect();
    match words.as_slice() {
        ["rhel", "7", part] => release == "7" && MAIN_7.contains(part),
        ["rhel" | "ubi", of, "for", _, part] | ["ubi", of, part] => {
            *of == release && MAIN.contains(part)
        }
        ["codeready", "builder", "for", "rhel" | "ubi", of, _] => *of == release,
        ["ubi", of, "codeready", "builder"] => *of == release,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{is_main, without_suffix};

    #[test]
    fn what_builds_put_behind_a_name_is_taken_off() {
        let table = [
            ("a-rpms", "a-rpms", None),
            ("a-rpms__8", "a-rpms", None),
            ("a-rpms__10", "a-rpms", None),
            ("a-rpms__9_DOT_2", "a-rpms", Some("9.2")),
            ("a-rpms__10_DOT_0", "a-rpms", Some("10.0")),
            ("a__b-rpms__8", "a__b-rpms", None),
            ("a__b-rpms", "a__b-rpms", None),
            ("a-rpms__", "a-rpms__", None),
            ("a-rpms__9_DOT_", "a-rpms__9_DOT_", None),
            ("a-rpms__9_DOT_x", "a-rpms__9_DOT_x", None),
            ("__8", "", None),
        ];
        for (set, plain, minor) in table {
            assert_eq!(without_suffix(set), (plain, minor.map(str::to_owned)), "{set}");
        }
    }

    #[test]
    fn the_main_streams_repositories_are_known_by_their_names() {
        let main = [
            "rhel-9-for-x86_64-baseos-rpms",
            "rhel-9-for-aarch64-appstream-rpms__9",
            "rhel-9-for-s390x-highavailability-rpms",
            "codeready-builder-for-rhel-9-x86_64-rpms",
            "ubi-9-appstream-rpms",
            "ubi-9-for-x86_64-baseos-rpms",
            "ubi-9-for-x86_64-baseos-debug-rpms",
            "codeready-builder-for-ubi-9-x86_64-rpms",
            "ubi-9-codeready-builder-rpms",
            "rhel-9-for-x86_64-baseos-source-rpms",
            "ubi-8-appstream-source",
        ];
        let other = [
            "rhel-9-for-x86_64-baseos-eus-rpms",
            "rhel-9-for-x86_64-appstream-e4s-rpms__9_DOT_2",
            "rhel-8-for-x86_64-baseos-rpms",
            "rhel-7-server-rpms",
            "rhel-7-server-extras-rpms",
            "rhocp-4.16-for-rhel-9-x86_64-rpms",
            "fast-datapath-for-rhel-9-x86_64-rpms",
            "rhel-x-for-x86_64-baseos-rpms",
            "rhel-9-for-x86_64-baseos",
            "releases",
            "",
        ];
        for set in main {
            assert!(is_main(set, "9"), "{set}");
        }
        for set in other {
            assert!(!is_main(set, "9"), "{set}");
        }
        assert!(is_main("rhel-7-server-rpms", "7") && !is_main("rhel-7-server-els-rpms", "7"));
    }
}
