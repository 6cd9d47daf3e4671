//! Acknowledgement of messages of a durable consumer, once their events have been delivered.
//!
//! An acknowledgement can be lost. The broker then sends the message again, perhaps to the same
//! reader, which recognises it and only acknowledges it again. A reader that ends returns the
//! messages that it has not delivered, so that other members need not wait for them.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_nats::connection::State;
use async_nats::{Client, Message, PublishError, Subject};
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::delivered::Delivered;
use super::open_stream::OpenStream;
use crate::transport::receipt::Receipt;

/// The body of an acknowledgement (NATS documentation, "JetStream wire API reference").
const ACKNOWLEDGE: Bytes = Bytes::from_static(b"+ACK");

/// The body of the opposite: the message is to be delivered again, to any member.
const RETURN: Bytes = Bytes::from_static(b"-NAK");

/// How long nothing arrives if the broker sends nothing.
const QUIET: Duration = Duration::from_millis(250);

/// How long returning messages may take at the end of a run.
const RETURN_TIMEOUT: Duration = Duration::from_secs(5);

/// How long sending acknowledgements may take before it is left to the next delivery.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The maximum number of messages that are remembered. It is more than the broker has delivered and
/// not got acknowledged at any time.
const MAX_REMEMBERED: usize = 65_536;

/// Whether the event of a message has been delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TakenState {
    /// The pipeline has it.
    Taken,
    /// All destinations have it.
    Delivered,
}

/// The messages that a reader has taken, by their numbers in the stream. Nearly all come in this
/// order.
#[derive(Debug, Default)]
pub(super) struct TakenMessages {
    /// The reply subject of each message; `None` if it has been delivered.
    replies: BTreeMap<u64, Option<Subject>>,
}

impl TakenMessages {
    /// Notes that a message has been taken. Returns its state if it was taken before.
    pub fn take(&mut self, sequence: u64, reply: &Subject) -> Option<TakenState> {
        if let Some(reply) = self.replies.get(&sequence) {
            return Some(reply.as_ref().map_or(TakenState::Delivered, |_| TakenState::Taken));
        }
        self.replies.insert(sequence, Some(reply.clone()));
        if self.replies.len() > MAX_REMEMBERED {
            self.replies.pop_first();
        }
        None
    }

    /// Notes that a message needs not be delivered again.
    pub fn delivered(&mut self, sequence: u64) {
        if let Some(reply) = self.replies.get_mut(&sequence) {
            *reply = None;
        }
    }

    /// Returns the numbers and the reply subjects of the messages that have not been delivered.
    fn undelivered(&self) -> Vec<(u64, Subject)> {
        let reply = |(sequence, reply): (&u64, &Option<Subject>)| Some((*sequence, reply.clone()?));
        self.replies.iter().filter_map(reply).collect()
    }
}

/// The messages that a reader has taken, shared with the pipeline.
pub(super) type SharedMessages = Arc<Mutex<TakenMessages>>;

pub(super) fn lock(messages: &SharedMessages) -> MutexGuard<'_, TakenMessages> {
    messages.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sends an acknowledgement, which may still have to be written.
pub(super) async fn acknowledge(client: &Client, reply: Subject) -> Result<(), PublishError> {
    client.publish(reply, ACKNOWLEDGE).await
}

/// The messages that the broker has sent to a reader which has ended.
pub struct UnreadMessages {
    pub(super) open: Option<OpenStream>,
    pub(super) taken: SharedMessages,
}

impl UnreadMessages {
    /// Completes the acknowledgements, and returns the messages that have not been delivered to the
    /// broker, which delivers them to other members at once. Otherwise, it would wait until their
    /// time for an acknowledgement is over, which is what happens if the broker cannot be reached.
    pub async fn release(self) {
        let Some(OpenStream { client, mut messages, mut window, .. }) = self.open else { return };
        if client.connection_state() != State::Connected {
            return;
        }
        let returned = async {
            let mut replies = lock(&self.taken).undelivered();
            let mut add = |message: Message| {
                let number = message.reply.as_deref().and_then(Delivered::parse);
                replies.extend(number.map(|number| number.sequence).zip(message.reply));
            };
            // What the broker is sending would be lost without the subscription.
            while window.is_open()
                && let Ok(Some(message)) = timeout(QUIET, messages.next()).await
            {
                window.received(message.length);
                add(message);
            }
            messages.drain().await.ok()?;
            while let Some(message) = messages.next().await {
                add(message);
            }
            // They are delivered again in the order in which they are returned.
            replies.sort_unstable_by_key(|(sequence, _)| *sequence);
            for (_, reply) in replies {
                client.publish(reply, RETURN).await.ok()?;
            }
            client.flush().await.ok()
        };
        let _ = timeout(RETURN_TIMEOUT, returned).await;
    }
}

/// The acknowledgements of a chunk of messages.
#[derive(Debug)]
pub(super) struct ChunkReceipt {
    pub client: Client,
    pub runtime: Handle,
    pub taken: SharedMessages,
    /// The number in the stream and the reply subject of each message; `None` for what is none.
    pub messages: Vec<Option<(u64, Subject)>>,
}

impl Receipt for ChunkReceipt {
    fn events(&self) -> usize {
        self.messages.len()
    }

    fn confirm(&self, events: Range<usize>) {
        let messages = self.messages.get(events).unwrap_or_default();
        let mut taken = lock(&self.taken);
        for (sequence, _) in messages.iter().flatten() {
            taken.delivered(*sequence);
        }
        drop(taken);
        // Without a connection, the broker sends the messages again, and they are recognised.
        if self.client.connection_state() != State::Connected {
            return;
        }
        let sent = async {
            for (_, reply) in messages.iter().flatten() {
                acknowledge(&self.client, reply.clone()).await.ok()?;
            }
            // Waiting until the acknowledgements are written would hold the pipeline up. At the end
            // of the run, `UnreadMessages::release` does.
            Some(())
        };
        let _ = self.runtime.block_on(async { timeout(TIMEOUT, sent).await });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taken_messages_are_recognised_and_their_number_is_bounded() {
        let reply = |sequence: u64| Subject::from(format!("reply.{sequence}"));
        let mut taken = TakenMessages::default();
        let take = |taken: &mut TakenMessages, sequence| taken.take(sequence, &reply(sequence));
        assert_eq!(take(&mut taken, 1), None);
        assert_eq!(take(&mut taken, 1), Some(TakenState::Taken));
        taken.delivered(1);
        taken.delivered(2);
        assert_eq!((take(&mut taken, 1), take(&mut taken, 2)), (Some(TakenState::Delivered), None));
        assert_eq!(taken.undelivered(), [(2, reply(2))]);
        (10..10 + MAX_REMEMBERED as u64).for_each(|sequence| _ = take(&mut taken, sequence));
        assert_eq!(taken.replies.len(), MAX_REMEMBERED);
        assert_eq!(take(&mut taken, 1), None, "the first is forgotten");
    }
}
