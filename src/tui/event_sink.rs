//! The observer that sends events from the pipeline to the screen.

use std::io;
use std::sync::Arc;
use std::thread::Thread;

use super::event_queue::EventSender;
use super::message::{FilteredCounts, ScreenMessage};
use crate::analysis::alerts::AttentionChange;
use crate::model::Kind;
use crate::output::stored_event::StoredEvent;
use crate::output::{Observer, OutputError};
use crate::pipeline::pacing::Pace;
use crate::query::EventContext;
use crate::transport::ConnectionEvent;

/// How many filtered events are counted before they are reported.
const FILTERED_BATCH: u64 = 256;

/// Sends messages to the screen and wakes it. The screen sees the end of the run once all copies
/// are dropped.
#[derive(Clone)]
pub struct ScreenSender(Arc<ScreenLink>);

struct ScreenLink {
    /// `None` only while it is dropped.
    queue: Option<EventSender>,
    /// The thread that receives the messages, which may be parked.
    receiver: Thread,
}

impl ScreenSender {
    /// Creates a sender to `screen`, which unparks `receiver`.
    #[must_use]
    pub fn new(screen: EventSender, receiver: Thread) -> Self {
        Self(Arc::new(ScreenLink { queue: Some(screen), receiver }))
    }

    /// Sends a message as soon as there is room for it.
    fn send(&self, message: ScreenMessage) -> io::Result<()> {
        let sent = match &self.0.queue {
            Some(queue) => queue.send(message),
            None => Ok(()),
        };
        self.0.receiver.unpark();
        // The pipeline handles a closed screen like a closed pipe.
        sent.map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    /// Returns a listener that sends what changes in the list of what needs attention.
    #[must_use]
    pub fn attention_listener(&self) -> Box<dyn FnMut(AttentionChange) + Send> {
        let sender = self.clone();
        Box::new(move |change| {
            // The next event reports that the screen is closed.
            let _ = sender.send(ScreenMessage::Attention(change));
        })
    }
}

/// Wakes the screen, so that it notices that the queue is closed.
impl Drop for ScreenLink {
    fn drop(&mut self) {
        drop(self.queue.take());
        self.receiver.unpark();
    }
}

/// Sends events to the screen, at the pace of the replay if there is one.
pub struct ScreenSink {
    screen: ScreenSender,
    pace: Option<Arc<Pace>>,
    filtered_out: FilteredCounts,
}

impl ScreenSink {
    /// Creates a sink that sends to `screen` and keeps `pace`.
    #[must_use]
    pub const fn new(screen: ScreenSender, pace: Option<Arc<Pace>>) -> Self {
        Self {
            screen,
            pace,
            filtered_out: FilteredCounts { events: 0, malformed: 0, drifted: 0, gaps: 0 },
        }
    }

    fn send(&self, message: ScreenMessage) -> io::Result<()> {
        self.screen.send(message)
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
