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
pub struct Receipts {
    open: VecDeque<OpenReceipt>,
    /// The number of events of all receipts that have been processed.
    processed: u64,
    /// The number of them that have been confirmed.
    confirmed: u64,
}

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
        self.open.push_back(OpenReceipt { receipt, processed: 0, confirmed: 0 });
    }

    /// Returns whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Notes that an event has been processed.
    pub fn advance(&mut self) {
        let mut open = self.open.iter_mut();
        if let Some(open) = open.find(|open| open.processed < open.receipt.events()) {
            open.processed += 1;
            self.processed += 1;
        }
    }

    /// Returns the number of events that have been processed, of all receipts.
    #[must_use]
    pub fn processed(&self) -> u64 {
        self.processed
    }

    /// Confirms the first events that have been processed, `until` in number.
    pub fn confirm(&mut self, until: u64) {
        while self.confirmed < until
            && let Some(open) = self.open.front_mut()
        {
            let left = usize::try_from(until - self.confirmed).unwrap_or(usize::MAX);
            let end = open.processed.min(open.confirmed.saturating_add(left));
            if open.confirmed < end {
                open.receipt.confirm(open.confirmed..end);
                self.confirmed += (end - open.confirmed) as u64;
                open.confirmed = end;
            }
            if open.confirmed < open.receipt.events() {
                return;
            }
            self.open.pop_front();
        }
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
            receipts.confirm(receipts.processed());
            (std::mem::take(&mut *noted.lock().expect("no panic")), receipts.is_empty())
        };
        assert_eq!(process(1), (vec![('a', 0..1)], false));
        assert_eq!(process(2), (vec![('a', 1..2), ('b', 0..1)], false));
        assert_eq!(process(2), (vec![('b', 1..3)], true));
    }

    #[test]
    fn what_has_been_processed_can_be_confirmed_later_and_in_parts() {
        let noted = Arc::new(Mutex::new(Vec::new()));
        let mut receipts = Receipts::default();
        receipts.add(Arc::new(Noted(2, 'a', Arc::clone(&noted))));
        receipts.add(Arc::new(Noted(3, 'b', Arc::clone(&noted))));
        (0..4).for_each(|_| receipts.advance());
        assert_eq!(receipts.processed(), 4);
        let mut confirm = |until| {
            receipts.confirm(until);
            std::mem::take(&mut *noted.lock().expect("no panic"))
        };
        assert_eq!(confirm(1), [('a', 0..1)]);
        assert_eq!(confirm(1), []);
        assert_eq!(confirm(3), [('a', 1..2), ('b', 0..1)]);
        assert_eq!(confirm(4), [('b', 1..2)]);
        assert!(!receipts.is_empty(), "one event has not been processed");
    }
}
