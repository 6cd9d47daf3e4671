//! Threads that take items in turn, walk the pieces of a recording at the same time, and do the rest one after the other.
//!
//! Each item has a number. A piece is walked as soon as it has been taken; what comes of it is written once all before it
//! have been. Whatever else comes, and what a lane can't do, has its turn in the same way.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::thread;

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::sync::mpsc::error::TryRecvError;

use super::Pipeline;
use super::worker::{Worker, WorkerOutput};
use crate::error::Exit;
use crate::output::OutputError;
use crate::query::program::THREAD_STACK;
use crate::transport::{Item, Receiver};

/// What the threads share.
struct WorkerPool<'w> {
    queue: Mutex<WorkQueue<'w>>,
    /// How many items have been taken.
    taken: AtomicU64,
    turn: Mutex<MergeTurn<'w>>,
    /// Tells of the next turn.
    next: Condvar,
    /// Tells whoever waits for an item that there will be no more turns.
    over: Notify,
    runtime: &'w Handle,
}

struct WorkQueue<'w> {
    items: &'w mut Receiver,
    first: Option<Item>,
}

struct MergeTurn<'w> {
    walk: &'w mut Pipeline,
    /// Whose it is.
    number: u64,
    /// How it has ended, before there were no more items.
    ended: Option<Result<Exit, OutputError>>,
}

/// Takes `first` and what comes after it, until there is no more, or enough: on a thread for each lane, of which this is one.
pub(super) fn run(
    walk: &mut Pipeline,
    first: Item,
    items: &mut Receiver,
    workers: Vec<Worker>,
    runtime: &Handle,
) -> Option<Result<Exit, OutputError>> {
    let pool = WorkerPool {
        queue: Mutex::new(WorkQueue { items, first: Some(first) }),
        taken: AtomicU64::new(0),
        turn: Mutex::new(MergeTurn { walk, number: 0, ended: None }),
        next: Condvar::new(),
        over: Notify::new(),
        runtime,
    };
    thread::scope(|scope| {
        let mut workers = workers.into_iter();
        let own = workers.next();
        for (number, worker) in (1..).zip(workers) {
            // Its stack is what jq programs may need. Where there can be no thread, there are fewer.
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

/// Wakes all when a thread ends, in whatever way.
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
            // A lane that breaks down walks no further, and leaves the piece to its turn, which will tell of it.
            let walked = match (&item, worker.take()) {
                (Item::Chunk(piece), Some(mut at_hand)) if piece.is_large() => {
                    catch_unwind(AssertUnwindSafe(|| {
                        let walked = at_hand.walk(piece, &mut out);
                        worker = Some(at_hand);
                        walked
                    }))
                    .ok()
                }
                (_, idle) => {
                    worker = idle;
                    None
                }
            };
            if self.finish(number, item, walked, &out).is_none() {
                return;
            }
        }
    }

    /// The next item and its number; `None` if there is none, or need be none.
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

    /// Does what is left to do of an item, in its turn; `None` if there will be no more turns.
    fn finish(
        &self,
        number: u64,
        item: Item,
        walked: Option<WorkerOutput>,
        out: &[u8],
    ) -> Option<()> {
        let mut turn = self.turn(number)?;
        let done = match (&item, walked) {
            (Item::Chunk(piece), Some(walked)) => turn.walk.accept(piece, &walked, out),
            _ => turn.walk.item(&item),
        };
        turn.walk.tell();
        // It goes back to who will fill it again.
        drop(item);
        turn.number += 1;
        // Where nothing is at hand, what has been shown is out.
        let is_last = turn.number == self.taken.load(Ordering::Relaxed);
        let flushed = if is_last && matches!(done, Ok(None)) { turn.walk.flush() } else { Ok(()) };
        turn.ended = match (done, flushed) {
            (Ok(None), Ok(())) => None,
            (Ok(None), Err(error)) => Some(Err(error)),
            (Ok(Some(exit)), _) => Some(Ok(exit)),
            (Err(broken), _) => Some(Err(broken)),
        };
        let goes_on = turn.ended.is_none();
        drop(turn);
        self.next.notify_all();
        goes_on.then_some(())
    }

    /// Waits for the turn of that number; `None` if it will not come.
    fn turn(&self, number: u64) -> Option<MutexGuard<'_, MergeTurn<'w>>> {
        let waits = |turn: &mut MergeTurn<'_>| turn.number != number && turn.ended.is_none();
        let turn = self.next.wait_while(self.turn.lock().ok()?, waits).ok()?;
        turn.ended.is_none().then_some(turn)
    }
}

#[cfg(test)]
mod tests;
