//! What a predicate has said of events that look the same to it, so that its program need not run again.
//!
//! A program is a function of the fields that it reads: it sees no clock, no other event and nothing of the machine. Many
//! events have none of them, or the same ones.

use std::hash::{DefaultHasher, Hasher};

/// How many looks are remembered.
const SLOTS: usize = 64;

/// The longest look that is remembered, in bytes.
const LOOK: usize = 256;

/// What was said, by how the event looked.
#[derive(Debug)]
pub(super) struct ResultCache<T> {
    /// How the event in hand looks: the JSON of each field, and what no JSON has between them.
    look: Vec<u8>,
    slots: Vec<Option<(Vec<u8>, T)>>,
}

impl<T: Copy> ResultCache<T> {
    /// Nothing is remembered yet.
    pub const fn new() -> Self {
        Self { look: Vec::new(), slots: Vec::new() }
    }

    /// Looks at an event through the JSON of its fields, `None` where it doesn't have one, and gives what was said of one that
    /// looked the same, or else what `say` says now. What `say` refuses to say is not remembered.
    pub fn get_or_compute<'j, E>(
        &mut self,
        fields: impl Iterator<Item = Option<&'j str>>,
        say: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let Self { look, slots } = self;
        look.clear();
        for json in fields {
            look.extend_from_slice(json.unwrap_or_default().as_bytes());
            look.push(b'\n');
        }
        if look.len() > LOOK {
            return say();
        }
        let mut hasher = DefaultHasher::new();
        hasher.write(look);
        #[expect(clippy::cast_possible_truncation, reason = "any of its bits will do")]
        let slot = hasher.finish() as usize % SLOTS;
        slots.resize_with(SLOTS, || None);
        match &mut slots[slot] {
            Some((known, said)) if known == look => Ok(*said),
            Some((known, said)) => {
                *said = say()?;
                known.clone_from(look);
                Ok(*said)
            }
            free => {
                let said = say()?;
                *free = Some((look.clone(), said));
                Ok(said)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn what_looks_the_same_is_asked_once() {
        let mut memory = ResultCache::new();
        let asked = Cell::new(0);
        let mut ask = |fields: &[Option<&str>], says: Result<usize, ()>| {
            memory.get_or_compute(fields.iter().copied(), || {
                asked.set(asked.get() + 1);
                says
            })
        };
        let long = format!("\"{}\"", "x".repeat(LOOK));
        for _ in 0..2 {
            assert_eq!(ask(&[None, Some("1")], Ok(1)), Ok(1));
            assert_eq!(ask(&[Some("1"), None], Ok(2)), Ok(2), "another field has it");
            assert_eq!(ask(&[Some("11")], Ok(3)), Ok(3));
            assert_eq!(ask(&[Some("2")], Err(())), Err(()), "not remembered");
            assert_eq!(ask(&[Some(&long)], Ok(4)), Ok(4), "too long to be remembered");
        }
        assert_eq!(asked.get(), 3 + 2 + 2);
        for number in 1000..1000 + 10 * SLOTS {
            let json = number.to_string();
            assert_eq!(
                ask(&[Some(&json)], Ok(number)),
                Ok(number),
                "whatever was forgotten for it"
            );
        }
        assert_eq!(ask(&[None, Some("1")], Ok(1)), Ok(1));
    }
}
