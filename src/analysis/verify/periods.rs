//! Sets of periods.

/// A period in milliseconds of Unix time. It includes `from` and excludes `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period {
    pub from: i64,
    pub to: i64,
}

/// The periods of a set, in order. No two overlap or touch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Periods(Vec<Period>);

impl Periods {
    /// Adds a period. An empty one changes nothing.
    pub fn add(&mut self, period: Period) {
        if period.from >= period.to {
            return;
        }
        let (start, end) = self.touching(period);
        let touched = &self.0[start..end];
        let from = touched.first().map_or(period.from, |first| first.from.min(period.from));
        let to = touched.last().map_or(period.to, |last| last.to.max(period.to));
        self.0.splice(start..end, [Period { from, to }]);
    }

    /// Removes what is in a period.
    pub fn remove(&mut self, period: Period) {
        if period.from >= period.to {
            return;
        }
        let (start, end) = self.touching(period);
        let touched = &self.0[start..end];
        let before = touched.first().map(|first| Period { from: first.from, to: period.from });
        let after = touched.last().map(|last| Period { from: period.to, to: last.to });
        let rest: Vec<_> =
            before.into_iter().chain(after).filter(|rest| rest.from < rest.to).collect();
        self.0.splice(start..end, rest);
    }

    /// Returns where the periods that overlap or touch this one begin and end.
    fn touching(&self, period: Period) -> (usize, usize) {
        let start = self.0.partition_point(|other| other.to < period.from);
        let end = self.0.partition_point(|other| other.from <= period.to);
        (start, end.max(start))
    }

    /// Returns the periods between the first and the last one that are not in the set.
    pub fn between(&self) -> impl Iterator<Item = Period> {
        self.0.windows(2).map(|pair| Period { from: pair[0].to, to: pair[1].from })
    }

    /// Returns the periods, in order.
    #[must_use]
    pub fn as_slice(&self) -> &[Period] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn sets_of_periods_are_like_sets_of_moments(
            steps in prop::collection::vec((any::<bool>(), 0i64..40, 0i64..12), 0..30)
        ) {
            let at = |moment: i64| usize::try_from(moment).expect("small");
            let (mut periods, mut moments) = (Periods::default(), [false; 64]);
            for (adds, from, length) in steps {
                let period = Period { from, to: from + length };
                if adds { periods.add(period) } else { periods.remove(period) }
                (from..from + length).for_each(|moment| moments[at(moment)] = adds);
            }
            let mut covered = [false; 64];
            for period in periods.as_slice() {
                prop_assert!(period.from < period.to);
                (period.from..period.to).for_each(|moment| covered[at(moment)] = true);
            }
            prop_assert_eq!(covered, moments);
            let holes: Vec<_> = periods.between().collect();
            prop_assert_eq!(holes.len(), periods.as_slice().len().saturating_sub(1));
            for hole in holes {
                prop_assert!(hole.from < hole.to);
                prop_assert!((hole.from..hole.to).all(|moment| !moments[at(moment)]));
            }
        }
    }
}
