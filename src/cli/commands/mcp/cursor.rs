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

impl PagePosition {
    /// Returns the position from which events are counted if a page begins here.
    pub const fn begin(self) -> Self {
        Self { events: 0, ..self }
    }

    /// Returns the position after the next event, which is at `place`.
    ///
    /// Without a place, such as a notice of evtap's own in a stream, nothing is counted: it is not
    /// there when the stream is read again.
    pub const fn after(self, place: Option<u64>) -> Self {
        match place {
            None => self,
            Some(place) if place == self.place => Self { events: self.events + 1, ..self },
            Some(place) => Self { place, events: 1, ..self },
        }
    }
}

/// Skips the events that were on earlier pages.
#[derive(Debug, Default)]
pub struct PageSkip {
    start: PagePosition,
    skipped: u64,
}

impl PageSkip {
    /// Skips the events before a position.
    pub const fn new(start: PagePosition) -> Self {
        Self { start, skipped: 0 }
    }

    /// Returns whether an event at `place` was on an earlier page.
    pub fn skips(&mut self, place: Option<u64>) -> bool {
        let skips = place == Some(self.start.place) && self.skipped < self.start.events;
        self.skipped += u64::from(skips);
        skips
    }
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

    /// Reads a stream in pages that end after any number of events. Each event is on one page, also
    /// if several have one id, and a notice without an id hides no event.
    #[test]
    fn pages_of_a_stream_have_each_event_once() {
        let stream =
            [(Some(1), 'a'), (Some(2), 'b'), (Some(2), 'c'), (Some(2), 'd'), (Some(5), 'e')];
        for first in 0..=stream.len() {
            let mut begin = PagePosition::default().begin();
            for (place, _) in &stream[..first] {
                begin = begin.after(*place);
                begin = begin.after(None);
            }
            let again = stream.iter().filter(|(place, _)| *place >= Some(begin.place));
            let mut skip = PageSkip::new(begin);
            assert!(!skip.skips(None), "a new notice is shown");
            let rest: String =
                again.filter(|(place, _)| !skip.skips(*place)).map(|(_, name)| name).collect();
            assert_eq!(rest, "abcde"[first..]);
        }
    }

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
