//! Seeks to a time or to a place in a recording.
//!
//! If a listed event is at or after the target, it is selected. Otherwise a replay runs ahead to
//! the target.

use jiff::civil::Time;
use jiff::{SignedDuration, Timestamp};

use super::past::Moment;
use super::screen::Screen;
use super::selection;
use super::state::State;
use super::time_travel;
use crate::output::stored_event::StoredEvent;
use crate::pipeline::pacing::SeekTarget;
use crate::text::units::parse_signed_duration;

/// A time to seek to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeekTime {
    /// A point in time.
    Instant(Timestamp),
    /// A time of day, on the day of the selected event.
    OfDay(Time),
    /// An offset from the time of the selected event.
    Offset(SignedDuration),
}

impl SeekTime {
    /// Parses a time such as `09:30`, `2026-05-05T09:30:00Z`, `+5m` or `-30s`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(ahead) = text.strip_prefix('+') {
            return parse_signed_duration(ahead).map(Self::Offset);
        }
        if let Some(back) = text.strip_prefix('-') {
            return parse_signed_duration(back).map(|back| Self::Offset(-back));
        }
        let instant = text.parse().ok().map(Self::Instant);
        instant.or_else(|| text.parse().ok().map(Self::OfDay))
    }
}

/// Goes to the first event at or after that time.
pub fn go_to(state: &mut State, time: SeekTime) {
    let selected = || state.selected_event().and_then(|stored| stored.time);
    let from = state.past_time().or_else(selected).unwrap_or(state.now);
    let day = from.to_zoned(state.config.zone.clone());
    let wanted = match time {
        SeekTime::Instant(instant) => Some(instant),
        SeekTime::OfDay(clock) => day
            .date()
            .to_datetime(clock)
            .to_zoned(state.config.zone.clone())
            .ok()
            .map(|zoned| zoned.timestamp()),
        SeekTime::Offset(offset) => from.checked_add(offset).ok(),
    };
    let Some(wanted) = wanted else { return state.notify(NO_EVENT) };
    if state.screen != Screen::Stream && Some(wanted) <= state.present.last_event_time {
        hold(state);
        return time_travel::look_at(state, Moment::At(wanted));
    }
    seek(state, SeekTarget::Time(wanted), |stored| stored.time >= Some(wanted));
}

/// Goes to the first event that starts at or after `place`, a byte offset into all recordings.
pub fn go_to_place(state: &mut State, place: u64) {
    seek(state, SeekTarget::Place(place), |stored| stored.place >= place);
    let first = state.buffer.first();
    if first > 0 && state.buffer.get(first).is_some_and(|stored| stored.place > place) {
        state.notify("earlier events were dropped from the buffer; --buffer keeps more");
    }
}

/// Holds a replay, which would run on while an earlier event is read.
fn hold(state: &State) {
    if let Some(pace) = state.config.pace.as_ref().filter(|_| !state.connections.is_ended()) {
        pace.hold();
    }
}

const NO_EVENT: &str = "no event at or after that time";

fn seek(state: &mut State, target: SeekTarget, is_match: impl Fn(&StoredEvent) -> bool) {
    let rows = state.rows();
    let found = (0..rows.len())
        .filter_map(|place| rows.get(place))
        .find(|number| state.buffer.get(*number).is_some_and(&is_match));
    match (found, &state.config.pace) {
        (Some(number), _) => {
            hold(state);
            if state.screen == Screen::Stream {
                selection::reveal(state, number);
            } else {
                time_travel::look_at(state, Moment::After(number));
            }
        }
        (None, Some(pace)) if !state.connections.is_ended() => {
            pace.run_to(target);
            state.resume();
            state.look_at(None);
            state.follow = true;
        }
        // A place inside the last event is after its start, so no event matches.
        (None, _) if matches!(target, SeekTarget::Place(_)) => selection::select(state, u64::MAX),
        (None, _) => state.notify(NO_EVENT),
    }
}
