//! Metrics of events: what each event of the run adds to them.

use std::io;
use std::sync::atomic::AtomicU64;

use jiff::Timestamp;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry, Unit};

use super::labels::{KnownCounters, LabelNames, Labels, OTHER, OwnedLabels};
use crate::analysis::latency::{ENGINE, FIRST_AUDIO, LatencyComponent, NAVIGATION, RENDER, SPEECH};
use crate::analysis::stats::step_tracker::StepTracker;
use crate::analysis::stats::{call_sid, event_millis};
use crate::model::catalog::value::{
    AlertState, CompletionReason, EscalationTrigger, GapReason, Malformation,
};
use crate::model::{DriftKind, Kind, Model, Stream, Type};
use crate::output::{Observer, OutputError};
use crate::query::EventContext;
use crate::redact::RedactedEvent;

/// The number of tools that are counted separately.
const MAX_TOOLS: usize = 100;

/// The number of rules whose alerts are counted separately.
const MAX_RULES: usize = 200;

/// The upper bounds of the durations of calls, in seconds.
const CALL_BUCKETS: [f64; 10] =
    [10.0, 30.0, 60.0, 120.0, 180.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0];

/// The upper bounds of the parts of a turn, in seconds.
const TURN_BUCKETS: [f64; 12] = [0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0];

/// The upper bounds of the durations of tool calls, in seconds.
const TOOL_BUCKETS: [f64; 10] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// The parts of a turn: the name and the help of each metric.
const TURN_PARTS: [(LatencyComponent, &str, &str); 5] = [
    (FIRST_AUDIO, "first_audio", "Time from the end of the caller's turn to the first audio"),
    (ENGINE, "engine", "Engine time of a turn, including navigation and rendering"),
    (NAVIGATION, "navigation", "Time of a turn to choose the next action"),
    (RENDER, "render", "Time of a turn to word the answer"),
    (SPEECH, "speech", "Time from the request for speech to its first audio"),
];

/// The names of the kinds of drift.
const DRIFT_KINDS: [&str; DriftKind::ALL.len()] = {
    let mut names = [""; DriftKind::ALL.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = DriftKind::ALL[at].name();
        at += 1;
    }
    names
};

const STARTED: u8 = 1;
const ENDED: u8 = 2;

type FloatGauge = Gauge<f64, AtomicU64>;

/// Counts the events of a run, also those that the filters leave out.
#[derive(Debug)]
pub struct EventMetrics {
    now: fn() -> Timestamp,
    /// The counters of the declared types, by [`Kind`].
    declared: Vec<Counter>,
    undeclared: Counter,
    filtered: Counter,
    redacted: Counter,
    drift: KnownCounters,
    malformed: KnownCounters,
    certain_gaps: KnownCounters,
    possible_gaps: KnownCounters,
    behind: FloatGauge,
    last_event: FloatGauge,
    outcomes: KnownCounters,
    active: Gauge,
    /// Which calls have started and ended, by either stream.
    calls: StepTracker,
    triggers: KnownCounters,
    call_durations: Histogram,
    turns: Vec<(&'static str, Histogram)>,
    tools: LabelNames,
    tool_durations: Family<OwnedLabels<1>, Histogram, fn() -> Histogram>,
    rules: LabelNames,
    alerts: Family<OwnedLabels<2>, Counter>,
}

impl EventMetrics {
    /// Creates the metrics and registers them. `now` is the clock.
    pub fn new(registry: &mut Registry, now: fn() -> Timestamp) -> Self {
        let events = add(registry, "events", "Events received, by type");
        let (declared, undeclared) = event_counters(&events);
        let filtered = add(registry, "filtered_events", "Events that the filters left out");
        let redacted = add(registry, "redacted_fields", "Fields whose value was hidden");
        let drift = add(registry, "drift", "Deviations of events from the model");
        let malformed = add(registry, "malformed_frames", "Frames that are not events");
        let gaps = add(registry, "gaps", "Gaps in the streams");
        let gaps_that_are = |certain| {
            let labels = move |reason| [("reason", reason), ("certain", certain)];
            KnownCounters::new(&gaps, choices::<GapReason>(), labels)
        };
        let behind = add_seconds(registry, "behind", "Age of the last event when it was processed");
        let last_event: FloatGauge = add_seconds(
            registry,
            "last_event_timestamp",
            "Time of the last event, or the start of the command",
        );
        last_event.set(seconds(now().as_millisecond()));
        let outcomes = add(registry, "calls", "Calls that ended, by the reason");
        let active = add(registry, "active_calls", "Calls that have started and not ended");
        let triggers = add(registry, "escalations", "Calls that were handed over to a person");
        let call_durations = add_histogram(
            registry,
            "call_duration",
            "Duration of the calls that ended",
            &CALL_BUCKETS,
        );
        let turn = |(component, name, help): (LatencyComponent, _, _)| {
            (component.field, add_histogram(registry, name, help, &TURN_BUCKETS))
        };
        let turns = TURN_PARTS.into_iter().map(turn).collect();
        let tools = Family::new_with_constructor(tool_histogram as fn() -> _);
        registry.register_with_unit(
            "tool_duration",
            "Duration of the tool calls of the agent",
            Unit::Seconds,
            tools.clone(),
        );
        Self {
            now,
            declared,
            undeclared,
            filtered,
            redacted,
            drift: KnownCounters::new(&drift, &DRIFT_KINDS, |kind| [("kind", kind)]),
            malformed: KnownCounters::new(&malformed, choices::<Malformation>(), |category| {
                [("category", category)]
            }),
            certain_gaps: gaps_that_are("true"),
            possible_gaps: gaps_that_are("false"),
            behind,
            last_event,
            outcomes: KnownCounters::new(&outcomes, choices::<CompletionReason>(), |outcome| {
                [("outcome", outcome)]
            }),
            active,
            calls: StepTracker::with_last_step(ENDED),
            triggers: KnownCounters::new(&triggers, choices::<EscalationTrigger>(), |trigger| {
                [("trigger", trigger)]
            }),
            call_durations,
            turns,
            tools: LabelNames::new(MAX_TOOLS),
            tool_durations: tools,
            rules: LabelNames::new(MAX_RULES),
            alerts: add(registry, "alerts", "Alerts of rules, by the state that they report"),
        }
    }

    /// Counts an event. `is_shown` says whether it passed the filters.
    pub fn observe(&mut self, event: &RedactedEvent<'_>, is_shown: bool) {
        let kind = event.kind();
        match kind {
            Some(Kind::TapGap) => {
                let is_certain = event.field("certain").is_some_and(|field| field.json == "true");
                let gaps = if is_certain { &self.certain_gaps } else { &self.possible_gaps };
                return gaps.count(text(event, "reason").as_deref());
            }
            Some(Kind::TapMalformed) => {
                return self.malformed.count(text(event, "category").as_deref());
            }
            Some(Kind::TapAlert) => return self.count_alert(event),
            // evtap's own events are not events of the platform.
            Some(kind) if kind.spec().stream == Stream::Own => return,
            Some(kind) => _ = self.declared[kind as usize].inc(),
            None => _ = self.undeclared.inc(),
        }
        if !is_shown {
            self.filtered.inc();
        }
        let tap = event.tap();
        self.redacted.inc_by(tap.redacted.len() as u64);
        for drift in &tap.drift {
            self.drift.count(Some(drift.kind.name()));
        }
        let now = (self.now)().as_millisecond();
        self.last_event.set(seconds(now));
        if tap.time.is_some()
            && let Some(millis) = event_millis(event)
        {
            // A server whose clock is ahead is not ahead of its own events.
            self.behind.set(seconds(now.saturating_sub(millis).max(0)));
        }
        if let Some(kind) = kind {
            self.observe_kind(event, kind);
        }
    }

    /// Adds the counters of these rules, so that the first alert of each is an increase.
    pub fn add_rules<'a>(&mut self, names: impl IntoIterator<Item = &'a str>) {
        for name in names {
            let rule = self.rules.value_of(name);
            for state in choices::<AlertState>() {
                let labels = [("rule", rule.clone()), ("state", (*state).to_owned())];
                drop(self.alerts.get_or_create(&labels));
            }
        }
    }

    /// Counts an alert by its rule and state.
    fn count_alert(&mut self, event: &RedactedEvent<'_>) {
        let rule = self.rules.value(event.field("rule"));
        let state = text(event, "state");
        let known = choices::<AlertState>().iter().find(|known| Some(**known) == state.as_deref());
        let state = known.copied().unwrap_or(OTHER).to_owned();
        self.alerts.get_or_create(&[("rule", rule), ("state", state)]).inc();
    }

    fn observe_kind(&mut self, event: &RedactedEvent<'_>, kind: Kind) {
        match kind {
            Kind::CallStarted | Kind::SessionStart | Kind::SessionInfo => self.start_call(event),
            Kind::CallEnded => self.end_call(event, "duration_seconds"),
            Kind::SessionEnd => self.end_call(event, "duration_s"),
            Kind::CallEscalated => self.triggers.count(text(event, "trigger").as_deref()),
            Kind::Latency => {
                for (field, histogram) in &self.turns {
                    observe(histogram, number(event, field).map(from_millis));
                }
            }
            Kind::ToolCallCompleted => {
                let tool = self.tools.value(event.field("tool_name"));
                let histogram = self.tool_durations.get_or_create(&[("tool", tool)]);
                observe(&histogram, number(event, "duration_ms").map(from_millis));
            }
            _ => {}
        }
    }

    /// Notes that a call is active, unless it is known.
    fn start_call(&mut self, event: &RedactedEvent<'_>) {
        if self.calls.step(call_sid(event).as_deref(), STARTED) & STARTED != 0 {
            self.active.inc();
        }
    }

    /// Counts the end of a call, which the workspace's stream and the observer may both report.
    fn end_call(&mut self, event: &RedactedEvent<'_>, duration: &str) {
        let sid = call_sid(event);
        // A call whose start was not seen has not been counted as active.
        let new = self.calls.step(sid.as_deref(), STARTED | ENDED);
        if new & ENDED == 0 && sid.is_some() {
            return;
        }
        if new == ENDED {
            self.active.dec();
        }
        self.outcomes.count(text(event, "completion_reason").as_deref());
        observe(&self.call_durations, number(event, duration));
    }
}

impl Observer for EventMetrics {
    fn event(&mut self, context: &EventContext<'_>) -> Result<(), OutputError> {
        self.observe(context.event, true);
        Ok(())
    }

    fn filtered_out(&mut self, context: &EventContext<'_>) -> io::Result<()> {
        self.observe(context.event, false);
        Ok(())
    }
}

/// Creates a metric and registers it.
fn add<M: Metric + Clone + Default>(registry: &mut Registry, name: &str, help: &str) -> M {
    let metric = M::default();
    registry.register(name, help, metric.clone());
    metric
}

/// Creates a metric in seconds and registers it.
fn add_seconds<M: Metric + Clone + Default>(registry: &mut Registry, name: &str, help: &str) -> M {
    let metric = M::default();
    registry.register_with_unit(name, help, Unit::Seconds, metric.clone());
    metric
}

fn add_histogram(registry: &mut Registry, name: &str, help: &str, buckets: &[f64]) -> Histogram {
    let histogram = Histogram::new(buckets.iter().copied());
    registry.register_with_unit(name, help, Unit::Seconds, histogram.clone());
    histogram
}

fn tool_histogram() -> Histogram {
    Histogram::new(TOOL_BUCKETS)
}

/// Returns the counters of the declared events of the platform by [`Kind`], and the one of others.
fn event_counters(family: &Family<Labels<1>, Counter>) -> (Vec<Counter>, Counter) {
    let counter = |name| family.get_or_create_owned(&[("event_type", name)]);
    let mut declared = vec![Counter::default(); Kind::ALL.len() + Kind::OWN.len()];
    for kind in Kind::ALL {
        declared[*kind as usize] = counter(kind.spec().event_type);
    }
    (declared, counter(OTHER))
}

/// Returns the values of an enumerated type.
fn choices<T: Model>() -> &'static [&'static str] {
    match T::TYPE {
        Type::Choice(values) => values,
        _ => &[],
    }
}

fn text<'a>(event: &RedactedEvent<'a>, field: &str) -> Option<std::borrow::Cow<'a, str>> {
    event.field(field).and_then(|field| field.text())
}

fn number(event: &RedactedEvent<'_>, field: &str) -> Option<f64> {
    event.field(field).and_then(|field| field.number())
}

/// Adds a duration, unless it is negative or not finite, which would spoil the sum.
fn observe(histogram: &Histogram, seconds: Option<f64>) {
    if let Some(seconds) = seconds.filter(|seconds| seconds.is_finite() && *seconds >= 0.0) {
        histogram.observe(seconds);
    }
}

fn from_millis(millis: f64) -> f64 {
    millis / 1000.0
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn seconds(millis: i64) -> f64 {
    millis as f64 / 1000.0
}
