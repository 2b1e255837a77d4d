//! Whether a node may be changed: what the gate says of all that runs, and whether it guards at all.
//! Reads and asks; writes nothing.

use std::time::Instant;

use super::folder::Folder;
use super::node::Node;
use super::{Options, Watch, prove, running};
use crate::failure::{Failure, Result};

/// The namespace of which nothing may be refused: without its pods there is no cluster.
const VITAL: &str = "kube-system";

/// Shows what the gate says of all that runs. Gives an image that it allows.
///
/// # Errors
/// When something that runs would be refused and that was not accepted, or it cannot be known.
pub(super) fn judged(
    node: &Node,
    folder: &Folder,
    options: &Options,
    watch: &mut Watch<'_>,
) -> Result<String> {
    let pods = match &options.pods {
        None => running::list(&node.api()?)?,
        Some(file) => {
            let wrong = |why: String| Failure::new(format!("{}: {why}", file.display()));
            let text = std::fs::read_to_string(file).map_err(|e| wrong(e.to_string()))?;
            let list = serde_json::from_str(&text).map_err(|e| wrong(e.to_string()))?;
            running::parse(&list)?
        }
    };
    let gate = folder.client()?;
    let judged = running::judge(&gate, &pods, options.wait)?;
    (watch.say)(&format!(
        "{} pods run; {} of them would be refused",
        judged.pods,
        judged.refused.len()
    ));
    for refused in &judged.refused {
        let reason = refused.reason.lines().next().unwrap_or_default();
        (watch.say)(&format!("  {}/{}: {reason}", refused.namespace, refused.name));
    }
    if judged.refused.iter().any(|refused| refused.namespace == VITAL) {
        return Err(Failure::new(format!(
            "pods of {VITAL} would be refused, and without them there is no cluster"
        ))
        .next("accept what they have in the policy; `cleanbill policy suggest` shows how"));
    }
    if !judged.refused.is_empty() && !options.accept_refusals {
        return Err(Failure::new(
            "pods that run would be refused when they are made anew or changed",
        )
        .next("change them or the policy, or go on all the same with --accept-refusals"));
    }
    let until = Instant::now() + options.wait;
    // That it is not decided yet is good enough here.
    if running::allows(&gate, &prove::nobodys_image(), Instant::now())? {
        return Err(Failure::new("the gate allows an image that nobody has: it guards nothing")
            .next("see what its policy says"));
    }
    match &options.allowed_image {
        Some(image) if running::allows(&gate, image, until)? => Ok(image.clone()),
        Some(image) => Err(Failure::new(format!(
            "the gate does not allow --allowed-image {image} in the namespace {}",
            prove::NAMESPACE
        ))
        .next("name another, or leave it out")),
        None => judged.allowed.ok_or_else(|| {
            Failure::new(format!(
                "no image that runs would be allowed in the namespace {}, so it could not be proved \
                 that pods are still let in",
                prove::NAMESPACE
            ))
            .next("name one that is with --allowed-image")
        }),
    }
}
