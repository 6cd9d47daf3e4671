//! The moment that is looked at: the present or an earlier one.

use jiff::Timestamp;

use super::State;
use crate::tui::past::{Moment, Past};
use crate::tui::projection::Projection;
use crate::tui::screen::Screen;
use crate::tui::time_slice::TimeSlice;

impl State {
    /// Looks at an earlier moment, or at the present. The screens show it as soon as it is built.
    pub fn look_at(&mut self, moment: Option<Moment>) {
        self.changed = true;
        let Some(moment) = moment else {
            (self.past, self.next_past) = (None, None);
            return;
        };
        let past = Past::new(moment, &self.buffer, &self.snapshots, self.past.as_ref());
        match past {
            Some(past) => self.next_past = Some(past),
            None => self.notify("nothing is kept of that time; --buffer keeps more"),
        }
    }

    /// Builds the moment that will be looked at.
    pub fn advance_past(&mut self, slice: &mut TimeSlice) {
        let Self { next_past, buffer, reader, config, .. } = self;
        let Some(past) = next_past else { return };
        past.advance(buffer, reader, config.pace.is_some(), slice);
        if past.is_finished() {
            self.past = self.next_past.take();
        }
        self.snapshots.thin_out();
    }

    /// Returns what the events add up to at the moment that is looked at.
    #[must_use]
    pub fn shown(&self) -> &Projection {
        self.past.as_ref().map_or(&self.present, |past| &past.projection)
    }

    /// Returns whether an earlier moment is looked at, or will be.
    #[must_use]
    pub const fn is_past(&self) -> bool {
        self.past.is_some() || self.next_past.is_some()
    }

    /// Returns the time of the earlier moment that the current screen shows. A call is shown with
    /// all that is known of it.
    #[must_use]
    pub fn moment(&self) -> Option<Timestamp> {
        self.past_time().filter(|_| self.screen != Screen::Call)
    }

    /// Returns whether the events up to the moment that is looked at are kept, so that it is shown
    /// exactly.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.past.as_ref().is_none_or(|past| past.is_exact)
    }

    /// Returns the time of the earlier moment that is looked at.
    #[must_use]
    pub fn past_time(&self) -> Option<Timestamp> {
        self.past.as_ref().map(Past::time)
    }

    /// Returns the memory of the snapshots, in bytes.
    #[cfg(test)]
    #[must_use]
    pub fn snapshot_bytes(&self) -> usize {
        self.snapshots.bytes()
    }
}
