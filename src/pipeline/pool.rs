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

use super::worker::{Worker, WorkerOutput};
use crate::error::Exit;
use crate::output::OutputError;
use crate::query::program::THREAD_STACK;
use crate::transport::{Chunk, Item, Receiver};

/// Processes items in the order in which they were taken.
pub(super) trait InOrder: Send {
    /// Processes an item.
    fn item(&mut self, item: &Item) -> Result<Option<Exit>, OutputError>;

    /// Merges the output of a worker for a chunk.
    fn merge(
        &mut self,
        chunk: &Chunk,
        output: &WorkerOutput,
        bytes: &[u8],
    ) -> Result<Option<Exit>, OutputError>;

    /// Reports how many events have been processed.
    fn report_progress(&self);

    /// Writes out everything that was processed.
    fn flush(&mut self) -> Result<(), OutputError>;
}

/// The state that the worker threads share.
struct WorkerPool<'w> {
    queue: Mutex<WorkQueue<'w>>,
    /// The number of items that have been taken.
    taken: AtomicU64,
    turn: Mutex<MergeTurn<'w>>,
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

struct MergeTurn<'w> {
    pipeline: &'w mut dyn InOrder,
    /// The number of the item whose turn it is.
    number: u64,
    /// The result, if the run ended before there were no more items.
    ended: Option<Result<Exit, OutputError>>,
}

/// Processes `first` and the items after it until there are no more or the run ends. The first
/// worker runs on this thread, each other worker on a thread of its own.
pub(super) fn run(
    pipeline: &mut dyn InOrder,
    first: Item,
    items: &mut Receiver,
    workers: Vec<Worker>,
    runtime: &Handle,
) -> Option<Result<Exit, OutputError>> {
    let pool = WorkerPool {
        queue: Mutex::new(WorkQueue { items, first: Some(first) }),
        taken: AtomicU64::new(0),
        turn: Mutex::new(MergeTurn { pipeline, number: 0, ended: None }),
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
struct NotifyOnDrop<'c, 'w>(&'c WorkerPool<'w>);

impl Drop for NotifyOnDrop<'_, '_> {
    fn drop(&mut self) {
        self.0.next.notify_all();
        self.0.over.notify_one();
    }
}

impl<'w> WorkerPool<'w> {
    fn work(&self, worker: Worker) {
        let _notify = NotifyOnDrop(self);
        let (mut worker, mut out) = (Some(worker), Vec::new());
        while let Some((number, item)) = self.take() {
            out.clear();
            // A worker that panics is dropped. Its chunk is processed again in its turn.
            let output = match (&item, worker.take()) {
                (Item::Chunk(chunk), Some(mut current)) if chunk.is_large() => {
                    catch_unwind(AssertUnwindSafe(|| {
                        let output = current.process(chunk, &mut out);
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
            if self.finish(number, item, output, &out).is_none() {
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
    fn finish(
        &self,
        number: u64,
        item: Item,
        output: Option<WorkerOutput>,
        bytes: &[u8],
    ) -> Option<()> {
        let mut turn = self.turn(number)?;
        let done = match (&item, output) {
            (Item::Chunk(chunk), Some(output)) => turn.pipeline.merge(chunk, &output, bytes),
            _ => turn.pipeline.item(&item),
        };
        turn.pipeline.report_progress();
        // Dropping the item returns its buffer to the reader.
        drop(item);
        turn.number += 1;
        // If no other item has been taken, none is waiting, and everything so far is flushed.
        let is_last = turn.number == self.taken.load(Ordering::Relaxed);
        let flushed =
            if is_last && matches!(done, Ok(None)) { turn.pipeline.flush() } else { Ok(()) };
        turn.ended = match (done, flushed) {
            (Ok(None), Ok(())) => None,
            (Ok(Some(exit)), _) => Some(Ok(exit)),
            (Err(error), _) | (Ok(None), Err(error)) => Some(Err(error)),
        };
        let continues = turn.ended.is_none();
        drop(turn);
        self.next.notify_all();
        continues.then_some(())
    }

    /// Waits for the turn of item `number`. Returns `None` if it will not come.
    fn turn(&self, number: u64) -> Option<MutexGuard<'_, MergeTurn<'w>>> {
        let waits = |turn: &mut MergeTurn<'_>| turn.number != number && turn.ended.is_none();
        let turn = self.next.wait_while(self.turn.lock().ok()?, waits).ok()?;
        turn.ended.is_none().then_some(turn)
    }
}

#[cfg(test)]
mod tests;
