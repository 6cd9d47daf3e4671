//! What one tap, or one recording, covers of a stream.

use super::periods::{Period, Periods};

/// A gap of one tap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TapGap {
    pub period: Period,
    /// Whether events are missing for certain.
    pub is_certain: bool,
    /// The cause.
    pub reason: Box<str>,
}

/// The periods that a tap covers, and its gaps.
#[derive(Debug, Clone, Default)]
pub struct TapCoverage {
    covered: Periods,
    /// The moment since which nothing was missed.
    since: Option<i64>,
    gaps: Vec<TapGap>,
    /// Since when something may have been missed and why, if nothing has followed.
    interrupted: Option<(i64, Box<str>)>,
}

impl TapCoverage {
    /// The tap is complete from here on.
    pub fn begin(&mut self, from: i64) {
        self.since = Some(from);
    }

    /// The tap has missed nothing since its last position. It may resume before a gap that it has
    /// reported, which remains.
    pub fn resume(&mut self, from: i64) {
        self.reach(from);
    }

    /// The tap has everything up to here.
    pub fn reach(&mut self, to: i64) {
        if let Some((from, reason)) = self.interrupted.take() {
            let period = Period { from: from.min(to), to };
            self.gaps.push(TapGap { period, is_certain: false, reason });
        }
        let from = *self.since.get_or_insert(to);
        self.covered.add(Period { from, to });
    }

    /// The tap ended.
    pub fn end(&mut self) {
        self.since = None;
    }

    /// Something may have been missed, which is a gap if anything follows. That is covered only from
    /// the next event on.
    pub fn interrupt(&mut self, from: Option<i64>, to: i64, reason: &str) {
        let from = self.leave_out(from, to).from;
        self.interrupted = Some((from, reason.into()));
    }

    /// Nothing in this period is covered, nor what follows until the next event.
    fn leave_out(&mut self, from: Option<i64>, to: i64) -> Period {
        let period = Period { from: from.unwrap_or(to).min(to), to };
        self.covered.remove(period);
        self.since = None;
        period
    }

    /// Something was missed, as in [`interrupt`](Self::interrupt), which is a gap also if nothing
    /// follows.
    pub fn miss_and_interrupt(
        &mut self,
        from: Option<i64>,
        to: i64,
        is_certain: bool,
        reason: &str,
    ) {
        let period = self.leave_out(from, to);
        self.gaps.push(TapGap { period, is_certain, reason: reason.into() });
    }

    /// The tap missed something. Without `from`, it is not known since when.
    pub fn miss(&mut self, from: Option<i64>, to: i64, is_certain: bool, reason: &str) {
        let first = self.covered.as_slice().first().map(|period| period.from);
        let period = Period { from: from.or(first).unwrap_or(to).min(to), to };
        if self.since.is_some_and(|since| since < period.from) {
            self.reach(period.from);
        }
        self.covered.remove(period);
        self.gaps.push(TapGap { period, is_certain, reason: reason.into() });
        self.since = Some(to);
    }

    /// Returns the periods that are covered.
    #[must_use]
    pub const fn covered(&self) -> &Periods {
        &self.covered
    }

    /// Returns the gaps, in the order in which they were reported.
    #[must_use]
    pub fn gaps(&self) -> &[TapGap] {
        &self.gaps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(from: i64, to: i64) -> Period {
        Period { from, to }
    }

    #[test]
    fn a_gap_is_not_covered_and_what_follows_is() {
        let mut coverage = TapCoverage::default();
        for time in [10, 20, 30] {
            coverage.reach(time);
        }
        coverage.miss(Some(40), 50, true, "away_too_long");
        for time in [60, 70] {
            coverage.reach(time);
        }
        assert_eq!(coverage.covered().as_slice(), [period(10, 40), period(50, 70)]);
        assert_eq!(coverage.gaps()[0].period, period(40, 50));
    }

    #[test]
    fn a_gap_whose_beginning_is_unknown_begins_with_the_recording() {
        let mut coverage = TapCoverage::default();
        coverage.miss(None, 50, false, "no_position");
        coverage.reach(60);
        assert_eq!(coverage.covered().as_slice(), [period(50, 60)]);
        assert_eq!(coverage.gaps()[0].period, period(50, 50));
        coverage.miss(None, 90, false, "no_position");
        coverage.reach(95);
        assert_eq!(coverage.covered().as_slice(), [period(90, 95)]);
    }

    #[test]
    fn nothing_is_covered_between_an_interruption_and_the_next_event() {
        let mut coverage = TapCoverage::default();
        for time in [10, 20] {
            coverage.reach(time);
        }
        coverage.interrupt(Some(25), 30, "no_position");
        assert!(coverage.gaps().is_empty());
        for time in [40, 50] {
            coverage.reach(time);
        }
        assert_eq!(coverage.gaps()[0].period, period(25, 40));
        assert_eq!(coverage.covered().as_slice(), [period(10, 20), period(40, 50)]);
        coverage.miss_and_interrupt(Some(45), 60, true, "removed");
        coverage.reach(70);
        assert_eq!(coverage.covered().as_slice(), [period(10, 20), period(40, 45)]);
        assert_eq!(coverage.gaps()[1].period, period(45, 60));
    }

    #[test]
    fn whoever_resumes_has_missed_nothing_since_the_last_position() {
        let mut coverage = TapCoverage::default();
        coverage.begin(10);
        coverage.reach(20);
        coverage.resume(30);
        coverage.reach(40);
        assert_eq!(coverage.covered().as_slice(), [period(10, 40)]);
        // The position lies before what was covered, or nothing is known of what was before.
        coverage.resume(35);
        coverage.end();
        coverage.resume(50);
        coverage.reach(60);
        assert_eq!(coverage.covered().as_slice(), [period(10, 40), period(50, 60)]);
        coverage.miss(Some(70), 80, false, "away_too_long");
        // No event has come since, so it resumes at the same position.
        coverage.resume(65);
        coverage.reach(90);
        let expected = [period(10, 40), period(50, 70), period(80, 90)];
        assert_eq!(coverage.covered().as_slice(), expected);
    }

    #[test]
    fn nothing_is_covered_between_an_end_and_the_next_beginning() {
        let mut coverage = TapCoverage::default();
        coverage.begin(10);
        coverage.reach(20);
        coverage.end();
        coverage.begin(30);
        coverage.reach(40);
        assert_eq!(coverage.covered().as_slice(), [period(10, 20), period(30, 40)]);
    }
}
