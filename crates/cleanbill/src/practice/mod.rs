//! `cleanbill practice`: a control-plane node in a folder, with something wrong, to be repaired.
//!
//! [`folder`] makes the node as it should be, [`faults`] are what can be wrong with it (one visible
//! list), [`grade`] looks at what a person made of it: with `doctor`, and with `simulate` against a
//! [`webhook`] that is played on loopback while it looks. Nothing outside of the folder is
//! written, and no cluster is needed.

pub mod faults;
pub mod folder;
pub mod grade;
pub mod webhook;

use std::path::{Path, PathBuf};

use cleanbill_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::failure::{Failure, Result};
use faults::{FAULTS, Fault};
use folder::Folder;

/// Where the exercise is written down within its folder.
const STATE: &str = ".practice.json";

/// An exercise that was begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exercise {
    /// What is wrong, by the faults' ids.
    faults: Vec<String>,
    /// The port on which the webhook is played.
    pub port: u16,
    /// How many hints were given of each.
    hints: usize,
}

/// What is to be wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// This fault.
    Fault(String),
    /// So many, by chance.
    Random(usize),
}

impl Exercise {
    /// Makes the folder and the exercise. `chance` picks the faults.
    ///
    /// # Errors
    /// When the folder is not empty, there is no such fault, or writing fails.
    pub fn begin(dir: &Path, wanted: &Wanted, port: u16, chance: u64) -> Result<Self> {
        let taken = std::fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some());
        if taken {
            return Err(Failure::new(format!("{} is not empty", dir.display()))
                .next("name a folder that is not there yet"));
        }
        let mut chosen = choose(wanted, chance)?;
        // The manifest is moved last, when everything else in it is wrong already.
        chosen.sort_by_key(|fault| fault.place == "manifest");
        let mut node = Folder::good(port, Timestamp::now())?;
        for fault in &chosen {
            (fault.plant)(&mut node)?;
        }
        let exercise = Self {
            faults: chosen.iter().map(|fault| fault.id.to_owned()).collect(),
            port,
            hints: 0,
        };
        node.put("TASK.md", task(dir, port));
        node.write(dir)?;
        exercise.save(dir)?;
        Ok(exercise)
    }

    /// Finds the exercise of a folder.
    ///
    /// # Errors
    /// When there is none.
    pub fn open(dir: &Path) -> Result<Self> {
        let path = dir.join(STATE);
        let none = |why: &dyn std::fmt::Display| {
            Failure::new(format!("{} holds no exercise: {why}", dir.display()))
                .next("begin one with `cleanbill practice start DIR`")
        };
        let text = std::fs::read_to_string(&path).map_err(|e| none(&e))?;
        serde_json::from_str(&text).map_err(|e| none(&e))
    }

    /// The faults that were planted.
    pub fn faults(&self) -> Vec<&'static Fault> {
        FAULTS.iter().filter(|fault| self.faults.iter().any(|id| id == fault.id)).collect()
    }

    /// The next hint of each fault: where, then what, then how.
    ///
    /// # Errors
    /// When it cannot be written down that the hint was given.
    pub fn hint(&mut self, dir: &Path) -> Result<Vec<String>> {
        let at = self.hints;
        self.hints = self.hints.saturating_add(1);
        self.save(dir)?;
        let faults = self.faults();
        if faults.is_empty() {
            return Ok(vec!["nothing was made wrong here; grade it".into()]);
        }
        Ok(faults.iter().map(|f| f.hints[at.min(f.hints.len() - 1)].to_owned()).collect())
    }

    /// Hints that were given so far.
    pub fn hints(&self) -> usize {
        self.hints
    }

    fn save(&self, dir: &Path) -> Result<()> {
        let path = dir.join(STATE);
        let text = serde_json::to_string_pretty(self)
            .map_err(|e| Failure::new(format!("{}: {e}", path.display())))?;
        std::fs::write(&path, text + "\n")
            .map_err(|e| Failure::new(format!("{} cannot be written: {e}", path.display())))
    }
}

fn choose(wanted: &Wanted, mut chance: u64) -> Result<Vec<&'static Fault>> {
    let count = match wanted {
        Wanted::Fault(id) => {
            let found = FAULTS.iter().find(|fault| fault.id == id);
            return found.map(|fault| vec![fault]).ok_or_else(|| {
                Failure::new(format!("there is no fault {id:?}"))
                    .next("`cleanbill practice list` names them all")
            });
        }
        Wanted::Random(count) => *count,
    };
    let mut left: Vec<&Fault> = FAULTS.iter().collect();
    let mut chosen: Vec<&Fault> = Vec::new();
    while chosen.len() < count {
        if left.is_empty() {
            return Err(Failure::new(format!("{count} faults do not fit into one node"))
                .next(format!("ask for {} or fewer", chosen.len())));
        }
        // A step of splitmix64: good enough to deal cards.
        chance = chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (chance ^ (chance >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let at = usize::try_from((mixed ^ (mixed >> 31)) % left.len() as u64).unwrap_or(0);
        let fault = left.remove(at);
        // Two faults of one place would hide or undo each other.
        left.retain(|other| other.place != fault.place);
        chosen.push(fault);
    }
    Ok(chosen)
}

/// The task, in words that do not say what is wrong.
fn task(dir: &Path, port: u16) -> String {
    let node = std::path::absolute(dir).unwrap_or_else(|_| PathBuf::from(dir));
    let node = node.display();
    format!(
        "# Task\n\n\
         This folder is a control-plane node: `{node}` stands for `/`.\n\n\
         A webhook at `https://localhost:{port}/image_policy` judges images. kube-apiserver is to\n\
         ask it about every pod, by the plug-in `ImagePolicyWebhook`. Somebody has begun to set\n\
         that up below `/etc/kubernetes`. See to it that\n\n\
         1. kube-apiserver starts with the plug-in, and there is exactly one of it;\n\
         2. the webhook is asked, over mutual TLS;\n\
         3. what the webhook refuses (images tagged `latest`) is refused, everything else is let in;\n\
         4. while the webhook cannot be asked, no pod is let in.\n\n\
         The webhook itself is in order, and so are its certificates below `/opt/webhook`: change\n\
         nothing there. The authority of both sides is `/opt/webhook/ca.crt`.\n\n\
         ```sh\n\
         cleanbill practice hint {node}     # where to look; again: what; again: how\n\
         cleanbill practice grade {node}    # how it stands\n\
         cleanbill doctor --root {node}     # what a colleague would see\n\
         ```\n"
    )
}
