//! A `Cargo.toml`'s dependencies, read by the one form we write them in
//! (`name.workspace = true`), so that no TOML parser is needed and no second form creeps in.
//! Tests may also ask another crate of ours for its builders ([`TESTING`]).

/// The dependency sections of a member.
const SECTIONS: &[&str] = &["[dependencies]", "[dev-dependencies]", "[build-dependencies]"];

/// How tests get at another crate's builders, after its name; nothing but tests may.
const TESTING: &str = " = { workspace = true, features = [\"testing\"] }";

/// The dependencies of one member crate.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Dependencies {
    /// `[dependencies]` and `[build-dependencies]`.
    pub normal: Vec<String>,
    /// `[dev-dependencies]`.
    pub dev: Vec<String>,
    /// Lines of other forms.
    pub odd: Vec<String>,
}

/// Reads a member's manifest.
pub fn dependencies(text: &str) -> Dependencies {
    let mut out = Dependencies::default();
    let mut section = None;
    for line in text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
        if line.starts_with('[') {
            section = SECTIONS.iter().find(|s| **s == line);
            if section.is_none() && line.contains("dependencies") {
                out.odd.push(line.to_owned());
            }
            continue;
        }
        let Some(section) = section else { continue };
        let dev = *section == "[dev-dependencies]";
        let testing = line.strip_suffix(TESTING).filter(|_| dev);
        match line.strip_suffix(".workspace = true").or(testing) {
            Some(name) if dev => out.dev.push(name.to_owned()),
            Some(name) => out.normal.push(name.to_owned()),
            None => out.odd.push(line.to_owned()),
        }
    }
    out
}

/// The names in the root's `[workspace.dependencies]`.
pub fn workspace_dependencies(text: &str) -> Vec<String> {
    text.lines()
        .map(str::trim)
        .skip_while(|l| *l != "[workspace.dependencies]")
        .skip(1)
        .take_while(|l| !l.starts_with('['))
        .filter(|l| !l.starts_with('#'))
        .filter_map(|l| l.split_once(" = ").map(|(name, _)| name.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{dependencies, workspace_dependencies};

    #[test]
    fn one_form_is_read_and_others_are_told() {
        let read = dependencies(
            "[package]\nname = \"x\"\n[dependencies]\na.workspace = true\n# no\nb = \"1\"\n\
             [dev-dependencies]\nc.workspace = true\n[dependencies.d]\nversion = \"1\"\n\
             [lints]\nworkspace = true\n",
        );
        assert_eq!(read.normal, ["a"]);
        assert_eq!(read.dev, ["c"]);
        assert_eq!(read.odd, ["b = \"1\"", "[dependencies.d]"]);
        let testing = "x = { workspace = true, features = [\"testing\"] }\n";
        let read = dependencies(&format!("[dependencies]\n{testing}[dev-dependencies]\n{testing}"));
        assert_eq!((read.dev, read.odd.len(), read.normal.len()), (vec!["x".into()], 1, 0));
    }

    #[test]
    fn the_roots_list_ends_at_the_next_section() {
        let text = "[workspace]\nmembers = []\n[workspace.dependencies]\n# why\na = \"1\"\n\
                    b = { path = \"b\" }\n[profile.release]\nlto = false\n";
        assert_eq!(workspace_dependencies(text), ["a", "b"]);
    }
}
