//! Merging several streams into one: in order of arrival, or by time within a window.
//!
//! With order by time, each event waits until no earlier one is likely to arrive: for the length of
//! the window, or until too many bytes wait. An event that arrives later than that is
//! passed on at once. Connection events are not delayed.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use tokio::time::{Instant, sleep_until};

use super::Item;
use super::QUEUE_CAPACITY;
use super::Receiver;
use super::Sender;
use super::channel;
use super::resume::MIN_LOOKBACK;
use super::{Coverage, CoverageState};
use crate::model::{FrameFormat, cloudevent};

/// The maximum size of the waiting items, in bytes.
const MAX_BYTES: usize = 64 << 20;

/// The order of the merged stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merge {
    /// The order of arrival.
    Arrival,
    /// The order of time, within this window.
    Time(Duration),
}

impl Merge {
    /// Returns a receiver of the items of `rx` in this order. Spawns a task for it if necessary.
    #[must_use]
    pub fn apply(self, rx: Receiver) -> Receiver {
        match self {
            Self::Arrival => rx,
            Self::Time(window) => {
                let (tx, ordered) = channel(QUEUE_CAPACITY);
                tokio::spawn(sort(rx, window, tx));
                ordered
            }
        }
    }
}

/// A waiting item. Items of the same time keep their order of arrival.
struct QueuedItem {
    time: i64,
    number: u64,
    due: Instant,
    item: Item,
}

impl Ord for QueuedItem {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.time, self.number).cmp(&(other.time, other.number))
    }
}
impl PartialOrd for QueuedItem {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for QueuedItem {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}
impl Eq for QueuedItem {}

async fn sort(mut rx: Receiver, window: Duration, tx: Sender) {
    let mut waiting: BinaryHeap<Reverse<QueuedItem>> = BinaryHeap::new();
    let (mut bytes, mut number, mut open) = (0, 0, true);
    loop {
        let full = bytes >= MAX_BYTES;
        let due = waiting.peek().map(|Reverse(first)| first.due);
        let is_due = due.is_some_and(|due| full || !open || due <= Instant::now());
        if is_due {
            let Some(Reverse(QueuedItem { item, .. })) = waiting.pop() else { continue };
            bytes -= size_of::<QueuedItem>() + item.size();
            if tx.send(item).await.is_err() {
                return;
            }
            continue;
        }
        if !open {
            return;
        }
        tokio::select! {
            item = rx.recv() => match item {
                None => open = false,
                Some(item @ Item::Connection(_)) => if tx.send(item).await.is_err() {
                    return;
                },
                Some(item) => {
                    number += 1;
                    bytes += size_of::<QueuedItem>() + item.size();
                    let (time, due) = (time(&item), Instant::now() + window);
                    waiting.push(Reverse(QueuedItem { time, number, due, item }));
                }
            },
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
        }
    }
}

/// Returns the time of an event in milliseconds: its id, or the time of its arrival.
///
/// A gap must come before the event that ends it, which may be up to [`MIN_LOOKBACK`] earlier than
/// the end of the gap.
fn time(item: &Item) -> i64 {
    #[derive(Deserialize)]
    struct Gap {
        to: String,
    }
    match item {
        Item::Frame(frame) if frame.format == FrameFormat::Own => {
            let gap = serde_json::from_slice::<Gap>(&frame.data).ok();
            gap.and_then(|gap| gap.to.parse::<Timestamp>().ok())
                .map_or(0, |to| to.as_millisecond().saturating_sub_unsigned(MIN_LOOKBACK))
        }
        Item::Frame(frame) if frame.format == FrameFormat::Record => {
            cloudevent::time(&frame.data).map_or(0, Timestamp::as_millisecond)
        }
        Item::Frame(frame) => {
            let id = frame
                .id
                .as_deref()
                .filter(|_| !frame.flags.id_missing)
                .and_then(|id| id.parse().ok());
            id.or_else(|| Some(frame.received_at?.as_millisecond())).unwrap_or_default()
        }
        // The events of which a position speaks come before it.
        Item::Coverage(Coverage { state: CoverageState::Until(Some(until)), .. }) => {
            until.as_millisecond()
        }
        Item::Chunk(_)
        | Item::Connection(_)
        | Item::Coverage(_)
        | Item::Recording(_)
        | Item::Skipped(_)
        | Item::Receipt(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::model::{FrameFlags, FrameFormat};
    use crate::transport::RawFrame;

    fn event(id: u64) -> Item {
        Item::Frame(RawFrame {
            origin: std::sync::Arc::default(),
            format: FrameFormat::Sse,
            event: None,
            id: Some(id.to_string().into()),
            data: Bytes::new(),
            received_at: None,
            fault: None,
            offset: 0,
            flags: FrameFlags::default(),
        })
    }

    fn id(item: Item) -> String {
        let Item::Frame(frame) = item else { panic!("a frame") };
        frame.id.expect("an id").to_string()
    }

    #[tokio::test(start_paused = true)]
    async fn orders_by_time_within_the_window_and_passes_late_events_at_once() {
        let (tx, rx) = channel(10);
        let mut ordered = Merge::Time(Duration::from_secs(1)).apply(rx);
        let began = Instant::now();
        for n in [5, 3, 4, 3] {
            tx.send(event(n)).await.expect("open");
        }
        for expected in ["3", "3", "4", "5"] {
            assert_eq!(id(ordered.recv().await.expect("an event")), expected);
            assert_eq!(began.elapsed().as_secs(), 1);
        }
        tx.send(event(1)).await.expect("open");
        drop(tx);
        assert_eq!(id(ordered.recv().await.expect("an event")), "1");
        assert_eq!(began.elapsed().as_secs(), 1, "the end waits for nothing");
        assert!(ordered.recv().await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_items_are_limited_in_bytes_however_small_they_are() {
        let (tx, rx) = channel(10);
        let mut ordered = Merge::Time(Duration::from_secs(3600)).apply(rx);
        let sending = tokio::spawn(async move {
            for n in 0..MAX_BYTES / size_of::<Item>() {
                tx.send(event(n as u64)).await.expect("open");
            }
            tx
        });
        let began = Instant::now();
        assert_eq!(id(ordered.recv().await.expect("an event")), "0");
        assert!(began.elapsed().is_zero(), "it does not wait for the window");
        sending.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn order_of_arrival_changes_nothing() {
        let (tx, rx) = channel(10);
        let mut merged = Merge::Arrival.apply(rx);
        for n in [5, 3] {
            tx.send(event(n)).await.expect("open");
        }
        assert_eq!(id(merged.recv().await.expect("an event")), "5");
    }
}
