//! The position to resume a stream from, and the detection of events that were already delivered.
//!
//! An id is a time in milliseconds, and several events can have the same id. The server replays
//! events with ids *greater* than the requested one, so requesting the last id would lose the rest
//! of its millisecond. This module requests at least one millisecond before it and drops events
//! that were already delivered: those with the same id and content. In case of doubt, it delivers
//! an event twice rather than not at all. An event that the server sends twice on one connection is
//! dropped and reported.
//!
//! The position is the id of the last new event, even if that id is lower than the one before. When
//! the clock of the server is set back, the server publishes events with lower ids than before. If
//! this happens while nobody is connected, requesting from the position would miss them. Therefore
//! the request goes further back:
//!
//! - by the age of the position, because a clock that has caught up since was set back by less;
//! - by the last few events, and by `MIN_LOOKBACK` at least;
//! - by twice the distance that ids have gone backwards so far.
//!
//! It never goes back further than events are remembered, since older events could not be
//! recognised. If the lookback was not enough, the first id that is too low shows it, and a gap is
//! reported. If connections repeatedly break within the replay, the lookback is reduced, and that
//! is reported too.
//!
//! Events without an id, or with one that is not a number, are recognised by their content alone
//! while a replay is in progress. While no id has been a number, the last id is requested as it is.
//!
//! This module has no connection and reads no clock.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};

use crate::model::catalog::value::GapReason;

/// The maximum number of remembered events. Of a longer replay, some events are delivered again.
const MAX_REMEMBERED: usize = 65_536;

/// For how long events are remembered after newer ones, in milliseconds: for longer than the server
/// keeps them for replays. The last [`LOOKBACK_EVENTS`] always are.
const MAX_AGE: u64 = 6 * 60 * 1000;

/// How many of the last events are requested again.
const LOOKBACK_EVENTS: usize = 64;

/// The maximum lookback for those events, in milliseconds.
const MAX_EVENT_LOOKBACK: u64 = 30_000;

/// The minimum lookback, in milliseconds.
pub(super) const MIN_LOOKBACK: u64 = 50;

/// The maximum lookback, in milliseconds: the length of the server's buffer.
const MAX_LOOKBACK: u64 = 5 * 60 * 1000;

/// How many connections in a row may break within the replay before the lookback is reduced.
const MAX_BROKEN_REPLAYS: u32 = 4;

/// The identity of a delivered event: its id, if that is a number, and a keyed hash of its content.
type EventKey = (Option<u64>, u64);

/// Whether an event is to be delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResumeDecision {
    /// The event is new.
    New {
        /// Whether its id is lower than the one before.
        backwards: bool,
    },
    /// The event was delivered on an earlier connection and requested again.
    Replayed,
    /// The server sent the event twice on this connection.
    Repeated,
}

/// A range of ids that was not requested, although there may have been events in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UncoveredRange {
    /// The lowest id.
    pub from: u64,
    /// The highest id.
    pub to: u64,
    /// Why events may be missing.
    pub reason: GapReason,
}

/// The position in one stream.
#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Resume {
    /// The last id that is a number.
    position: Option<u64>,
    /// The position is the id of an event, so a complete replay begins with that event.
    is_event: bool,
    /// The position was named by the user, and the server has not sent a number yet. It can be in
    /// the future, so lower ids do not show that ids have gone back.
    is_requested: bool,
    /// The last id that is not a number, while no id has been a number.
    opaque_id: String,
    /// The connection on which each remembered event was last received, by content and id.
    last_connection: BTreeMap<(u64, Option<u64>), u32>,
    /// The ids below which all remembered events with this content were received on this
    /// connection.
    searched: HashMap<u64, Option<u64>>,
    /// The number of remembered events that were looked at by content, to test that few are.
    #[cfg(test)]
    steps: usize,
    /// The remembered events, from the oldest to the newest.
    order: VecDeque<EventKey>,
    /// The id from which on all events are remembered; 0 if no event was forgotten.
    remembered_from: u64,
    /// The number of the current connection.
    connection: u32,
    /// The highest id before this connection, until a new event with a higher id ends the replay.
    replay_end: Option<u64>,
    /// The highest id that the server can have used before this connection was open. Until a higher
    /// id arrives, an event may have been published earlier with an id below the requested ones.
    catch_up_end: Option<u64>,
    /// The highest id so far.
    highest: u64,
    /// Twice the maximum distance by which an id was below the highest one.
    slack: u64,
    /// The lowest id that this connection requested.
    requested_from: u64,
    /// The lowest id that it would have requested without the limits for broken replays and memory.
    wanted_from: u64,
    /// This connection has received an event that was delivered before.
    has_replayed: bool,
    /// This connection has received a new event.
    has_new: bool,
    /// How many connections in a row have broken within the replay. Each one beyond
    /// [`MAX_BROKEN_REPLAYS`] halves the lookback, so that replays cannot block the stream.
    broken_replays: u32,
    hasher: RandomState,
}

impl Resume {
    /// Creates a position from an id of an earlier run or from the user. `is_event` means that it
    /// is the id of an event.
    #[must_use]
    pub fn from_id(id: u64, is_event: bool) -> Self {
        Self {
            position: Some(id),
            is_event,
            is_requested: !is_event,
            highest: id,
            ..Self::default()
        }
    }

    /// Returns the id of the position, if it is a number.
    #[must_use]
    pub const fn position(&self) -> Option<u64> {
        self.position
    }

    /// Returns the number of the current connection.
    #[must_use]
    pub const fn connection(&self) -> u32 {
        self.connection
    }

    /// Returns the id that a complete replay contains.
    #[must_use]
    pub fn expected(&self) -> Option<u64> {
        self.position.filter(|_| self.is_event)
    }

    /// Sets the position to a time of the server's clock, in milliseconds, if there is none yet.
    pub fn set_baseline(&mut self, id: u64) {
        if self.position.is_none() && self.opaque_id.is_empty() {
            self.position = Some(id);
            self.highest = id;
        }
    }

    /// Begins a connection and returns its `Last-Event-ID`; `None` while there is no position.
    ///
    /// `age` is the time since the event at the position was published, in milliseconds.
    pub fn begin_connection(&mut self, age: u64) -> Option<String> {
        self.connection = self.connection.wrapping_add(1);
        self.searched.clear();
        (self.has_replayed, self.has_new) = (false, false);
        self.replay_end = self.position.map(|_| self.highest);
        self.catch_up_end = self.replay_end;
        let Some(position) = self.position else {
            return Some(self.opaque_id.clone()).filter(|id| !id.is_empty());
        };
        let lowest_by_slack = self.highest.saturating_sub(self.slack);
        let last_events = self.order.len().saturating_sub(LOOKBACK_EVENTS);
        let margin = position - self.first_id(last_events).unwrap_or(position).min(position);
        let margin = margin.clamp(MIN_LOOKBACK, MAX_EVENT_LOOKBACK).max(age.min(MAX_LOOKBACK));
        self.wanted_from = lowest_by_slack.min(position.saturating_sub(margin));
        if self.slack == 0 {
            self.wanted_from = self.wanted_from.max(self.lowest_useful()).min(position);
        }
        let lookback = (position - self.wanted_from)
            .checked_shr(self.broken_replays.saturating_sub(MAX_BROKEN_REPLAYS))
            .unwrap_or_default();
        self.requested_from = (position - lookback).max(self.lowest_useful()).min(position);
        Some(self.requested_from.saturating_sub(1).to_string())
    }

    /// Returns the lowest id worth requesting. Events below it would not be recognised, or were
    /// published well before the first event.
    fn lowest_useful(&self) -> u64 {
        match self.first_id(0) {
            None => u64::MAX,
            Some(_) if self.remembered_from > 0 => self.remembered_from,
            // If ids have gone backwards, the first event may not have the lowest id.
            Some(_) if self.slack > 0 => 0,
            Some(first) => first.saturating_sub(MIN_LOOKBACK),
        }
    }

    /// Returns the id of the first remembered event with an id, from the given index on.
    fn first_id(&self, from: usize) -> Option<u64> {
        self.order.iter().skip(from).find_map(|key| key.0)
    }

    /// Notes that the connection is open, so that events arrive as they are published.
    ///
    /// `age` is as for [`begin_connection`](Self::begin_connection).
    pub fn connected(&mut self, age: u64) {
        let published = |position: u64| self.highest.max(position.saturating_add(age));
        // A clock that goes back and forth may now be ahead of what was measured then.
        self.catch_up_end =
            self.position.map(|position| published(position).saturating_add(self.slack));
    }

    /// Notes that the connection was lost. `early` means that it may have been within the replay.
    pub fn disconnected(&mut self, early: bool) {
        if self.has_new {
            self.broken_replays = 0;
        } else if self.has_replayed && early {
            self.broken_replays = self.broken_replays.saturating_add(1);
        }
    }

    /// Notes a new event. Returns a range of ids that was not requested, if events may have been
    /// published in it while there was no connection.
    ///
    /// `age` is as for [`begin_connection`](Self::begin_connection), before the event arrived.
    pub fn uncovered_range(
        &mut self,
        id: Option<u64>,
        backwards: bool,
        age: u64,
    ) -> Option<UncoveredRange> {
        let is_first = !std::mem::replace(&mut self.has_new, true);
        if id.zip(self.catch_up_end).is_some_and(|(id, end)| id > end) {
            self.catch_up_end = None;
        }
        // The clock was set back: it showed the lower end when the last connection was lost, or
        // before that.
        let set_back = id
            .filter(|_| backwards && self.catch_up_end.is_some())
            .map(|id| (id.saturating_sub(age), id));
        let shortened = is_first.then_some((self.wanted_from, self.requested_from));
        let (from, to) = [set_back, shortened]
            .into_iter()
            .flatten()
            .find(|(from, _)| *from < self.requested_from)?;
        self.requested_from = from;
        let is_replay_broken = set_back.is_none() && self.broken_replays > MAX_BROKEN_REPLAYS;
        Some(UncoveredRange {
            from,
            to,
            reason: if is_replay_broken { GapReason::ReplayBroken } else { GapReason::IdsWentBack },
        })
    }

    /// Decides whether an event is new, by the `id:` of its own frame and its content.
    pub fn classify(
        &mut self,
        id: Option<&str>,
        event: Option<&str>,
        data: &[u8],
    ) -> ResumeDecision {
        let content = self.hasher.hash_one((event, data));
        let Some(number) = id.and_then(parse_number) else {
            return self.classify_by_content(id, content);
        };
        self.leave_requested(number);
        let key = (Some(number), content);
        if let Some(connection) = self.last_connection.get_mut(&(content, Some(number))) {
            if std::mem::replace(connection, self.connection) == self.connection {
                return ResumeDecision::Repeated;
            }
            self.has_replayed = true;
            return ResumeDecision::Replayed;
        }
        // The event may have been delivered without its id before.
        if self.replay_end.is_some() && self.is_from_earlier_connection(&(None, content)) {
            self.remember(key);
            return ResumeDecision::Replayed;
        }
        // All events that were delivered earlier were published before this one.
        if self.replay_end.is_some_and(|end| number > end) {
            self.replay_end = None;
        }
        self.remember(key);
        let backwards = number < self.highest && self.position.is_some_and(|last| number < last);
        self.highest = self.highest.max(number);
        // Doubled, because the true highest id may not have arrived yet.
        self.slack = self.slack.max((self.highest - number).saturating_mul(2).min(MAX_LOOKBACK));
        (self.position, self.is_event) = (Some(number), true);
        self.opaque_id.clear();
        ResumeDecision::New { backwards }
    }

    /// Decides whether an event without a numeric id is new.
    fn classify_by_content(&mut self, id: Option<&str>, content: u64) -> ResumeDecision {
        if self.replay_end.is_some() && self.receive_again(content) {
            return ResumeDecision::Replayed;
        }
        // Two equal events without ids on one connection are two events.
        if self.position.is_some() {
            self.remember((None, content));
        }
        self.set_position(id.unwrap_or_default());
        ResumeDecision::New { backwards: false }
    }

    /// Notes that one of the events with this content that were last received on an earlier
    /// connection has arrived again. Returns false if there is none.
    fn receive_again(&mut self, content: u64) -> bool {
        let from = self.searched.get(&content).copied().unwrap_or_default();
        let mut last = None;
        for ((_, id), connection) in
            self.last_connection.range_mut((content, from)..=(content, Some(u64::MAX)))
        {
            #[cfg(test)]
            {
                self.steps += 1;
            }
            last = Some(*id);
            if std::mem::replace(connection, self.connection) != self.connection {
                self.searched.insert(content, *id);
                return true;
            }
        }
        // Events that are remembered from now on are of this connection.
        if let Some(last) = last {
            self.searched.insert(content, last);
        }
        false
    }

    /// Forgets the position that the user named if the server sends a lower id.
    fn leave_requested(&mut self, id: u64) {
        if std::mem::take(&mut self.is_requested) && id < self.highest {
            self.highest = id;
            (self.position, self.replay_end, self.catch_up_end) = (None, None, None);
        }
    }

    fn is_from_earlier_connection(&self, key: &EventKey) -> bool {
        let connection = self.last_connection.get(&(key.1, key.0));
        connection.is_some_and(|connection| *connection != self.connection)
    }

    /// Sets the position to an id that came without an event.
    pub fn set_position(&mut self, id: &str) {
        match parse_number(id) {
            Some(id) if Some(id) != self.position => {
                self.leave_requested(id);
                (self.position, self.is_event) = (Some(id), false);
                self.highest = self.highest.max(id);
            }
            None if self.position.is_none() && !id.is_empty() => id.clone_into(&mut self.opaque_id),
            Some(_) | None => {}
        }
    }

    /// Returns whether ids have gone backwards.
    #[must_use]
    pub const fn has_gone_backwards(&self) -> bool {
        self.slack > 0
    }

    /// Returns whether any event is remembered by which a replay can be recognised.
    #[must_use]
    pub fn has_history(&self) -> bool {
        !self.order.is_empty()
    }

    /// Returns the number of remembered events.
    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.order.len()
    }

    fn remember(&mut self, key: EventKey) {
        if self.last_connection.insert((key.1, key.0), self.connection).is_none() {
            self.order.push_back(key);
        }
        let is_old = |oldest: &EventKey| {
            oldest.0.is_some() && oldest.0 < key.0.map(|id| id.saturating_sub(MAX_AGE))
        };
        while let Some(oldest) = self.order.front().copied()
            && (self.order.len() > MAX_REMEMBERED
                || self.order.len() > LOOKBACK_EVENTS && is_old(&oldest))
        {
            self.order.pop_front();
            self.remembered_from =
                self.remembered_from.max(oldest.0.map_or(0, |id| id.saturating_add(1)));
            self.last_connection.remove(&(oldest.1, oldest.0));
            self.searched.remove(&oldest.1);
        }
    }
}

/// Parses an id of the platform: a decimal number.
pub(super) fn parse_number(id: &str) -> Option<u64> {
    // `parse` alone would accept a sign.
    id.bytes().all(|byte| byte.is_ascii_digit()).then(|| id.parse().ok()).flatten()
}

#[cfg(test)]
mod tests;
