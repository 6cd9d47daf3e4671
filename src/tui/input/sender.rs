//! The channel from the input thread to the event loop.

use std::io;
use std::sync::mpsc::Sender;
use std::thread::Thread;
#[cfg(unix)]
use std::time::Duration;

use crossterm::event::Event;

/// How long to wait for the rest of an event that has arrived in part.
#[cfg(unix)]
const PARTIAL_EVENT_WAIT: Duration = Duration::from_millis(1);

/// Sends terminal events to the event loop and wakes it.
pub struct InputSender {
    send: Sender<io::Result<Event>>,
    receiver: Thread,
}

impl InputSender {
    /// Creates a sender that unparks `receiver`.
    pub const fn new(send: Sender<io::Result<Event>>, receiver: Thread) -> Self {
        Self { send, receiver }
    }

    /// Sends an event and wakes the receiver. Returns whether there still is a receiver.
    pub fn send(&self, event: io::Result<Event>) -> bool {
        let sent = self.send.send(event).is_ok();
        self.receiver.unpark();
        sent
    }

    /// Sends all events that can be read now. Returns whether there still is a receiver.
    #[cfg(unix)]
    pub fn send_all(&self) -> io::Result<bool> {
        while crossterm::event::poll(PARTIAL_EVENT_WAIT)? {
            if !self.send(Ok(crossterm::event::read()?)) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
