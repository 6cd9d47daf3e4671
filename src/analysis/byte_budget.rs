//! The memory limit of everything that is kept until later: events, transcripts, findings.
//!
//! Everything that is kept comes from the wire, so its size is up to the sender. A limit on the number of
//! entries alone would not bound memory, because one entry may be as large as a frame. A store
//! counts the bytes of its entries here, and either refuses entries or evicts the oldest ones. Both
//! are counted, so that whoever shows the store can say that something is missing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The memory that a store may use, in bytes, and what it uses.
#[derive(Debug, Clone)]
pub struct ByteBudget {
    limit: usize,
    used: usize,
    missing: u64,
}

impl ByteBudget {
    /// Creates an unused budget of `limit` bytes.
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        Self { limit, used: 0, missing: 0 }
    }

    /// Takes `bytes` for an entry. Returns false and counts the entry as missing if there is no
    /// room for it.
    pub const fn take(&mut self, bytes: usize) -> bool {
        let has_room = bytes <= self.limit.saturating_sub(self.used);
        if has_room {
            self.used += bytes;
        } else {
            self.missing += 1;
        }
        has_room
    }

    /// Replaces the `before` bytes of an entry by `after`, even if that exceeds the limit.
    pub const fn replace(&mut self, before: usize, after: usize) {
        self.used = (self.used + after).saturating_sub(before);
    }

    /// Gives back the bytes of an entry that is evicted, and counts it as missing.
    pub const fn evict(&mut self, bytes: usize) {
        self.used = self.used.saturating_sub(bytes);
        self.missing += 1;
    }

    /// Returns whether entries must be evicted.
    #[must_use]
    pub const fn is_exceeded(&self) -> bool {
        self.used > self.limit
    }

    /// Returns the limit, in bytes.
    #[must_use]
    pub const fn limit(&self) -> usize {
        self.limit
    }

    /// Returns the bytes in use.
    #[must_use]
    pub const fn used(&self) -> usize {
        self.used
    }

    /// Returns the number of entries that were refused or evicted.
    #[must_use]
    pub const fn missing(&self) -> u64 {
        self.missing
    }
}

/// The memory of entries that several stores share, in bytes. An entry counts once, for as long as
/// any store has it.
#[derive(Debug, Clone, Default)]
pub struct ByteMeter(Arc<AtomicUsize>);

impl ByteMeter {
    /// Returns the bytes of all entries.
    #[must_use]
    pub fn used(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Counts the bytes of an entry until the share is dropped.
    #[must_use]
    pub fn share(&self, bytes: usize) -> ByteShare {
        self.0.fetch_add(bytes, Ordering::Relaxed);
        ByteShare { meter: self.clone(), bytes }
    }
}

/// The bytes of one entry that a [`ByteMeter`] counts.
#[derive(Debug)]
pub struct ByteShare {
    meter: ByteMeter,
    bytes: usize,
}

impl Clone for ByteShare {
    fn clone(&self) -> Self {
        self.meter.share(self.bytes)
    }
}

impl Drop for ByteShare {
    fn drop(&mut self) {
        self.meter.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// The number of bytes of a name or a short text that are kept.
pub const MAX_NAME_BYTES: usize = 200;

/// Returns at most `limit` bytes of text, without splitting a character.
#[must_use]
pub fn truncated(text: &str, limit: usize) -> &str {
    &text[..boundary(text, limit)]
}

/// Truncates text to `limit` bytes, and appends an ellipsis if something was cut. Returns whether
/// something was cut.
pub fn truncate(text: &mut String, limit: usize) -> bool {
    let is_cut = text.len() > limit;
    if is_cut {
        text.truncate(boundary(text, limit));
        text.push('…');
    }
    // What is kept must not hold on to the memory of what was cut.
    text.shrink_to_fit();
    is_cut
}

/// Returns the last boundary of characters in the first `limit` bytes.
fn boundary(text: &str, limit: usize) -> usize {
    let limit = limit.min(text.len());
    (0..=limit).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_without_room_are_refused_and_counted() {
        let mut budget = ByteBudget::new(10);
        assert!(budget.take(6) && !budget.take(5) && budget.take(4) && !budget.take(usize::MAX));
        assert_eq!((budget.used(), budget.missing()), (10, 2));
        budget.replace(4, 9);
        assert!(budget.is_exceeded() && !budget.take(1));
        budget.evict(9);
        assert_eq!((budget.used(), budget.is_exceeded(), budget.missing()), (6, false, 4));
    }

    #[test]
    fn a_shared_entry_counts_once_while_it_is_in_use() {
        let meter = ByteMeter::default();
        let mut entry = Arc::new(meter.share(10));
        let shared = Arc::clone(&entry);
        assert_eq!(meter.used(), 10);
        *Arc::make_mut(&mut entry) = meter.share(15);
        assert_eq!(meter.used(), 25);
        drop(shared);
        assert_eq!(meter.used(), 15);
        drop(entry);
        assert_eq!(meter.used(), 0);
    }

    #[test]
    fn text_is_cut_between_characters_and_gives_back_its_memory() {
        let mut text = "é".repeat(1000);
        assert!(truncate(&mut text, 5));
        assert_eq!((text.as_str(), text.capacity() < 20), ("éé…", true));
        assert!(!truncate(&mut text, 7));
        assert_eq!(truncated("aé", 2), "a");
    }
}
