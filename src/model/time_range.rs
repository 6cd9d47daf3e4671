//! The range of time whose events are read.

use jiff::Timestamp;

/// A range of time, which includes its beginning and excludes its end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TimeRange {
    since: Option<Timestamp>,
    before: Option<Timestamp>,
}

impl TimeRange {
    /// Creates a range. Without a bound, it is open on that side.
    #[must_use]
    pub const fn new(since: Option<Timestamp>, before: Option<Timestamp>) -> Self {
        Self { since, before }
    }

    /// Returns whether the range has no bound, so that events need not be compared with it.
    #[must_use]
    pub const fn is_unbounded(&self) -> bool {
        self.since.is_none() && self.before.is_none()
    }

    /// Returns whether a moment from `earliest` to `latest` is in the range.
    #[must_use]
    pub fn overlaps(&self, earliest: Timestamp, latest: Timestamp) -> bool {
        self.since.is_none_or(|since| latest >= since)
            && self.before.is_none_or(|before| earliest < before)
    }

    /// Returns whether an event of this moment is in the range. Without a moment, it is only in a
    /// range without bounds.
    #[must_use]
    pub fn contains(&self, moment: Option<Timestamp>) -> bool {
        self.is_unbounded()
            || moment.is_some_and(|moment| {
                self.since.is_none_or(|since| moment >= since)
                    && self.before.is_none_or(|before| moment < before)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_belongs_to_a_range_and_the_end_does_not() {
        let at = |millis| Timestamp::from_millisecond(millis).expect("a time");
        let range = TimeRange::new(Some(at(10)), Some(at(20)));
        let inside: Vec<_> = (8..22).filter(|millis| range.contains(Some(at(*millis)))).collect();
        assert_eq!(inside, (10..20).collect::<Vec<_>>());
        assert!(!range.contains(None));
        assert!(TimeRange::new(Some(at(10)), None).contains(Some(at(30))));
        assert!(!TimeRange::new(None, Some(at(10))).contains(Some(at(30))));
        assert!(TimeRange::default().contains(None));
    }
}
