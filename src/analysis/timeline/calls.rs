//! The calls in the input: a summary of each for the list, and the call that is asked for.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::analysis::byte_budget::{ByteBudget, MAX_NAME_BYTES, truncate};
use crate::model::is_call_sid;
use crate::query::suggest;

/// The memory for the list of calls, in bytes: room for some 400,000 calls.
const MAX_LIST_BYTES: usize = 64 << 20;

/// The memory of a call in the list besides its texts, in bytes, with that of the map.
const CALL_BYTES: usize = size_of::<(Box<str>, CallSummary)>() * 3 / 2;

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

    /// Adds an event of a call: its time by the platform's clock or else its time of arrival, and
    /// the reason if the call ends with it.
    pub fn add(
        &mut self,
        sid: &str,
        time: Option<Timestamp>,
        received: Option<Timestamp>,
        outcome: Option<String>,
    ) {
        if !self.calls.contains_key(sid) {
            if !self.budget.take(CALL_BYTES + sid.len()) {
                return;
            }
            self.calls.insert(sid.into(), CallSummary::default());
        }
        let Some(call) = self.calls.get_mut(sid) else { return };
        call.events += 1;
        let (span, at) =
            if time.is_some() { (&mut call.times, time) } else { (&mut call.arrivals, received) };
        *span = union(*span, at.map(|at| (at, at)));
        if let Some(mut outcome) = outcome {
            truncate(&mut outcome, MAX_NAME_BYTES);
            let before = call.outcome.as_ref().map_or(0, |outcome| outcome.len());
            if outcome.len() <= before || self.budget.take(outcome.len() - before) {
                call.outcome = Some(outcome.into());
            }
        }
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
    /// The SID of the last event. Most events follow one of the same call.
    last: Option<Box<str>>,
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
    pub const fn new(start: String) -> Self {
        let (matches, nearest, last) = ([None, None], None, None);
        Self { start, is_exact: false, matches, nearest, last, has_calls: false }
    }

    /// Observes the SID of an event. Returns whether the event may belong to the call.
    pub fn observe(&mut self, sid: &str) -> bool {
        self.has_calls = true;
        // An invalid SID may be any text, which an error must not repeat.
        let is_valid = is_call_sid(sid);
        let is_exact = sid == self.start;
        let is_match = is_exact || is_valid && sid.starts_with(&self.start);
        if is_valid && self.last.as_deref() != Some(sid) {
            self.last = Some(sid.into());
            if is_match {
                self.add_match(sid);
            } else if self.matches[0].is_none() {
                self.nearest = suggest::nearest(&self.start, self.sorted_with(sid)).map(Into::into);
            }
        }
        self.is_exact |= is_exact;
        is_match
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
    fn calls_beyond_the_limit_are_counted_as_missing() {
        let mut list = CallList::with_limit(10 * (CALL_BYTES + 34));
        for number in (0..20).chain(0..20) {
            list.add(&sid(number), None, None, None);
        }
        assert_eq!((list.iter().count(), list.missing()), (10, 20));
        assert!(list.iter().all(|(_, call)| call.events == 2));
        list.add(&sid(0), None, None, Some("x".repeat(1 << 20)));
        assert_eq!(list.missing(), 21);
        let mut list = CallList::default();
        list.add(&sid(0), None, None, Some("x".repeat(1 << 20)));
        let outcome = list.iter().find_map(|(_, call)| call.outcome.as_deref());
        assert!(outcome.is_some_and(|outcome| outcome.len() < 2 * MAX_NAME_BYTES));
    }
}
