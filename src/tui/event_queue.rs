//! The queue of messages from the pipeline to the screen, bounded in messages and in bytes.
//!
//! A limit on messages alone would not bound memory, because one event may be as large as a frame.
//! If the screen falls behind, the pipeline blocks, and the backlog stays in the socket.

use std::collections::VecDeque;
use std::sync::mpsc::TryRecvError;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::message::ScreenMessage;

/// The maximum number of messages in the queue.
const MAX_MESSAGES: usize = 1024;

/// The maximum size of the messages in the queue, in bytes. A larger message passes alone.
const MAX_BYTES: usize = 4 << 20;

/// The error of a send to a screen that is closed.
#[derive(Debug, PartialEq, Eq)]
pub struct ScreenClosed;

#[derive(Default)]
struct Queue {
    messages: VecDeque<ScreenMessage>,
    bytes: usize,
    is_sender_gone: bool,
    is_receiver_gone: bool,
}

#[derive(Default)]
struct SharedQueue {
    queue: Mutex<Queue>,
    /// Notifies the sender that a message was received, or that the receiver is gone.
    received: Condvar,
}

impl SharedQueue {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end of the pipeline.
pub struct EventSender(Arc<SharedQueue>);

/// The end of the screen.
pub struct EventReceiver(Arc<SharedQueue>);

/// Creates a queue.
#[must_use]
pub fn queue() -> (EventSender, EventReceiver) {
    let shared = Arc::<SharedQueue>::default();
    (EventSender(Arc::clone(&shared)), EventReceiver(shared))
}

impl EventSender {
    /// Sends a message as soon as there is room for it.
    ///
    /// # Errors
    /// Fails if the screen is closed.
    pub fn send(&self, message: ScreenMessage) -> Result<(), ScreenClosed> {
        let bytes = message.bytes();
        let is_full = |queue: &mut Queue| {
            let has_room = queue.messages.len() < MAX_MESSAGES && queue.bytes + bytes <= MAX_BYTES;
            !queue.is_receiver_gone && !queue.messages.is_empty() && !has_room
        };
        let queue = self.0.lock();
        let waited = self.0.received.wait_while(queue, is_full);
        let mut queue = waited.unwrap_or_else(PoisonError::into_inner);
        if queue.is_receiver_gone {
            return Err(ScreenClosed);
        }
        queue.bytes += bytes;
        queue.messages.push_back(message);
        Ok(())
    }
}

impl Drop for EventSender {
    fn drop(&mut self) {
        self.0.lock().is_sender_gone = true;
    }
}

impl EventReceiver {
    /// Returns the next message if one is waiting.
    ///
    /// # Errors
    /// Fails if there is none, and says whether there will be more.
    pub fn try_recv(&self) -> Result<ScreenMessage, TryRecvError> {
        let mut queue = self.0.lock();
        let Some(message) = queue.messages.pop_front() else {
            let is_over = queue.is_sender_gone;
            return Err(if is_over { TryRecvError::Disconnected } else { TryRecvError::Empty });
        };
        queue.bytes -= message.bytes();
        drop(queue);
        self.0.received.notify_one();
        Ok(message)
    }
}

impl Drop for EventReceiver {
    fn drop(&mut self) {
        let mut queue = self.0.lock();
        queue.is_receiver_gone = true;
        queue.messages.clear();
        drop(queue);
        self.0.received.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::stored_event::StoredEvent;

    fn message(bytes: usize) -> ScreenMessage {
        ScreenMessage::Event(StoredEvent {
            event_type: "x".into(),
            kind: None,
            time: None,
            call_sid: None,
            line: "x".repeat(bytes).into(),
            drifted: false,
            is_error: false,
            place: 0,
        })
    }

    #[test]
    fn the_sender_waits_while_the_messages_are_too_large_or_too_many() {
        for (size, fit) in [(1 << 20, 3), (MAX_BYTES * 2, 1), (0, MAX_MESSAGES)] {
            let (sender, receiver) = queue();
            let total = fit * 3 + 1;
            std::thread::scope(|scope| {
                scope.spawn(move || {
                    for _ in 0..total {
                        sender.send(message(size)).expect("the screen is open");
                    }
                });
                let mut count = 0;
                while count < total {
                    let waiting = receiver.0.lock().messages.len();
                    assert!(waiting <= fit, "{waiting} messages of {size} bytes");
                    count += usize::from(receiver.try_recv().is_ok());
                }
                while !matches!(receiver.try_recv(), Err(TryRecvError::Disconnected)) {}
            });
            assert_eq!(receiver.0.lock().bytes, 0);
        }
    }

    #[test]
    fn a_blocked_sender_fails_when_the_screen_closes() {
        let (sender, receiver) = queue();
        std::thread::scope(|scope| {
            let sending = scope.spawn(move || {
                loop {
                    if let Err(error) = sender.send(message(1 << 20)) {
                        return error;
                    }
                }
            });
            while receiver.0.lock().messages.is_empty() {
                std::thread::yield_now();
            }
            drop(receiver);
            assert_eq!(sending.join().expect("no panic"), ScreenClosed);
        });
    }
}
