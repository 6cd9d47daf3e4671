//! The check of `expect`: predicates that must match in order or in any order, each as often as asked
//! and within its time, and predicates that must never match.
//!
//! The check uses the times of the events, if they have one, so that a recording has the same
//! result as the live stream. The clock only decides when a live stream is silent for too long.

mod report;
mod step;

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

pub use report::ReportStyle;
pub use step::{ExpectStep, StepSpec};

use super::{StopCheck, StopCondition, Verdict};
use crate::error::{Exit, Result};
use crate::query::{EventContext, Failures, Predicate};
use report::ExpectReport;
use step::StepMatch;

/// How a check is made.
#[derive(Debug, Clone, Copy, Default)]
pub struct ExpectConfig {
    /// Whether the stream is live, so that the clock takes part.
    pub is_live: bool,
    /// Whether the steps may be met in any order.
    pub any_order: bool,
    /// How long the check lasts.
    pub duration: Option<Duration>,
    /// The format of the report.
    pub style: ReportStyle,
    /// Whether to write annotations for GitHub Actions.
    pub annotates: bool,
}

/// The steps of a check and its progress.
pub struct Expectation {
    steps: Vec<ExpectStep>,
    config: ExpectConfig,
    /// The time of the first event.
    start: Option<Timestamp>,
    /// The time from which the time of the current steps counts: that of the event that met the
    /// last step of a sequence, or of the first event.
    since: Option<Timestamp>,
    /// The clock time at which the check began.
    began: Instant,
    /// The clock time at which the current steps began.
    step_began: Instant,
    shared: Arc<SharedSteps>,
}

/// Which steps are decided, for workers.
struct SharedSteps {
    /// Changes with every decision.
    version: AtomicUsize,
    decided: Vec<AtomicBool>,
}

impl Expectation {
    /// Creates a check with these steps.
    #[must_use]
    pub fn new(steps: Vec<ExpectStep>, config: ExpectConfig) -> Self {
        let now = Instant::now();
        let decided = steps.iter().map(|_| AtomicBool::new(false)).collect();
        let shared = Arc::new(SharedSteps { version: AtomicUsize::new(0), decided });
        Self { steps, config, start: None, since: None, began: now, step_began: now, shared }
    }

    fn exit(&self) -> Exit {
        if self.steps.iter().all(ExpectStep::is_met) { Exit::Done } else { Exit::Verdict }
    }

    /// Returns the indexes of the steps that wait for an event: the first of a sequence, or all.
    fn open(&self) -> impl Iterator<Item = usize> {
        let open = self.steps.iter().enumerate().filter(|(_, step)| step.is_open());
        open.map(|(at, _)| at).take(if self.config.any_order { usize::MAX } else { 1 })
    }

    fn report_data(&self) -> ExpectReport<'_> {
        ExpectReport::new(&self.steps, !self.config.any_order)
    }

    /// Notes the event that decides a step.
    fn decide(&mut self, at: usize, after: Option<SignedDuration>) {
        self.steps[at].decided = Some(StepMatch { after });
        self.shared.decided[at].store(true, Ordering::Relaxed);
        // Whoever reads the new version also reads the decision.
        self.shared.version.fetch_add(1, Ordering::Release);
    }

    /// Returns whether all steps that wait for an event are met, and no step must be watched on.
    fn is_over(&self) -> bool {
        let has_never = self.steps.iter().any(|step| step.spec.is_never);
        let ends_by_itself = !self.config.is_live || self.config.duration.is_some();
        self.open().next().is_none() && !(has_never && ends_by_itself)
    }

    /// Returns whether an event comes after the end of the check, or too late for an open step.
    fn is_late(&self, now: Option<Timestamp>) -> bool {
        let is_live = self.config.is_live;
        let passed =
            |since: Option<Timestamp>| now.zip(since).map(|(now, at)| now.duration_since(at));
        let ended = self.config.duration.filter(|_| !is_live).zip(passed(self.start));
        ended.is_some_and(|(duration, passed)| !is_in_time(passed, duration))
            || self.open().filter_map(|at| self.steps[at].spec.within).any(|within| {
                match passed(self.since) {
                    Some(passed) => !is_in_time(passed, within),
                    None => is_live && self.step_began.elapsed() > within,
                }
            })
    }
}

impl StopCondition for Expectation {
    fn observe(&mut self, context: &EventContext<'_>) -> Result<bool> {
        let now = context.event.tap().moment();
        self.start = self.start.or(now);
        self.since = self.since.or(now);
        let after =
            |since: Option<Timestamp>| now.zip(since).map(|(now, at)| now.duration_since(at));
        if self.is_late(now) {
            return Ok(true);
        }
        for at in 0..self.steps.len() {
            let step = &mut self.steps[at];
            if step.spec.is_never && step.decided.is_none() && step.predicate.holds(context) {
                step.matches += 1;
                self.decide(at, after(self.start));
                return Ok(true);
            }
        }
        for at in 0..self.steps.len() {
            let step = &mut self.steps[at];
            if !step.is_open() {
                continue;
            }
            if step.predicate.holds(context) {
                step.matches += 1;
                if step.matches == step.spec.times {
                    self.decide(at, after(self.since));
                    if !self.config.any_order {
                        self.since = now.or(self.since);
                        self.step_began = Instant::now();
                    }
                }
            }
            if !self.config.any_order {
                break;
            }
        }
        Ok(self.is_over())
    }

    fn deadline(&self) -> Option<Instant> {
        if !self.config.is_live {
            return None;
        }
        let end = self.config.duration.map(|duration| self.began + duration);
        let steps = self.open().filter_map(|at| self.steps[at].spec.within);
        end.into_iter().chain(steps.map(|within| self.step_began + within)).min()
    }

    fn end(&mut self) -> Exit {
        self.exit()
    }

    fn failures_each(&mut self) -> Vec<&mut Failures> {
        self.steps.iter_mut().map(|step| step.predicate.failures_mut()).collect()
    }

    /// The clock takes part in the check of a live stream.
    fn fork(&self) -> Option<Box<dyn StopCheck>> {
        let is_timed = self.config.duration.is_some();
        let check = StepCheck {
            steps: self
                .steps
                .iter()
                .map(|step| (step.predicate.fork(), step.spec.is_never))
                .collect(),
            any_order: self.config.any_order,
            is_timed: is_timed || self.steps.iter().any(|step| step.spec.within.is_some()),
            shared: Arc::clone(&self.shared),
            checked: None,
        };
        (!self.config.is_live).then(|| Box::new(check) as Box<dyn StopCheck>)
    }

    fn can_skip(&self, checked: Option<&(dyn Any + Send)>) -> bool {
        let Some(checked) = checked.and_then(|checked| checked.downcast_ref::<CheckedSteps>())
        else {
            // There was no event.
            return true;
        };
        // The first event with a time is the beginning of the check.
        self.start.is_some()
            && checked.version == self.shared.version.load(Ordering::Relaxed)
            && !self.is_late(checked.latest)
    }

    fn verdict(&self) -> Option<Verdict> {
        let reason = match self.report_data().first_unmet() {
            None => "every step was met".to_owned(),
            Some(number) => {
                let is_never = self.steps[number - 1].spec.is_never;
                let end = if is_never {
                    ", which no event may match, was matched"
                } else {
                    " was not met"
                };
                format!("step {number} of {}{end}", self.steps.len())
            }
        };
        Some(Verdict { is_met: self.exit() == Exit::Done, reason })
    }

    fn report(&self) -> Option<String> {
        Some(self.report_data().render(self.config.style))
    }

    fn annotations(&self) -> Vec<String> {
        if self.config.annotates { self.report_data().annotations() } else { Vec::new() }
    }
}

/// Whether something `after` this time is within a time.
fn is_in_time(after: SignedDuration, within: Duration) -> bool {
    after <= SignedDuration::try_from(within).unwrap_or(SignedDuration::MAX)
}

/// Evaluates the steps of an [`Expectation`] that an event could change, on a worker thread.
///
/// Few events change a step, so there are few chunks that must be observed in order.
struct StepCheck {
    /// The predicate of each step, and whether it must never match.
    steps: Vec<(Predicate, bool)>,
    any_order: bool,
    /// Whether the times of events matter.
    is_timed: bool,
    shared: Arc<SharedSteps>,
    checked: Option<CheckedSteps>,
}

/// What no event of a chunk changed.
struct CheckedSteps {
    /// The version of the decisions at the beginning of the chunk.
    version: usize,
    /// The latest time of the events, if times matter.
    latest: Option<Timestamp>,
}

impl StopCheck for StepCheck {
    fn check(&mut self, context: &EventContext<'_>) -> bool {
        let checked = self.checked.get_or_insert_with(|| CheckedSteps {
            version: self.shared.version.load(Ordering::Acquire),
            latest: None,
        });
        if self.is_timed {
            checked.latest = checked.latest.max(context.event.tap().moment());
        }
        let mut is_waiting = false;
        for ((predicate, is_never), decided) in self.steps.iter_mut().zip(&self.shared.decided) {
            if decided.load(Ordering::Relaxed) {
                continue;
            }
            // Only the first open step of a sequence waits for an event.
            let is_checked =
                *is_never || self.any_order || !std::mem::replace(&mut is_waiting, true);
            if is_checked && predicate.holds(context) {
                return false;
            }
        }
        true
    }

    fn take(&mut self) -> Option<Box<dyn Any + Send>> {
        self.checked.take().map(|checked| Box::new(checked) as Box<dyn Any + Send>)
    }

    fn failures_each(&mut self) -> Vec<&mut Failures> {
        self.steps.iter_mut().map(|(predicate, _)| predicate.failures_mut()).collect()
    }
}
