//! The Kubernetes API, asked once for what many want at a time: a rollout of 500 pods with one
//! pull secret is one request, not 500.
//!
//! What was read is held for a short time, in memory alone, by kind, namespace and name: what one
//! namespace has is never shown to another. Whoever asks for what is being read waits for that.
//! Objects here may be secrets: nothing of them is shown, logged or written.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{Client, Unread};

/// Objects that are held; past it those that were read first go.
const OBJECTS: usize = 1000;
/// Bytes of all objects that are held.
const BYTES: usize = 32 << 20;

/// How long what was read is held.
#[derive(Clone, Copy, Debug)]
pub struct Holds {
    /// An object (default 30 s): so long a secret that was taken back or changed may still count.
    pub found: Duration,
    /// That there is none, or that we may not read it (default 5 s).
    pub none: Duration,
    /// That the API server could not be asked (default 1 s).
    pub failed: Duration,
}

impl Default for Holds {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { found: seconds(30), none: seconds(5), failed: seconds(1) }
    }
}

/// One API server, and what was read from it just now. Has no `Debug`: it holds secrets.
pub struct Reader {
    client: Client,
    memory: Memory,
}

impl Reader {
    /// With the usual times.
    pub fn new(client: Client) -> Self {
        Self::holding(client, Holds::default())
    }

    /// With others.
    pub fn holding(client: Client, holds: Holds) -> Self {
        Self { client, memory: Memory::new(holds) }
    }

    /// As [`Client::get`], from memory where it is held. Blocks until then at most.
    ///
    /// # Errors
    /// See [`Unread`].
    pub fn get(
        &self,
        kind: &str,
        namespace: &str,
        name: &str,
        until: Instant,
    ) -> Result<Vec<u8>, Unread> {
        let key = Key { kind: kind.into(), namespace: namespace.into(), name: name.into() };
        let ask = || self.client.get(kind, namespace, name, until);
        self.memory.get(&key, until, ask).map(|bytes| bytes.to_vec())
    }
}

/// Names one object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    kind: String,
    namespace: String,
    name: String,
}

type Read = Result<Arc<[u8]>, Unread>;

struct Memory {
    holds: Holds,
    held: Mutex<Held>,
    landed: Condvar,
}

#[derive(Default)]
struct Held {
    by_key: HashMap<Key, Entry>,
    under_way: HashSet<Key>,
    size: usize,
}

struct Entry {
    read: Read,
    at: Instant,
    until: Instant,
}

impl Memory {
    fn new(holds: Holds) -> Self {
        Self { holds, held: Mutex::default(), landed: Condvar::new() }
    }

    /// What is held, else what is being read, else what `ask` says.
    fn get(
        &self,
        key: &Key,
        until: Instant,
        ask: impl FnOnce() -> Result<Vec<u8>, Unread>,
    ) -> Read {
        let mut held = self.lock();
        loop {
            let now = Instant::now();
            match held.by_key.get(key) {
                Some(entry) if now < entry.until => return entry.read.clone(),
                Some(_) | None => {}
            }
            if held.under_way.insert(key.clone()) {
                break;
            }
            let left = until.saturating_duration_since(now);
            if left.is_zero() {
                return Err(Unread::Failed("the API server: somebody else still waits".into()));
            }
            let waited = self.landed.wait_timeout(held, left);
            held = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(held);
        // Whatever comes of it, a panic included, others do not wait for it for ever.
        let flight = Flight { memory: self, key };
        let read: Read = ask().map(Into::into);
        self.put(key, &read);
        drop(flight);
        read
    }

    fn put(&self, key: &Key, read: &Read) {
        let now = Instant::now();
        let holds = match read {
            Ok(_) => self.holds.found,
            Err(Unread::Absent | Unread::Forbidden) => self.holds.none,
            Err(Unread::Failed(_)) => self.holds.failed,
        };
        let entry = Entry { read: read.clone(), at: now, until: now + holds };
        let mut held = self.lock();
        held.by_key.retain(|_, entry| now < entry.until);
        held.by_key.insert(key.clone(), entry);
        held.size = held.by_key.iter().map(|(key, entry)| size(key, &entry.read)).sum();
        while held.by_key.len() > OBJECTS || held.size > BYTES {
            let first = held.by_key.iter().min_by_key(|(_, entry)| entry.at);
            let Some((first, size)) = first.map(|(k, e)| (k.clone(), size(k, &e.read))) else {
                break;
            };
            held.by_key.remove(&first);
            held.size -= size;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn size(key: &Key, read: &Read) -> usize {
    let told = match read {
        Ok(bytes) => bytes.len(),
        Err(Unread::Failed(why)) => why.len(),
        Err(Unread::Absent | Unread::Forbidden) => 0,
    };
    told + 2 * (key.kind.len() + key.namespace.len() + key.name.len())
}

/// One that asks, while others wait.
struct Flight<'m> {
    memory: &'m Memory,
    key: &'m Key,
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.memory.lock().under_way.remove(self.key);
        self.memory.landed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use super::*;

    fn key(namespace: &str, name: &str) -> Key {
        Key { kind: "secrets".into(), namespace: namespace.into(), name: name.into() }
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(10)
    }

    fn memory(found: u64, none: u64) -> Memory {
        let (found, none) = (Duration::from_millis(found), Duration::from_millis(none));
        Memory::new(Holds { found, none, failed: none })
    }

    #[test]
    fn what_was_read_is_held_by_namespace_and_name_for_its_time() {
        let memory = memory(60_000, 0);
        let read = |at: &Key, says: Result<Vec<u8>, Unread>| memory.get(at, soon(), || says);
        let ok = |bytes: &[u8]| Ok(Arc::from(bytes));
        let here = key("shop", "login");
        assert_eq!(read(&here, Ok(b"1".to_vec())), ok(b"1"));
        assert_eq!(read(&here, Ok(b"2".to_vec())), ok(b"1"));
        // What another namespace, another kind or another name has is another thing.
        assert_eq!(read(&key("other", "login"), Err(Unread::Absent)), Err(Unread::Absent));
        assert_eq!(read(&key("shop", "login2"), Ok(b"3".to_vec())), ok(b"3"));
        let account = Key { kind: "serviceaccounts".into(), ..here.clone() };
        assert_eq!(read(&account, Err(Unread::Forbidden)), Err(Unread::Forbidden));
        // Held for no time, so that it is asked again.
        assert_eq!(read(&account, Ok(b"4".to_vec())), ok(b"4"));
        let down = Unread::Failed("down".into());
        assert_eq!(read(&key("a", "b"), Err(down.clone())), Err(down));
        assert_eq!(read(&key("a", "b"), Ok(b"5".to_vec())), ok(b"5"));
    }

    #[test]
    fn what_is_held_is_forgotten_in_time() {
        let memory = memory(30, 30);
        let at = key("shop", "login");
        memory.get(&at, soon(), || Ok(b"1".to_vec())).unwrap();
        std::thread::sleep(Duration::from_millis(40));
        let gone = memory.get(&at, soon(), || Err(Unread::Absent));
        assert_eq!(gone, Err(Unread::Absent));
        std::thread::sleep(Duration::from_millis(40));
        assert!(memory.get(&at, soon(), || Ok(b"2".to_vec())).is_ok());
    }

    #[test]
    fn many_who_want_one_thing_ask_once_and_wait_no_longer_than_they_may() {
        let (memory, asked) = (memory(60_000, 60_000), AtomicUsize::new(0));
        let at = key("shop", "login");
        let slow = || {
            asked.fetch_add(1, SeqCst);
            std::thread::sleep(Duration::from_millis(300));
            Ok(b"1".to_vec())
        };
        std::thread::scope(|scope| {
            for _ in 0..50 {
                scope.spawn(|| assert!(memory.get(&at, soon(), slow).is_ok()));
            }
            std::thread::sleep(Duration::from_millis(50));
            let hasty = memory.get(&at, Instant::now(), || panic!("it is being asked"));
            assert!(matches!(hasty, Err(Unread::Failed(_))), "{hasty:?}");
        });
        assert_eq!(asked.load(SeqCst), 1);
    }

    #[test]
    fn who_panics_while_asking_lets_the_next_ask() {
        let memory = memory(60_000, 60_000);
        let at = key("shop", "login");
        let broken = std::panic::AssertUnwindSafe(|| memory.get(&at, soon(), || panic!("broken")));
        assert!(std::panic::catch_unwind(broken).is_err());
        assert!(memory.get(&at, soon(), || Ok(b"1".to_vec())).is_ok());
    }

    #[test]
    fn what_is_held_is_bounded_by_number_and_size() {
        let memory = memory(60_000, 60_000);
        for n in 0..OBJECTS + 200 {
            _ = memory.get(&key("shop", &format!("s{n}")), soon(), || Err(Unread::Absent));
        }
        assert_eq!(memory.lock().by_key.len(), OBJECTS);
        for n in 0..40 {
            _ = memory.get(&key("large", &format!("s{n}")), soon(), || Ok(vec![0; 1 << 20]));
            assert!(memory.lock().size <= BYTES);
        }
        let held = memory.lock();
        assert!(held.by_key.len() >= 31 && held.by_key.contains_key(&key("large", "s39")));
        let sizes = held.by_key.iter().map(|(key, entry)| size(key, &entry.read));
        assert_eq!(sizes.sum::<usize>(), held.size);
    }
}
