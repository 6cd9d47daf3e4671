//! The alerts of rules, which become events of the run.

use super::{EventOrigin, Pipeline};
use crate::analysis::alerts::AlertStage;
use crate::error::Exit;
use crate::model::Frame;
use crate::output::OutputError;

impl Pipeline {
    /// Handles an event and the alerts that it leads to. What is pending is delivered only after
    /// both, so that the cursor does not pass an event whose alerts are lost.
    pub(super) fn frame(&mut self, frame: Frame<'_>) -> Result<Option<Exit>, OutputError> {
        let (mut end, is_full) = self.event(frame, EventOrigin::Input)?;
        if end.is_none() && self.alerts.is_some() {
            end = self.alerts()?;
        }
        if is_full {
            self.flush_all()?;
        }
        Ok(end)
    }

    /// Applies the rules to the end of the input, unless an event has ended the run.
    pub(super) fn finish_alerts(&mut self) -> Result<(), OutputError> {
        let goes_on = self.delivery.has_cursor() || self.is_ended;
        if let Some(alerts) = &mut self.alerts {
            alerts.finish(goes_on);
        }
        if self.is_ended { Ok(()) } else { self.alerts().map(drop) }
    }

    /// Handles the new alerts. Returns the exit status if the run ends with one of them; the rest is
    /// left to the next run.
    pub(super) fn alerts(&mut self) -> Result<Option<Exit>, OutputError> {
        while let Some(alert) = self.alerts.as_mut().and_then(AlertStage::next_alert) {
            let (end, _) = self.event(alert.as_frame(), EventOrigin::Rules)?;
            if self.is_ended {
                return Ok(end);
            }
        }
        Ok(None)
    }
}
