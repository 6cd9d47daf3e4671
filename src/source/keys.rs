//! The API key over a long run: keys are rotated, so one that is refused is read again from its file before giving up.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::credential::Credential;

/// The key that all connections use, and where a newer one may be found.
#[derive(Debug, Clone)]
pub struct Keys {
    current: Arc<Mutex<Credential>>,
    file: Option<PathBuf>,
}

impl Keys {
    /// A key, and the file that it was read from, if it was.
    #[must_use]
    pub fn new(credential: Credential, file: Option<PathBuf>) -> Self {
        Self { current: Arc::new(Mutex::new(credential)), file }
    }

    /// The key to use now.
    #[must_use]
    pub fn current(&self) -> Credential {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether there is another key than the one that was refused: another stream has read it by now, or the file holds
    /// it. A file that holds the refused one, or none that can be read, is no help.
    pub(super) fn renew(&self, refused: &Credential) -> bool {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if *current != *refused {
            return true;
        }
        match self.file.as_deref().map(Credential::read) {
            Some(Ok(newer)) if newer != *refused => {
                *current = newer;
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

    #[test]
    fn a_refused_key_is_read_again_and_only_another_one_helps() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let keys = Keys::new(key("old"), Some(file.path().to_owned()));
        for useless in ["", "old\n"] {
            std::fs::write(file.path(), useless).expect("written");
            assert!(!keys.renew(&key("old")));
        }
        std::fs::write(file.path(), "new\n").expect("written");
        let other = keys.clone();
        assert!(keys.renew(&key("old")) && keys.current() == key("new"));
        assert!(other.renew(&key("old")), "the other stream has it too");
        assert!(!keys.renew(&key("new")));
        assert!(!Keys::new(key("old"), None).renew(&key("old")));
    }
}
