//! The API key of a long run.
//!
//! Keys are rotated. When the server refuses one, it is read again from its file or command before
//! the run gives up.

use std::sync::{Arc, Mutex, PoisonError};

use crate::transport::credential::{Credential, KeySource};

/// The key that all connections share, and the source of a newer one.
#[derive(Clone)]
pub struct KeyRing {
    current: Arc<Mutex<Credential>>,
    source: Option<KeySource>,
    /// Ensures that only one connection at a time reads the source.
    renewing: Arc<tokio::sync::Mutex<()>>,
}

impl KeyRing {
    /// Creates a key ring. `source` is where the key was read from, if it may change there.
    #[must_use]
    pub fn new(credential: Credential, source: Option<KeySource>) -> Self {
        Self { current: Arc::new(Mutex::new(credential)), source, renewing: Arc::default() }
    }

    /// Returns the current key.
    #[must_use]
    pub fn current(&self) -> Credential {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces a refused key. Returns whether the current key is now a different one.
    ///
    /// Another stream may have replaced it already. A source that fails or returns the refused key
    /// changes nothing.
    pub(super) async fn renew(&self, refused: &Credential) -> bool {
        let _guard = self.renewing.lock().await;
        if self.current() != *refused {
            return true;
        }
        let Some(source) = self.source.as_ref().filter(|source| source.is_lasting()) else {
            return false;
        };
        match source.read().await {
            Ok(newer) if newer != *refused => {
                *self.current.lock().unwrap_or_else(PoisonError::into_inner) = newer;
                true
            }
            _ => false,
        }
    }
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
}
