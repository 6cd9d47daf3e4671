//! What tells one event from another, whatever the policy shows: its type and its open fields.
//!
//! A hash of what is hidden would let others try out what that is, so nothing of it goes in.

use super::event::RedactedEvent;
use super::mask;
use crate::model::Class;

/// What an event is known by in a later run.
#[must_use]
pub fn identity(shown: &RedactedEvent<'_>) -> u64 {
    let mut hash = Fnv::default();
    hash.update(shown.event_type());
    for field in shown.fields() {
        let is_open = field.spec.is_some_and(|spec| spec.class == Class::Open);
        // What has an inside where none is declared is hidden in an open field too, by another text in each mode.
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

/// FNV-1a of 64 bits: the standard library's hashers promise nothing across versions.
pub struct Fnv(pub u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    /// Takes a part in.
    pub fn update(&mut self, text: &str) {
        for byte in text.bytes().chain([0]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
