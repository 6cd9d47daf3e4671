//! Where to resume a stream, and what of the replay has been delivered already.
//!
//! An id is a millisecond, several events can bear the same, and the server replays the ids *greater* than the one that it
//! is asked for. So asking for the last id seen would lose the rest of its millisecond. This asks from one millisecond
//! before, and drops from the replay what has been delivered: as many events of the same id and content as there were, so
//! that two equal events stay two. Where it can't know, it lets an event through twice rather than lose it.
//!
//! Pure: it holds no connection and no clock. An id that is no number has no "before": it is asked for literally, and
//! nothing is dropped.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};

/// How many delivered events are remembered. A millisecond that has more is replayed in part.
const REMEMBERED: usize = 65_536;

/// How often each event has been delivered, by id and keyed hash of the content.
type Delivered = BTreeMap<(u64, u64), u32>;

/// The position in one stream.
#[derive(Debug, Default)]
pub struct Resume {
    last: String,
    delivered: Delivered,
    replay: Delivered,
    hasher: RandomState,
}

impl Resume {
    /// The `Last-Event-ID` to ask from; `None` while there is no position. Begins a connection: what was delivered before
    /// now is expected to come again.
    pub fn begin(&mut self) -> Option<String> {
        self.replay.clone_from(&self.delivered);
        if self.last.is_empty() {
            return None;
        }
        let before = number(&self.last).and_then(|id| id.checked_sub(1));
        Some(before.map_or_else(|| self.last.clone(), |id| id.to_string()))
    }

    /// Whether an event is new. `id` is the last event id in force, "" if there is none.
    pub fn is_new(&mut self, id: &str, event: Option<&str>, data: &[u8]) -> bool {
        self.move_to(id);
        let Some(id) = number(id) else { return true };
        let key = (id, self.hasher.hash_one((event, data)));
        if let Some(expected) = self.replay.get_mut(&key).filter(|expected| **expected > 0) {
            *expected -= 1;
            return false;
        }
        if self.delivered.len() < REMEMBERED {
            *self.delivered.entry(key).or_default() += 1;
        }
        true
    }

    /// The position moves to an id, with or without an event. Like the standard's last event id it follows the server
    /// backwards too: what bears a later id stays remembered, since it will be replayed.
    pub fn move_to(&mut self, id: &str) {
        if id == self.last {
            return;
        }
        id.clone_into(&mut self.last);
        match number(id) {
            Some(id) => self.delivered = self.delivered.split_off(&(id, 0)),
            None => self.delivered.clear(),
        }
    }
}

fn number(id: &str) -> Option<u64> {
    // `parse` alone would take a sign.
    id.bytes().all(|byte| byte.is_ascii_digit()).then(|| id.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends events through and gives those that are new.
    fn new<'a>(resume: &mut Resume, events: &[(&'a str, &'a str)]) -> Vec<&'a str> {
        let fresh = |(id, data): &&(&str, &str)| resume.is_new(id, Some("call.started"), data.as_bytes());
        events.iter().filter(fresh).map(|(_, data)| *data).collect()
    }

    #[test]
    fn begins_without_a_position() {
        let mut resume = Resume::default();
        assert_eq!(resume.begin(), None);
        assert_eq!(new(&mut resume, &[("", "a"), ("", "a")]), ["a", "a"]);
        assert_eq!(resume.begin(), None, "events without id make none");
        assert_eq!(new(&mut resume, &[("", "a")]), ["a"]);
    }

    #[test]
    fn asks_from_just_before_the_last_millisecond() {
        for (ids, expected) in [
            (&["1700000000001"][..], Some("1700000000000")),
            (&["7", "9", "9"], Some("8")),
            (&["9", "7"], Some("6")),
            (&["1"], Some("0")),
            (&["0"], Some("0")),
            (&["7", "abc"], Some("abc")),
            (&["+7"], Some("+7")),
            (&["18446744073709551616"], Some("18446744073709551616")),
            (&["7", ""], None),
        ] {
            let mut resume = Resume::default();
            resume.begin();
            for id in ids {
                resume.move_to(id);
            }
            assert_eq!(resume.begin().as_deref(), expected, "{ids:?}");
        }
    }

    #[test]
    fn drops_what_was_delivered_and_nothing_else() {
        let mut resume = Resume::default();
        resume.begin();
        assert_eq!(new(&mut resume, &[("4", "old"), ("5", "a"), ("5", "b")]), ["old", "a", "b"]);
        assert_eq!(resume.begin().as_deref(), Some("4"));
        assert_eq!(new(&mut resume, &[("5", "a"), ("5", "b"), ("5", "c"), ("6", "a")]), ["c", "a"]);
    }

    #[test]
    fn equal_events_of_one_millisecond_stay_as_many_as_they_were() {
        let mut resume = Resume::default();
        resume.begin();
        assert_eq!(new(&mut resume, &[("5", "a"), ("5", "a")]), ["a", "a"], "on one connection nothing is dropped");
        resume.begin();
        assert_eq!(new(&mut resume, &[("5", "a"), ("5", "a"), ("5", "a")]), ["a"], "the third one is new");
    }

    #[test]
    fn a_replay_that_breaks_off_is_expected_again() {
        let mut resume = Resume::default();
        resume.begin();
        new(&mut resume, &[("5", "a"), ("5", "b")]);
        resume.begin();
        assert!(new(&mut resume, &[("5", "a")]).is_empty());
        assert_eq!(resume.begin().as_deref(), Some("4"));
        assert_eq!(new(&mut resume, &[("5", "a"), ("5", "b"), ("5", "c")]), ["c"]);
    }

    #[test]
    fn ids_out_of_order_are_neither_lost_nor_doubled() {
        let mut resume = Resume::default();
        resume.begin();
        new(&mut resume, &[("5", "a"), ("3", "b")]);
        assert_eq!(resume.begin().as_deref(), Some("2"));
        assert_eq!(new(&mut resume, &[("3", "b"), ("3", "x"), ("5", "a"), ("5", "y")]), ["x", "y"]);
    }

    #[test]
    fn the_event_line_is_part_of_the_content() {
        let mut resume = Resume::default();
        resume.begin();
        assert!(resume.is_new("5", Some("a"), b"{}"));
        resume.begin();
        assert!(resume.is_new("5", None, b"{}"));
        assert!(resume.is_new("5", Some("b"), b"{}"));
        assert!(!resume.is_new("5", Some("a"), b"{}"));
    }

    #[test]
    fn other_ids_drop_nothing() {
        let mut resume = Resume::default();
        resume.begin();
        new(&mut resume, &[("abc", "a")]);
        assert_eq!(resume.begin().as_deref(), Some("abc"));
        assert_eq!(new(&mut resume, &[("abc", "a")]), ["a"]);
    }

    #[test]
    fn memory_is_bounded_and_beyond_it_events_come_twice_rather_than_never() {
        let mut resume = Resume::default();
        resume.begin();
        let data: Vec<_> = (0..=REMEMBERED).map(|n| n.to_string()).collect();
        assert!(data.iter().all(|data| resume.is_new("5", None, data.as_bytes())));
        assert_eq!(resume.delivered.len(), REMEMBERED);
        resume.begin();
        assert_eq!(data.iter().filter(|data| resume.is_new("5", None, data.as_bytes())).count(), 1);
        resume.move_to("6");
        assert!(resume.delivered.is_empty());
    }
}
