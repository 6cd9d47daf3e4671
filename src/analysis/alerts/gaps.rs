//! The gaps of a workspace's streams, in which nothing can be known to be absent.

use serde::{Deserialize, Serialize};

use super::millis::Millis;

/// The maximum number of gaps that are remembered of a workspace.
const MAX_GAPS: usize = 64;

/// A period in which events may be missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownGap {
    /// Where it begins; the least time if that is unknown.
    pub from: Millis,
    /// Where it ends.
    pub to: Millis,
    /// The call whose observer has the gap; `None` for the stream of the workspace.
    pub call: Option<Box<str>>,
}

/// The streams whose gaps affect a rule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AffectedStreams {
    /// The stream of the workspace.
    pub workspace: bool,
    /// The observers of calls.
    pub observer: bool,
    /// The keys are calls, so a gap of an observer affects only the key of its call.
    pub keys_are_calls: bool,
}

impl AffectedStreams {
    /// Returns whether a gap affects a key.
    #[must_use]
    pub fn has(self, gap: &KnownGap, key: &str) -> bool {
        match &gap.call {
            None => self.workspace,
            Some(call) => self.observer && (!self.keys_are_calls || **call == *key),
        }
    }
}

/// The gaps that affect a key.
pub struct GapView<'a> {
    gaps: &'a [KnownGap],
    streams: AffectedStreams,
    key: &'a str,
}

impl<'a> GapView<'a> {
    /// Creates the view of the gaps of a workspace for one key of a rule.
    #[must_use]
    pub const fn new(gaps: &'a [KnownGap], streams: AffectedStreams, key: &'a str) -> Self {
        Self { gaps, streams, key }
    }

    /// Returns the end of the last gap within a period; `None` if there is none.
    #[must_use]
    pub fn within(&self, from: Millis, to: Millis) -> Option<Millis> {
        let overlapping = self.gaps.iter().filter(|gap| gap.from <= to && gap.to >= from);
        overlapping.filter(|gap| self.streams.has(gap, self.key)).map(|gap| gap.to).max()
    }
}

/// Adds a gap. Those that end before `oldest` are forgotten. If there are too many, the two oldest
/// become one, which is longer.
pub fn remember(gaps: &mut Vec<KnownGap>, gap: KnownGap, oldest: Millis) {
    gaps.retain(|known| known.to >= oldest);
    gaps.push(gap);
    if gaps.len() > MAX_GAPS {
        let first = gaps.remove(0);
        if let Some(second) = gaps.first_mut() {
            second.from = second.from.min(first.from);
            second.to = second.to.max(first.to);
            if first.call != second.call {
                second.call = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gap(from: Millis, to: Millis, call: Option<&str>) -> KnownGap {
        KnownGap { from, to, call: call.map(Into::into) }
    }

    #[test]
    fn a_gap_affects_the_rules_that_read_its_stream() {
        let both = AffectedStreams { workspace: true, observer: true, keys_are_calls: true };
        assert!(both.has(&gap(0, 1, None), "x") && both.has(&gap(0, 1, Some("x")), "x"));
        assert!(!both.has(&gap(0, 1, Some("y")), "x"), "the observer of another call");
        let tools = AffectedStreams { keys_are_calls: false, workspace: false, ..both };
        assert!(tools.has(&gap(0, 1, Some("y")), "x") && !tools.has(&gap(0, 1, None), "x"));
        let gaps = [gap(10, 20, None), gap(15, 30, None), gap(40, 50, Some("y"))];
        let view = GapView::new(&gaps, both, "x");
        assert_eq!(
            [view.within(0, 9), view.within(0, 10), view.within(31, 60)],
            [None, Some(20), None]
        );
        assert_eq!(view.within(20, 20), Some(30));
    }

    #[test]
    fn few_gaps_are_remembered_and_none_is_lost() {
        let mut gaps = Vec::new();
        for number in 0..1000 {
            remember(&mut gaps, gap(number, number, None), 0);
        }
        assert_eq!((gaps.len(), gaps[0].from, gaps[0].to), (MAX_GAPS, 0, 936));
        remember(&mut gaps, gap(2000, 2001, None), 1500);
        assert_eq!(gaps, [gap(2000, 2001, None)]);
    }
}
