//! Caches the results of a program by the values of the fields that it reads.
//!
//! This is sound because a program is a function of those fields: it sees no clock, no other event
//! and nothing of the machine. It pays off because many events have none of the fields, or the same
//! values.

use std::hash::{DefaultHasher, Hasher};

/// The number of results that are cached.
const SLOTS: usize = 64;

/// The longest key that is cached, in bytes.
const MAX_KEY: usize = 256;

/// Results by field values.
#[derive(Debug)]
pub(super) struct ResultCache<T> {
    /// The key of the current event: the JSON of each field, each followed by a line feed, which no
    /// value contains.
    key: Vec<u8>,
    slots: Vec<Option<(Vec<u8>, T)>>,
}

impl<T: Copy> ResultCache<T> {
    /// Creates an empty cache.
    pub const fn new() -> Self {
        Self { key: Vec::new(), slots: Vec::new() }
    }

    /// Returns the result for these fields, computing it if it is not cached. An absent field is
    /// `None`.
    pub fn get_or_compute<'j>(
        &mut self,
        fields: impl Iterator<Item = Option<&'j str>>,
        compute: impl FnOnce() -> T,
    ) -> T {
        let Self { key, slots } = self;
        key.clear();
        for json in fields {
            key.extend_from_slice(json.unwrap_or_default().as_bytes());
            key.push(b'\n');
        }
        if key.len() > MAX_KEY {
            return compute();
        }
        let mut hasher = DefaultHasher::new();
        hasher.write(key);
        #[expect(clippy::cast_possible_truncation, reason = "any bits of a hash serve")]
        let slot = hasher.finish() as usize % SLOTS;
        slots.resize_with(SLOTS, || None);
        match &mut slots[slot] {
            Some((cached, result)) if cached == key => *result,
            Some((cached, result)) => {
                *result = compute();
                cached.clone_from(key);
                *result
            }
            free => {
                let result = compute();
                *free = Some((key.clone(), result));
                result
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn computes_once_for_equal_field_values() {
        let mut cache = ResultCache::new();
        let computed = Cell::new(0);
        let mut get = |fields: &[Option<&str>], result: usize| {
            cache.get_or_compute(fields.iter().copied(), || {
                computed.set(computed.get() + 1);
                result
            })
        };
        let long = format!("\"{}\"", "x".repeat(MAX_KEY));
        for _ in 0..2 {
            assert_eq!(get(&[None, Some("1")], 1), 1);
            assert_eq!(get(&[Some("1"), None], 2), 2, "another field has it");
            assert_eq!(get(&[Some("11")], 3), 3);
            assert_eq!(get(&[Some(&long)], 4), 4, "too long to be cached");
        }
        assert_eq!(computed.get(), 3 + 2);
        for number in 1000..1000 + 10 * SLOTS {
            let json = number.to_string();
            assert_eq!(get(&[Some(&json)], number), number, "a colliding key replaces another");
        }
        assert_eq!(get(&[None, Some("1")], 1), 1);
    }
}
