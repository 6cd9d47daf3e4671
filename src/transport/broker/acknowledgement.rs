//! Acknowledgement of messages of a durable consumer, once their events have been delivered.
//!
//! An acknowledgement can be lost. The broker then sends the message again, perhaps to the same
//! reader, which recognises it and only acknowledges it again.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_nats::connection::State;
use async_nats::{Client, PublishError, Subject};
use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::transport::receipt::Receipt;

/// The body of an acknowledgement (NATS documentation, "JetStream wire API reference").
const ACKNOWLEDGE: Bytes = Bytes::from_static(b"+ACK");

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

/// The messages that a reader has taken, by their numbers in the stream.
#[derive(Debug, Default)]
pub(super) struct TakenMessages {
    progress: HashMap<u64, TakenState>,
    order: VecDeque<u64>,
}

impl TakenMessages {
    /// Notes that a message has been taken. Returns its progress if it was taken before.
    pub fn take(&mut self, sequence: u64) -> Option<TakenState> {
        if let Some(progress) = self.progress.get(&sequence) {
            return Some(*progress);
        }
        self.progress.insert(sequence, TakenState::Taken);
        self.order.push_back(sequence);
        if self.order.len() > MAX_REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.progress.remove(&oldest);
        }
        None
    }

    fn delivered(&mut self, sequence: u64) {
        if let Some(progress) = self.progress.get_mut(&sequence) {
            *progress = TakenState::Delivered;
        }
    }
}

/// The messages that a reader has taken, shared with the pipeline.
pub(super) type SharedMessages = Arc<Mutex<TakenMessages>>;

pub(super) fn lock(messages: &SharedMessages) -> MutexGuard<'_, TakenMessages> {
    messages.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sends an acknowledgement.
pub(super) async fn acknowledge(client: &Client, reply: Subject) -> Result<(), PublishError> {
    client.publish(reply, ACKNOWLEDGE).await
}

/// The acknowledgements of a chunk of messages.
#[derive(Debug)]
pub(super) struct ChunkReceipt {
    pub client: Client,
    pub runtime: Handle,
    pub taken: SharedMessages,
    /// The number in the stream and the reply subject of each message.
    pub messages: Vec<(u64, Subject)>,
}

impl Receipt for ChunkReceipt {
    fn events(&self) -> usize {
        self.messages.len()
    }

    fn confirm(&self, events: Range<usize>) {
        let messages = self.messages.get(events).unwrap_or_default();
        let mut taken = lock(&self.taken);
        for (sequence, _) in messages {
            taken.delivered(*sequence);
        }
        drop(taken);
        // Without a connection, the broker sends the messages again, and they are recognised.
        if self.client.connection_state() != State::Connected {
            return;
        }
        let sent = async {
            for (_, reply) in messages {
                acknowledge(&self.client, reply.clone()).await.ok()?;
            }
            self.client.flush().await.ok()
        };
        let _ = self.runtime.block_on(async { timeout(TIMEOUT, sent).await });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taken_messages_are_recognised_and_their_number_is_bounded() {
        let mut taken = TakenMessages::default();
        assert_eq!(taken.take(1), None);
        assert_eq!(taken.take(1), Some(TakenState::Taken));
        taken.delivered(1);
        taken.delivered(2);
        assert_eq!((taken.take(1), taken.take(2)), (Some(TakenState::Delivered), None));
        (10..10 + MAX_REMEMBERED as u64).for_each(|sequence| _ = taken.take(sequence));
        assert_eq!((taken.order.len(), taken.progress.len()), (MAX_REMEMBERED, MAX_REMEMBERED));
        assert_eq!(taken.take(1), None, "the oldest is forgotten");
    }
}
