//! The API key over a long run: keys are rotated, so one that is refused is read again, from its file or by its command,
//! before giving up.

use std::sync::{Arc, Mutex, PoisonError};

use crate::transport::credential::{Credential, KeySource};

/// The key that all connections use, and where a newer one may be found.
#[derive(Clone)]
pub struct KeyRing {
    current: Arc<Mutex<Credential>>,
    source: Option<KeySource>,
    /// Whose turn it is to look for a newer one.
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl KeyRing {
    /// A key, and where it was read from, if it may change there.
    #[must_use]
    pub fn new(credential: Credential, source: Option<KeySource>) -> Self {
        Self { current: Arc::new(Mutex::new(credential)), source, turn: Arc::default() }
    }

    /// The key to use now.
    #[must_use]
    pub fn current(&self) -> Credential {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether there is another key than the one that was refused: another stream has read it by now, or its source gives
    /// it. A source that gives the refused one, or fails, is no help.
    pub(super) async fn renew(&self, refused: &Credential) -> bool {
        let _turn = self.turn.lock().await;
        if self.current() != *refused {
            return true;
        }
        let Some(source) = &self.source else { return false };
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
    async fn a_refused_key_is_read_again_and_only_another_one_helps() {
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
