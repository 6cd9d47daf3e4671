//! What the stream removed before the members of a durable consumer had processed it.
//!
//! A member sees only its own deliveries, so this compares two numbers that are read at intervals:
//! the one up to which the members had processed everything at one time, and the first one that the
//! stream still has at a later time. What is between them may have been removed unprocessed. If no
//! message is filtered out, the numbers of the deliveries also show which are missing.

use async_nats::jetstream::consumer::Info;
use async_nats::jetstream::stream::State;
use jiff::Timestamp;

use super::delivered::Delivered;

/// A message of this member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MessageTime {
    /// Its number in the stream.
    pub sequence: u64,
    /// The time of its event.
    pub time: Option<Timestamp>,
}

/// How far the members of a consumer are.
#[derive(Debug, Clone, Copy)]
pub(super) struct ConsumerProgress {
    /// The number of the message up to which all are acknowledged. The broker also counts removed
    /// messages as acknowledged, once they have been delivered.
    pub acknowledged: u64,
    /// The number of deliveries, and the number of the message that was delivered last.
    pub delivered: (u64, u64),
    /// Whether nothing waits to be delivered or acknowledged.
    pub is_idle: bool,
}

impl From<&Info> for ConsumerProgress {
    fn from(info: &Info) -> Self {
        Self {
            acknowledged: info.ack_floor.stream_sequence,
            delivered: (info.delivered.consumer_sequence, info.delivered.stream_sequence),
            is_idle: info.num_pending == 0 && info.num_ack_pending == 0,
        }
    }
}

/// The first and the last number of a stream. Both change while it is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct StreamRange {
    pub first: u64,
    pub last: u64,
}

impl From<&State> for StreamRange {
    fn from(state: &State) -> Self {
        Self { first: state.first_sequence, last: state.last_sequence }
    }
}

/// Follows what the members have processed.
#[derive(Debug, Default)]
pub(super) struct RemovalWatch {
    /// The number up to which everything was processed or has been reported; `None` before the
    /// first connection.
    position: Option<u64>,
    /// A message up to which everything was processed.
    complete: Option<MessageTime>,
    /// A later one, up to which everything will be.
    candidate: Option<MessageTime>,
    /// The last number of the stream at the previous check.
    last: u64,
    /// The last message that was delivered for the first time: the number of deliveries at that
    /// time, plus those to this member that were repeated since, and its number in the stream.
    delivery: Option<(u64, u64)>,
}

impl RemovalWatch {
    /// Begins with a connection. The progress was read after the range of the stream. Returns
    /// whether messages may have been removed.
    pub fn open(&mut self, range: StreamRange, progress: ConsumerProgress, is_new: bool) -> bool {
        let reached = if is_new { progress.delivered.1 } else { progress.acknowledged };
        let position = *self.position.get_or_insert(reached);
        self.delivery = Some(progress.delivered);
        self.last = range.last;
        let may_be_removed = self.skip_to(range.first, position);
        if progress.is_idle {
            self.position = self.position.max(Some(range.last));
        }
        may_be_removed
    }

    /// Compares the first message that the stream still has with what had been processed before. The
    /// range of the stream was read after the progress. `newest` is the last message of this member.
    /// Returns whether messages may have been removed.
    pub fn check(
        &mut self,
        progress: ConsumerProgress,
        range: StreamRange,
        newest: Option<MessageTime>,
    ) -> bool {
        let position = self.position.unwrap_or_default();
        let may_be_removed = self.skip_to(range.first, position);
        // All messages that the stream had at the previous check have been processed, if nothing is
        // left to do now.
        let reached = if progress.is_idle { self.last } else { progress.acknowledged };
        self.last = range.last;
        self.position = self.position.max(Some(reached));
        if self.candidate.is_none_or(|candidate| Some(candidate.sequence) <= self.position) {
            self.complete = self.candidate.or(self.complete);
            self.candidate = newest;
        }
        may_be_removed
    }

    /// Moves the position to the first message of the stream. Returns whether something is between.
    fn skip_to(&mut self, first: u64, position: u64) -> bool {
        if first <= position.saturating_add(1) {
            return false;
        }
        self.position = Some(first.saturating_sub(1));
        // The next delivery would show the same again.
        self.delivery = None;
        true
    }

    /// Notes a delivery. Returns whether messages are missing before it for certain, if no message
    /// is filtered out.
    pub fn delivered(&mut self, delivered: &Delivered) -> bool {
        let Delivered { sequence, delivery, .. } = *delivered;
        if delivered.deliveries > 1 {
            if let Some((deliveries, _)) = &mut self.delivery {
                *deliveries = deliveries.saturating_add(1);
            }
            return false;
        }
        let before = self.delivery.replace((delivery, sequence));
        // Other members may have got what is between; what was delivered again does not count.
        let is_missing = before.is_some_and(|(deliveries, last)| {
            sequence.saturating_sub(last) > delivery.saturating_sub(deliveries)
        });
        if is_missing {
            self.position = self.position.max(Some(sequence.saturating_sub(1)));
        }
        is_missing
    }

    /// Returns the last known time up to which everything was processed.
    pub fn complete_until(&self) -> Option<Timestamp> {
        self.complete.and_then(|message| message.time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(acknowledged: u64, delivered: (u64, u64), is_idle: bool) -> ConsumerProgress {
        ConsumerProgress { acknowledged, delivered, is_idle }
    }

    fn range(first: u64, last: u64) -> StreamRange {
        StreamRange { first, last }
    }

    fn delivery(delivery: u64, sequence: u64, deliveries: u64) -> Delivered {
        Delivered { deliveries, sequence, delivery, stored: 0, pending: 0 }
    }

    #[test]
    fn what_the_stream_removed_while_no_member_was_connected_is_noticed_once() {
        let mut watch = RemovalWatch::default();
        assert!(watch.open(range(81, 130), progress(60, (10, 60), false), false));
        assert!(!watch.check(progress(60, (10, 60), false), range(81, 130), None));
        assert!(!watch.delivered(&delivery(11, 81, 1)), "it is reported already");
        assert!(!watch.delivered(&delivery(12, 82, 1)));
        // A new consumer begins where it begins.
        let mut watch = RemovalWatch::default();
        assert!(!watch.open(range(51, 100), progress(50, (0, 50), false), true));
        let mut watch = RemovalWatch::default();
        assert!(!watch.open(range(51, 100), progress(0, (0, 100), true), true));
    }

    #[test]
    fn what_the_stream_removed_before_it_was_acknowledged_is_noticed() {
        let mut watch = RemovalWatch::default();
        assert!(!watch.open(range(1, 100), progress(0, (0, 0), false), true));
        let at = |sequence| {
            let time = Timestamp::from_second(i64::try_from(sequence).expect("small")).ok();
            Some(MessageTime { sequence, time })
        };
        assert!(!watch.check(progress(50, (60, 60), false), range(1, 100), at(60)));
        assert!(!watch.check(progress(70, (80, 80), false), range(51, 100), at(80)));
        assert!(!watch.check(progress(75, (80, 80), false), range(71, 100), at(80)));
        assert_eq!(watch.complete_until().map(Timestamp::as_second), Some(60));
        // The broker counts what it removed as acknowledged.
        assert!(watch.check(progress(80, (80, 80), false), range(81, 110), at(80)));
        assert!(!watch.check(progress(80, (80, 80), false), range(81, 110), at(80)));
    }

    #[test]
    fn removed_messages_of_other_subjects_are_none_of_an_idle_consumer() {
        let mut watch = RemovalWatch::default();
        assert!(!watch.open(range(1, 1000), progress(0, (0, 0), true), true));
        for first in [100, 500, 900, 1300] {
            assert!(!watch.check(progress(0, (0, 0), true), range(first, first + 1000), None));
        }
        assert!(watch.check(progress(0, (0, 0), true), range(9000, 10_000), None));
    }

    #[test]
    fn numbers_of_deliveries_show_which_messages_are_missing() {
        let mut watch = RemovalWatch::default();
        watch.open(range(1, 100), progress(0, (0, 0), false), true);
        assert!(!watch.delivered(&delivery(1, 1, 1)));
        assert!(watch.delivered(&delivery(2, 3, 1)), "2 is missing");
        assert!(!watch.delivered(&delivery(5, 6, 1)), "others got 4 and 5");
        assert!(!watch.delivered(&delivery(6, 1, 2)), "again");
        assert!(!watch.delivered(&delivery(7, 7, 1)));
        assert!(!watch.delivered(&delivery(8, 3, 2)), "again");
        assert!(watch.delivered(&delivery(9, 9, 1)), "8 is missing");
    }
}
