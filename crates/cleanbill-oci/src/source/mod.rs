//! The sources that are files: `--input PATH`, standard input, and root filesystem folders.
//!
//! Each kind of archive is one file of one shape, and [`InputKind::ALL`] lists them. What a file
//! is, its content decides, never its name.

mod archive;
pub mod directory;
mod docker_archive;
mod oci_layout;
mod spool;

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cleanbill_core::digest::Digest;

use self::archive::{Archive, Bundle};
pub use self::directory::{DirectoryReader, open_directory};
use crate::blob::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::image::{PinnedImage, PlatformChoice};
use crate::layer::sniff;
use crate::layer::tar::header::{Block, Header, is_zero};
use crate::limits::Limits;
use crate::media_type::Compression;

/// The kinds of image files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputKind {
    /// What `docker save` writes, old layout or new.
    DockerArchive,
    /// An OCI image layout.
    OciLayout,
}

impl InputKind {
    /// Every kind, in the order in which they are tried.
    pub const ALL: &'static [Self] = &[Self::DockerArchive, Self::OciLayout];

    fn recognises(self, bundle: &Bundle) -> Result<bool> {
        match self {
            Self::DockerArchive => Ok(bundle.open(docker_archive::MANIFEST)?.is_some()),
            Self::OciLayout => oci_layout::recognises(bundle),
        }
    }

    fn open(
        self,
        bundle: Bundle,
        select: Option<&Select>,
        choice: &PlatformChoice,
        clock: &Clock,
    ) -> Result<Found> {
        match self {
            Self::DockerArchive => docker_archive::open(bundle, select, choice, clock),
            Self::OciLayout => oci_layout::open(bundle, select, choice, clock),
        }
    }
}

impl fmt::Display for InputKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DockerArchive => "docker archive",
            Self::OciLayout => "OCI layout",
        })
    }
}

/// Which image of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Select {
    /// The one with this tag, or this whole name.
    Tag(String),
    /// The one with this digest, of its manifest or (docker archives) its configuration.
    Digest(Digest),
}

/// What `--input` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputSpec {
    /// The file or folder; `None` for standard input.
    pub path: Option<PathBuf>,
    /// Which image in it, if it says.
    pub select: Option<Select>,
}

impl InputSpec {
    /// Reads `PATH`, `PATH:tag`, `PATH@digest` or `-` (also with tag or digest). A path that
    /// exists as it is written wins; otherwise the longest part before a `:` that exists.
    pub fn parse(text: &str) -> Self {
        let there = |path: &str| path == "-" || Path::new(path).exists();
        let path = |path: &str| (path != "-").then(|| PathBuf::from(path));
        let whole = Self { path: path(text), select: None };
        if there(text) {
            return whole;
        }
        if let Some((before, digest)) = text.rsplit_once('@')
            && let Ok(digest) = digest.parse()
        {
            return Self { path: path(before), select: Some(Select::Digest(digest)) };
        }
        let tagged = text.rmatch_indices(':').find_map(|(at, _)| {
            let (before, tag) = (text.get(..at)?, text.get(at + 1..)?);
            (there(before) && !tag.is_empty())
                .then(|| Self { path: path(before), select: Some(Select::Tag(tag.to_owned())) })
        });
        tagged.unwrap_or(whole)
    }
}

impl fmt::Display for InputSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => write!(f, "{}", path.display())?,
            None => f.write_str("standard input")?,
        }
        match &self.select {
            Some(Select::Tag(tag)) => write!(f, ":{tag}"),
            Some(Select::Digest(digest)) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

/// An image file that was opened: its images are pinned and can be read.
pub struct Opened {
    /// The images that were chosen by platform, at least one.
    pub images: Vec<PinnedImage>,
    /// What the user called it.
    pub name: String,
    /// What it turned out to be.
    pub kind: InputKind,
    /// The names that the file itself gives the image; nobody vouches for them.
    pub repo_tags: Vec<String>,
    /// The digest of the image's index or manifest (old docker archives: of its configuration).
    pub root_digest: Digest,
}

/// What one kind of source found.
pub(crate) struct Found {
    images: Vec<PinnedImage>,
    root: Digest,
    repo_tags: Vec<String>,
}

/// Opens an image file, folder or standard input.
///
/// # Errors
/// When it is not there, is no image, holds several and none is chosen (the message lists them),
/// has no image for the platform, or is damaged or over a limit.
pub fn open_input(
    spec: &InputSpec,
    choice: &PlatformChoice,
    limits: &Arc<Limits>,
) -> Result<Opened> {
    let clock = Clock::start(limits);
    let found = open_bundle(spec, &clock).and_then(|bundle| {
        for kind in InputKind::ALL {
            if kind.recognises(&bundle)? {
                return Ok((*kind, kind.open(bundle, spec.select.as_ref(), choice, &clock)?));
            }
        }
        Err(nothing_known(&bundle))
    });
    let (kind, found) = found.map_err(|e| e.within(spec))?;
    Ok(Opened {
        images: found.images,
        name: spec.to_string(),
        kind,
        repo_tags: found.repo_tags,
        root_digest: found.root,
    })
}

fn open_bundle(spec: &InputSpec, clock: &Clock) -> Result<Bundle> {
    let Some(path) = &spec.path else {
        let file = spool::spool(Box::new(std::io::stdin()), clock)?;
        return tar(file, clock);
    };
    let failed = |e| Error::io("it cannot be opened", e);
    let meta = std::fs::metadata(path).map_err(failed)?;
    if meta.is_dir() {
        return Ok(Bundle::Folder(path.clone()));
    }
    let mut file = File::open(path).map_err(failed)?;
    if !meta.is_file() {
        return tar(spool::spool(Box::new(file), clock)?, clock);
    }
    let mut head = Vec::new();
    (&mut file).take(4).read_to_end(&mut head).map_err(failed)?;
    if sniff(&head) != Compression::None {
        let again = File::open(path).map_err(failed)?;
        file = spool::spool(Box::new(again), clock)?;
    }
    tar(file, clock)
}

/// Lists a tar, or says what it is instead.
fn tar(file: File, clock: &Clock) -> Result<Bundle> {
    let mut head: Block = [0; 512];
    let n = std::os::unix::fs::FileExt::read_at(&file, &mut head, 0)
        .map_err(|e| Error::new(ErrorKind::Io, "reading failed").because(e))?;
    if n < head.len() || (!is_zero(&head) && Header::parse(&head).is_err()) {
        return Err(Error::new(
            ErrorKind::Malformed,
            format!(
                "not an image archive: {} (expected a docker archive or an OCI layout, as a tar, \
                 plain or with gzip or zstd)",
                looks_like(head.get(..n).unwrap_or_default())
            ),
        ));
    }
    Ok(Bundle::Tar(Archive::index(file, clock)?))
}

/// What some bytes look like to a person.
fn looks_like(head: &[u8]) -> &'static str {
    const MAGICS: &[(&[u8], &str)] = &[
        (b"\x7fELF", "it looks like a program (ELF)"),
        (b"PK\x03\x04", "it looks like a zip file"),
        (b"\xfd7zXZ\0", "it looks like xz data, which has to be unpacked first"),
        (b"BZh", "it looks like bzip2 data, which has to be unpacked first"),
        (b"hsqs", "it looks like a squashfs image"),
        (b"SQLite format 3\0", "it looks like an SQLite database"),
        (b"{", "it looks like JSON"),
        (b"#!", "it looks like a script"),
    ];
    let text = |b: &u8| matches!(b, b'\t' | b'\n' | b'\r' | b' '..=b'~');
    match MAGICS.iter().find(|(magic, _)| head.starts_with(magic)) {
        Some((_, what)) => what,
        None if head.is_empty() => "it is empty",
        None if head.iter().all(text) => "it looks like text",
        None => "it has no tar header",
    }
}

fn nothing_known(bundle: &Bundle) -> Error {
    let why = match bundle {
        Bundle::Folder(_) => {
            "a folder without oci-layout and index.json (for a root filesystem: cleanbill rootfs DIR)"
        }
        Bundle::Tar(archive) if archive.is_empty() => "an empty tar, not an image archive",
        Bundle::Tar(_) => {
            "a tar, but not an image archive: it has neither manifest.json nor oci-layout and \
             index.json (for a root filesystem, unpack it: cleanbill rootfs DIR)"
        }
    };
    Error::new(ErrorKind::Malformed, why)
}

/// Whether a wish for a tag means this name: the whole name, or what stands after its last `:`.
fn tag_matches(wish: &str, name: &str) -> bool {
    use cleanbill_core::reference::ImageRef;
    let same = || match (wish.parse::<ImageRef>(), name.parse::<ImageRef>()) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    };
    wish == name || name.rsplit_once(':').is_some_and(|(_, tag)| tag == wish) || same()
}

/// The only one of what was found, or an error that lists what could have been chosen.
fn one_of<T>(mut found: Vec<T>, names: &[String], select: Option<&Select>) -> Result<T> {
    const SHOWN: usize = 20;
    let mut list = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        list.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    if let (1, Some(one)) = (found.len(), found.pop()) {
        return Ok(one);
    }
    let (kind, why) = match (names.len(), select) {
        (0, _) => (ErrorKind::NotFound, "there is no image in it".to_owned()),
        (1, Some(_)) => (ErrorKind::NotFound, format!("no such image in it, only {list}")),
        (_, Some(_)) => {
            (ErrorKind::NotFound, format!("not exactly one such image in it; there are {list}"))
        }
        (_, None) => (
            ErrorKind::Malformed,
            format!("there are several images in it, choose by PATH:tag or PATH@digest: {list}"),
        ),
    };
    Err(Error::new(kind, why))
}

/// Holds an image that came without an index against the wish for one platform.
fn check_platform(image: &PinnedImage, choice: &PlatformChoice) -> Result<()> {
    match (choice, &image.platform) {
        (PlatformChoice::One(wish), Some(own)) if !wish.accepts(own) => Err(Error::new(
            ErrorKind::NotFound,
            format!(
                "{} has no image for {wish}: there is {own} (choose with --platform)",
                image.digest
            ),
        )),
        (
            PlatformChoice::One(_)
            | PlatformChoice::Prefer(_)
            | PlatformChoice::All
            | PlatformChoice::Listed(_),
            _,
        ) => Ok(()),
    }
}

#[cfg(test)]
mod real_tests;
#[cfg(test)]
mod tests;
