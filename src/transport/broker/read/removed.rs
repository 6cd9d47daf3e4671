//! Reports what the stream removed before it was read.

use async_nats::jetstream::consumer::Info;
use async_nats::jetstream::stream::State;
use jiff::Timestamp;
use tokio::time::Instant;

use super::BrokerReader;
use crate::model::catalog::value::GapReason;
use crate::model::cloudevent;
use crate::transport::broker::delivered::LastMessage;
use crate::transport::broker::open_stream::{OpenChunk, OpenStream};
use crate::transport::broker::read_config::ReadStart;
use crate::transport::broker::removal::{ConsumerProgress, MessageTime, StreamRange};
use crate::transport::gap::Gap;

impl BrokerReader<'_> {
    /// Returns the time of the oldest message, or now if there is none.
    pub(super) fn oldest(&self, state: &State) -> Timestamp {
        let oldest = Timestamp::from_nanosecond(state.first_timestamp.unix_timestamp_nanos()).ok();
        oldest.filter(|_| state.messages > 0).unwrap_or_else(|| self.context.now())
    }

    pub(super) async fn report_gap(
        &mut self,
        from: Option<Timestamp>,
        to: Timestamp,
        certain: bool,
        reason: GapReason,
    ) {
        let to = from.map_or(to, |from| to.max(from));
        self.context.report_gap(&Gap { from, to, certain, reason }).await;
    }

    /// Reports what was removed before a member connected. The consumer was asked after the stream.
    pub(super) async fn begin_member(
        &mut self,
        state: &State,
        consumer: &Info,
        is_new: bool,
        is_complete: bool,
    ) {
        let oldest = self.oldest(state);
        let range = StreamRange::from(state);
        let progress = ConsumerProgress::from(consumer);
        let may_be_removed = self.removal.open(range, progress, is_new);
        match self.config.start {
            ReadStart::Since(since) if is_new && range.first > 1 && oldest > since => {
                self.report_gap(Some(since), oldest, false, GapReason::BeyondBuffer).await;
            }
            _ if may_be_removed => {
                let is_certain =
                    is_complete && progress.delivered.1.saturating_add(1) < range.first;
                let from = self.removal.complete_until();
                self.report_gap(from, oldest, is_certain, GapReason::Removed).await;
            }
            _ => {}
        }
    }

    /// Returns whether a message before this one, which is the next one to be read, was removed.
    /// Without filters, a number that is missing shows that; with filters, it may do so.
    pub(super) fn is_removed_before(&mut self, sequence: u64, open: &OpenStream) -> bool {
        let Some(last) =
            self.last.as_ref().filter(|last| last.sequence.saturating_add(1) < sequence)
        else {
            return false;
        };
        if !open.is_complete {
            self.unproven.get_or_insert_with(|| last.clone());
        }
        open.is_complete
    }

    /// Adds the gap between the last message and this one.
    pub(super) fn push_gap(&self, body: &[u8], stored: Option<Timestamp>, chunk: &mut OpenChunk) {
        let now = self.context.now();
        let from = self.last.as_ref().and_then(LastMessage::time);
        let to = cloudevent::time(body).or(stored).unwrap_or(now);
        let to = from.map_or(to, |from| to.max(from));
        let gap = Gap { from, to, certain: true, reason: GapReason::Removed };
        chunk.push_notice(gap.frame(&self.context.origin, None, now));
    }

    /// Returns whether it must be checked at intervals if messages were removed.
    pub(super) const fn must_check(&self) -> bool {
        self.config.consumer.is_some() || self.unproven.is_some()
    }

    /// Checks whether messages were removed before they were read.
    pub(super) async fn check_removed(&mut self, open: &mut OpenStream) {
        self.checked = Some(Instant::now());
        if let Some(name) = &self.config.consumer {
            let Ok(consumer) = open.stream.consumer_info(name).await else { return };
            let Ok(info) = open.stream.get_info().await else { return };
            let newest = self
                .last
                .as_ref()
                .map(|last| MessageTime { sequence: last.sequence, time: last.time() });
            let progress = ConsumerProgress::from(&consumer);
            if self.removal.check(progress, StreamRange::from(&info.state), newest) {
                let (from, to) = (self.removal.complete_until(), self.oldest(&info.state));
                self.report_gap(from, to, false, GapReason::Removed).await;
            }
            return;
        }
        let Ok(info) = open.stream.get_info().await else { return };
        let Some(unproven) = self.unproven.take() else { return };
        if info.state.first_sequence > unproven.sequence.saturating_add(1) {
            let to = self.last.as_ref().and_then(LastMessage::time);
            let to = to.unwrap_or_else(|| self.context.now());
            self.report_gap(unproven.time(), to, false, GapReason::Removed).await;
        }
    }
}
