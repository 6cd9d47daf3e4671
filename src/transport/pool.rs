//! Worker threads that take items in turn and process the chunks of a recording in parallel.
//!
//! Each item has a number. A chunk is processed as soon as a worker takes it, and merged after all
//! items before it. Other items, and chunks that a worker could not process, are processed on a
//! single thread in the same order.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::thread;

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::sync::mpsc::error::TryRecvError;

use super::{Chunk, Item, Receiver};
use crate::query::program::THREAD_STACK;

/// Processes chunks on a thread of its own.
pub trait ChunkWorker: Send {
    /// The result of a chunk.
    type Output: Default;

    /// Processes a chunk, independently of all other chunks. Replaces what is in `output`, which
    /// may be the result of an earlier chunk, so that its memory is reused.
    fn process(&mut self, chunk: &Chunk, output: &mut Self::Output);
}

/// Merges the results of [`ChunkWorker`]s, in the order of the items.
pub trait InOrder: Send {
    /// The result of a chunk that a worker has processed.
    type Output: Default;

    /// The result of a run that ends before there are no more items.
    type End: Send;

    /// Processes an item. Returns a result if the run ends with it.
    fn item(&mut self, item: &Item) -> Option<Self::End>;

    /// Merges the result of a chunk. Returns a result if the run ends with it.
    ///
    /// A merger that cannot use the result processes the chunk again, like [`item`](Self::item).
    fn merge(&mut self, chunk: &Chunk, output: &mut Self::Output) -> Option<Self::End>;

    /// Reports how many events have been processed.
    fn report_progress(&self) {}

    /// Writes out everything that was processed, because no other item is waiting.
    fn flush(&mut self) -> Option<Self::End> {
        None
    }
}

/// The state that the worker threads share.
struct WorkerPool<'w, M: InOrder> {
    queue: Mutex<WorkQueue<'w>>,
    /// The number of items that have been taken.
    taken: AtomicU64,
    turn: Mutex<MergeTurn<'w, M>>,
    /// Notifies of the next turn.
    next: Condvar,
    /// Notifies the thread that waits for an item that there will be no more turns.
    over: Notify,
    runtime: &'w Handle,
}

struct WorkQueue<'w> {
    items: &'w mut Receiver,
    first: Option<Item>,
}

struct MergeTurn<'w, M: InOrder> {
    merger: &'w mut M,
    /// The number of the item whose turn it is.
    number: u64,
    /// The result, if the run ended before there were no more items.
    ended: Option<M::End>,
}

/// Processes `first` and the items after it until there are no more or the run ends. The first
/// worker runs on this thread, each other worker on a thread of its own.
///
/// Returns the result of the run if it ended before there were no more items.
pub fn run<W, M>(
    merger: &mut M,
    first: Option<Item>,
    items: &mut Receiver,
    workers: Vec<W>,
    runtime: &Handle,
) -> Option<M::End>
where
    W: ChunkWorker,
    M: InOrder<Output = W::Output>,
{
    let pool = WorkerPool {
        queue: Mutex::new(WorkQueue { items, first }),
        taken: AtomicU64::new(0),
        turn: Mutex::new(MergeTurn { merger, number: 0, ended: None }),
        next: Condvar::new(),
        over: Notify::new(),
        runtime,
    };
    thread::scope(|scope| {
        let mut workers = workers.into_iter();
        let own = workers.next();
        for (number, worker) in (1..).zip(workers) {
            // jq programs need a large stack. If a thread cannot start, there is one worker less.
            let thread =
                thread::Builder::new().name(format!("worker-{number}")).stack_size(THREAD_STACK);
            let _ = thread.spawn_scoped(scope, || pool.work(worker));
        }
        if let Some(worker) = own {
            pool.work(worker);
        }
    });
    pool.turn.into_inner().ok().and_then(|turn| turn.ended)
}

/// Wakes all threads when one ends, even by a panic.
struct NotifyOnDrop<'c, 'w, M: InOrder>(&'c WorkerPool<'w, M>);

impl<M: InOrder> Drop for NotifyOnDrop<'_, '_, M> {
    fn drop(&mut self) {
        self.0.next.notify_all();
        self.0.over.notify_one();
    }
}

impl<'w, M: InOrder> WorkerPool<'w, M> {
    fn work(&self, worker: impl ChunkWorker<Output = M::Output>) {
        let _notify = NotifyOnDrop(self);
        let (mut worker, mut output) = (Some(worker), Default::default());
        while let Some((number, item)) = self.take() {
            // A worker that panics is dropped. Its chunk is processed again in its turn.
            let processed = match (&item, worker.take()) {
                (Item::Chunk(chunk), Some(mut current)) if chunk.is_large() => {
                    catch_unwind(AssertUnwindSafe(|| {
                        current.process(chunk, &mut output);
                        worker = Some(current);
                    }))
                    .ok()
                    .map(|()| &mut output)
                }
                (_, idle) => {
                    worker = idle;
                    None
                }
            };
            if self.finish(number, item, processed).is_none() {
                return;
            }
        }
    }

    /// Returns the next item and its number, or `None` if there is none or the run has ended.
    fn take(&self) -> Option<(u64, Item)> {
        let mut queue = self.queue.lock().ok()?;
        let item = match queue.first.take().map_or_else(|| queue.items.try_recv(), Ok) {
            Ok(item) => item,
            Err(TryRecvError::Disconnected) => return None,
            Err(TryRecvError::Empty) => self.runtime.block_on(async {
                tokio::select! {
                    item = queue.items.recv() => item,
                    () = self.over.notified() => None,
                }
            })?,
        };
        Some((self.taken.fetch_add(1, Ordering::Relaxed), item))
    }

    /// Merges or processes an item in its turn. Returns `None` if there will be no more turns.
    fn finish(&self, number: u64, item: Item, output: Option<&mut M::Output>) -> Option<()> {
        let mut turn = self.turn(number)?;
        let ended = match (&item, output) {
            (Item::Chunk(chunk), Some(output)) => turn.merger.merge(chunk, output),
            _ => turn.merger.item(&item),
        };
        turn.merger.report_progress();
        // Dropping the item returns its buffer to the reader.
        drop(item);
        turn.number += 1;
        // If no other item has been taken, none is waiting, and everything so far is flushed.
        let is_last = turn.number == self.taken.load(Ordering::Relaxed);
        turn.ended = if ended.is_none() && is_last { turn.merger.flush() } else { ended };
        let continues = turn.ended.is_none();
        drop(turn);
        self.next.notify_all();
        continues.then_some(())
    }

    /// Waits for the turn of item `number`. Returns `None` if it will not come.
    fn turn(&self, number: u64) -> Option<MutexGuard<'_, MergeTurn<'w, M>>> {
        let waits = |turn: &mut MergeTurn<'_, M>| turn.number != number && turn.ended.is_none();
        let turn = self.next.wait_while(self.turn.lock().ok()?, waits).ok()?;
        turn.ended.is_none().then_some(turn)
    }
}
