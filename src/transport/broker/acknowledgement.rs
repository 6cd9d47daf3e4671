//! Acknowledgement of messages of a durable consumer, once their events have been delivered.
//!
//! The pipeline only notes what has been delivered. The reader sends the acknowledgements, many at a
//! time, from the thread that has the connection: to wake it up for each of them takes longer than
//! to send it.
//!
//! An acknowledgement can be lost. The broker then sends the message again, perhaps to the same
//! reader, which recognises it and only acknowledges it again. A reader that ends returns the
//! messages that it has not delivered, so that other members need not wait for them.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_nats::connection::State;
use async_nats::{Client, Message, Subject};
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::delivered::Delivered;
use super::open_stream::OpenStream;
use crate::transport::receipt::Receipt;

/// The body of an acknowledgement (NATS documentation, "JetStream wire API reference").
const ACKNOWLEDGE: Bytes = Bytes::from_static(b"+ACK");

/// The body of the opposite: the message is to be delivered again, to any member.
const RETURN: Bytes = Bytes::from_static(b"-NAK");

/// How long to wait for an answer which shows that the broker has sent everything.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(250);

/// How long returning messages may take at the end of a run.
const RETURN_TIMEOUT: Duration = Duration::from_secs(5);

/// How long sending some acknowledgements may take before it is tried again later.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The number of acknowledgements that are sent together.
const BATCH: usize = 128;

/// The maximum number of delivered messages that are remembered, of those in order and of the others.
/// Those that the pipeline has are as many as fit into it.
const MAX_REMEMBERED: usize = 65_536;

/// Whether the event of a message has been delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TakenState {
    /// The pipeline has it.
    Taken,
    /// All destinations have it.
    Delivered,
}

/// The messages that a reader has taken.
#[derive(Debug, Default)]
pub(super) struct TakenMessages {
    /// The messages that came in the order of the stream, as nearly all do.
    in_order: VecDeque<TakenMessage>,
    /// The reply subjects of those that came after later ones, by their numbers in the stream.
    late: BTreeMap<u64, Option<Subject>>,
    /// The reply subjects of what has been delivered, until their acknowledgements are sent.
    unsent: VecDeque<Subject>,
}

#[derive(Debug)]
struct TakenMessage {
    /// The number in the stream.
    sequence: u64,
    /// The reply subject; `None` if the message has been delivered.
    reply: Option<Subject>,
}

impl TakenMessages {
    /// Notes that a message has been taken. Returns its state if it was taken before; one that has
    /// been delivered is acknowledged again.
    pub fn take(&mut self, sequence: u64, reply: Subject) -> Option<TakenState> {
        if let Some(known) = self.reply_mut(sequence) {
            if known.is_some() {
                return Some(TakenState::Taken);
            }
            self.unsent.push_back(reply);
            return Some(TakenState::Delivered);
        }
        let reply = Some(reply);
        if self.in_order.back().is_none_or(|last| last.sequence < sequence) {
            self.in_order.push_back(TakenMessage { sequence, reply });
            if self.in_order.len() > MAX_REMEMBERED
                && self.in_order.front().is_some_and(|first| first.reply.is_none())
            {
                self.in_order.pop_front();
            }
        } else {
            self.late.insert(sequence, reply);
            let mut delivered = self.late.iter().filter(|(_, reply)| reply.is_none());
            if self.late.len() > MAX_REMEMBERED
                && let Some((&first, _)) = delivered.next()
            {
                self.late.remove(&first);
            }
        }
        None
    }

    /// Notes that a message need not be delivered again: it is to be acknowledged.
    pub fn delivered(&mut self, sequence: u64) {
        let reply = self.reply_mut(sequence).and_then(Option::take);
        self.unsent.extend(reply);
    }

    fn reply_mut(&mut self, sequence: u64) -> Option<&mut Option<Subject>> {
        let first = self.in_order.front()?.sequence;
        if self.in_order.back().is_some_and(|last| last.sequence < sequence) {
            return None;
        }
        // A single member without filters gets all numbers.
        let guess = usize::try_from(sequence.wrapping_sub(first)).ok();
        let is_at = |at: &usize| self.in_order.get(*at).is_some_and(|it| it.sequence == sequence);
        let at = guess.filter(is_at).or_else(|| {
            self.in_order.binary_search_by_key(&sequence, |message| message.sequence).ok()
        });
        match at {
            Some(at) => Some(&mut self.in_order[at].reply),
            None => self.late.get_mut(&sequence),
        }
    }

    /// Returns the numbers and the reply subjects of the messages that have not been delivered.
    fn undelivered(&self) -> Vec<(u64, Subject)> {
        let in_order = self.in_order.iter().map(|message| (&message.sequence, &message.reply));
        let reply = |(sequence, reply): (&u64, &Option<Subject>)| Some((*sequence, reply.clone()?));
        in_order.chain(&self.late).filter_map(reply).collect()
    }
}

/// The messages that a reader has taken, shared with the pipeline.
#[derive(Debug, Default)]
pub(super) struct SharedMessages {
    messages: Mutex<TakenMessages>,
    /// Notified when messages have been delivered.
    delivered: Notify,
}

impl SharedMessages {
    pub fn lock(&self) -> MutexGuard<'_, TakenMessages> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until messages have been delivered.
    pub async fn delivered(&self) {
        self.delivered.notified().await;
    }

    /// Sends the acknowledgements of what has been delivered; they may still have to be written.
    ///
    /// Those that cannot be sent are kept for the next connection. If the broker delivers their
    /// messages again meanwhile, these are recognised.
    pub async fn acknowledge(&self, client: &Client) {
        loop {
            let replies: Vec<_> = self.lock().unsent.iter().take(BATCH).cloned().collect();
            // The client would keep what it is given while it is not connected.
            if replies.is_empty() || client.connection_state() != State::Connected {
                return;
            }
            let count = replies.len();
            let sent = async {
                for reply in replies {
                    client.publish(reply, ACKNOWLEDGE).await.ok()?;
                }
                Some(())
            };
            if !matches!(timeout(TIMEOUT, sent).await, Ok(Some(()))) {
                return;
            }
            // Whoever is interrupted before this sends some of them twice, which does no harm.
            self.lock().unsent.drain(..count);
        }
    }
}

/// The messages that the broker has sent to a reader which has ended.
pub struct UnreadMessages {
    pub(super) open: Option<OpenStream>,
    pub(super) taken: Arc<SharedMessages>,
}

impl UnreadMessages {
    /// Completes the acknowledgements, and returns the messages that have not been delivered to the
    /// broker, which delivers them to other members at once. Otherwise, it would wait until their
    /// time for an acknowledgement is over, which is what happens if the broker cannot be reached.
    pub async fn release(self) {
        let Some(OpenStream { client, stream, consumer, mut messages, mut window, .. }) = self.open
        else {
            return;
        };
        if client.connection_state() != State::Connected {
            return;
        }
        let returned = async {
            self.taken.acknowledge(&client).await;
            let mut replies = self.taken.lock().undelivered();
            let mut add = |message: Message| {
                let number = message.reply.as_deref().and_then(Delivered::parse);
                replies.extend(number.map(|number| number.sequence).zip(message.reply));
            };
            // What the broker is sending would be lost without the subscription. It has sent
            // everything if it answers a request before anything else arrives.
            let mut is_sending = true;
            while window.is_open() && std::mem::take(&mut is_sending) {
                let mut answered = pin!(timeout(ANSWER_TIMEOUT, stream.consumer_info(&consumer)));
                while let Some(message) = tokio::select! {
                    biased;
                    message = messages.next() => message,
                    _ = &mut answered => None,
                } {
                    is_sending = true;
                    window.received(message.length);
                    add(message);
                }
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
    pub taken: Arc<SharedMessages>,
    /// The number in the stream of each message; `None` for what is none.
    pub messages: Vec<Option<u64>>,
}

impl Receipt for ChunkReceipt {
    fn events(&self) -> usize {
        self.messages.len()
    }

    fn confirm(&self, events: Range<usize>) {
        let messages = self.messages.get(events).unwrap_or_default();
        let mut taken = self.taken.lock();
        for sequence in messages.iter().flatten() {
            taken.delivered(*sequence);
        }
        drop(taken);
        self.taken.delivered.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(sequence: u64) -> Subject {
        Subject::from(format!("reply.{sequence}"))
    }

    #[test]
    fn taken_messages_are_recognised_and_their_number_is_bounded() {
        let mut taken = TakenMessages::default();
        let take = |taken: &mut TakenMessages, sequence| taken.take(sequence, reply(sequence));
        assert_eq!(take(&mut taken, 1), None);
        assert_eq!(take(&mut taken, 1), Some(TakenState::Taken));
        taken.delivered(1);
        taken.delivered(1);
        taken.delivered(2);
        assert_eq!(taken.unsent, [reply(1)], "it is acknowledged once");
        assert_eq!((take(&mut taken, 1), take(&mut taken, 2)), (Some(TakenState::Delivered), None));
        assert_eq!(taken.unsent, [reply(1), reply(1)], "whose acknowledgement was lost");
        assert_eq!(taken.undelivered(), [(2, reply(2))]);
        taken.delivered(2);
        let all = 10..10 + 2 * MAX_REMEMBERED as u64;
        for sequence in all.clone() {
            take(&mut taken, sequence);
            taken.delivered(sequence);
        }
        assert_eq!(taken.in_order.len(), MAX_REMEMBERED);
        // The first is forgotten, and is late now.
        assert_eq!((take(&mut taken, 1), take(&mut taken, 1)), (None, Some(TakenState::Taken)));
        for sequence in all {
            taken.late.insert(sequence, None);
        }
        let before = taken.late.len();
        assert_eq!(take(&mut taken, 3), None);
        assert_eq!((taken.late.len(), taken.late.contains_key(&10)), (before, false));
        assert_eq!(taken.undelivered(), [(1, reply(1)), (3, reply(3))], "they are in the pipeline");
    }

    #[test]
    fn messages_are_recognised_in_any_order() {
        // Those of several members, of which some come again.
        let numbers: Vec<u64> = (0..200).map(|number| 1 + number * 37 % 101).collect();
        let mut taken = TakenMessages::default();
        let mut known = BTreeMap::new();
        for (at, number) in numbers.iter().enumerate() {
            assert_eq!(taken.take(*number, reply(*number)), known.get(number).copied(), "{number}");
            known.entry(*number).or_insert(TakenState::Taken);
            if at % 3 == 0 {
                taken.delivered(*number);
                known.insert(*number, TakenState::Delivered);
            }
        }
        let mut left = taken.undelivered();
        left.sort_unstable_by_key(|(number, _)| *number);
        let expected = known.iter().filter(|(_, state)| **state == TakenState::Taken);
        assert!(left.iter().map(|(number, _)| number).eq(expected.map(|(number, _)| number)));
        assert!(!left.is_empty() && !taken.late.is_empty());
    }
}
