//! The API key of a long run.
//!
//! Keys are rotated. When the server refuses one, it is read again from its file or command before
//! the run gives up.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::transport::credential::{Credential, KeySource};

/// The key that several connections share, and the source of a newer one.
///
/// A clone is the same ring. A [`fork`](Self::fork) is another ring with the same key.
#[derive(Clone)]
pub struct KeyRing(Arc<Mutex<Arc<SharedKey>>>);

struct SharedKey {
    /// `None` before the key has been read.
    current: Mutex<Option<Credential>>,
    source: Option<KeySource>,
    /// Ensures that only one connection at a time reads the source.
    renewing: tokio::sync::Mutex<()>,
}

impl KeyRing {
    /// Creates a key ring. `source` is where the key was read from, if it may change there.
    #[must_use]
    pub fn new(credential: Credential, source: Option<KeySource>) -> Self {
        Self::with(Some(credential), source)
    }

    /// Creates a key ring whose key is given later, with [`switch_to`](Self::switch_to).
    #[must_use]
    pub fn without_key() -> Self {
        Self::with(None, None)
    }

    fn with(credential: Option<Credential>, source: Option<KeySource>) -> Self {
        let current = Mutex::new(credential);
        let renewing = tokio::sync::Mutex::default();
        Self(Arc::new(Mutex::new(Arc::new(SharedKey { current, source, renewing }))))
    }

    /// Creates another ring with the same key, which is also renewed for both together.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self(Arc::new(Mutex::new(self.shared())))
    }

    /// Gives the connections of this ring the key of another one.
    pub fn switch_to(&self, other: &Self) {
        *lock(&self.0) = other.shared();
    }

    /// Returns the current key.
    #[must_use]
    pub fn current(&self) -> Credential {
        lock(&self.shared().current).clone().unwrap_or_else(Credential::missing)
    }

    fn shared(&self) -> Arc<SharedKey> {
        Arc::clone(&lock(&self.0))
    }

    /// Replaces a refused key. Returns whether the current key is now a different one.
    ///
    /// Another stream may have replaced it already. A source that fails or returns the refused key
    /// changes nothing.
    pub(super) async fn renew(&self, refused: &Credential) -> bool {
        let shared = self.shared();
        let _guard = shared.renewing.lock().await;
        if self.current() != *refused {
            return true;
        }
        let Some(source) = shared.source.as_ref().filter(|source| source.is_lasting()) else {
            return false;
        };
        match source.read().await {
            Ok(newer) if newer != *refused => {
                *lock(&shared.current) = Some(newer);
                true
            }
            _ => false,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Credential {
        Credential::new(text, "a test").expect("legal")
    }

    #[tokio::test]
    async fn a_refused_key_is_replaced_only_by_a_different_one() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let command = KeySource::Command(format!("cat '{}'", file.path().display()));
        for source in [KeySource::File(file.path().to_owned()), command] {
            let keys = KeyRing::new(key("old"), Some(source));
            for useless in ["", "old\n"] {
                std::fs::write(file.path(), useless).expect("written");
                assert!(!keys.renew(&key("old")).await);
            }
            std::fs::write(file.path(), "new\n").expect("written");
            let other = keys.clone();
            assert!(keys.renew(&key("old")).await && keys.current() == key("new"));
            assert!(other.renew(&key("old")).await, "the other stream has it too");
            assert!(!keys.renew(&key("new")).await);
        }
        assert!(!KeyRing::new(key("old"), None).renew(&key("old")).await);
    }

    #[tokio::test]
    async fn a_fork_shares_a_renewed_key_until_it_switches() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "new\n").expect("written");
        let keys = KeyRing::new(key("old"), Some(KeySource::File(file.path().to_owned())));
        let (one, other) = (keys.fork(), keys.fork());
        assert!(one.renew(&key("old")).await && other.current() == key("new"));
        let connection = one.clone();
        one.switch_to(&KeyRing::new(key("own"), None));
        assert!(connection.current() == key("own") && other.current() == key("new"));
        assert!(connection.renew(&key("new")).await, "the switch has replaced it");
    }
}
