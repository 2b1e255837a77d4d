//! Packages of languages that are not read yet: seen by their names, told as gaps. One gap a
//! format, since one image can hold thousands of them.

use std::collections::BTreeMap;

use cleanbill_core::gap::{Gap, GapKind};

use super::Merged;

/// Formats that hold packages, in the words of the gap.
const FORMATS: [&str; 5] = [
    "Java archives",
    "Ruby gem specifications",
    "PHP Composer manifests",
    ".NET dependency manifests",
    "Conda package manifests",
];

/// What a path's name makes it, if it is one of [`FORMATS`].
pub(super) fn format(path: &str) -> Option<&'static str> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let [java, ruby, php, dotnet, conda] = FORMATS;
    let ends = |endings: &[&str]| endings.iter().any(|e| name.len() > e.len() && name.ends_with(e));
    if ends(&[".jar", ".war", ".ear"]) {
        Some(java)
    } else if ends(&[".gemspec"]) && folder.contains("specifications") {
        Some(ruby)
    } else if name == "installed.json" && folder.ends_with("vendor/composer") {
        Some(php)
    } else if ends(&[".deps.json"]) {
        Some(dotnet)
    } else if ends(&[".json"]) && folder.ends_with("conda-meta") {
        Some(conda)
    } else {
        None
    }
}

impl Merged<'_> {
    /// Files of unread formats, except those that a package of the operating system brought as
    /// they are: of them the distribution's advisories speak.
    pub(super) fn unread_gaps(&self, gaps: &mut Vec<Gap>) {
        let mut counts: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
        let strangers = self.unread.iter().filter(|(_, path)| !self.owners.own.contains_key(path));
        for (format, path) in strangers {
            counts.entry(format).or_insert((0, path)).0 += 1;
        }
        for (format, (count, first)) in counts {
            let detail = match count {
                1 => format!("one of the {format}, which are not read yet"),
                n => format!("{format}, which are not read yet ({n} of them)"),
            };
            gaps.push(Gap::new(GapKind::UnreadableDatabase, first, detail));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::format;

    #[test]
    fn formats_are_known_by_their_names() {
        let table = [
            ("app/lib/log4j-core-2.14.1.jar", "Java archives"),
            ("app.war", "Java archives"),
            ("usr/lib/ruby/gems/3.1.0/specifications/rack-2.2.gemspec", "Ruby gem specifications"),
            ("app/vendor/composer/installed.json", "PHP Composer manifests"),
            ("app/Web.deps.json", ".NET dependency manifests"),
            ("opt/conda/conda-meta/numpy-1.26.json", "Conda package manifests"),
            ("src/rack.gemspec", ""),
            ("app/installed.json", ""),
            (".jar", ""),
            ("jar", ""),
        ];
        for (path, wanted) in table {
            assert_eq!(format(path).unwrap_or(""), wanted, "{path}");
        }
    }
}
