//! A hash that recognises an event in a later run, whatever the policy shows: over its type and its
//! open fields.
//!
//! Hidden values do not enter the hash, because whoever has it could find them by trying.

use super::event::RedactedEvent;
use super::mask;
use crate::model::Class;
use crate::model::conformance::conformance;
use crate::model::name::shown_name;

/// Returns the hash that identifies an event across runs and policies.
#[must_use]
pub fn identity(event: &RedactedEvent<'_>) -> u64 {
    let mut hash = Fnv::default();
    // The name of a declared type looks like a name.
    let event_type = event.event_type();
    hash.update(if event.kind().is_some() { event_type } else { shown_name(event_type) });
    for field in event.fields() {
        // A value that does not match its declaration is masked even in an open field, and so may
        // be a value inside a container. The mask depends on the mode.
        let is_open = field.spec.is_some_and(|spec| {
            let is_covered = || conformance(field.json, &spec.ty).is_shown();
            spec.class == Class::Open && (field.json == "null" || is_covered())
        });
        if is_open
            && !field.hidden
            && !field.json.starts_with(['{', '['])
            && !mask::is_stand_in(field.json)
        {
            hash.update(field.key);
            hash.update(field.json);
        }
    }
    hash.0
}

/// A 64-bit FNV-1a hash, which stays the same across versions of the standard library.
///
/// Parameters: <http://www.isthe.com/chongo/tech/comp/fnv/#FNV-param>.
pub struct Fnv(pub u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    /// Hashes a text and a terminating zero byte, which keeps adjacent texts apart.
    pub fn update(&mut self, text: &str) {
        self.update_parts([text]);
    }

    /// Hashes a text that consists of `parts`.
    pub fn update_parts<const N: usize>(&mut self, parts: [&str; N]) {
        let hash = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        for part in parts {
            self.0 = part.bytes().fold(self.0, hash);
        }
        self.0 = hash(self.0, 0);
    }
}
