//! Where somebody wants to go: to a time, or to a place in a recording. What is at hand is selected; a replay that has not
//! come so far is let run to it.

use jiff::civil::Time;
use jiff::{SignedDuration, Timestamp};

use super::state::{ConnectionStatus, State};
use crate::output::stored_event::StoredEvent;
use crate::pipeline::pacing::SeekTarget;
use crate::text::units::parse_signed_duration;

/// A time to go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeekTime {
    /// This one.
    Instant(Timestamp),
    /// On the day of the selected event.
    OfDay(Time),
    /// So much after the selected event, or before it.
    Apart(SignedDuration),
}

/// Reads a time to go to.
pub fn moment(text: &str) -> Option<SeekTime> {
    if let Some(ahead) = text.strip_prefix('+') {
        return parse_signed_duration(ahead).map(SeekTime::Apart);
    }
    if let Some(back) = text.strip_prefix('-') {
        return parse_signed_duration(back).map(|back| SeekTime::Apart(-back));
    }
    let instant = text.parse().ok().map(SeekTime::Instant);
    instant.or_else(|| text.parse().ok().map(SeekTime::OfDay))
}

/// Goes to the first event at that time or after it.
pub fn go_to(state: &mut State, moment: SeekTime) {
    let from = state.chosen().and_then(|stored| stored.time).unwrap_or(state.now);
    let day = from.to_zoned(state.setup.zone.clone());
    let wanted = match moment {
        SeekTime::Instant(instant) => Some(instant),
        SeekTime::OfDay(time) => day
            .date()
            .to_datetime(time)
            .to_zoned(state.setup.zone.clone())
            .ok()
            .map(|zoned| zoned.timestamp()),
        SeekTime::Apart(apart) => from.checked_add(apart).ok(),
    };
    let Some(wanted) = wanted else { return state.tell(NO_EVENT) };
    select(state, SeekTarget::Time(wanted), |stored| stored.time >= Some(wanted));
}

/// Goes to the first event that begins there in the recordings, or after it.
pub fn go_to_place(state: &mut State, place: u64) {
    select(state, SeekTarget::Place(place), |stored| stored.place >= place);
    let first = state.buffer.first();
    if first > 0 && state.buffer.get(first).is_some_and(|stored| stored.place > place) {
        state.tell("what was before it is not at hand any more: --buffer keeps more");
    }
}

const NO_EVENT: &str = "no event at that time or after it";

fn select(state: &mut State, goal: SeekTarget, is_it: impl Fn(&StoredEvent) -> bool) {
    let rows = state.rows();
    let found = (0..rows.len())
        .filter_map(|place| rows.get(place))
        .find(|number| state.buffer.get(*number).is_some_and(&is_it));
    match (found, &state.setup.pace) {
        (Some(number), _) => {
            state.screen = 0;
            state.select(number);
        }
        (None, Some(pace)) if state.link != ConnectionStatus::Ended => {
            pace.run_to(goal);
            (state.screen, state.paused, state.follow) = (0, None, true);
        }
        // The end of the last event is beyond where it begins.
        (None, _) if matches!(goal, SeekTarget::Place(_)) => state.select(u64::MAX),
        (None, _) => state.tell(NO_EVENT),
    }
}
