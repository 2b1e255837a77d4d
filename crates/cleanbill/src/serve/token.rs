//! The break-glass token that came with a question: what it grants, and why it did not help.

use cleanbill_core::Timestamp;
use cleanbill_core::grant::Grant;
use cleanbill_core::verdict::{Case, Judgement, Request, Verdict};

use super::cases::digests;
use super::live::Rules;
use super::question::Question;

/// The grant of the token that came with the question, or why it was not accepted.
pub(super) fn grants(question: &Question, rules: &Rules) -> (Vec<Grant>, Option<String>) {
    let Some(token) = question.token() else { return (Vec::new(), None) };
    match rules.verify(token) {
        Ok(grant) => (vec![grant], None),
        Err(why) => (Vec::new(), Some(why)),
    }
}

/// Why a token that is genuine did not help, where something stands in the way: whoever sent it is
/// to know, and so is whoever watches for tokens that are tried.
pub(super) fn unused(
    request: &Request,
    cases: &[Case],
    judgement: &Judgement,
    now: Timestamp,
) -> Option<String> {
    let denial = match &judgement.verdict {
        Verdict::Allow(_) => return None,
        Verdict::Deny(denial) | Verdict::Undecided(denial) => denial,
    };
    let (grant, namespace) = (request.grants.first()?, &request.asked.namespace);
    let refused = |image: &String| {
        denial.refused.iter().any(|(refused, _)| refused == image)
            || denial.undecided.iter().any(|(refused, _)| refused == image)
    };
    let mut known = digests(cases);
    known.retain(|(image, _)| refused(image));
    let wrong = known.into_iter().find_map(|(_, digest)| match digest {
        Some(digest) => grant.covers(namespace, &digest, now).err(),
        None => Some("nobody knows which bytes an image stands for"),
    });
    Some(wrong.unwrap_or("it is for bytes, and what stands in the way is not about them").into())
}
