//! Where to resume a stream, and what of it has been delivered already.
//!
//! An id is a millisecond, several events can bear the same, and the server replays the ids *greater* than the one that it
//! is asked for. So asking for the last id seen would lose the rest of its millisecond. This asks from one millisecond
//! before, and drops what has been delivered: an event of the same id and content. Where it can't know, it lets an event
//! through twice rather than lose it, but for a repeat on one connection, which is dropped and told of.
//!
//! The position is the id of the last new event, and follows the server backwards too: a server whose clock was set back
//! publishes below what it has published, and only so would those come again. Once ids have gone backwards, it asks twice as
//! much earlier from then on. Events without an id, or with one that is no
//! number, are known again by their content alone, as long as a replay goes on.
//!
//! Pure: it holds no connection and no clock. While no id has been a number, the last one is asked for literally.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};

/// How many delivered events are remembered. A replay of more comes in part again.
const REMEMBERED: usize = 65_536;

/// The furthest that is asked back, in milliseconds: what the server keeps.
const MOST_SLACK: u64 = 5 * 60 * 1000;

/// An event that was delivered: its id, if that is a number, and the keyed hash of its content.
type Key = (Option<u64>, u64);

/// What is to become of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is delivered.
    New {
        /// Its id is lower than the one before.
        backwards: bool,
    },
    /// It has been delivered before the connection broke, and was asked for again.
    Replayed,
    /// The server sent it twice.
    Repeated,
}

/// The position in one stream.
#[derive(Debug, Default)]
pub struct Resume {
    /// The last id that is a number.
    position: Option<u64>,
    /// An event bore it, so a replay that is whole begins with that event.
    borne: bool,
    /// The last id that is none, while none has been a number.
    literal: String,
    /// On which connection each remembered event was last seen.
    known: HashMap<Key, u32>,
    /// The same, from the oldest to the newest.
    order: VecDeque<Key>,
    connection: u32,
    /// The highest id before this connection, until a new event beyond it ends the replay.
    replaying: Option<u64>,
    highest: u64,
    /// How far below it ids have gone. What is published so while nobody is connected would not be replayed otherwise.
    slack: u64,
    /// How many connections in a row have brought nothing new: each halves the slack, so that it can't hold the stream up.
    fruitless: u32,
    hasher: RandomState,
}

impl Resume {
    /// From an id of an earlier run. An event bore it, or somebody only named it.
    #[must_use]
    pub fn at(id: u64, borne: bool) -> Self {
        Self { position: Some(id), borne, highest: id, ..Self::default() }
    }

    /// The id that the stream is at, if it is a number.
    #[must_use]
    pub const fn position(&self) -> Option<u64> {
        self.position
    }

    /// The id that a whole replay begins with.
    #[must_use]
    pub fn expected(&self) -> Option<u64> {
        self.position.filter(|_| self.borne)
    }

    /// Where to resume from if nothing has said so yet: a moment of the server's clock, in milliseconds.
    pub fn set_baseline(&mut self, id: u64) {
        if self.position.is_none() && self.literal.is_empty() {
            self.position = Some(id);
            self.highest = id;
        }
    }

    /// The `Last-Event-ID` to ask from; `None` while there is no position. Begins a connection.
    pub fn begin(&mut self) -> Option<String> {
        self.connection = self.connection.wrapping_add(1);
        self.replaying = self.position.map(|_| self.highest);
        let slack = self.slack.checked_shr(self.fruitless).unwrap_or_default();
        self.fruitless = self.fruitless.saturating_add(1);
        match self.position {
            Some(id) => Some(id.min(self.highest.saturating_sub(slack)).saturating_sub(1).to_string()),
            None => Some(self.literal.clone()).filter(|id| !id.is_empty()),
        }
    }

    /// Judges an event by the `id:` of its own frame, if that has one, and its content.
    pub fn judge(&mut self, id: Option<&str>, event: Option<&str>, data: &[u8]) -> Verdict {
        let content = self.hasher.hash_one((event, data));
        let Some(number) = id.and_then(number) else { return self.judge_loose(id, content) };
        let key = (Some(number), content);
        if let Some(seen) = self.known.get_mut(&key) {
            let again = std::mem::replace(seen, self.connection) == self.connection;
            return if again { Verdict::Repeated } else { Verdict::Replayed };
        }
        // It came without its id before.
        if self.replaying.is_some() && self.known.get(&(None, content)).is_some_and(|seen| *seen != self.connection) {
            self.remember(key);
            return Verdict::Replayed;
        }
        // Whatever was delivered was published before it.
        if self.replaying.is_some_and(|highest| number > highest) {
            self.replaying = None;
        }
        self.remember(key);
        let backwards = number < self.highest && self.position.is_some_and(|last| number < last);
        self.highest = self.highest.max(number);
        // Twice as far, since it was measured from what had come by then.
        self.slack = self.slack.max((self.highest - number).saturating_mul(2).min(MOST_SLACK));
        self.fruitless = 0;
        (self.position, self.borne) = (Some(number), true);
        self.literal.clear();
        Verdict::New { backwards }
    }

    fn judge_loose(&mut self, id: Option<&str>, content: u64) -> Verdict {
        let is_old = |key: &Key| key.1 == content && self.known.get(key).is_some_and(|seen| *seen != self.connection);
        if self.replaying.is_some()
            && let Some(key) = self.order.iter().find(|key| is_old(key)).copied()
        {
            self.known.insert(key, self.connection);
            return Verdict::Replayed;
        }
        // On one connection two equal events without ids are two.
        if self.position.is_some() {
            self.remember((None, content));
        }
        self.move_to(id.unwrap_or_default());
        Verdict::New { backwards: false }
    }

    /// The position moves to an id without an event.
    pub fn move_to(&mut self, id: &str) {
        match number(id) {
            Some(id) if Some(id) != self.position => {
                (self.position, self.borne) = (Some(id), false);
                self.highest = self.highest.max(id);
            }
            None if self.position.is_none() && !id.is_empty() => id.clone_into(&mut self.literal),
            Some(_) | None => {}
        }
    }

    /// Whether there is anything that a replay could be known by.
    #[must_use]
    pub fn remembers(&self) -> bool {
        !self.order.is_empty()
    }

    /// How many events are remembered.
    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.order.len()
    }

    fn remember(&mut self, key: Key) {
        if self.known.insert(key, self.connection).is_none() {
            self.order.push_back(key);
        }
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}

/// An id as the platform gives them: a decimal number.
pub(super) fn number(id: &str) -> Option<u64> {
    // `parse` alone would take a sign.
    id.bytes().all(|byte| byte.is_ascii_digit()).then(|| id.parse().ok()).flatten()
}

#[cfg(test)]
mod tests;
