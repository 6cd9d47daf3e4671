//! Receipts: how a source that repeats what nobody confirmed learns what has been delivered.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;

/// Confirms to a source that events which it sent have been delivered to all destinations.
pub trait Receipt: Debug + Send + Sync {
    /// Returns the number of events that the receipt covers: those that follow it.
    fn events(&self) -> usize;

    /// Confirms these events, each once and in order. Blocks the thread for a short time.
    fn confirm(&self, events: Range<usize>);
}

/// The receipts whose events have not all been confirmed, in order.
#[derive(Debug, Default)]
pub struct Receipts(VecDeque<OpenReceipt>);

#[derive(Debug)]
struct OpenReceipt {
    receipt: Arc<dyn Receipt>,
    /// The number of its events that have been processed.
    processed: usize,
    /// The number of its events that have been confirmed.
    confirmed: usize,
}

impl Receipts {
    /// Adds a receipt for the events that follow.
    pub fn add(&mut self, receipt: Arc<dyn Receipt>) {
        self.0.push_back(OpenReceipt { receipt, processed: 0, confirmed: 0 });
    }

    /// Returns whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Notes that an event has been processed.
    pub fn advance(&mut self) {
        let mut open = self.0.iter_mut();
        if let Some(open) = open.find(|open| open.processed < open.receipt.events()) {
            open.processed += 1;
        }
    }

    /// Confirms all events that have been processed.
    pub fn confirm(&mut self) {
        for open in self.0.iter_mut().filter(|open| open.confirmed < open.processed) {
            open.receipt.confirm(open.confirmed..open.processed);
            open.confirmed = open.processed;
        }
        self.0.retain(|open| open.processed < open.receipt.events());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// The receipts by name, with the ranges that they confirmed.
    type Confirmed = Arc<Mutex<Vec<(char, Range<usize>)>>>;

    #[derive(Debug)]
    struct Noted(usize, char, Confirmed);

    impl Receipt for Noted {
        fn events(&self) -> usize {
            self.0
        }

        fn confirm(&self, events: Range<usize>) {
            self.2.lock().expect("no panic").push((self.1, events));
        }
    }

    #[test]
    fn only_what_has_been_processed_is_confirmed() {
        let noted = Arc::new(Mutex::new(Vec::new()));
        let mut receipts = Receipts::default();
        receipts.add(Arc::new(Noted(2, 'a', Arc::clone(&noted))));
        receipts.add(Arc::new(Noted(3, 'b', Arc::clone(&noted))));
        let mut process = |count: usize| {
            (0..count).for_each(|_| receipts.advance());
            receipts.confirm();
            (std::mem::take(&mut *noted.lock().expect("no panic")), receipts.is_empty())
        };
        assert_eq!(process(1), (vec![('a', 0..1)], false));
        assert_eq!(process(2), (vec![('a', 1..2), ('b', 0..1)], false));
        assert_eq!(process(2), (vec![('b', 1..3)], true));
    }
}
