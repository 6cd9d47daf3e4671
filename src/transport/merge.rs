//! How several streams become one: as events arrive, or by their time within a window.
//!
//! By time, an event waits until no earlier one is likely to come: as long as the window is, or until so many wait that
//! memory would grow. What comes later than that goes on at once. News is not held back.

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
use super::resume::MOMENT;
use crate::model::FrameFormat;

/// How many bytes may wait for their turn.
const MOST_BYTES: usize = 8 << 20;

/// How many items may.
const MOST: usize = 16 * 1024;

/// See the [module](self).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merge {
    /// As events arrive.
    Arrival,
    /// By time, within this window.
    Time(Duration),
}

impl Merge {
    /// The items of `rx` in that order.
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

/// An item that waits. Of two with one time, the one that came first goes first.
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
        let full = waiting.len() >= MOST || bytes >= MOST_BYTES;
        let due = waiting.peek().map(|Reverse(first)| first.due);
        let is_due = due.is_some_and(|due| full || !open || due <= Instant::now());
        if is_due {
            let Some(Reverse(QueuedItem { item, .. })) = waiting.pop() else { continue };
            bytes -= size(&item);
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
                    bytes += size(&item);
                    waiting.push(Reverse(QueuedItem { time: time(&item), number, due: Instant::now() + window, item }));
                }
            },
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
        }
    }
}

/// The time of an event, in milliseconds: its id, or when it arrived. A gap belongs before what ends it, which may be a
/// moment before its own end.
fn time(item: &Item) -> i64 {
    #[derive(Deserialize)]
    struct Gap {
        to: String,
    }
    match item {
        Item::Frame(frame) if frame.format == FrameFormat::Own => {
            let gap = serde_json::from_slice::<Gap>(&frame.data).ok();
            gap.and_then(|gap| gap.to.parse::<Timestamp>().ok())
                .map_or(0, |to| to.as_millisecond().saturating_sub_unsigned(MOMENT))
        }
        Item::Frame(frame) => {
            let id = frame
                .id
                .as_deref()
                .filter(|_| !frame.flags.id_missing)
                .and_then(|id| id.parse().ok());
            id.or_else(|| Some(frame.received_at?.as_millisecond())).unwrap_or_default()
        }
        Item::Chunk(_) | Item::Connection(_) | Item::Recording(_) => 0,
    }
}

fn size(item: &Item) -> usize {
    match item {
        Item::Frame(frame) => frame.data.len(),
        Item::Chunk(piece) => piece.size(),
        Item::Connection(_) | Item::Recording(_) => 0,
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
            id: Some(id.to_string()),
            data: Bytes::new(),
            received_at: None,
            fault: None,
            offset: 0,
            flags: FrameFlags::default(),
        })
    }

    fn id(item: Item) -> String {
        let Item::Frame(frame) = item else { panic!("a frame") };
        frame.id.expect("an id")
    }

    #[tokio::test(start_paused = true)]
    async fn the_earlier_goes_first_within_the_window_and_what_is_late_at_once() {
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
    async fn as_they_arrive_they_go() {
        let (tx, rx) = channel(10);
        let mut merged = Merge::Arrival.apply(rx);
        for n in [5, 3] {
            tx.send(event(n)).await.expect("open");
        }
        assert_eq!(id(merged.recv().await.expect("an event")), "5");
    }
}
