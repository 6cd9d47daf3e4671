//! Cursors, with which a client gets the next page.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// The number of hexadecimal digits of a fingerprint.
const DIGITS: usize = 16;

/// Where a page ended: after this many events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PagePosition {
    /// The number of the recording, or the id of the last event of a stream.
    pub place: u64,
    /// The number of events of the recording, or of events with that id, that were read.
    pub events: u64,
    /// Whether something was missing on an earlier page.
    pub is_incomplete: bool,
}

/// What a cursor belongs to: a tool, its arguments, and what it reads.
#[derive(Clone)]
pub struct CursorScope(String);

impl CursorScope {
    /// Creates the scope of these texts.
    pub fn new<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        let mut hash = Sha256::new();
        for text in texts {
            hash.update(text.len().to_le_bytes());
            hash.update(text);
        }
        let mut digits = String::new();
        for byte in hash.finalize().iter().take(DIGITS / 2) {
            // Writing to a string cannot fail.
            let _ = write!(digits, "{byte:02x}");
        }
        Self(digits)
    }

    /// Writes a position as a cursor.
    pub fn write(&self, position: PagePosition) -> String {
        let PagePosition { place, events, is_incomplete } = position;
        format!("{}.{place}.{events}.{}", self.0, u8::from(is_incomplete))
    }

    /// Reads a cursor.
    pub fn read(&self, cursor: &str) -> Result<PagePosition> {
        let invalid = |why| Error::usage("cannot use cursor", why, "leave it out to begin again");
        let mut parts = cursor.split('.');
        let scope = parts.next().unwrap_or_default();
        let mut number = || parts.next().and_then(|part| part.parse::<u64>().ok());
        let position = match (number(), number(), number()) {
            (Some(place), Some(events), Some(flag @ 0..=1)) => {
                PagePosition { place, events, is_incomplete: flag == 1 }
            }
            _ => return Err(invalid("it is not `next` of an earlier result")),
        };
        if parts.next().is_some() {
            return Err(invalid("it is not `next` of an earlier result"));
        }
        if scope != self.0 {
            return Err(invalid("it belongs to other arguments, or the recordings have changed"));
        }
        Ok(position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_in_its_own_scope_only() {
        let scope = CursorScope::new(["find", "a", "b"]);
        let position = PagePosition { place: 3, events: 70, is_incomplete: true };
        let cursor = scope.write(position);
        assert_eq!(scope.read(&cursor), Ok(position));
        for other in [&["find", "ab", ""][..], &["find", "a"], &["tail", "a", "b"]] {
            assert!(CursorScope::new(other.iter().copied()).read(&cursor).is_err());
        }
        let mine = &cursor[..DIGITS];
        for wrong in ["", "x", ".", "...", &format!("{mine}.1.2"), &format!("{mine}.1.2.2")] {
            assert!(scope.read(wrong).is_err(), "{wrong}");
        }
        assert!(scope.read(&format!("{cursor}.0")).is_err());
        assert!(scope.read(&format!("{mine}.99999999999999999999.0.0")).is_err());
    }
}
