//! The moment that is looked at: the present or an earlier one.

use jiff::Timestamp;

use super::State;
use crate::analysis::alerts::AttentionChange;
use crate::tui::attention::ListedAlert;
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
        let Self { next_past, buffer, attention_log, reader, config, .. } = self;
        let Some(past) = next_past else { return };
        if past.advance(buffer, attention_log, reader, config.pace.is_some(), slice) {
            self.past = self.next_past.take();
        }
        self.snapshots.thin_out();
    }

    /// Applies a change of what needs attention.
    pub fn change_attention(&mut self, change: AttentionChange) {
        let Self { attention_log, present, .. } = self;
        attention_log.add(present.sequence(), change, &mut present.attention);
    }

    /// Acknowledges the shown items for which `is_meant` is true, or takes that back if all of them
    /// were acknowledged. That holds for every moment. Returns whether there is one.
    pub fn acknowledge(&mut self, is_meant: impl Fn(&ListedAlert) -> bool) -> bool {
        let items = self.shown().attention.items();
        let meant: Vec<_> = items.filter(|listed| is_meant(listed)).cloned().collect();
        let Self { attention_log, present, past, .. } = self;
        attention_log.acknowledge(&meant);
        attention_log.mark_acknowledged(&mut present.attention);
        if let Some(past) = past {
            attention_log.mark_acknowledged(&mut past.projection.attention);
        }
        !meant.is_empty()
    }

    /// Takes the text of a notification about what has begun to need attention.
    pub fn take_news(&mut self) -> Option<String> {
        self.attention_log.take_news(&self.present.attention)
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

    /// Returns the time of the earlier moment that is looked at, or will be.
    #[must_use]
    pub fn chosen_time(&self) -> Option<Timestamp> {
        self.next_past.as_ref().or(self.past.as_ref()).map(Past::time)
    }

    /// Returns the memory of the snapshots, in bytes.
    #[cfg(test)]
    #[must_use]
    pub fn snapshot_bytes(&self) -> usize {
        self.snapshots.bytes()
    }
}
