//! The channel between the sources and the pipeline, bounded in items and in bytes.
//!
//! A limit on items alone would not bound memory, since one frame may be as large as the frame
//! limit. A sender waits until there is room, so a slow reader of stdout slows the sockets.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::Item;

/// The maximum number of items in the channel.
pub const QUEUE_CAPACITY: usize = 256;

/// The maximum size of what is in the channel, in KiB. A larger item takes all of it and passes alone.
const BUDGET_KIB: u32 = 16 * 1024;

/// The weight of a chunk of a recording. A recording can be read at any time, so little of it needs
/// to be in memory.
const CHUNK_WEIGHT: usize = 32;

/// An item and its share of the byte budget.
type Queued = (Item, OwnedSemaphorePermit);

/// The error of a send whose receiver is gone because the pipeline has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed;

/// The sending side. A send fails when the pipeline has ended; the source then ends silently.
#[derive(Debug, Clone)]
pub struct Sender {
    items: mpsc::Sender<Queued>,
    budget: Arc<Semaphore>,
}

/// The sending side for a blocking thread, which cannot be aborted.
///
/// Its sends fail once the [`Sender`] that it came from is gone.
#[derive(Debug, Clone)]
pub struct BlockingSender {
    items: mpsc::WeakSender<Queued>,
    budget: Arc<Semaphore>,
}

/// The receiving side.
#[derive(Debug)]
pub struct Receiver {
    items: mpsc::Receiver<Queued>,
}

/// Creates a channel with room for `items` items.
#[must_use]
pub fn channel(items: usize) -> (Sender, Receiver) {
    let (tx, rx) = mpsc::channel(items);
    (
        Sender { items: tx, budget: Arc::new(Semaphore::new(BUDGET_KIB as usize)) },
        Receiver { items: rx },
    )
}

impl Sender {
    /// Sends an item as soon as there is room for it. Fails if the receiver is gone.
    pub async fn send(&self, item: Item) -> Result<(), Closed> {
        // Once the receiver is gone, nobody frees bytes any more.
        let permit = tokio::select! {
            biased;
            permit = Arc::clone(&self.budget).acquire_many_owned(weight_kib(&item)) => {
                permit.map_err(|_| Closed)?
            }
            () = self.items.closed() => return Err(Closed),
        };
        self.items.send((item, permit)).await.map_err(|_| Closed)
    }

    /// Creates a sender for a thread outside the runtime.
    #[must_use]
    pub fn blocking(&self) -> BlockingSender {
        BlockingSender { items: self.items.downgrade(), budget: Arc::clone(&self.budget) }
    }

    /// Waits until the receiver is gone.
    pub async fn closed(&self) {
        self.items.closed().await;
    }

    /// Returns whether the pipeline has ended.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.items.is_closed()
    }
}

impl BlockingSender {
    /// Sends an item, and blocks the thread until there is room for it. Fails if the receiver or
    /// the original sender is gone.
    pub fn blocking_send(&self, item: Item) -> Result<(), Closed> {
        let sender =
            Sender { items: self.items.upgrade().ok_or(Closed)?, budget: Arc::clone(&self.budget) };
        let mut sending = pin!(sender.send(item));
        let waker = Waker::from(Arc::new(ThreadWaker(std::thread::current())));
        loop {
            match sending.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(sent) => return sent,
                Poll::Pending => std::thread::park(),
            }
        }
    }
}

impl Receiver {
    /// Waits for the next item; `None` when all senders are gone.
    pub async fn recv(&mut self) -> Option<Item> {
        self.items.recv().await.map(|(item, _)| item)
    }

    /// Blocks the thread until the next item arrives; `None` when all senders are gone.
    pub fn blocking_recv(&mut self) -> Option<Item> {
        self.items.blocking_recv().map(|(item, _)| item)
    }

    /// Returns the next item if one is waiting.
    pub fn try_recv(&mut self) -> Result<Item, TryRecvError> {
        self.items.try_recv().map(|(item, _)| item)
    }

    /// Returns whether no item is waiting.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Closes the channel to new items. Items that are waiting can still be received.
    pub fn close(&mut self) {
        self.items.close();
    }
}

/// Wakes a thread that is blocked in [`BlockingSender::blocking_send`].
struct ThreadWaker(Thread);

impl Wake for ThreadWaker {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Returns the share of the byte budget that an item takes, in KiB.
fn weight_kib(item: &Item) -> u32 {
    let factor = if matches!(item, Item::Chunk(_)) { CHUNK_WEIGHT } else { 1 };
    let kib = item.size().saturating_mul(factor).div_ceil(1024);
    u32::try_from(kib).unwrap_or(BUDGET_KIB).min(BUDGET_KIB)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::FutureExt;

    use super::*;
    use crate::transport::{Chunk, LineChunk, RawFrame};

    fn lines(bytes: usize) -> Item {
        Item::Chunk(Chunk::Lines(LineChunk {
            bytes: Bytes::from(vec![b'x'; bytes]),
            offset: 0,
            limit: usize::MAX,
        }))
    }

    #[test]
    fn the_byte_budget_limits_large_items_before_the_item_count_does() {
        let (tx, mut rx) = channel(QUEUE_CAPACITY);
        let mebibyte = (1 << 20) - CHUNK_WEIGHT * size_of::<Item>();
        let fit = std::iter::from_fn(|| tx.send(lines(mebibyte / CHUNK_WEIGHT)).now_or_never())
            .take(QUEUE_CAPACITY)
            .count();
        assert_eq!(fit, 16);
        assert!(rx.try_recv().is_ok());
        assert_eq!(
            tx.send(lines(mebibyte / CHUNK_WEIGHT)).now_or_never(),
            Some(Ok(())),
            "receiving an item makes room"
        );
        assert_eq!(tx.send(lines(mebibyte / CHUNK_WEIGHT)).now_or_never(), None);
        rx.close();
        while rx.try_recv().is_ok() {}
        assert_eq!(tx.send(lines(mebibyte)).now_or_never(), Some(Err(Closed)));
    }

    #[test]
    fn everything_in_a_frame_and_the_frame_itself_count() {
        let frame = |event: usize, id: usize, data: usize| {
            Item::Frame(RawFrame {
                event: Some("x".repeat(event)),
                id: Some("x".repeat(id).into()),
                ..RawFrame::record(&Arc::default(), Bytes::from("x".repeat(data)), 0)
            })
        };
        for (item, expected) in [
            ((1 << 20, 0, 0), 15),
            ((0, 1 << 20, 0), 15),
            ((0, 0, 1 << 20), 15),
            ((0, 0, 0), 16384),
        ] {
            let (tx, _rx) = channel(100_000);
            let item = || frame(item.0, item.1, item.2);
            let fit = std::iter::from_fn(|| tx.send(item()).now_or_never()).take(100_000).count();
            assert_eq!(fit, expected);
        }
    }

    #[test]
    fn a_blocked_thread_wakes_when_there_is_room_and_when_the_receiver_is_dropped() {
        let (tx, mut rx) = channel(2);
        let sending = std::thread::spawn(move || {
            (0..10).map(|_| tx.blocking().blocking_send(lines(10 << 20))).collect::<Vec<_>>()
        });
        for _ in 0..5 {
            assert!(rx.blocking_recv().is_some());
        }
        drop(rx);
        let sent = sending.join().expect("no panic");
        assert!(sent[..5].iter().all(Result::is_ok) && sent[9] == Err(Closed), "{sent:?}");
    }

    #[test]
    fn a_blocking_sender_fails_once_the_original_sender_is_dropped() {
        let (tx, mut rx) = channel(2);
        let blocking = tx.blocking();
        assert_eq!(blocking.blocking_send(lines(1)), Ok(()));
        drop(tx);
        assert_eq!(blocking.blocking_send(lines(1)), Err(Closed));
        assert!(rx.blocking_recv().is_some() && rx.blocking_recv().is_none());
    }

    #[test]
    fn an_item_larger_than_the_budget_passes_alone() {
        let (tx, _rx) = channel(QUEUE_CAPACITY);
        assert_eq!(tx.send(lines(64 << 20)).now_or_never(), Some(Ok(())));
        assert_eq!(tx.send(lines(1024)).now_or_never(), None);
    }
}
