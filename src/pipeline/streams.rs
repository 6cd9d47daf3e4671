//! What becomes of streams: their connections, their coverage and the lifecycle of the tap.

use jiff::Timestamp;

use super::Pipeline;
use crate::error::Exit;
use crate::output::event_ids::UncountedId;
use crate::output::{OutputError, status};
use crate::query::EventContext;
use crate::transport::{ConnectionEvent, Coverage, RawFrame};

impl Pipeline {
    pub(super) fn connection(
        &mut self,
        event: &ConnectionEvent,
    ) -> Result<Option<Exit>, OutputError> {
        if let Some(alerts) = &mut self.alerts {
            alerts.connection(event);
        }
        let lifecycle = self.lifecycle.as_mut();
        if let Some(ended) = lifecycle.and_then(|tap| tap.connection(event, Timestamp::now())) {
            self.announce(&ended)?;
        }
        self.flush_all()?;
        let mut is_shown = false;
        for observer in &mut self.observers {
            is_shown |= observer.connection(event)?;
        }
        if is_shown {
            return Ok(None);
        }
        if self.status == status::StatusFormat::Inline
            && let Some(frame) = event.frame(Timestamp::now())
        {
            return self.frame(frame.as_frame());
        }
        status::connection(self.status, event);
        Ok(None)
    }

    /// Announces that the tap ends.
    pub(super) fn end_lifecycle(&mut self) -> Result<(), OutputError> {
        let lifecycle = self.lifecycle.as_mut();
        let events = lifecycle.map(|tap| tap.end(Timestamp::now())).unwrap_or_default();
        events.iter().try_for_each(|event| self.announce(event))
    }

    /// Delivers an event about the tap, which is not shown.
    pub(super) fn announce(&mut self, event: &RawFrame) -> Result<(), OutputError> {
        let shown = self.redactor.decode_and_redact(&mut self.decoder, event.as_frame());
        // Nothing else has the id: it consists of the time and of what the tap announces.
        UncountedId::new(&shown, 0, &mut self.id);
        self.delivery.lifecycle(&EventContext::new(&shown).with_id(Some(&self.id)))
    }

    /// Announces the coverage of a stream.
    pub(super) fn coverage(&mut self, coverage: &Coverage) -> Result<Option<Exit>, OutputError> {
        let restarts = self.delivery.restarts();
        let continues = self.delivery.continues(&coverage.origin);
        let lifecycle = self.lifecycle.as_mut();
        let now = Timestamp::now();
        let events = lifecycle.map(|tap| tap.coverage(coverage, continues, restarts, now));
        events.into_iter().flatten().try_for_each(|event| self.announce(&event))?;
        if let Some(alerts) = &mut self.alerts {
            alerts.coverage(coverage);
        }
        self.alerts()
    }
}
