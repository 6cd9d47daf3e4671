//! The sink that feeds the screen. The channel to it is bounded: what the screen can't take yet waits in the socket.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::thread::Thread;

use crate::model::Kind;
use crate::output::stored_event::StoredEvent;
use crate::output::{Observer, OutputError};
use crate::pipeline::pacing::Pace;
use crate::query::EventContext;
use crate::transport::ConnectionEvent;

/// How many events may wait for the screen.
pub const QUEUE: usize = 1024;

/// How many events that were not selected make up a message.
const PASSED: u64 = 256;

/// What is known of events that were not selected: they are counted, not held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FilteredEvent {
    /// How many they are.
    pub events: u64,
    /// Of these, frames that held no event.
    pub malformed: u64,
    /// Those with something that the model did not expect.
    pub drifted: u64,
    /// Those that tell of lost events.
    pub gaps: u64,
}

/// What the walk tells the screen.
#[derive(Debug)]
pub enum ScreenMessage {
    /// An event.
    Event(StoredEvent),
    /// Events that were not selected since this was told last.
    PassedOver(FilteredEvent),
    /// News of a connection.
    News(ConnectionEvent),
}

/// Hands events over to the screen.
pub struct ScreenSink {
    screen: SyncSender<ScreenMessage>,
    /// Who takes what is sent; asleep, perhaps.
    sleeper: Thread,
    pace: Option<Arc<Pace>>,
    passed: FilteredEvent,
}

impl ScreenSink {
    /// A feed into that channel, from which that thread takes, at that pace.
    #[must_use]
    pub const fn new(
        screen: SyncSender<ScreenMessage>,
        sleeper: Thread,
        pace: Option<Arc<Pace>>,
    ) -> Self {
        Self {
            screen,
            sleeper,
            pace,
            passed: FilteredEvent { events: 0, malformed: 0, drifted: 0, gaps: 0 },
        }
    }

    fn send(&self, fed: ScreenMessage) -> io::Result<()> {
        // A screen that is closed is like a reader that has gone.
        let sent = self.screen.send(fed).map_err(|_| io::ErrorKind::BrokenPipe.into());
        self.sleeper.unpark();
        sent
    }

    fn tell_of_passed(&mut self) -> io::Result<()> {
        let passed = std::mem::take(&mut self.passed);
        if passed.events > 0 { self.send(ScreenMessage::PassedOver(passed)) } else { Ok(()) }
    }
}

impl Observer for ScreenSink {
    fn event(&mut self, context: &EventContext<'_>) -> Result<(), OutputError> {
        let mut stored = StoredEvent::new(context.event);
        if let Some(pace) = &self.pace {
            pace.wait(stored.time, None);
            stored.place = pace.reach(context.recording, context.offset);
        }
        self.tell_of_passed()?;
        Ok(self.send(ScreenMessage::Event(stored))?)
    }

    fn filtered_out(&mut self, context: &EventContext<'_>) -> io::Result<()> {
        let shown = context.event;
        if let Some(pace) = &self.pace {
            pace.reach(context.recording, context.offset);
        }
        self.passed.events += 1;
        self.passed.malformed += u64::from(shown.kind() == Some(Kind::TapMalformed));
        self.passed.gaps += u64::from(shown.kind() == Some(Kind::TapGap));
        self.passed.drifted += u64::from(!shown.tap().drift.is_empty());
        if self.passed.events < PASSED { Ok(()) } else { self.tell_of_passed() }
    }

    fn connection(&mut self, news: &ConnectionEvent) -> io::Result<bool> {
        self.send(ScreenMessage::News(news.clone())).map(|()| true)
    }

    /// Nothing more is at hand.
    fn flush(&mut self) -> io::Result<()> {
        self.tell_of_passed()
    }
}

/// The end of the events is something to wake up for, too.
impl Drop for ScreenSink {
    fn drop(&mut self) {
        self.sleeper.unpark();
    }
}
