//! Holes in a stream: when one has to be reckoned with, and the line that names it.
//!
//! The workspace stream says nothing about a hole, so it is concluded. A replay that brings back an event which has been
//! delivered shows that the server still has everything from there on. One that begins with something newer shows that it
//! has not. Where neither can be seen, the time away decides: the server keeps five minutes.
//!
//! Pure: times come in as arguments.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::RawFrame;
use super::resume::MOMENT;
use crate::model::Origin;
use crate::model::catalog::value::GapReason;

/// How long the server keeps events for replay (PROTOCOL: five minutes), less what clocks and buffers may differ by.
pub const REPLAY_WINDOW: Duration = Duration::from_secs(5 * 60 - 5);

/// How long a connection may stand without an event before a replay that has not come is taken for missing.
pub const SETTLE_TIME: Duration = Duration::from_secs(10);

/// A hole, or what may be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The last moment of which everything is known.
    pub from: Option<Timestamp>,
    /// The moment from which on everything is known again.
    pub to: Timestamp,
    /// Something is missing for sure.
    pub certain: bool,
    /// How it came about.
    pub reason: GapReason,
}

impl Gap {
    /// The line that names it, as a frame of evtap's own.
    #[must_use]
    pub fn frame(&self, origin: &Arc<Origin>, received_at: Timestamp) -> RawFrame {
        let from = self.from.map(|from| format!("{from:.3}"));
        let line = json!({
            "event_type": "tap.gap",
            "from": from,
            "to": format!("{:.3}", self.to),
            "certain": self.certain,
            "reason": self.reason.as_str(),
        });
        RawFrame::own(origin, &line, received_at)
    }
}

/// What is not known yet of a connection to the workspace stream: whether its replay leaves a hole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingGap {
    from: Option<Timestamp>,
    reason: GapReason,
    /// Ids below this one prove nothing.
    position: u64,
    /// A replay is known by its events, and not only by their ids.
    remembered: bool,
    /// When the server's buffer begins, if it is as long as it should be.
    buffer: Timestamp,
}

/// What a client knows when a connection stands again.
#[derive(Debug, Clone, Copy)]
pub struct ReconnectInfo {
    /// The id of the position that was asked for, if there was one.
    pub position: Option<u64>,
    /// An event bore it.
    pub is_event: bool,
    /// What was delivered is remembered, so that a replay is known when it comes.
    pub remembered: bool,
    /// When the connection before was last heard.
    pub last_heard: Option<Timestamp>,
    /// Now.
    pub now: Timestamp,
    /// How far the ids are behind the clock here, in milliseconds, where that is known.
    pub offset: i64,
}

/// What to make of a new connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GapAssessment {
    /// There is no hole.
    Complete,
    /// Its first events will tell.
    Pending(PendingGap),
    /// There is a hole.
    Gap(Gap),
}

impl ReconnectInfo {
    /// Judges a connection that stands. `since` is the moment that somebody named to begin at, on the first one.
    #[must_use]
    pub fn assess(&self, since: bool) -> GapAssessment {
        let Self { position, is_event, remembered, last_heard, now, offset } = *self;
        let buffer = now.checked_sub(REPLAY_WINDOW).unwrap_or(Timestamp::UNIX_EPOCH);
        let Some(position) = position else {
            return match last_heard {
                // Nothing could be asked for, so nothing is replayed.
                Some(last_heard) => GapAssessment::Gap(Gap {
                    from: Some(last_heard),
                    to: now,
                    certain: false,
                    reason: GapReason::NoPosition,
                }),
                None => GapAssessment::Complete,
            };
        };
        // What was published a moment before the last event, by a clock that was set back, may be missing with the rest.
        let known = if since { time(position) } else { time(position.saturating_sub(MOMENT)) };
        let doubt = |from, reason| {
            GapAssessment::Pending(PendingGap { from, reason, position, remembered, buffer })
        };
        let age = millis(now) - i64::try_from(position).unwrap_or(i64::MAX) - offset;
        let kept = i64::try_from(REPLAY_WINDOW.as_millis()).unwrap_or(i64::MAX);
        if since && age > kept {
            return doubt(known, GapReason::BeyondBuffer);
        }
        if last_heard.is_some_and(|last_heard| millis(now) - millis(last_heard) > kept) {
            return doubt(last_heard.max(known), GapReason::AwayTooLong);
        }
        if is_event && age <= kept {
            return doubt(known, GapReason::ReplayLate);
        }
        GapAssessment::Complete
    }
}

impl PendingGap {
    /// An event has come that was delivered before, or that bears the position where only that is known: the replay is whole.
    #[must_use]
    pub fn is_resolved_by(&self, id: Option<u64>, delivered_before: bool) -> bool {
        let is_position =
            !self.remembered && self.reason != GapReason::BeyondBuffer && id == Some(self.position);
        delivered_before || is_position
    }

    /// The hole, if an event of that id comes first. Below the position it tells nothing. A moment later, as what was
    /// published before a clock was set back bears higher ids.
    #[must_use]
    pub fn gap_before(&self, id: Option<u64>) -> Option<Gap> {
        let id =
            id.filter(|id| *id > self.position || (self.remembered && *id == self.position))?;
        Some(self.gap_until(time(id.saturating_add(MOMENT)).unwrap_or(self.buffer)))
    }

    /// The hole, if nothing has come by then.
    #[must_use]
    pub fn gap_until(&self, until: Timestamp) -> Gap {
        // What the buffer should hold was asked for, and did not come because there was nothing.
        let to = match self.reason {
            GapReason::BeyondBuffer | GapReason::AwayTooLong => until.min(self.buffer),
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

/// An id as the moment that it stands for.
pub(super) fn time(id: u64) -> Option<Timestamp> {
    i64::try_from(id).ok().and_then(|id| Timestamp::from_millisecond(id).ok())
}

/// A moment as an id.
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

    /// Comes back after so many minutes, with a position so many minutes old.
    fn back(away: Option<i64>, age: Option<i64>, is_event: bool) -> ReconnectInfo {
        ReconnectInfo {
            position: age.map(|age| u64::try_from(NOW - age * MINUTE).expect("a time")),
            is_event,
            remembered: false,
            last_heard: away.map(|away| at(NOW - away * MINUTE)),
            now: at(NOW),
            offset: 0,
        }
    }

    fn reason(arrival: &GapAssessment) -> Option<GapReason> {
        match arrival {
            GapAssessment::Complete => None,
            GapAssessment::Pending(doubt) => Some(doubt.reason.clone()),
            GapAssessment::Gap(gap) => Some(gap.reason.clone()),
        }
    }

    #[test]
    fn a_return_is_judged_by_what_is_known() {
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
            let arrival = back(away, age, is_event).assess(since);
            assert_eq!(reason(&arrival), expected, "{away:?} {age:?} {is_event} {since}");
        }
    }

    #[test]
    fn the_clock_here_may_be_wrong() {
        let ahead = ReconnectInfo { offset: 10 * MINUTE, ..back(Some(1), Some(11), true) };
        assert_eq!(
            reason(&ahead.assess(false)),
            Some(GapReason::ReplayLate),
            "a minute old by the server's clock"
        );
    }

    #[test]
    fn what_was_delivered_clears_a_doubt_and_what_is_newer_confirms_it() {
        let GapAssessment::Pending(doubt) = back(Some(1), Some(1), true).assess(false) else {
            panic!("a doubt")
        };
        let position = doubt.position;
        assert!(
            doubt.is_resolved_by(Some(position), false)
                && doubt.is_resolved_by(Some(position + 9), true)
                && doubt.is_resolved_by(None, true)
        );
        assert!(
            !doubt.is_resolved_by(Some(position + 1), false) && !doubt.is_resolved_by(None, false)
        );
        let remembering = PendingGap { remembered: true, ..doubt.clone() };
        assert!(
            !remembering.is_resolved_by(Some(position), false)
                && remembering.is_resolved_by(Some(position), true)
        );
        assert!(
            remembering.gap_before(Some(position)).is_some(),
            "another event of the same millisecond"
        );
        assert_eq!(doubt.gap_before(Some(position - 1)), None);
        assert_eq!(doubt.gap_before(None), None);
        let gap = doubt.gap_before(Some(position + 5)).expect("a hole");
        assert_eq!(
            (gap.from, gap.to),
            (time(position - MOMENT), time(position + 5 + MOMENT).expect("a time"))
        );
    }

    #[test]
    fn an_absence_beyond_the_buffer_ends_where_the_buffer_begins() {
        let GapAssessment::Pending(doubt) = back(Some(9), Some(10), true).assess(false) else {
            panic!("a doubt")
        };
        assert_eq!(
            doubt.gap_until(at(NOW)),
            Gap {
                from: Some(at(NOW - 9 * MINUTE)),
                to: at(NOW).checked_sub(REPLAY_WINDOW).expect("a time"),
                certain: false,
                reason: GapReason::AwayTooLong
            }
        );
    }
}
