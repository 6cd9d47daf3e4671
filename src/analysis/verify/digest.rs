//! Counts the events of an hour, and computes a digest of them.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::redact::RedactedEvent;

/// The number of events of an hour, and the sum of their SHA-256 hashes modulo 2²⁵⁶.
///
/// A sum does not depend on the order of the events, so two taps that received the same events have
/// the same digest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HourCount {
    pub events: u64,
    sum: [u64; 4],
}

impl HourCount {
    /// Counts an event: its type, its id, its call and its fields as they are shown. When it was
    /// received does not matter.
    pub fn add(&mut self, event: &RedactedEvent<'_>) {
        let mut hash = Sha256::new();
        let mut update = |text: &str| {
            hash.update(text.as_bytes());
            hash.update([0]);
        };
        update(event.event_type());
        let tap = event.tap();
        update(tap.id.as_deref().unwrap_or_default());
        update(tap.call_sid.as_deref().unwrap_or_default());
        for field in event.fields() {
            update(field.key);
            update(field.json);
        }
        self.events += 1;
        let mut carry = false;
        for (sum, part) in self.sum.iter_mut().zip(hash.finalize().chunks_exact(8)) {
            let part = u64::from_le_bytes(part.try_into().unwrap_or_default());
            let (with_part, overflows) = sum.overflowing_add(part);
            let (total, overflows_again) = with_part.overflowing_add(u64::from(carry));
            (*sum, carry) = (total, overflows || overflows_again);
        }
    }
}

impl fmt::Display for HourCount {
    /// Writes the digest in hexadecimal.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sum.iter().rev().try_for_each(|part| write!(out, "{part:016x}"))
    }
}
