//! The calls in the input: a summary of each for the list, and the call that is asked for.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;

use super::call_event::EventTimes;
use crate::analysis::byte_budget::{ByteBudget, MAX_NAME_BYTES, truncate};
use crate::model::is_call_sid;
use crate::query::suggest;

/// The memory for the list of calls, in bytes: room for some 400,000 calls.
const MAX_LIST_BYTES: usize = 64 << 20;

/// The memory of a call in the list besides its texts, in bytes, with that of the map.
const CALL_BYTES: usize = size_of::<(Box<str>, CallSummary)>() * 3 / 2;

/// The number of SIDs that a search remembers.
const RECENT: usize = 4096;

/// The summary of a call.
#[derive(Debug, Default)]
pub struct CallSummary {
    /// The number of events.
    pub events: u64,
    /// The first and last time of the events, by the platform's clock.
    times: Option<(Timestamp, Timestamp)>,
    /// The first and last arrival of the events without a time, by this machine's clock.
    arrivals: Option<(Timestamp, Timestamp)>,
    /// The reason of the end.
    pub outcome: Option<Box<str>>,
}

impl CallSummary {
    /// Returns the first and last time of the call's events, by the platform's clock.
    #[must_use]
    pub fn span(&self, shift: Option<i64>) -> Option<(Timestamp, Timestamp)> {
        let (first, last) = self.arrivals.unzip();
        union(self.times, to_platform_clock(first, shift).zip(to_platform_clock(last, shift)))
    }
}

/// Converts a time of this machine's clock to the platform's clock.
#[must_use]
pub fn to_platform_clock(arrived: Option<Timestamp>, shift: Option<i64>) -> Option<Timestamp> {
    Timestamp::from_millisecond(arrived?.as_millisecond().saturating_sub(shift.unwrap_or(0))).ok()
}

fn union(
    one: Option<(Timestamp, Timestamp)>,
    other: Option<(Timestamp, Timestamp)>,
) -> Option<(Timestamp, Timestamp)> {
    match (one, other) {
        (Some(one), Some(other)) => Some((one.0.min(other.0), one.1.max(other.1))),
        (one, other) => one.or(other),
    }
}

/// The calls that were found, with limited memory.
#[derive(Debug)]
pub struct CallList {
    calls: BTreeMap<Box<str>, CallSummary>,
    budget: ByteBudget,
}

impl Default for CallList {
    fn default() -> Self {
        Self::with_limit(MAX_LIST_BYTES)
    }
}

impl CallList {
    /// Creates a list that takes at most `bytes` of memory.
    #[must_use]
    pub const fn with_limit(bytes: usize) -> Self {
        Self { calls: BTreeMap::new(), budget: ByteBudget::new(bytes) }
    }

    /// Adds an event of a call: its time by the platform's clock or else its time of arrival.
    pub fn add(&mut self, sid: &str, EventTimes { time, received }: EventTimes) {
        let Some(call) = self.call(sid) else { return };
        call.events += 1;
        let (span, at) =
            if time.is_some() { (&mut call.times, time) } else { (&mut call.arrivals, received) };
        *span = union(*span, at.map(|at| (at, at)));
    }

    /// Sets the reason of the end of a call that is in the list.
    pub fn end(&mut self, sid: &str, mut outcome: String) {
        let Some(call) = self.calls.get_mut(sid) else { return };
        truncate(&mut outcome, MAX_NAME_BYTES);
        let before = call.outcome.as_ref().map_or(0, |outcome| outcome.len());
        if outcome.len() <= before || self.budget.take(outcome.len() - before) {
            call.outcome = Some(outcome.into());
        }
    }

    /// Adds the events of another list, but not the reasons of the ends.
    pub fn merge(&mut self, part: &Self) {
        for (sid, other) in &part.calls {
            let Some(call) = self.call(sid) else { continue };
            call.events += other.events;
            call.times = union(call.times, other.times);
            call.arrivals = union(call.arrivals, other.arrivals);
        }
    }

    /// Returns the call with a SID, which is added if there is room.
    fn call(&mut self, sid: &str) -> Option<&mut CallSummary> {
        if !self.calls.contains_key(sid) {
            if !self.budget.take(CALL_BYTES + sid.len()) {
                return None;
            }
            self.calls.insert(sid.into(), CallSummary::default());
        }
        self.calls.get_mut(sid)
    }

    /// Whether all calls of another list and further `texts` fit, so that their order does not
    /// matter.
    #[must_use]
    pub fn has_room<'a>(&self, part: &Self, texts: impl Iterator<Item = &'a str>) -> bool {
        let new = part.calls.keys().filter(|sid| !self.calls.contains_key(*sid));
        let sids = new.map(|sid| CALL_BYTES + sid.len()).sum::<usize>();
        let texts = texts.map(|text| CALL_BYTES + text.len()).sum::<usize>();
        self.budget.used() + sids + texts <= self.budget.limit()
    }

    /// Iterates over the calls in the order of their SIDs.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &CallSummary)> {
        self.calls.iter().map(|(sid, summary)| (&**sid, summary))
    }

    /// Returns whether no call was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Returns the number of events that are missing in the list because it is full.
    #[must_use]
    pub const fn missing(&self) -> u64 {
        self.budget.missing()
    }
}

/// The call that is asked for by its SID or the beginning of it.
///
/// The answer is exact for any number of calls: only the SIDs that an error may name are kept.
#[derive(Debug)]
pub struct WantedCall {
    /// The SID, or the beginning of it.
    pub start: String,
    /// Whether a call has exactly this SID.
    is_exact: bool,
    /// The two lowest valid SIDs that begin with it.
    matches: [Option<Box<str>>; 2],
    /// The valid SID that is most similar to it, until one begins with it.
    nearest: Option<Box<str>>,
    /// SIDs that were compared with it, so that most events need no comparison.
    recent: HashSet<Box<str>>,
    /// Whether any event belongs to a call.
    has_calls: bool,
}

/// The answer to which call is meant.
#[derive(Debug, PartialEq, Eq)]
pub enum CallMatch<'a> {
    /// The call with this SID.
    One(&'a str),
    /// Two of several calls that match.
    Several(&'a str, &'a str),
    /// None; perhaps the call with this SID was meant.
    None(Option<&'a str>),
}

impl WantedCall {
    /// Creates a search for the call whose SID starts with `start`.
    #[must_use]
    pub fn new(start: String) -> Self {
        Self {
            start,
            is_exact: false,
            matches: [None, None],
            nearest: None,
            recent: HashSet::new(),
            has_calls: false,
        }
    }

    /// Observes the SID of an event. Returns whether the event may belong to the call.
    pub fn observe(&mut self, sid: &str) -> bool {
        self.has_calls = true;
        // An invalid SID may be any text, which an error must not repeat.
        if !sid.starts_with(&self.start) {
            if self.matches[0].is_none() && is_call_sid(sid) && self.is_new(sid) {
                self.add_other(sid);
            }
            return false;
        }
        let (is_exact, is_valid) = (sid.len() == self.start.len(), is_call_sid(sid));
        if is_valid {
            self.add_match(sid);
        }
        self.is_exact |= is_exact;
        is_exact || is_valid
    }

    /// Returns the answer so far without what only serves the search.
    #[must_use]
    pub fn summary(&self) -> Self {
        let Self { ref start, is_exact, ref matches, ref nearest, has_calls, .. } = *self;
        let (matches, nearest) = (matches.clone(), nearest.clone());
        Self { start: start.clone(), is_exact, matches, nearest, recent: HashSet::new(), has_calls }
    }

    /// Adds the answer of a search for the same call among other events.
    pub fn merge(&mut self, part: &Self) {
        self.is_exact |= part.is_exact;
        self.has_calls |= part.has_calls;
        part.matches.iter().flatten().for_each(|sid| self.add_match(sid));
        if let Some(nearest) = &part.nearest {
            self.add_other(nearest);
        }
    }

    /// Returns whether a SID is not among those that were compared recently, and remembers it.
    fn is_new(&mut self, sid: &str) -> bool {
        if self.recent.contains(sid) {
            return false;
        }
        if self.recent.len() == RECENT {
            self.recent.clear();
        }
        self.recent.insert(sid.into())
    }

    /// Compares a SID that does not match with the most similar one so far.
    fn add_other(&mut self, sid: &str) {
        self.nearest = suggest::nearest(&self.start, self.sorted_with(sid)).map(Into::into);
    }

    fn add_match(&mut self, sid: &str) {
        let [first, second] = &mut self.matches;
        if first.as_deref().is_none_or(|first| sid < first) {
            (*second, *first) = (first.take(), Some(sid.into()));
        } else if first.as_deref() != Some(sid)
            && second.as_deref().is_none_or(|second| sid < second)
        {
            *second = Some(sid.into());
        }
    }

    /// Returns the nearest SID so far and another one, in order, so that the order of the events
    /// does not decide between SIDs that are equally similar.
    fn sorted_with<'a>(&'a self, sid: &'a str) -> impl Iterator<Item = &'a str> {
        let (first, second) = match self.nearest.as_deref() {
            Some(nearest) if nearest > sid => (Some(sid), Some(nearest)),
            nearest => (nearest, Some(sid)),
        };
        first.into_iter().chain(second)
    }

    /// Returns whether any event belongs to a call.
    #[must_use]
    pub const fn has_calls(&self) -> bool {
        self.has_calls
    }

    /// Returns the call that is meant.
    #[must_use]
    pub fn answer(&self) -> CallMatch<'_> {
        match &self.matches {
            _ if self.is_exact => CallMatch::One(&self.start),
            [Some(one), None] => CallMatch::One(one),
            [Some(one), Some(other)] => CallMatch::Several(one, other),
            [None, _] => CallMatch::None(self.nearest.as_deref()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNKNOWN: EventTimes = EventTimes { time: None, received: None };

    fn sid(number: usize) -> String {
        format!("CA{number:032x}")
    }

    fn search<'a>(start: &str, sids: impl Iterator<Item = &'a str>) -> WantedCall {
        let mut wanted = WantedCall::new(start.to_owned());
        for sid in sids {
            wanted.observe(sid);
        }
        wanted
    }

    #[test]
    fn the_wanted_call_is_found_among_any_number_of_calls() {
        let mut sids: Vec<_> = (0..30_000).map(sid).collect();
        sids.push(format!("CAf{:031x}", 7));
        let all = || sids.iter().map(String::as_str);
        let last = sids.last().expect("a SID").as_str();
        for (start, expected) in [
            (last, CallMatch::One(last)),
            ("CAf", CallMatch::One(last)),
            ("CA0", CallMatch::Several(&sids[0], &sids[1])),
            ("CAe", CallMatch::None(None)),
        ] {
            assert_eq!(search(start, all()).answer(), expected, "{start}");
            assert_eq!(search(start, all().rev()).answer(), expected, "{start}, backwards");
        }
        let typo = last.replace('7', "8");
        assert_eq!(search(&typo, all()).answer(), CallMatch::None(Some(last)));
        let invalid = search("CA1", ["CA1 is not a SID"].into_iter());
        assert_eq!((invalid.answer(), invalid.has_calls()), (CallMatch::None(None), true));
        assert!(!WantedCall::new("CA1".to_owned()).has_calls());
    }

    #[test]
    fn searches_among_parts_of_the_calls_have_the_same_answer() {
        let mut sids: Vec<_> = (0..500).map(|number| sid(number * 7919)).collect();
        sids.push("no SID".to_owned());
        for start in [&sids[77], &sids[400][..33], "CA00", "CAe", "no SID", &sid(7), "CA1"] {
            let whole = search(start, sids.iter().map(String::as_str));
            for size in [1, 7, 100] {
                let mut merged = WantedCall::new(start.to_owned());
                for part in sids.chunks(size) {
                    merged.merge(&search(start, part.iter().map(String::as_str)).summary());
                }
                assert_eq!(merged.answer(), whole.answer(), "{start} in parts of {size}");
                assert_eq!(merged.has_calls(), whole.has_calls());
            }
        }
    }

    #[test]
    fn lists_merge_as_long_as_there_is_room() {
        let part = |numbers: std::ops::Range<usize>| {
            let mut list = CallList::with_limit(usize::MAX);
            let at = |millis| Timestamp::from_millisecond(millis).ok();
            for number in numbers {
                list.add(&sid(number), EventTimes { time: at(7), received: None });
                list.add(&sid(number), EventTimes { time: None, received: at(9) });
            }
            list
        };
        let mut list = CallList::with_limit(10 * (CALL_BYTES + 34));
        for (numbers, has_room) in [(0..6, true), (3..10, true), (0..10, true), (9..11, false)] {
            let part = part(numbers.clone());
            assert_eq!(list.has_room(&part, std::iter::empty()), has_room, "{numbers:?}");
            if has_room {
                list.merge(&part);
            }
        }
        assert!(!list.has_room(&part(0..1), std::iter::once("completed")));
        let events: Vec<_> = list.iter().map(|(_, call)| call.events).collect();
        assert_eq!(events, [4, 4, 4, 6, 6, 6, 4, 4, 4, 4]);
        let span = list.iter().find_map(|(_, call)| call.span(None)).expect("times");
        assert_eq!((span.0.as_millisecond(), span.1.as_millisecond()), (7, 9));
    }

    #[test]
    fn calls_beyond_the_limit_are_counted_as_missing() {
        let mut list = CallList::with_limit(10 * (CALL_BYTES + 34));
        for number in (0..20).chain(0..20) {
            list.add(&sid(number), UNKNOWN);
        }
        assert_eq!((list.iter().count(), list.missing()), (10, 20));
        assert!(list.iter().all(|(_, call)| call.events == 2));
        list.end(&sid(0), "x".repeat(1 << 20));
        assert_eq!(list.missing(), 21);
        let mut list = CallList::default();
        list.add(&sid(0), UNKNOWN);
        list.end(&sid(0), "x".repeat(1 << 20));
        let outcome = list.iter().find_map(|(_, call)| call.outcome.as_deref());
        assert!(outcome.is_some_and(|outcome| outcome.len() < 2 * MAX_NAME_BYTES));
    }
}
