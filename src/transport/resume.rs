//! Where to resume a stream, and what of it has been delivered already.
//!
//! An id is a millisecond, several events can bear the same, and the server replays the ids *greater* than the one that it
//! is asked for. So asking for the last id seen would lose the rest of its millisecond. This asks from one millisecond
//! before, and drops what has been delivered: an event of the same id and content. Where it can't know, it lets an event
//! through twice rather than lose it, but for a repeat on one connection, which is dropped and told of.
//!
//! The position is the id of the last new event, and follows the server backwards too. A server whose clock is set back
//! publishes below what it has published, and where nobody is connected at that time, asking from the position would miss
//! it. So this asks further back: by the age of the position, since a clock that has caught up by now was set back by less
//! than that; by the last few events, and a moment at least; and by twice what ids have been seen to go back. What that did
//! not cover shows in the first id that is too low, and is told of. Never further than what would be known again. Where
//! connections break so early that none gets beyond the replay, less is asked for, and that is told of too.
//!
//! Events without an id, or with one that is no number, are known again by their content alone, as long as a replay goes on.
//!
//! Pure: it holds no connection and no clock. While no id has been a number, the last one is asked for literally.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};

use crate::model::catalog::value::GapReason;

/// How many delivered events are remembered. A replay of more comes in part again.
const REMEMBERED: usize = 65_536;

/// How many of the last events are asked for again.
const MARGIN: usize = 64;

/// The furthest that is asked back for them, in milliseconds.
const MARGIN_TIME: u64 = 30_000;

/// How far is asked back at least, in milliseconds.
pub(super) const MOMENT: u64 = 50;

/// The furthest that is asked back, in milliseconds: what the server keeps.
const MOST: u64 = 5 * 60 * 1000;

/// How many connections in a row may break within the replay before less is asked for.
const PATIENCE: u32 = 4;

/// An event that was delivered: its id, if that is a number, and the keyed hash of its content.
type EventKey = (Option<u64>, u64);

/// What is to become of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResumeDecision {
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

/// Ids that events may have borne which were not asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UncoveredRange {
    /// The lowest.
    pub from: u64,
    /// The highest.
    pub to: u64,
    /// Why there may be any.
    pub reason: GapReason,
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
    known: HashMap<EventKey, u32>,
    /// The same, from the oldest to the newest.
    order: VecDeque<EventKey>,
    connection: u32,
    /// The highest id before this connection, until a new event beyond it ends the replay.
    replaying: Option<u64>,
    /// The id that the server gave to what it published when this connection came to stand, or the highest before it. Until
    /// one comes that is beyond it, events may have been published before, below what was asked for.
    catching_up: Option<u64>,
    highest: u64,
    /// How far below it ids have gone, doubled.
    slack: u64,
    /// From which id on this connection was asked for everything.
    asked: u64,
    /// From which id on it would have been, had the connections before not broken so early, or were more remembered.
    wanted: u64,
    /// This connection has brought something that was delivered before.
    has_replayed: bool,
    /// This connection has brought something new.
    has_new: bool,
    /// How many connections in a row have broken within the replay. Beyond the [`PATIENCE`] each halves what is asked for
    /// again, so that it can't hold the stream up.
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

    /// The `Last-Event-ID` to ask from; `None` while there is no position. Begins a connection. `age` is how long ago the
    /// event at the position was published, in milliseconds.
    pub fn begin(&mut self, age: u64) -> Option<String> {
        self.connection = self.connection.wrapping_add(1);
        (self.has_replayed, self.has_new) = (false, false);
        self.replaying = self.position.map(|_| self.highest);
        self.catching_up = self.replaying;
        let Some(position) = self.position else {
            return Some(self.literal.clone()).filter(|id| !id.is_empty());
        };
        let slack = self.highest.saturating_sub(self.slack);
        let margin = position
            - self.id(self.order.len().saturating_sub(MARGIN)).unwrap_or(position).min(position);
        let margin = margin.clamp(MOMENT, MARGIN_TIME).max(age.min(MOST));
        self.wanted = slack.min(position.saturating_sub(margin));
        if self.slack == 0 {
            self.wanted = self.wanted.max(self.floor()).min(position);
        }
        let less = (position - self.wanted)
            .checked_shr(self.fruitless.saturating_sub(PATIENCE))
            .unwrap_or_default();
        self.asked = (position - less).max(self.floor()).min(position);
        Some(self.asked.saturating_sub(1).to_string())
    }

    /// What is below it would not be known again, or was published well before the beginning.
    fn floor(&self) -> u64 {
        // Ids that have gone backwards tell nothing of the beginning.
        let forgets = self.order.len() >= REMEMBERED;
        match self.id(0) {
            None => u64::MAX,
            Some(first) if forgets => first,
            Some(_) if self.slack > 0 => 0,
            Some(first) => first.saturating_sub(MOMENT),
        }
    }

    /// The id of the first remembered event from there on that has one.
    fn id(&self, from: usize) -> Option<u64> {
        self.order.iter().skip(from).find_map(|key| key.0)
    }

    /// The connection stands: what is published from now on comes as it is published. `age` is as for [`begin`](Self::begin).
    pub fn stands(&mut self, age: u64) {
        let published = |position: u64| self.highest.max(position.saturating_add(age));
        // A clock that goes back and forth may show more than it did when that was measured.
        self.catching_up =
            self.position.map(|position| published(position).saturating_add(self.slack));
    }

    /// The connection has broken. `early` if so soon that this may have been within the replay.
    pub fn broke(&mut self, early: bool) {
        if self.has_new {
            self.fruitless = 0;
        } else if self.has_replayed && early {
            self.fruitless = self.fruitless.saturating_add(1);
        }
    }

    /// A new event has come. If others may have been published below what was asked for while nobody was connected: the ids
    /// that they would bear. `age` is as for [`begin`](Self::begin), before the event came.
    pub fn unasked(
        &mut self,
        id: Option<u64>,
        backwards: bool,
        age: u64,
    ) -> Option<UncoveredRange> {
        let is_first = !std::mem::replace(&mut self.has_new, true);
        if id.zip(self.catching_up).is_some_and(|(id, end)| id > end) {
            self.catching_up = None;
        }
        // What the clock that was set back showed when the connection before was lost, or earlier.
        let set_back = id
            .filter(|_| backwards && self.catching_up.is_some())
            .map(|id| (id.saturating_sub(age), id));
        let short = is_first.then_some((self.wanted, self.asked));
        let (from, to) =
            [set_back, short].into_iter().flatten().find(|(from, _)| *from < self.asked)?;
        self.asked = from;
        let impatient = set_back.is_none() && self.fruitless > PATIENCE;
        Some(UncoveredRange {
            from,
            to,
            reason: if impatient { GapReason::ReplayBroken } else { GapReason::IdsWentBack },
        })
    }

    /// Judges an event by the `id:` of its own frame, if that has one, and its content.
    pub fn judge(&mut self, id: Option<&str>, event: Option<&str>, data: &[u8]) -> ResumeDecision {
        let content = self.hasher.hash_one((event, data));
        let Some(number) = id.and_then(number) else { return self.judge_loose(id, content) };
        let key = (Some(number), content);
        if let Some(seen) = self.known.get_mut(&key) {
            if std::mem::replace(seen, self.connection) == self.connection {
                return ResumeDecision::Repeated;
            }
            self.has_replayed = true;
            return ResumeDecision::Replayed;
        }
        // It came without its id before.
        if self.replaying.is_some()
            && self.known.get(&(None, content)).is_some_and(|seen| *seen != self.connection)
        {
            self.remember(key);
            return ResumeDecision::Replayed;
        }
        // Whatever was delivered was published before it.
        if self.replaying.is_some_and(|highest| number > highest) {
            self.replaying = None;
        }
        self.remember(key);
        let backwards = number < self.highest && self.position.is_some_and(|last| number < last);
        self.highest = self.highest.max(number);
        // Twice as far, since it was measured from what had come by then.
        self.slack = self.slack.max((self.highest - number).saturating_mul(2).min(MOST));
        (self.position, self.borne) = (Some(number), true);
        self.literal.clear();
        ResumeDecision::New { backwards }
    }

    fn judge_loose(&mut self, id: Option<&str>, content: u64) -> ResumeDecision {
        let is_old = |key: &EventKey| {
            key.1 == content && self.known.get(key).is_some_and(|seen| *seen != self.connection)
        };
        if self.replaying.is_some()
            && let Some(key) = self.order.iter().find(|key| is_old(key)).copied()
        {
            self.known.insert(key, self.connection);
            return ResumeDecision::Replayed;
        }
        // On one connection two equal events without ids are two.
        if self.position.is_some() {
            self.remember((None, content));
        }
        self.move_to(id.unwrap_or_default());
        ResumeDecision::New { backwards: false }
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

    /// Whether ids have gone backwards.
    #[must_use]
    pub const fn has_gone_backwards(&self) -> bool {
        self.slack > 0
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

    fn remember(&mut self, key: EventKey) {
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
