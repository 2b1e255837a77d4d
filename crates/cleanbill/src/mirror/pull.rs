//! An artifact in a registry → the snapshot in force.
//!
//! The name is resolved once, to the digest of a manifest. A signature that is asked for is verified
//! before anything else is fetched. Then the layer is read through a reader that fails unless it
//! ends with the promised size and digest, by [`cleanbill_advisory::load`], which puts nothing in
//! force before it has read all of it, and goes on where an earlier try broke off.

use std::fs::File;
use std::io::{Read, Seek as _};
use std::path::{Path, PathBuf};

use cleanbill_advisory::load::{Load, Loaded, MOST};
use cleanbill_advisory::{Download, Error, ErrorKind, Say, Told};
use cleanbill_core::digest::Digest;
use cleanbill_core::reference::ImageRef;
use cleanbill_oci::artifact::Artifact;
use cleanbill_oci::content::Descriptor;
use cleanbill_oci::limits::Limits;
use cleanbill_oci::registry::Registry;
use cleanbill_trust::PublicKey;
use sha2::{Digest as _, Sha256};

use super::{LAYER, SIGNATURE, only_layer, pinned, rest, statement};
use crate::failure::{Failure, Result};
use crate::snapshot_choice::{failed, make_room};

/// What is pulled, and where to.
pub struct Pull<'a> {
    /// Where it lies.
    pub name: &'a ImageRef,
    /// Who of whom one must have signed it; none: nobody is asked.
    pub keys: &'a [PublicKey],
    /// The snapshot file to replace.
    pub out: PathBuf,
    /// Whether one that goes back behind the one in force is taken too.
    pub force: bool,
}

/// What became of it.
pub struct Pulled {
    /// The digest of the manifest.
    pub manifest: Digest,
    /// What is in force now.
    pub loaded: Loaded,
    /// Who vouches for it, of those who were asked.
    pub by: Option<PublicKey>,
    /// Whether there is a signature that nobody was asked about.
    pub unasked: bool,
}

/// Pulls it; `say` is told what is fetched.
///
/// # Errors
/// When it cannot be reached, is no snapshot, is not signed as it should be, is damaged, is another
/// than was promised, or goes back behind the one in force: which stays.
pub fn pull(
    pull: &Pull<'_>,
    registry: &Registry,
    limits: &Limits,
    say: &mut Say<'_>,
) -> Result<Pulled> {
    let unread = |e| Failure::from(e).next(stays("mend that and pull it again"));
    let artifact = Artifact::find(registry, pull.name, limits).map_err(unread)?;
    let named = pinned(pull.name, artifact.digest);
    let layer = only_layer(&artifact, LAYER, "snapshot of cleanbill")
        .map_err(|e| e.within(&named).next(stays("name what `cleanbill db push` put there")))?;
    if layer.size > MOST {
        let why = format!("{named}: {} bytes, more than {MOST}", layer.size);
        return Err(Failure::new(why).next(stays("push a smaller one there")));
    }
    let signature = artifact.annotations.get(SIGNATURE);
    let vouched = match (pull.keys, signature) {
        ([], _) => None,
        (_, None) => {
            return Err(Failure::new(format!("{named} is not signed, and a key was given"))
                .next(stays("push it with --sign-key, or pull one that is")));
        }
        (keys, Some(envelope)) => Some(
            statement::verify(envelope, layer, keys)
                .map_err(|e| e.within(&named).next(stays("pull one that a key of --key signed")))?,
        ),
    };
    let load = Load {
        name: named,
        out: pull.out.clone(),
        digest: vouched.map(|v| v.snapshot),
        force: pull.force,
        most: layer.size,
    };
    // What lies here already is not sent for again.
    let loaded = match here(&pull.out, layer) {
        Some(mut file) => {
            say(Told::Line(&format!("{}: unchanged", load.name)));
            cleanbill_advisory::load(&mut file, &load)
        }
        None => {
            let open = &mut |here: &mut dyn Read| rest(&artifact, layer, here);
            let download = Download { digest: layer.digest, size: layer.size, open };
            cleanbill_advisory::load::download(download, &load, say)
        }
    };
    let loaded = loaded.map_err(|e| next_step(&e))?;
    let unasked = pull.keys.is_empty() && signature.is_some();
    Ok(Pulled { manifest: artifact.digest, loaded, by: vouched.map(|v| v.key), unasked })
}

/// The file in force, if it is this very layer.
fn here(out: &Path, layer: &Descriptor) -> Option<File> {
    let mut file = File::open(out).ok()?;
    if file.metadata().ok()?.len() != layer.size {
        return None;
    }
    let (mut hasher, mut piece) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut piece).ok()? {
            0 => break,
            read => hasher.update(piece.get(..read).unwrap_or_default()),
        }
    }
    let same = Digest::Sha256(hasher.finalize().into()) == layer.digest;
    file.rewind().ok().filter(|()| same).map(|()| file)
}

fn next_step(error: &Error) -> Failure {
    let step = match error.kind() {
        ErrorKind::Older => "push a newer one there, or take this one: cleanbill db pull --force",
        ErrorKind::Malformed | ErrorKind::Damaged | ErrorKind::OverLimit => {
            "push it there again, from where `cleanbill db verify` accepts it"
        }
        ErrorKind::Full => &make_room(error),
        ErrorKind::NotFound | ErrorKind::Network | ErrorKind::Io => "pull it again",
    };
    failed(error).next(stays(step))
}

/// The next step, and that nothing has happened.
fn stays(step: &str) -> String {
    format!("{step}; what was in force stays as it was")
}
