//! What requests read and a reload replaces: whole, at once, while they go on with what they have.
//!
//! A request takes [`Live::get`] once and uses that value to its end, so that no decision is made
//! half by the old rules and half by the new ones. A reload that fails never comes here: what is
//! replaced was complete and valid before.

use std::sync::{Arc, PoisonError, RwLock};

use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use cleanbill_core::grant::Grant;
use cleanbill_core::policy::Policy;
use cleanbill_trust::{PublicKey, breakglass};

use super::load;
use crate::checkers::Checkers;
use crate::failure::{Failure, Result};

/// A value that is read by every request and replaced whole.
///
/// A lock around an `Arc`, held for the copy of a pointer.
#[derive(Debug)]
pub struct Live<T>(RwLock<Arc<T>>);

impl<T> Live<T> {
    /// Begins with this value.
    pub fn new(value: T) -> Self {
        Self(RwLock::new(Arc::new(value)))
    }

    /// The value now. It stays what it is for as long as it is held.
    pub fn get(&self) -> Arc<T> {
        // Whoever panicked while he held the lock had changed nothing, or the whole pointer.
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks at the value now; a replacement waits meanwhile, so it must be quick. Unlike
    /// [`Live::get`] it writes nothing that all who ask at once would have to wait for.
    pub fn look<R>(&self, at: impl FnOnce(&Arc<T>) -> R) -> R {
        at(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the value and gives back the one before.
    pub fn replace(&self, value: T) -> Arc<T> {
        let value = Arc::new(value);
        std::mem::replace(&mut *self.0.write().unwrap_or_else(PoisonError::into_inner), value)
    }
}

/// What images must meet, and what follows from it: made once, when a policy is loaded.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The policy.
    pub policy: Policy,
    /// The digest by which decisions name it: of [`Rules::text`].
    pub digest: Digest,
    /// The policy as canonical JSON, for the record: its meaning, not its author's words.
    pub text: String,
    /// When it was loaded.
    pub loaded_at: Timestamp,
    /// Who else is asked. Here, since the policy names them: no question meets a policy and the
    /// checkers of another.
    pub checkers: Arc<Checkers>,
    /// The keys of `break_glass`, in its order.
    keys: Vec<PublicKey>,
}

impl Rules {
    /// The rules of a policy.
    ///
    /// # Errors
    /// When a key of `break_glass` is none, or is not the one that its id names.
    pub fn new(policy: Policy, loaded_at: Timestamp) -> Result<Self> {
        let (text, digest) = load::canonical(&policy)?;
        if policy.break_glass.keys.len() > breakglass::KEYS_MAX {
            return Err(Failure::new(format!(
                "\"break_glass\" has more than {} keys: no token could be verified",
                breakglass::KEYS_MAX
            )));
        }
        let mut keys = Vec::new();
        for issuer in &policy.break_glass.keys {
            let key = PublicKey::from_pem(issuer.pem.as_bytes())
                .map_err(|e| Failure::new(format!("a key of \"break_glass\": {e}")))?;
            if key.id() != issuer.id {
                return Err(Failure::new(format!(
                    "a key of \"break_glass\" is {}, and its id says {}",
                    key.id(),
                    issuer.id
                )));
            }
            keys.push(key);
        }
        Ok(Self { policy, digest, text, loaded_at, checkers: Arc::default(), keys })
    }

    /// The same, with these to ask.
    #[must_use]
    pub fn hearing(mut self, checkers: Arc<Checkers>) -> Self {
        self.checkers = checkers;
        self
    }

    /// The grant of a break-glass token that one of the policy's keys signed. Whether it covers
    /// an image now is the judge's question.
    ///
    /// # Errors
    /// Why it was not accepted; nothing of the token is quoted.
    pub fn verify(&self, token: &str) -> std::result::Result<Grant, String> {
        breakglass::verify(token, &self.keys).map_err(|e| e.to_string())
    }

    /// The name and digest by which logs and decisions name these rules.
    pub fn name(&self) -> String {
        format!("{}@{}", self.policy.name, self.digest)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

    use cleanbill_core::policy::{BreakGlass, IssuerKey};
    use cleanbill_trust::SigningKey;

    use super::*;

    #[test]
    fn a_reader_keeps_what_it_began_with() {
        let live = Live::new(1);
        let before = live.get();
        assert_eq!(*live.replace(2), 1);
        assert_eq!((*before, *live.get()), (1, 2));
    }

    #[test]
    fn a_reader_never_has_half_of_two_values() {
        let live = Live::new((0_u64, 0_u64));
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !done.load(Relaxed) {
                        let value = live.get();
                        assert_eq!(value.0, value.1);
                    }
                });
            }
            (1..100_000).for_each(|round| drop(live.replace((round, round))));
            done.store(true, Relaxed);
        });
    }

    #[test]
    fn keys_that_cannot_be_used_are_errors_and_not_left_out() {
        let key = SigningKey::generate().unwrap().public();
        let other = SigningKey::generate().unwrap().public();
        let rules = |id, pem: &str| {
            let keys = vec![IssuerKey { id, pem: pem.into() }];
            let break_glass = BreakGlass { keys, ..BreakGlass::default() };
            Rules::new(Policy { break_glass, ..Policy::default() }, Timestamp::UNIX_EPOCH)
        };
        assert_eq!(rules(key.id(), &key.to_pem()).unwrap().keys, [key]);
        for (id, pem) in [(other.id(), key.to_pem()), (key.id(), "x".into())] {
            let said = rules(id, &pem).unwrap_err().to_string();
            assert!(said.contains("break_glass"), "{said}");
        }
        let plain = Rules::new(Policy::default(), Timestamp::UNIX_EPOCH).unwrap();
        assert!(plain.verify("x").is_err());
    }
}
