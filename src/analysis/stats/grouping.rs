//! Evaluates `--group-by`: determines the groups that an event belongs to.
//!
//! Most events have the same few values in the fields that the program reads, so the groups are
//! cached by the bytes of those fields. Each worker has a cache of its own, of limited size.

use std::hash::{DefaultHasher, Hasher};
use std::sync::Arc;

use crate::analysis::byte_budget::{MAX_NAME_BYTES, truncated};
use crate::query::program::ProgramError;
use crate::query::{EventContext, OutputProgram};

/// The number of groups that one event may be in.
const MAX_GROUPS_OF_EVENT: usize = 1000;

/// The number of field values whose groups are cached.
const SLOTS: usize = 1024;

/// The most bytes that are cached for one slot: those of the fields, and those of the groups.
const MAX_CACHED_BYTES: usize = 256;

/// The memory of a cached group besides its text, in bytes.
const GROUP_BYTES: usize = 32;

/// The groups of an event, or why it is in none.
type EventGroups = Result<Vec<Box<str>>, ProgramError>;

/// Determines the groups of events.
pub struct Grouping {
    program: Arc<OutputProgram>,
    /// The fields of the current event: the JSON of each, followed by a line feed, which no value
    /// contains.
    key: Vec<u8>,
    slots: Vec<Option<(Box<[u8]>, EventGroups)>>,
    /// The groups of the current event, if they are not cached.
    current: EventGroups,
    /// A buffer for the outputs of the program.
    outputs: Vec<u8>,
}

impl Grouping {
    /// Creates a grouping by the outputs of a program.
    #[must_use]
    pub const fn new(program: Arc<OutputProgram>) -> Self {
        Self {
            program,
            key: Vec::new(),
            slots: Vec::new(),
            current: Ok(Vec::new()),
            outputs: Vec::new(),
        }
    }

    /// Creates a grouping by the same program, for another thread.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self::new(Arc::clone(&self.program))
    }

    /// Returns the groups of an event: the JSON of each output of the program.
    ///
    /// # Errors
    ///
    /// Fails if the program fails, or if it has too many outputs.
    pub fn groups(&mut self, context: &EventContext<'_>) -> Result<&[Box<str>], ProgramError> {
        let slot = self.slot(context);
        let Some(slot) = slot else {
            self.current = run(&self.program, context, &mut self.outputs);
            return as_groups(&self.current);
        };
        let is_cached =
            matches!(&self.slots[slot], Some((key, _)) if **key == *self.key.as_slice());
        if !is_cached {
            let groups = run(&self.program, context, &mut self.outputs);
            let bytes: usize = groups.iter().flatten().map(|group| group.len() + GROUP_BYTES).sum();
            if bytes > MAX_CACHED_BYTES {
                self.current = groups;
                return as_groups(&self.current);
            }
            self.slots[slot] = Some((self.key.as_slice().into(), groups));
        }
        self.slots[slot].as_ref().map_or(Ok(&[]), |(_, groups)| as_groups(groups))
    }

    /// Determines the key of an event and returns the slot for it; `None` if its groups cannot be
    /// cached.
    fn slot(&mut self, context: &EventContext<'_>) -> Option<usize> {
        let fields = self.program.field_values(context.event)?;
        self.key.clear();
        for json in fields {
            self.key.extend_from_slice(json.unwrap_or_default().as_bytes());
            self.key.push(b'\n');
        }
        if self.key.len() > MAX_CACHED_BYTES {
            return None;
        }
        self.slots.resize_with(SLOTS, || None);
        let mut hasher = DefaultHasher::new();
        hasher.write(&self.key);
        #[expect(clippy::cast_possible_truncation, reason = "any bits of a hash serve")]
        let slot = hasher.finish() as usize % SLOTS;
        Some(slot)
    }
}

fn as_groups(groups: &EventGroups) -> Result<&[Box<str>], ProgramError> {
    groups.as_ref().map(Vec::as_slice).map_err(|error| *error)
}

fn run(program: &OutputProgram, context: &EventContext<'_>, outputs: &mut Vec<u8>) -> EventGroups {
    let mut groups = Vec::new();
    let mut has_room = true;
    let outcome = program.for_each_json(context, outputs, |json| {
        has_room = groups.len() < MAX_GROUPS_OF_EVENT;
        if has_room {
            groups.push(truncated(json, MAX_NAME_BYTES).into());
        }
        has_room
    });
    let has_too_many = Err(ProgramError::Failed("it has too many results"));
    (if has_room { outcome } else { has_too_many }).map(|()| groups)
}
