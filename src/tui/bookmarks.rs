//! The marks of events with their notes, beyond the time that an event is buffered.
//!
//! A mark of this session belongs to the number of an event. To outlast the session, it is kept by
//! the id of its event: Unix time in milliseconds, the workspace, and for events of the same
//! millisecond, which of them it is. An event without an id can be marked, but only for the session.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::buffer::EventBuffer;
use crate::output::stored_event::StoredEventReader;
use crate::redact::RedactedEvent;
use crate::text::scrub;

/// The maximum number of marks of events that are not buffered. The oldest ones go first.
pub const MAX_ABSENT: usize = 500;

/// The maximum length of a note, in bytes.
pub const MAX_NOTE: usize = 240;

/// The maximum length of an id, in bytes.
const MAX_ID: usize = 64;

/// How many events before a marked one are compared with it, to find out which event of its
/// millisecond it is.
const MAX_NEIGHBOURS: u64 = 64;

/// The id of an event.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EventId {
    /// The workspace of the event, if it names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    workspace: Option<String>,
    /// Unix time in milliseconds.
    id: String,
}

/// A mark and its note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bookmark {
    /// The id of the event; `None` if it has none that can be kept.
    #[serde(flatten)]
    pub event: Option<EventId>,
    /// The number of events with the same id before it.
    #[serde(default)]
    pub place: u32,
    /// What the user wrote about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// The marks of this session and of earlier ones.
#[derive(Debug, Default)]
pub struct Bookmarks {
    /// The marks of buffered events, by number.
    present: BTreeMap<u64, Bookmark>,
    /// The marks of events that the buffer has dropped, and those of which the user has removed no
    /// event yet because it has not arrived.
    absent: Vec<Bookmark>,
    /// The ids that an earlier session marked, by time, and how many events of each have arrived.
    awaited: HashMap<String, Vec<(EventId, u32)>>,
}

impl EventId {
    /// Returns the id of an event, if it has one that can be kept.
    #[must_use]
    pub fn of(event: &RedactedEvent<'_>) -> Option<Self> {
        let tap = event.tap();
        let id = Self { workspace: tap.workspace_id.clone(), id: tap.id.clone()? };
        id.is_valid().then_some(id)
    }

    /// Returns whether these are ids and nothing else, since they come from the wire or from a file.
    fn is_valid(&self) -> bool {
        let is_plain = |letter: u8| letter.is_ascii_alphanumeric() || letter == b'-';
        let is_id = !self.id.is_empty() && self.id.bytes().all(|digit| digit.is_ascii_digit());
        let workspace = self.workspace.as_deref().unwrap_or_default();
        is_id
            && self.id.len() <= MAX_ID
            && workspace.len() <= MAX_ID
            && workspace.bytes().all(is_plain)
    }

    /// Returns the time that the id stands for.
    #[must_use]
    pub fn time(&self) -> Option<Timestamp> {
        Timestamp::from_millisecond(self.id.parse().ok()?).ok()
    }
}

impl Bookmark {
    /// Returns whether both are marks of the same event.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.event == other.event && self.place == other.place
    }
}

/// Returns a note as it is kept: short, and without identifiers.
#[must_use]
pub fn note(text: &str) -> String {
    let text = text.trim();
    let scrubbed = scrub::scrub(text).map(|scrubbed| scrubbed.text);
    let text = scrubbed.as_deref().unwrap_or(text);
    let end = (0..=MAX_NOTE.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text[..end.unwrap_or(0)].to_owned()
}

impl Bookmarks {
    /// Adds the marks of earlier sessions. Those that name no event are ignored.
    pub fn restore(&mut self, marks: Vec<Bookmark>) {
        let is_valid = |mark: &Bookmark| mark.event.as_ref().is_some_and(EventId::is_valid);
        let valid = marks.into_iter().filter(is_valid).take(MAX_ABSENT);
        self.absent.extend(valid.map(|mark| Bookmark { note: note(&mark.note), ..mark }));
        for id in self.absent.iter().filter_map(|mark| mark.event.clone()) {
            let ids = self.awaited.entry(id.id.clone()).or_default();
            if ids.iter().all(|(known, _)| *known != id) {
                ids.push((id, 0));
            }
        }
    }

    /// Marks a buffered event, or replaces the note of its mark.
    pub fn set(&mut self, number: u64, note: String, buffer: &EventBuffer) {
        if let Some(known) = self.present.get_mut(&number) {
            known.note = note;
            return;
        }
        let mut reader = StoredEventReader::default();
        let mut id = |number: u64| reader.read(buffer.get(number)?, EventId::of);
        let event = id(number);
        let first = buffer.first().max(number.saturating_sub(MAX_NEIGHBOURS));
        let same = (first..number).filter(|other| event.is_some() && id(*other) == event).count();
        let place = u32::try_from(same).unwrap_or(u32::MAX);
        self.present.insert(number, Bookmark { event, place, note });
    }

    /// Removes the mark of a buffered event.
    pub fn remove(&mut self, number: u64) {
        self.present.remove(&number);
    }

    /// Removes the mark of an event that is not buffered, by its place in [`absent`](Self::absent).
    pub fn remove_absent(&mut self, place: usize) {
        if place < self.absent.len() {
            self.absent.remove(place);
        }
    }

    /// Returns the note of a marked event.
    #[must_use]
    pub fn note(&self, number: u64) -> Option<&str> {
        self.present.get(&number).map(|mark| mark.note.as_str())
    }

    /// Returns the id of an event if an earlier session marked one of that id.
    #[must_use]
    pub fn awaits(&self, event: &RedactedEvent<'_>) -> Option<EventId> {
        let awaited = self.awaited.get(event.tap().id.as_deref()?)?;
        let id = EventId::of(event)?;
        awaited.iter().any(|(awaited, _)| *awaited == id).then_some(id)
    }

    /// Records that an event arrived. Returns whether an earlier session marked it.
    pub fn arrived(&mut self, number: u64, id: &EventId) -> bool {
        let awaited = self.awaited.get_mut(&id.id);
        let Some((_, count)) =
            awaited.and_then(|ids| ids.iter_mut().find(|(known, _)| known == id))
        else {
            return false;
        };
        let place = *count;
        *count += 1;
        let is_it = |mark: &Bookmark| mark.place == place && mark.event.as_ref() == Some(id);
        let Some(at) = self.absent.iter().position(is_it) else { return false };
        self.present.insert(number, self.absent.remove(at));
        true
    }

    /// Keeps the marks of events that the buffer has dropped, as far as they have an id.
    pub fn drop_before(&mut self, first: u64) {
        while let Some(entry) = self.present.first_entry().filter(|entry| *entry.key() < first) {
            let mark = entry.remove();
            if mark.event.is_some() {
                self.absent.push(mark);
            }
        }
        let excess = self.absent.len().saturating_sub(MAX_ABSENT);
        self.absent.drain(..excess);
    }

    /// Iterates over the marks of buffered events, in their order.
    #[must_use]
    pub fn present(&self) -> impl ExactSizeIterator<Item = (u64, &Bookmark)> {
        self.present.iter().map(|(number, mark)| (*number, mark))
    }

    /// Returns the marks of events that are not buffered.
    #[must_use]
    pub fn absent(&self) -> &[Bookmark] {
        &self.absent
    }

    /// Returns all marks that can be kept, the newest ones last.
    #[must_use]
    pub fn kept(&self) -> Vec<Bookmark> {
        let present = self.present.values().filter(|mark| mark.event.is_some());
        self.absent.iter().chain(present).cloned().collect()
    }
}
