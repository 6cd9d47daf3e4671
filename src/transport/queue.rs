//! The one channel between the sources and the walk: bounded in items, and in the bytes that wait in them.
//!
//! A count alone would not bound memory, since one frame may be as large as the limit. Whoever sends waits until there is
//! room; so a slow reader of stdout slows the sockets.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::Item;

/// How many items may wait between the sources and the walk.
pub const QUEUE_CAPACITY: usize = 256;

/// How many KiB of payload may wait in them. An item that is larger by itself takes all there is.
const BUDGET: u32 = 16 * 1024;

/// How many times over a piece of a recording counts: more of it is at hand at any time, so few need wait.
const RECORDED: usize = 32;

/// An item and its share of the budget.
type Queued = (Item, OwnedSemaphorePermit);

/// The receiver is gone: the walk is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed;

/// The sending side. A send fails when the walk is over; the source then ends in silence.
#[derive(Debug, Clone)]
pub struct Sender {
    items: mpsc::Sender<Queued>,
    budget: Arc<Semaphore>,
}

/// The sending side in the hands of a thread that blocks and can't be aborted: it ends with the [`Sender`] that lent it.
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

/// A channel of that many items.
#[must_use]
pub fn channel(items: usize) -> (Sender, Receiver) {
    let (tx, rx) = mpsc::channel(items);
    (
        Sender { items: tx, budget: Arc::new(Semaphore::new(BUDGET as usize)) },
        Receiver { items: rx },
    )
}

impl Sender {
    /// Sends an item once there is room for it.
    pub async fn send(&self, item: Item) -> Result<(), Closed> {
        // Whoever waits for bytes must hear that nobody will free any.
        let held = tokio::select! {
            biased;
            held = Arc::clone(&self.budget).acquire_many_owned(share(&item)) => held.map_err(|_| Closed)?,
            () = self.items.closed() => return Err(Closed),
        };
        self.items.send((item, held)).await.map_err(|_| Closed)
    }

    /// The same for a thread outside the runtime.
    #[must_use]
    pub fn blocking(&self) -> BlockingSender {
        BlockingSender { items: self.items.downgrade(), budget: Arc::clone(&self.budget) }
    }

    /// Waits until the receiver is gone.
    pub async fn closed(&self) {
        self.items.closed().await;
    }
}

impl BlockingSender {
    /// Sends an item once there is room for it, and blocks the thread until then.
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
    /// The next item; `None` when all senders are gone.
    pub async fn recv(&mut self) -> Option<Item> {
        self.items.recv().await.map(|(item, _)| item)
    }

    /// The same from a thread outside the runtime.
    pub fn blocking_recv(&mut self) -> Option<Item> {
        self.items.blocking_recv().map(|(item, _)| item)
    }

    /// The next item, if there is one at hand.
    pub fn try_recv(&mut self) -> Result<Item, TryRecvError> {
        self.items.try_recv().map(|(item, _)| item)
    }

    /// Takes no more.
    pub fn close(&mut self) {
        self.items.close();
    }
}

/// Wakes a thread that waits for room.
struct ThreadWaker(Thread);

impl Wake for ThreadWaker {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// What an item takes of the budget.
fn share(item: &Item) -> u32 {
    let bytes = match item {
        Item::Frame(frame) => frame.data.len(),
        Item::Chunk(piece) => piece.size() * RECORDED,
        Item::Connection(_) | Item::Recording(_) => 0,
    };
    u32::try_from(bytes / 1024).unwrap_or(BUDGET).min(BUDGET)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::FutureExt;

    use super::*;
    use crate::transport::{Chunk, LineChunk};

    fn lines(bytes: usize) -> Item {
        Item::Chunk(Chunk::Lines(LineChunk {
            bytes: Bytes::from(vec![b'x'; bytes]),
            offset: 0,
            limit: usize::MAX,
        }))
    }

    #[test]
    fn bytes_fill_it_before_items_do() {
        let (tx, mut rx) = channel(QUEUE_CAPACITY);
        let mebibyte = 1 << 20;
        let fit = std::iter::from_fn(|| tx.send(lines(mebibyte / RECORDED)).now_or_never())
            .take(QUEUE_CAPACITY)
            .count();
        assert_eq!(fit, 16);
        assert!(rx.try_recv().is_ok());
        assert_eq!(
            tx.send(lines(mebibyte / RECORDED)).now_or_never(),
            Some(Ok(())),
            "what is taken makes room"
        );
        assert_eq!(tx.send(lines(mebibyte / RECORDED)).now_or_never(), None);
        rx.close();
        while rx.try_recv().is_ok() {}
        assert_eq!(tx.send(lines(mebibyte)).now_or_never(), Some(Err(Closed)));
    }

    #[test]
    fn a_thread_waits_for_room_and_for_the_end() {
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
    fn what_is_lent_ends_with_its_lender() {
        let (tx, mut rx) = channel(2);
        let lent = tx.blocking();
        assert_eq!(lent.blocking_send(lines(1)), Ok(()));
        drop(tx);
        assert_eq!(lent.blocking_send(lines(1)), Err(Closed));
        assert!(rx.blocking_recv().is_some() && rx.blocking_recv().is_none());
    }

    #[test]
    fn what_is_larger_than_the_budget_passes_alone() {
        let (tx, _rx) = channel(QUEUE_CAPACITY);
        assert_eq!(tx.send(lines(64 << 20)).now_or_never(), Some(Ok(())));
        assert_eq!(tx.send(lines(1024)).now_or_never(), None);
    }
}
