//! Reads keys and the mouse on a separate thread and wakes the event loop.
//!
//! On Unix, dropping the reader stops it at once, so that it takes no input meant for another
//! program while the screen is closed or the process is suspended.

mod sender;
#[cfg(unix)]
mod wake;

use std::io;
use std::sync::mpsc::{Receiver, channel};
use std::thread::{Builder, JoinHandle};

use crossterm::event::Event;

use sender::InputSender;

/// A thread that reads terminal events.
pub struct InputReader {
    events: Receiver<io::Result<Event>>,
    thread: Option<JoinHandle<()>>,
    #[cfg(unix)]
    wake_pipe: wake::WakePipe,
}

impl InputReader {
    /// Starts a reader that unparks the calling thread for every event.
    pub fn start() -> io::Result<Self> {
        let (send, events) = channel();
        let receiver = std::thread::current();
        #[cfg(unix)]
        let (wake_pipe, woken) = wake::WakePipe::open()?;
        let thread = Builder::new().name("input".to_owned()).spawn(move || {
            let sender = InputSender::new(send, receiver);
            #[cfg(unix)]
            let read = wake::read(&sender, woken);
            #[cfg(not(unix))]
            let read = read(&sender);
            if let Err(error) = read {
                sender.send(Err(error));
            }
        })?;
        Ok(Self {
            events,
            thread: Some(thread),
            #[cfg(unix)]
            wake_pipe,
        })
    }

    /// Returns the events that are waiting.
    pub fn take(&self) -> impl Iterator<Item = io::Result<Event>> {
        self.events.try_iter()
    }
}

#[cfg(unix)]
impl Drop for InputReader {
    fn drop(&mut self) {
        self.wake_pipe.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Reads until the receiver is dropped. Without `poll`, the console cannot be waited for together
/// with a pipe, so the thread ends only after the next event.
#[cfg(not(unix))]
fn read(sender: &InputSender) -> io::Result<()> {
    while sender.send(Ok(crossterm::event::read()?)) {}
    Ok(())
}
