//! Gaps in a stream: when to assume one, and the `tap.gap` line that reports it.
//!
//! The workspace stream does not report gaps, so they are inferred. A replay that contains an event
//! which was already delivered shows that the server still has everything after that event. A
//! replay that begins with a newer event shows that it does not. If neither can be observed, the
//! time without a connection decides: the server keeps events for five minutes.
//!
//! Nothing here reads a clock: times are arguments.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::RawFrame;
use super::resume::MIN_LOOKBACK;
use crate::model::Origin;
use crate::model::catalog::value::GapReason;

/// How long the server keeps events for replay: five minutes by the protocol, less a tolerance for
/// clocks and buffers.
pub const REPLAY_WINDOW: Duration = Duration::from_secs(5 * 60 - 5);

/// How long to wait on an open connection for the replay before it is considered missing.
pub const SETTLE_TIME: Duration = Duration::from_secs(10);

/// A period of which events are missing or may be missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The last moment before which everything was delivered.
    pub from: Option<Timestamp>,
    /// The first moment from which everything is delivered again.
    pub to: Timestamp,
    /// Whether something is certainly missing.
    pub certain: bool,
    /// The cause of the gap.
    pub reason: GapReason,
}

impl Gap {
    /// Returns the `tap.gap` line that reports the gap in a stream of `tap`, if that has a name.
    #[must_use]
    pub fn frame(
        &self,
        origin: &Arc<Origin>,
        tap: Option<&str>,
        received_at: Timestamp,
    ) -> RawFrame {
        let from = self.from.map(|from| format!("{from:.3}"));
        let mut line = json!({
            "event_type": "tap.gap",
            "from": from,
            "to": format!("{:.3}", self.to),
            "certain": self.certain,
            "reason": self.reason.as_str(),
        });
        if let Some(tap) = tap {
            line["tap"] = json!(tap);
        }
        RawFrame::own(origin, &line, received_at)
    }
}

/// A possible gap before a connection to the workspace stream, until its first events decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingGap {
    from: Option<Timestamp>,
    reason: GapReason,
    /// The id at the position. Lower ids prove nothing.
    position: u64,
    /// A replay is recognised by its events, not only by their ids.
    remembered: bool,
    /// The time at which the buffer of the server begins, if it has its nominal length.
    buffer_start: Timestamp,
}

/// What the client knows when a connection has been opened.
#[derive(Debug, Clone, Copy)]
pub struct ReconnectInfo {
    /// The id at the position that was requested, if there was one.
    pub position: Option<u64>,
    /// Whether the position is the id of an event.
    pub is_event: bool,
    /// Whether delivered events are remembered, so that a replay is recognised.
    pub remembered: bool,
    /// When the previous connection last received something.
    pub last_heard: Option<Timestamp>,
    /// The current time.
    pub now: Timestamp,
    /// How far the local clock is ahead of the server's, in milliseconds; 0 if unknown.
    pub offset: i64,
}

/// Whether there is a gap before a new connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GapAssessment {
    /// There is no gap.
    Complete,
    /// The first events of the connection decide.
    Pending(PendingGap),
    /// There may be a gap, and no event can decide it.
    Gap(Gap),
}

impl ReconnectInfo {
    /// Assesses whether there is a gap before the connection. `since` means that the user named the
    /// position as the beginning, and nothing has been delivered yet.
    #[must_use]
    pub fn assess(&self, since: bool) -> GapAssessment {
        let Self { position, is_event, remembered, last_heard, now, offset } = *self;
        // Gaps are reported by the server's clock, like events.
        let by_server = |at| shifted(at, -offset);
        let buffer_start =
            by_server(now).checked_sub(REPLAY_WINDOW).unwrap_or(Timestamp::UNIX_EPOCH);
        let Some(position) = position else {
            return match last_heard {
                // Without a position, nothing is replayed.
                Some(last_heard) => GapAssessment::Gap(Gap {
                    from: Some(by_server(last_heard)),
                    to: by_server(now),
                    certain: false,
                    reason: GapReason::NoPosition,
                }),
                None => GapAssessment::Complete,
            };
        };
        // If the server's clock was set back, events with slightly lower ids may be missing too.
        let known =
            if since { time(position) } else { time(position.saturating_sub(MIN_LOOKBACK)) };
        let pending = |from, reason| {
            GapAssessment::Pending(PendingGap { from, reason, position, remembered, buffer_start })
        };
        let age = millis(now) - i64::try_from(position).unwrap_or(i64::MAX) - offset;
        let window = i64::try_from(REPLAY_WINDOW.as_millis()).unwrap_or(i64::MAX);
        if since && age > window {
            return pending(known, GapReason::BeyondBuffer);
        }
        if last_heard.is_some_and(|last_heard| millis(now) - millis(last_heard) > window) {
            return pending(last_heard.map(by_server).max(known), GapReason::AwayTooLong);
        }
        if is_event && age <= window {
            return pending(known, GapReason::ReplayLate);
        }
        GapAssessment::Complete
    }
}

impl PendingGap {
    /// Returns whether the gap can only be after this position.
    #[must_use]
    pub fn begins_at(&self, position: Option<u64>) -> bool {
        position == Some(self.position)
    }

    /// Returns whether an event proves that the replay is complete: it was delivered before, or it
    /// has the id of the position and nothing else is known.
    #[must_use]
    pub fn is_resolved_by(&self, id: Option<u64>, delivered_before: bool) -> bool {
        let is_position =
            !self.remembered && self.reason != GapReason::BeyondBuffer && id == Some(self.position);
        delivered_before || is_position
    }

    /// Returns the gap before an event with this id; `None` if the id proves nothing, because it is
    /// below the position.
    ///
    /// The gap ends `MIN_LOOKBACK` after the event, because events that were published before the
    /// clock was set back have higher ids.
    #[must_use]
    pub fn gap_before(&self, id: Option<u64>) -> Option<Gap> {
        let id =
            id.filter(|id| *id > self.position || (self.remembered && *id == self.position))?;
        Some(self.gap_until(time(id.saturating_add(MIN_LOOKBACK)).unwrap_or(self.buffer_start)))
    }

    /// Returns the gap if no event has decided by `until`.
    #[must_use]
    pub fn gap_until(&self, until: Timestamp) -> Gap {
        // What is still in the buffer was requested. If nothing arrived, there was nothing.
        let to = match self.reason {
            GapReason::BeyondBuffer | GapReason::AwayTooLong => until.min(self.buffer_start),
            _ => until,
        };
        Gap {
            from: self.from,
            to: self.from.map_or(to, |from| to.max(from)),
            certain: false,
            reason: self.reason.clone(),
        }
    }
}

/// Converts an id to the time that it stands for.
pub(super) fn time(id: u64) -> Option<Timestamp> {
    i64::try_from(id).ok().and_then(|id| Timestamp::from_millisecond(id).ok())
}

/// Returns a time that is so many milliseconds later.
pub(super) fn shifted(at: Timestamp, millis: i64) -> Timestamp {
    Timestamp::from_millisecond(self::millis(at).saturating_add(millis)).unwrap_or(at)
}

/// Converts a time to the unit of ids: milliseconds since the Unix epoch.
pub(super) fn millis(at: Timestamp) -> i64 {
    at.as_millisecond()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000_000;
    const MINUTE: i64 = 60_000;

    fn at(id: i64) -> Timestamp {
        Timestamp::from_millisecond(id).expect("a time")
    }

    /// Creates a reconnect after `away` minutes, with a position that is `age` minutes old.
    fn reconnect(away: Option<i64>, age: Option<i64>, is_event: bool) -> ReconnectInfo {
        ReconnectInfo {
            position: age.map(|age| u64::try_from(NOW - age * MINUTE).expect("a time")),
            is_event,
            remembered: false,
            last_heard: away.map(|away| at(NOW - away * MINUTE)),
            now: at(NOW),
            offset: 0,
        }
    }

    fn reason(assessment: &GapAssessment) -> Option<GapReason> {
        match assessment {
            GapAssessment::Complete => None,
            GapAssessment::Pending(pending) => Some(pending.reason.clone()),
            GapAssessment::Gap(gap) => Some(gap.reason.clone()),
        }
    }

    #[test]
    fn a_reconnect_is_assessed_by_time_away_and_position() {
        for (away, age, is_event, since, expected) in [
            (None, None, false, false, None),
            (Some(1), None, false, false, Some(GapReason::NoPosition)),
            (Some(1), Some(1), true, false, Some(GapReason::ReplayLate)),
            (Some(1), Some(1), false, false, None),
            (Some(1), Some(60), true, false, None),
            (Some(6), Some(7), true, false, Some(GapReason::AwayTooLong)),
            (Some(6), Some(7), false, false, Some(GapReason::AwayTooLong)),
            (None, Some(4), false, true, None),
            (None, Some(6), false, true, Some(GapReason::BeyondBuffer)),
            (None, Some(-10), true, false, Some(GapReason::ReplayLate)),
        ] {
            let assessment = reconnect(away, age, is_event).assess(since);
            assert_eq!(reason(&assessment), expected, "{away:?} {age:?} {is_event} {since}");
        }
    }

    #[test]
    fn a_wrong_local_clock_is_compensated() {
        let ahead = ReconnectInfo { offset: 10 * MINUTE, ..reconnect(Some(1), Some(11), true) };
        assert_eq!(
            reason(&ahead.assess(false)),
            Some(GapReason::ReplayLate),
            "a minute old by the server's clock"
        );
        for minutes in [-10, 0, 10] {
            let away = ReconnectInfo {
                offset: minutes * MINUTE,
                ..reconnect(Some(9), Some(12 + minutes), true)
            };
            let GapAssessment::Pending(pending) = away.assess(false) else { panic!("a gap") };
            let server_now = at(NOW - minutes * MINUTE);
            let gap = Gap {
                from: Some(shifted(server_now, -9 * MINUTE)),
                to: server_now.checked_sub(REPLAY_WINDOW).expect("a time"),
                certain: false,
                reason: GapReason::AwayTooLong,
            };
            assert_eq!(pending.gap_until(server_now), gap, "{minutes} minutes ahead");
        }
    }

    #[test]
    fn a_delivered_event_resolves_a_pending_gap_and_a_newer_one_confirms_it() {
        let GapAssessment::Pending(pending) = reconnect(Some(1), Some(1), true).assess(false)
        else {
            panic!("a pending gap")
        };
        let position = pending.position;
        assert!(
            pending.is_resolved_by(Some(position), false)
                && pending.is_resolved_by(Some(position + 9), true)
                && pending.is_resolved_by(None, true)
        );
        assert!(
            !pending.is_resolved_by(Some(position + 1), false)
                && !pending.is_resolved_by(None, false)
        );
        let remembering = PendingGap { remembered: true, ..pending.clone() };
        assert!(
            !remembering.is_resolved_by(Some(position), false)
                && remembering.is_resolved_by(Some(position), true)
        );
        assert!(
            remembering.gap_before(Some(position)).is_some(),
            "another event of the same millisecond"
        );
        assert_eq!(pending.gap_before(Some(position - 1)), None);
        assert_eq!(pending.gap_before(None), None);
        let gap = pending.gap_before(Some(position + 5)).expect("a gap");
        assert_eq!(
            (gap.from, gap.to),
            (time(position - MIN_LOOKBACK), time(position + 5 + MIN_LOOKBACK).expect("a time"))
        );
    }

    #[test]
    fn a_gap_longer_than_the_buffer_ends_where_the_buffer_begins() {
        let GapAssessment::Pending(pending) = reconnect(Some(9), Some(10), true).assess(false)
        else {
            panic!("a pending gap")
        };
        assert_eq!(
            pending.gap_until(at(NOW)),
            Gap {
                from: Some(at(NOW - 9 * MINUTE)),
                to: at(NOW).checked_sub(REPLAY_WINDOW).expect("a time"),
                certain: false,
                reason: GapReason::AwayTooLong
            }
        );
    }
}
