//! Compares the profiles of two runs.

use std::collections::HashSet;

use super::align::{AlignedStep, align};
use super::profile::{CallStep, RunProfile};
use crate::analysis::stats::CallStats;
use crate::analysis::stats::histogram::DurationHistogram;
use crate::analysis::stats::tally::Tally;

/// The smallest difference of two durations that is reported, in milliseconds.
const MIN_MILLIS: f64 = 5.0;

/// The number of durations on each side from which their 95th percentiles are compared. With fewer,
/// it is the longest one or close to it.
const MIN_FOR_P95: u64 = 20;

/// From which difference on durations and shares are reported.
#[derive(Debug, Clone, Copy)]
pub struct DiffThreshold {
    /// The relative difference of durations, such as 0.1 for a tenth.
    pub durations: f64,
    /// The difference of shares, such as 0.05 for five percentage points.
    pub shares: f64,
}

/// What a difference is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiffSubject {
    /// The events of a type.
    EventType,
    /// A state that calls were in.
    State,
    /// A tool that the agent called.
    Tool,
    /// The first audio of the turn with this number.
    Turn,
    /// Something else that takes time.
    Duration,
    /// The reason for which calls ended.
    Outcome,
    /// The trigger of escalations.
    Trigger,
    /// A deviation from the model.
    Drift,
    /// The faults of malformed frames.
    Malformed,
}

impl DiffSubject {
    /// Returns the name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::EventType => "event",
            Self::State => "state",
            Self::Tool => "tool",
            Self::Turn => "turn",
            Self::Duration => "time",
            Self::Outcome => "outcome",
            Self::Trigger => "escalation",
            Self::Drift => "drift",
            Self::Malformed => "malformed",
        }
    }
}

/// How something changed from the first run to the second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RunChange {
    /// It is only in the second run, so often.
    Appeared(u64),
    /// It is only in the first run, so often.
    Disappeared(u64),
    /// It takes longer or shorter.
    Duration {
        /// The percentile that is compared: 50 or 95.
        percentile: u8,
        /// The percentile in each run, in milliseconds.
        millis: (f64, f64),
        /// The number of durations in each run.
        counts: (u64, u64),
    },
    /// Its share changed.
    Share {
        /// How often it occurs in each run.
        counts: (u64, u64),
        /// Of how many, in each run.
        of: (u64, u64),
    },
}

impl RunChange {
    /// Returns by how much longer it takes, such as 0.5 for half as long again; `None` if it does
    /// not take longer.
    #[must_use]
    pub fn slowdown(&self) -> Option<f64> {
        match self {
            Self::Duration { millis: (before, after), .. } if after > before => {
                Some(after / before.max(f64::MIN_POSITIVE) - 1.0)
            }
            _ => None,
        }
    }
}

/// One difference between two runs.
#[derive(Debug, Clone, PartialEq)]
pub struct RunDifference {
    /// What it is about.
    pub subject: DiffSubject,
    /// The name of that, from the events.
    pub name: String,
    /// How it changed.
    pub change: RunChange,
}

/// The comparison of two runs.
#[derive(Debug)]
pub struct RunComparison<'a> {
    /// The profiles of both runs.
    pub runs: (&'a RunProfile, &'a RunProfile),
    /// The differences, by subject.
    pub differences: Vec<RunDifference>,
}

impl<'a> RunComparison<'a> {
    /// Compares two runs.
    #[must_use]
    pub fn new(a: &'a RunProfile, b: &'a RunProfile, threshold: DiffThreshold) -> Self {
        let mut comparison = Self { runs: (a, b), differences: Vec::new() };
        comparison.compare(threshold);
        comparison
    }

    /// Returns the largest slowdown, such as 0.5 for half as long again.
    #[must_use]
    pub fn slowdown(&self) -> f64 {
        let slowdowns = self.differences.iter().filter_map(|it| it.change.slowdown());
        slowdowns.fold(0.0, f64::max)
    }

    /// Returns the steps of both calls, aligned, if each run is a single call.
    #[must_use]
    pub fn steps(&self) -> Option<Vec<AlignedStep<'a>>> {
        let (a, b) = self.runs;
        let is_single = |run: &RunProfile| run.calls == 1 && !run.steps.is_empty();
        (is_single(a) && is_single(b)).then(|| align(&a.steps, &b.steps))
    }

    fn compare(&mut self, threshold: DiffThreshold) {
        let (a, b) = self.runs;
        let (old, new) = (&a.stats, &b.stats);
        let limit = threshold.durations;
        self.presence(DiffSubject::EventType, &old.types(), &new.types());
        let entered = |run: &'a RunProfile| counts(&run.states, |state| state.entered);
        self.presence(DiffSubject::State, &entered(a), &entered(b));
        for (name, state) in a.states.named() {
            if let Some(other) = b.states.get(name) {
                let durations = (&state.first_audio, &other.first_audio);
                self.durations(DiffSubject::State, name, durations, limit);
            }
        }
        let called =
            |run: &'a RunProfile| counts(&run.stats.tools, |tool| tool.started.max(tool.completed));
        self.presence(DiffSubject::Tool, &called(a), &called(b));
        for (name, tool) in old.tools.named() {
            if let Some(other) = new.tools.get(name) {
                let durations = (&tool.durations, &other.durations);
                self.durations(DiffSubject::Tool, name, durations, limit);
                let (counts, of) = ((tool.failed, other.failed), (tool.completed, other.completed));
                let name = format!("{name} failed");
                self.share(DiffSubject::Tool, &name, counts, of, threshold.shares);
            }
        }
        for (number, (turn, other)) in a.turns.iter().zip(&b.turns).enumerate() {
            let name = (number + 1).to_string();
            self.durations(DiffSubject::Turn, &name, (turn, other), limit);
        }
        // Tools are compared one by one.
        let others = new.durations();
        for (name, durations) in
            old.durations().into_iter().filter(|(name, _)| *name != "tool calls")
        {
            if let Some((_, other)) = others.iter().find(|(other, _)| *other == name) {
                self.durations(DiffSubject::Duration, name, (durations, other), limit);
            }
        }
        self.outcomes((&old.calls, &new.calls), threshold.shares);
        self.outcomes((&old.sessions, &new.sessions), threshold.shares);
        for (subject, before, after) in [
            (DiffSubject::Trigger, &old.triggers, &new.triggers),
            (DiffSubject::Drift, &old.drift, &new.drift),
            (DiffSubject::Malformed, &old.malformed, &new.malformed),
        ] {
            self.presence(subject, &counts(before, |count| *count), &counts(after, |count| *count));
        }
    }

    /// Adds what is only in one of the runs.
    fn presence(
        &mut self,
        subject: DiffSubject,
        before: &[(Option<&str>, u64)],
        after: &[(Option<&str>, u64)],
    ) {
        let missing = |from: &[(Option<&str>, u64)], of: &[(Option<&str>, u64)]| {
            let others: HashSet<_> = from.iter().map(|(name, _)| *name).collect();
            let is_missing = |name: Option<&str>| !others.contains(&name);
            let missing = of.iter().filter(|(name, count)| *count > 0 && is_missing(*name));
            missing.filter_map(|(name, count)| Some(((*name)?.to_owned(), *count))).collect()
        };
        let (gone, come): (Vec<_>, Vec<_>) = (missing(after, before), missing(before, after));
        let gone = gone.into_iter().map(|(name, count)| (name, RunChange::Disappeared(count)));
        let come = come.into_iter().map(|(name, count)| (name, RunChange::Appeared(count)));
        self.differences.extend(gone.chain(come).map(|(name, change)| RunDifference {
            subject,
            name,
            change,
        }));
    }

    fn durations(
        &mut self,
        subject: DiffSubject,
        name: &str,
        (before, after): (&DurationHistogram, &DurationHistogram),
        threshold: f64,
    ) {
        let Some((old, new)) = before.percentiles().zip(after.percentiles()) else { return };
        let counts = (before.count(), after.count());
        let has_p95 = counts.0.min(counts.1) >= MIN_FOR_P95;
        let percentiles = [(50, old[0], new[0]), (95, old[1], new[1])];
        for (percentile, old, new) in percentiles.into_iter().take(if has_p95 { 2 } else { 1 }) {
            let difference = (new - old).abs();
            if difference >= MIN_MILLIS && difference >= old.min(new) * threshold {
                let millis = (old, new);
                let change = RunChange::Duration { percentile, millis, counts };
                self.differences.push(RunDifference { subject, name: name.to_owned(), change });
            }
        }
    }

    fn share(
        &mut self,
        subject: DiffSubject,
        name: &str,
        counts: (u64, u64),
        of: (u64, u64),
        threshold: f64,
    ) {
        if of.0 == 0 || of.1 == 0 {
            return;
        }
        let (before, after) = (ratio(counts.0, of.0), ratio(counts.1, of.1));
        if (after - before).abs() >= threshold {
            let change = RunChange::Share { counts, of };
            self.differences.push(RunDifference { subject, name: name.to_owned(), change });
        }
    }

    fn outcomes(&mut self, (before, after): (&CallStats, &CallStats), threshold: f64) {
        let of = (before.ended(), after.ended());
        let mut names: Vec<_> = before.outcomes.named().map(|(name, _)| name).collect();
        let others = after.outcomes.named().map(|(name, _)| name);
        names.extend(others.filter(|name| before.outcomes.get(name).is_none()));
        for name in names {
            let count = |calls: &CallStats| calls.outcomes.get(name).copied().unwrap_or_default();
            let counts = (count(before), count(after));
            self.share(DiffSubject::Outcome, name, counts, of, threshold);
        }
    }
}

/// Returns the share of a count in a total.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a share is approximate")]
pub fn ratio(count: u64, of: u64) -> f64 {
    count as f64 / of as f64
}

/// Returns the count of each name that is counted separately.
fn counts<V: Default>(tally: &Tally<V>, count: impl Fn(&V) -> u64) -> Vec<(Option<&str>, u64)> {
    tally.named().map(|(name, value)| (Some(name), count(value))).collect()
}

/// Returns what a step is, and its name.
#[must_use]
pub fn step_name(step: &CallStep) -> (&'static str, &str, bool) {
    match step {
        CallStep::State(name) => ("state", name, false),
        CallStep::Tool(name, has_failed) => ("tool", name, *has_failed),
    }
}
