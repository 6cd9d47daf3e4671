//! Worker threads that take items in turn and process the chunks of a recording in parallel.
//!
//! Each item has a number. A chunk is processed as soon as a worker takes it, and merged after all
//! items before it, by whichever thread comes first. Other items, and chunks that a worker could
//! not process, are processed on a single thread in the same order.
//!
//! A thread that has processed a chunk before its turn leaves the result behind and takes the next
//! one. It waits only if [`MAX_READY`] results have been left behind, so that memory is bounded. A
//! thread is started only when an item waits for it, so a short recording is processed without.

use std::collections::BTreeMap;
use std::future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Scope};
use std::time::Instant;

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::time::sleep_until;

use super::{Chunk, Item, Receiver};
use crate::query::program::THREAD_STACK;

/// The number of results that may be left behind.
const MAX_READY: usize = 1;

/// Processes chunks on a thread of its own.
pub trait ChunkWorker: Send {
    /// The result of a chunk.
    type Output: Default + Send;

    /// Processes a chunk, independently of all other chunks. Replaces what is in `output`, which
    /// may be the result of an earlier chunk, so that its memory is reused.
    fn process(&mut self, chunk: &Chunk, output: &mut Self::Output);
}

/// Merges the results of [`ChunkWorker`]s, in the order of the items.
pub trait InOrder: Send {
    /// The result of a chunk that a worker has processed.
    type Output: Default + Send;

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

    /// Returns the time at which the run ends, which later items may put off.
    fn deadline(&self) -> Option<Instant> {
        None
    }

    /// Returns the result of a run that ends because the deadline has passed.
    fn end_at_deadline(&mut self) -> Option<Self::End> {
        None
    }
}

/// The state that the threads share.
struct WorkerPool<'w, M: InOrder, W> {
    queue: Mutex<WorkQueue<'w>>,
    /// The number of items that have been taken.
    taken: AtomicU64,
    turns: Mutex<Turns<'w, M>>,
    /// Notifies of room for another result, and of the end.
    room: Condvar,
    /// Wakes the thread that waits for an item when there will be no more turns, or when the
    /// deadline may have changed.
    wake: Notify,
    /// The workers that have no thread yet, and their numbers.
    idle: Mutex<Vec<(usize, W)>>,
    runtime: &'w Handle,
}

struct WorkQueue<'w> {
    items: &'w mut Receiver,
    first: Option<Item>,
}

struct Turns<'w, M: InOrder> {
    /// The merger, unless a thread is using it.
    merger: Option<&'w mut M>,
    /// The number of the item whose turn it is.
    number: u64,
    /// The items that wait for their turn.
    ready: BTreeMap<u64, Processed<M::Output>>,
    /// Results that were merged, whose memory is reused.
    spare: Vec<M::Output>,
    /// Whether there will be no more turns.
    is_over: bool,
    /// The result, if the run ended before there were no more items.
    end: Option<M::End>,
}

/// There will be no more turns.
struct Over;

/// An item and, if a worker has processed it, the result.
struct Processed<O> {
    item: Item,
    output: Option<O>,
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
    let mut idle: Vec<_> = workers.into_iter().enumerate().rev().collect();
    let (_, own) = idle.pop()?;
    let pool = WorkerPool {
        queue: Mutex::new(WorkQueue { items, first }),
        taken: AtomicU64::new(0),
        turns: Mutex::new(Turns {
            merger: Some(merger),
            number: 0,
            ready: BTreeMap::new(),
            spare: Vec::new(),
            is_over: false,
            end: None,
        }),
        room: Condvar::new(),
        wake: Notify::new(),
        idle: Mutex::new(idle),
        runtime,
    };
    thread::scope(|scope| pool.work(own, scope));
    lock(&pool.turns).end.take()
}

/// Wakes all threads when one ends. If it ends by a panic, nobody would take the turns that are
/// left to it, so the run ends.
struct NotifyOnDrop<'p, 'w, M: InOrder, W>(&'p WorkerPool<'w, M, W>);

impl<M: InOrder, W> Drop for NotifyOnDrop<'_, '_, M, W> {
    fn drop(&mut self) {
        if thread::panicking() {
            lock(&self.0.turns).is_over = true;
        }
        self.0.room.notify_all();
        self.0.wake.notify_one();
    }
}

impl<M, W> WorkerPool<'_, M, W>
where
    W: ChunkWorker,
    M: InOrder<Output = W::Output>,
{
    fn work<'s>(&'s self, worker: W, scope: &'s Scope<'s, '_>) {
        let _notify = NotifyOnDrop(self);
        let mut worker = Some(worker);
        while let Some((number, item)) = self.take(scope) {
            // A worker that panics is dropped. Its chunk is processed again in its turn.
            let output = match (&item, worker.take()) {
                (Item::Chunk(chunk), Some(mut current)) if chunk.is_large() => {
                    let mut output = lock(&self.turns).spare.pop().unwrap_or_default();
                    catch_unwind(AssertUnwindSafe(|| {
                        current.process(chunk, &mut output);
                        worker = Some(current);
                        output
                    }))
                    .ok()
                }
                (_, idle) => {
                    worker = idle;
                    None
                }
            };
            if self.finish(number, Processed { item, output }).is_none() {
                return;
            }
        }
    }

    /// Returns the next item and its number, or `None` if there is none or the run has ended. If
    /// another item is waiting, starts a thread for it.
    fn take<'s>(&'s self, scope: &'s Scope<'s, '_>) -> Option<(u64, Item)> {
        let mut queue = lock(&self.queue);
        let item = match queue.first.take() {
            Some(item) => item,
            None => self.wait_for_item(queue.items)?,
        };
        let number = self.taken.fetch_add(1, Ordering::Relaxed);
        let is_another_waiting = !queue.items.is_empty();
        drop(queue);
        if is_another_waiting && let Some((number, worker)) = lock(&self.idle).pop() {
            // jq programs need a large stack. If a thread cannot start, there is one worker less.
            let thread =
                thread::Builder::new().name(format!("worker-{number}")).stack_size(THREAD_STACK);
            let _ = thread.spawn_scoped(scope, move || self.work(worker, scope));
        }
        Some((number, item))
    }

    fn wait_for_item(&self, items: &mut Receiver) -> Option<Item> {
        loop {
            match items.try_recv() {
                Ok(item) => return Some(item),
                Err(TryRecvError::Disconnected) => return None,
                Err(TryRecvError::Empty) => {}
            }
            let deadline = self.check_deadline().ok()?;
            let late = async {
                match deadline {
                    Some(deadline) => sleep_until(deadline.into()).await,
                    None => future::pending().await,
                }
            };
            let received = self.runtime.block_on(async {
                tokio::select! {
                    item = items.recv() => Some(item),
                    () = self.wake.notified() => None,
                    () = late => None,
                }
            });
            if let Some(item) = received {
                return item;
            }
        }
    }

    /// Returns the time until which to wait for an item; `None` if there is no limit.
    ///
    /// # Errors
    ///
    /// Fails if the run has ended, which it does if the deadline has passed and no item waits for
    /// its turn.
    fn check_deadline(&self) -> Result<Option<Instant>, Over> {
        let mut turns = lock(&self.turns);
        if turns.is_over {
            return Err(Over);
        }
        // The item whose turn it is may put the deadline off. The thread that merges it checks the
        // deadline, and wakes this thread.
        let has_waiting = turns.number < self.taken.load(Ordering::Relaxed);
        let Some(merger) = turns.merger.as_mut().filter(|_| !has_waiting) else {
            return Ok(None);
        };
        let deadline = merger.deadline();
        if deadline.is_none_or(|deadline| deadline > Instant::now()) {
            return Ok(deadline);
        }
        let end = merger.end_at_deadline();
        (turns.end, turns.is_over) = (end, true);
        Err(Over)
    }

    /// Merges or processes an item, and all that wait for it, if it is its turn. Otherwise leaves
    /// it to the thread whose turn it is, and waits until there is room for another one. Returns
    /// `None` if there will be no more turns.
    fn finish(&self, number: u64, processed: Processed<M::Output>) -> Option<()> {
        let mut turns = lock(&self.turns);
        turns.ready.insert(number, processed);
        while !turns.is_over {
            let number = turns.number;
            if turns.merger.is_some()
                && let Some(processed) = turns.ready.remove(&number)
                && let Some(merger) = turns.merger.take()
            {
                drop(turns);
                let (output, end) = self.merge(merger, number, processed);
                let has_deadline = merger.deadline().is_some();
                turns = lock(&self.turns);
                turns.merger = Some(merger);
                turns.number += 1;
                turns.spare.extend(output);
                turns.is_over |= end.is_some();
                turns.end = end;
                if turns.ready.len() <= MAX_READY {
                    self.room.notify_all();
                }
                if has_deadline {
                    self.wake.notify_one();
                }
            } else if turns.ready.len() <= MAX_READY {
                return Some(());
            } else {
                turns = self.room.wait(turns).unwrap_or_else(PoisonError::into_inner);
            }
        }
        None
    }
}

impl<M: InOrder, W> WorkerPool<'_, M, W> {
    /// Merges or processes the item `number`. Returns the result of the worker, so that its memory
    /// is reused, and the result of the run if it ends.
    fn merge(
        &self,
        merger: &mut M,
        number: u64,
        Processed { item, mut output }: Processed<M::Output>,
    ) -> (Option<M::Output>, Option<M::End>) {
        let mut end = match (&item, &mut output) {
            (Item::Chunk(chunk), Some(output)) => merger.merge(chunk, output),
            _ => merger.item(&item),
        };
        merger.report_progress();
        // Dropping the item returns its buffer to the reader.
        drop(item);
        if end.is_none() && merger.deadline().is_some_and(|deadline| deadline <= Instant::now()) {
            end = merger.end_at_deadline();
        }
        // If no other item has been taken, none is waiting, and everything so far is flushed.
        let is_last = number + 1 == self.taken.load(Ordering::Relaxed);
        (output, if end.is_none() && is_last { merger.flush() } else { end })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
