//! The channel from the reader to the event loop.

use std::io;
use std::sync::mpsc::Sender;
use std::thread::Thread;
#[cfg(unix)]
use std::time::Duration;

use crossterm::event::Event;

/// How long to wait for the rest of an event that has come in part.
#[cfg(unix)]
const REST: Duration = Duration::from_millis(1);

/// Sends events to the thread that draws, and wakes it.
pub struct InputSender {
    send: Sender<io::Result<Event>>,
    receiver: Thread,
}

impl InputSender {
    /// Creates a sender that wakes that thread.
    pub const fn new(send: Sender<io::Result<Event>>, receiver: Thread) -> Self {
        Self { send, receiver }
    }

    /// Sends an event, and wakes the receiver. Returns whether there is one.
    pub fn send(&self, event: io::Result<Event>) -> bool {
        let sent = self.send.send(event).is_ok();
        self.receiver.unpark();
        sent
    }

    /// Sends all events at hand. Returns whether there is a receiver.
    #[cfg(unix)]
    pub fn send_all(&self) -> io::Result<bool> {
        while crossterm::event::poll(REST)? {
            if !self.send(Ok(crossterm::event::read()?)) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
