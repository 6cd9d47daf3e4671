//! The alerts of rules, which become events of the run.

use super::{EventOrigin, Pipeline};
use crate::error::Exit;
use crate::model::{Frame, FrameFormat};
use crate::output::OutputError;
use crate::transport::as_plain_text;

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
        let mut line = std::mem::take(&mut self.alert_line);
        let mut ended = Ok(None);
        while let Some(origin) =
            self.alerts.as_mut().and_then(|alerts| alerts.next_alert(&mut line))
        {
            let frame = Frame {
                text: as_plain_text(line.as_bytes()),
                ..Frame::new(FrameFormat::Record, line.as_bytes(), &origin)
            };
            ended = self.event(frame, EventOrigin::Rules).map(|(end, _)| end);
            if self.is_ended || ended.is_err() {
                break;
            }
            ended = Ok(None);
        }
        self.alert_line = line;
        ended
    }
}
