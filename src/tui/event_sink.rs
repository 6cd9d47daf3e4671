//! The observer that sends events from the pipeline to the screen.

use std::io;
use std::sync::Arc;
use std::thread::Thread;

use super::event_queue::EventSender;
use super::message::{FilteredCounts, ScreenMessage};
use crate::model::Kind;
use crate::output::stored_event::StoredEvent;
use crate::output::{Observer, OutputError};
use crate::pipeline::pacing::Pace;
use crate::query::EventContext;
use crate::transport::ConnectionEvent;

/// How many filtered events are counted before they are reported.
const FILTERED_BATCH: u64 = 256;

/// Sends events to the screen, at the pace of the replay if there is one.
pub struct ScreenSink {
    screen: EventSender,
    /// The thread that receives the messages, which may be parked.
    receiver: Thread,
    pace: Option<Arc<Pace>>,
    filtered_out: FilteredCounts,
}

impl ScreenSink {
    /// Creates a sink that sends to `screen`, unparks `receiver`, and keeps `pace`.
    #[must_use]
    pub const fn new(screen: EventSender, receiver: Thread, pace: Option<Arc<Pace>>) -> Self {
        Self {
            screen,
            receiver,
            pace,
            filtered_out: FilteredCounts { events: 0, malformed: 0, drifted: 0, gaps: 0 },
        }
    }

    fn send(&self, message: ScreenMessage) -> io::Result<()> {
        // The pipeline handles a closed screen like a closed pipe.
        let sent = self.screen.send(message).map_err(|_| io::ErrorKind::BrokenPipe.into());
        self.receiver.unpark();
        sent
    }

    fn send_filtered(&mut self) -> io::Result<()> {
        let counts = std::mem::take(&mut self.filtered_out);
        if counts.events > 0 { self.send(ScreenMessage::FilteredOut(counts)) } else { Ok(()) }
    }
}

impl Observer for ScreenSink {
    fn event(&mut self, context: &EventContext<'_>) -> Result<(), OutputError> {
        let mut stored = StoredEvent::new(context.event);
        if let Some(pace) = &self.pace {
            pace.wait(stored.time, None);
            stored.place = pace.reach(context.recording, context.offset);
        }
        self.send_filtered()?;
        Ok(self.send(ScreenMessage::Event(stored))?)
    }

    fn filtered_out(&mut self, context: &EventContext<'_>) -> io::Result<()> {
        let event = context.event;
        if let Some(pace) = &self.pace {
            pace.reach(context.recording, context.offset);
        }
        self.filtered_out.events += 1;
        self.filtered_out.malformed += u64::from(event.kind() == Some(Kind::TapMalformed));
        self.filtered_out.gaps += u64::from(event.kind() == Some(Kind::TapGap));
        self.filtered_out.drifted += u64::from(!event.tap().drift.is_empty());
        if self.filtered_out.events < FILTERED_BATCH { Ok(()) } else { self.send_filtered() }
    }

    fn connection(&mut self, event: &ConnectionEvent) -> io::Result<bool> {
        self.send(ScreenMessage::Connection(event.clone())).map(|()| true)
    }

    /// Reports the counts of filtered events, because no event is waiting that would do so.
    fn flush(&mut self) -> io::Result<()> {
        self.send_filtered()
    }
}

/// Wakes the screen, so that it notices that the queue is closed.
impl Drop for ScreenSink {
    fn drop(&mut self) {
        self.receiver.unpark();
    }
}
