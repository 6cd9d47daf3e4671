//! Checkpoints: up to where the cursor may advance once events have been delivered.
//!
//! A destination may deliver in the background. What it has been given is then counted, and a
//! checkpoint is complete when every destination has delivered as many events as it had been given
//! at that time. Checkpoints are completed in order.

use std::collections::VecDeque;

use super::cursor::CursorChanges;

/// A point in the stream of events.
#[derive(Debug, Default)]
pub(super) struct Checkpoint {
    /// The number of events that each destination that delivers in the background had been given.
    pub taken: Vec<u64>,
    /// The positions of the cursor that changed since the checkpoint before.
    pub changes: CursorChanges,
    /// The number of events of receipts that had been processed.
    pub processed: u64,
}

impl Checkpoint {
    /// Replaces the checkpoint by a later one.
    fn advance_to(&mut self, later: Self) {
        self.taken = later.taken;
        self.changes.append(later.changes);
        self.processed = later.processed;
    }

    fn is_complete(&self, delivered: &[u64]) -> bool {
        self.taken.iter().zip(delivered).all(|(taken, delivered)| delivered >= taken)
    }
}

/// The checkpoints that are not complete, in order.
#[derive(Debug, Default)]
pub(super) struct Checkpoints(VecDeque<Checkpoint>);

impl Checkpoints {
    /// Adds a checkpoint. Without anything to deliver since the last one, it takes its place, so
    /// that there are never more checkpoints than undelivered events.
    pub fn add(&mut self, checkpoint: Checkpoint) {
        match self.0.back_mut().filter(|last| last.taken == checkpoint.taken) {
            Some(last) => last.advance_to(checkpoint),
            None => self.0.push_back(checkpoint),
        }
    }

    /// Returns the first checkpoint, or the last one.
    pub fn end(&self, is_last: bool) -> Option<&Checkpoint> {
        if is_last { self.0.back() } else { self.0.front() }
    }

    /// Removes the checkpoints that are complete now that each destination has delivered so many
    /// events. Returns the last of them, with the changes of all.
    pub fn complete(&mut self, delivered: &[u64]) -> Option<Checkpoint> {
        let mut complete: Option<Checkpoint> = None;
        while self.0.front().is_some_and(|first| first.is_complete(delivered)) {
            let Some(first) = self.0.pop_front() else { break };
            match &mut complete {
                Some(complete) => complete.advance_to(first),
                None => complete = Some(first),
            }
        }
        complete
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint(taken: &[u64], processed: u64) -> Checkpoint {
        Checkpoint { taken: taken.to_vec(), processed, ..Checkpoint::default() }
    }

    #[test]
    fn checkpoints_are_completed_in_order_and_by_every_destination() {
        let mut checkpoints = Checkpoints::default();
        checkpoints.add(checkpoint(&[1, 1], 1));
        checkpoints.add(checkpoint(&[3, 1], 3));
        checkpoints.add(checkpoint(&[4, 2], 4));
        let mut complete =
            |delivered: &[u64]| checkpoints.complete(delivered).map(|last| last.processed);
        assert_eq!(complete(&[4, 0]), None);
        assert_eq!(complete(&[3, 1]), Some(3));
        assert_eq!(complete(&[3, 2]), None);
        assert_eq!(complete(&[4, 2]), Some(4));
        assert_eq!(complete(&[9, 9]), None);
    }

    #[test]
    fn events_that_no_destination_takes_need_no_further_checkpoint() {
        let mut checkpoints = Checkpoints::default();
        for processed in 0..1000 {
            checkpoints.add(checkpoint(&[7], processed));
        }
        assert_eq!(checkpoints.0.len(), 1);
        assert_eq!(checkpoints.complete(&[7]).map(|last| last.processed), Some(999));
    }
}
