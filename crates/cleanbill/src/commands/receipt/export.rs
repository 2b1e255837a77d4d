//! `cleanbill receipt ID`: a recorded decision as a signed statement.

use std::path::Path;

use cleanbill_core::digest::Digest;
use cleanbill_trust::statement::{DECISION, Subject, sign};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::commands::record::{self, StateArgs};
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::key_file;
use crate::store::{Decision, Store};

/// Runs the command.
///
/// # Errors
/// When there is no such decision, the record or the key cannot be read, or the decision says
/// too much for a receipt.
pub fn run(id: &str, key: &Path, state: &StateArgs) -> Result<Exit> {
    let key = key_file::signing(key)?;
    let store = state.look()?;
    let decision = record::find(&store, id)?;
    let predicate = predicate(&store, &decision)?;
    let receipt = sign(DECISION, &predicate, &subjects(&decision)?, &key)
        .map_err(|e| Failure::new(format!("no receipt can be made of {}: {e}", decision.id)))?;
    record::done(&receipt)
}

/// What is signed: the decision as `decisions -f json` has it, and the policy in full, where it is
/// kept. Evidence and advisories are named by digest.
fn predicate(store: &Store, decision: &Decision) -> Result<Value> {
    let policy = store.policy(&decision.policy)?;
    let mut predicate = record::value(decision);
    if let Value::Object(fields) = &mut predicate {
        // As text: its digest can be computed from it, which JSON written anew would change.
        fields.insert("policyText".into(), json!(policy));
        // The same for the question, the subject of a decision about no digest.
        fields.insert("questionText".into(), json!(decision.question));
    }
    Ok(predicate)
}

/// The images by digest; of a decision about no digest, what was asked.
fn subjects(decision: &Decision) -> Result<Vec<Subject>> {
    let images: Vec<Subject> = decision
        .images
        .iter()
        .filter_map(|(name, digest)| Some(Subject { name: name.clone(), digest: (*digest)? }))
        .collect();
    match (images.is_empty(), &decision.question) {
        (false, _) => Ok(images),
        (true, Some(question)) => {
            let digest = Digest::Sha256(Sha256::digest(question).into());
            Ok(vec![Subject { name: "question".into(), digest }])
        }
        (true, None) => {
            Err(Failure::new(format!("{} is about a question that could not be read", decision.id))
                .next("there is nothing that a receipt could be about"))
        }
    }
}
