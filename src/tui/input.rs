//! Reads keys and the mouse on a thread of its own, and wakes the thread that draws.
//!
//! The reader stops at once: while the screen is closed, what is typed is for another program.

mod sender;
#[cfg(unix)]
mod wake;

use std::io;
use std::sync::mpsc::{Receiver, channel};
use std::thread::{Builder, JoinHandle};

use crossterm::event::Event;

use sender::InputSender;

/// A thread that reads events of the terminal.
pub struct InputReader {
    typed: Receiver<io::Result<Event>>,
    thread: Option<JoinHandle<()>>,
    #[cfg(unix)]
    wake_pipe: wake::WakePipe,
}

impl InputReader {
    /// Starts a reader that wakes the calling thread.
    pub fn start() -> io::Result<Self> {
        let (send, typed) = channel();
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
            typed,
            thread: Some(thread),
            #[cfg(unix)]
            wake_pipe,
        })
    }

    /// Returns the events that have come.
    pub fn take(&self) -> impl Iterator<Item = io::Result<Event>> {
        self.typed.try_iter()
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

/// Reads until nobody receives: here the console cannot be waited for together with anything else.
#[cfg(not(unix))]
fn read(sender: &InputSender) -> io::Result<()> {
    while sender.send(Ok(crossterm::event::read()?)) {}
    Ok(())
}
