//! The tree that rules look at: text files by path, read once.

use std::fs;
use std::path::Path;

use crate::Result;

/// Folders that hold no source of ours, by name wherever they stand.
const SKIPPED: &[&str] = &["target", ".git", "node_modules", "corpus", "artifacts", "coverage"];

/// One text file.
#[derive(Clone, Debug)]
pub struct File {
    /// Its path relative to the workspace, `/`-separated.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// The workspace's text files, sorted by path.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// The files. Those that are not UTF-8 (archives) are left out: no rule speaks of them.
    pub files: Vec<File>,
    /// Every path, text or not.
    pub paths: Vec<String>,
}

impl Tree {
    /// Reads the tree below `root`.
    ///
    /// # Errors
    /// When a folder or file cannot be read.
    pub fn read(root: &Path) -> Result<Self> {
        let mut tree = Self::default();
        tree.walk(root, "")?;
        tree.files.sort_by(|a, b| a.path.cmp(&b.path));
        tree.paths.sort();
        Ok(tree)
    }

    fn walk(&mut self, folder: &Path, prefix: &str) -> Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
            let kind = entry.file_type()?;
            if kind.is_dir() && !SKIPPED.contains(&name.as_str()) {
                self.walk(&entry.path(), &path)?;
            } else if kind.is_file() && name != ".git" {
                self.paths.push(path.clone());
                if let Ok(text) = String::from_utf8(fs::read(entry.path())?) {
                    self.files.push(File { path, text });
                }
            }
        }
        Ok(())
    }

    /// A tree of these files, for a rule's test.
    pub fn of(files: &[(&str, &str)]) -> Self {
        Self {
            files: files
                .iter()
                .map(|(path, text)| File { path: (*path).into(), text: (*text).into() })
                .collect(),
            paths: files.iter().map(|(path, _)| (*path).into()).collect(),
        }
    }

    /// The text of one file.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.iter().find(|f| f.path == path).map(|f| f.text.as_str())
    }

    /// All Rust files.
    pub fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|f| f.path.ends_with(".rs"))
    }

    /// The Rust files below a folder.
    pub fn rust_in<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a File> {
        self.rust().filter(move |f| f.path.starts_with(folder))
    }
}
