//! Threads that walk pieces of a recording, and hand back what they made of them in the order in which they got them.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use super::lane::{Lane, Walked};
use crate::select::program::THREAD_STACK;
use crate::source::Piece;

/// How many pieces there may be for each thread: one in hand, and one that waits or is done.
const AHEAD: usize = 2;

/// A piece to walk, memory for what becomes of it, and where that goes.
struct Job {
    piece: Piece,
    out: Vec<u8>,
    done: SyncSender<Walked>,
}

/// The threads. They end when it is dropped.
pub(super) struct Crew {
    jobs: Sender<Job>,
    /// What has been handed out, the oldest first.
    waiting: VecDeque<(Piece, Receiver<Walked>)>,
    room: usize,
    /// Memory that was used before.
    spare: Vec<Vec<u8>>,
}

impl Crew {
    /// A thread for each lane; `None` if there can be no threads.
    pub fn start(lanes: impl Iterator<Item = Lane>) -> Option<Self> {
        let (jobs, queue) = channel();
        let queue = Arc::new(Mutex::new(queue));
        let mut threads = 0;
        for lane in lanes {
            let queue = Arc::clone(&queue);
            // Its stack is what jq programs may need.
            let thread = std::thread::Builder::new().name("lane".to_owned()).stack_size(THREAD_STACK);
            threads += usize::from(thread.spawn(move || work(lane, &queue)).is_ok());
        }
        (threads > 0).then(|| Self { jobs, waiting: VecDeque::new(), room: AHEAD * threads, spare: Vec::new() })
    }

    /// Whether as much is under way as may be.
    pub fn is_full(&self) -> bool {
        self.waiting.len() >= self.room
    }

    /// Hands a piece out.
    pub fn hand_out(&mut self, piece: Piece) {
        let (done, walked) = sync_channel(1);
        let job = Job { piece: piece.clone(), out: self.spare.pop().unwrap_or_default(), done };
        // Where no thread is left, nothing comes back, which is told then.
        let _ = self.jobs.send(job);
        self.waiting.push_back((piece, walked));
    }

    /// Waits for the oldest piece, and gives it with what became of it: `None` if that thread broke down.
    pub fn oldest(&mut self) -> Option<(Piece, Option<Walked>)> {
        let (piece, walked) = self.waiting.pop_front()?;
        Some((piece, walked.recv().ok()))
    }

    /// Takes memory back.
    pub fn give_back(&mut self, mut out: Vec<u8>) {
        out.clear();
        self.spare.push(out);
    }
}

fn work(mut lane: Lane, queue: &Mutex<Receiver<Job>>) {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { piece, out, done }) = job else { return };
        let walked = lane.walk(&piece, out);
        // The piece is given back before it is told to be done.
        drop(piece);
        let _ = done.send(walked);
    }
}
