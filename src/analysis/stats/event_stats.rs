//! Counts and durations of a set of events.

use jiff::Timestamp;

use super::histogram::DurationHistogram;
use super::step_tracker::StepTracker;
use super::tally::Tally;
use crate::analysis::latency::COMPONENTS;
use crate::analysis::surface_funnel::{FUNNEL, reported_step};
use crate::model::{Kind, parse_millis};
use crate::redact::RedactedEvent;

/// The number of undeclared event types, drifting fields and reasons that are counted separately.
const MAX_NAMES: usize = 500;

/// The number of tools that are counted separately.
const MAX_TOOLS: usize = 100;

/// The number of names of each sort that are counted separately in a part of a stream.
const MAX_PART_NAMES: usize = 4096;

/// Times until the year 2286, in milliseconds of Unix time, which [`Timestamp`] can represent.
const PLAUSIBLE_TIMES: std::ops::Range<i64> = 0..10_000_000_000_000;

/// The number of declared kinds of events.
const KIND_COUNT: usize = Kind::ALL.len() + Kind::OWN.len();

/// 2^43. An `f64` represents the sum of a thousand whole numbers below it exactly.
const MAX_EXACT_INTEGER: f64 = 8_796_093_022_208.0;

const STARTED: u8 = 1;
const ENDED: u8 = 2;

/// Counts and durations of a set of events.
#[derive(Debug, Clone)]
pub struct EventStats {
    /// The number of events.
    pub events: u64,
    /// The times of the first and the last event, in milliseconds of Unix time.
    pub span: Option<(i64, i64)>,
    declared: [u64; KIND_COUNT],
    undeclared: Tally<u64>,
    /// Calls according to the workspace stream.
    pub calls: CallStats,
    /// Calls according to observer streams.
    pub sessions: CallStats,
    /// The number of escalations by trigger.
    pub triggers: Tally<u64>,
    /// The tools that the agent called, by name.
    pub tools: Tally<ToolStats>,
    /// The durations of the calls of all tools.
    pub tool_calls: DurationHistogram,
    /// The latencies of turns, by component and in the order of [`COMPONENTS`].
    pub latency: [DurationHistogram; COMPONENTS.len()],
    /// The times that the model took to choose an action and to word the answer.
    pub model: DurationHistogram,
    /// Which steps of [`FUNNEL`] surfaces have taken: bit 0 is the first step.
    pub surfaces: StepTracker,
    /// The durations of pipeline syncs.
    pub syncs: DurationHistogram,
    /// The number of events that pipelines took in.
    pub synced_events: f64,
    /// The number of deviations from the model, by `kind event_type field`.
    pub drift: Tally<u64>,
    /// The number of certain and of possible gaps, by reason.
    pub gaps: Tally<(u64, u64)>,
    /// The number of malformed frames, by category.
    pub malformed: Tally<u64>,
    /// The number of events with drift.
    pub drifted: u64,
}

/// Statistics of calls, according to one kind of stream.
#[derive(Debug, Clone)]
pub struct CallStats {
    /// The number of calls that ended, by reason.
    pub outcomes: Tally<u64>,
    /// The durations of the calls that ended.
    pub durations: DurationHistogram,
    steps: StepTracker,
}

/// Statistics of one tool.
#[derive(Debug, Clone, Default)]
pub struct ToolStats {
    /// The number of calls.
    pub started: u64,
    /// The number of answers.
    pub completed: u64,
    /// The number of answers that report a failure.
    pub failed: u64,
    /// The durations of the calls.
    pub durations: DurationHistogram,
}

impl Default for EventStats {
    fn default() -> Self {
        Self::new(MAX_NAMES, MAX_TOOLS, StepTracker::with_last_step(ENDED), StepTracker::default())
    }
}

impl EventStats {
    fn new(names: usize, tools: usize, call_steps: StepTracker, surfaces: StepTracker) -> Self {
        let calls = |steps| CallStats {
            outcomes: Tally::new(names),
            durations: DurationHistogram::default(),
            steps,
        };
        Self {
            events: 0,
            span: None,
            declared: [0; KIND_COUNT],
            undeclared: Tally::new(names),
            calls: calls(call_steps.clone()),
            sessions: calls(call_steps),
            triggers: Tally::new(names),
            tools: Tally::new(tools),
            tool_calls: DurationHistogram::default(),
            latency: Default::default(),
            model: DurationHistogram::default(),
            surfaces,
            syncs: DurationHistogram::default(),
            synced_events: 0.0,
            drift: Tally::new(names),
            gaps: Tally::new(names),
            malformed: Tally::new(names),
            drifted: 0,
        }
    }

    /// Creates statistics that cannot tell ongoing calls and the steps of surfaces, and therefore
    /// take little memory.
    #[must_use]
    pub fn without_steps() -> Self {
        let none = || StepTracker::new(0, 0);
        Self::new(MAX_NAMES, MAX_TOOLS, none(), none())
    }

    /// Creates the statistics of a part of a stream, which can only be
    /// [merged](EventStats::merge).
    #[must_use]
    pub fn part() -> Self {
        let recording = StepTracker::recording;
        Self::new(MAX_PART_NAMES, MAX_PART_NAMES, recording(), recording())
    }

    /// Returns the approximate memory use of the names, in bytes.
    #[must_use]
    pub fn name_bytes(&self) -> usize {
        let counts = [&self.undeclared, &self.triggers, &self.drift, &self.malformed];
        let outcomes = [&self.calls.outcomes, &self.sessions.outcomes];
        let counts = counts.into_iter().chain(outcomes).map(|tally| tally.bytes(|_| 0));
        counts.sum::<usize>() + self.tools.bytes(|_| 0) + self.gaps.bytes(|_| 0)
    }

    /// Counts an event, with its time in milliseconds of Unix time.
    pub fn observe(&mut self, event: &RedactedEvent<'_>, millis: Option<i64>) {
        self.events += 1;
        if let Some(millis) = millis {
            let (first, last) = self.span.unwrap_or((millis, millis));
            self.span = Some((first.min(millis), last.max(millis)));
        }
        let drift = &event.tap().drift;
        self.drifted += u64::from(!drift.is_empty());
        let mut name = String::new();
        for deviation in drift {
            let (kind, field) = (deviation.kind.name(), deviation.field.as_deref());
            name.clear();
            for part in [kind, " ", event.event_type(), " ", field.unwrap_or_default()] {
                name.push_str(part);
            }
            increment(&mut self.drift, Some(name.trim_end()));
        }
        let Some(kind) = event.kind() else {
            return increment(&mut self.undeclared, Some(event.event_type()));
        };
        self.declared[kind as usize] += 1;
        let text = |name| event.field(name).and_then(|field| field.text());
        let number = |name| event.field(name).and_then(|field| field.number());
        match kind {
            Kind::CallStarted => {
                self.calls.steps.step(call_sid(event).as_deref(), STARTED);
            }
            Kind::CallEnded => self.calls.end(event, "duration_seconds"),
            Kind::CallEscalated => increment(&mut self.triggers, text("trigger").as_deref()),
            Kind::SessionStart => {
                self.sessions.steps.step(call_sid(event).as_deref(), STARTED);
            }
            Kind::SessionEnd => self.sessions.end(event, "duration_s"),
            Kind::ToolCallStarted => {
                self.tools.entry(&text("tool_name").unwrap_or_default()).started += 1;
            }
            Kind::ToolCallCompleted => {
                let tool = self.tools.entry(&text("tool_name").unwrap_or_default());
                tool.completed += 1;
                tool.failed +=
                    u64::from(event.field("succeeded").is_some_and(|field| field.json == "false"));
                let millis = number("duration_ms");
                measure(&mut tool.durations, millis);
                measure(&mut self.tool_calls, millis);
            }
            Kind::Latency => {
                for (component, durations) in COMPONENTS.iter().zip(&mut self.latency) {
                    measure(durations, number(component.field));
                }
            }
            Kind::NavTiming => measure(&mut self.model, number("total_ms")),
            Kind::PipelineSyncCompleted => {
                measure(&mut self.syncs, number("duration_ms"));
                self.synced_events +=
                    number("event_count").filter(|count| *count > 0.0).unwrap_or_default();
            }
            Kind::TapGap => {
                let is_certain = event.field("certain").is_some_and(|field| field.json == "true");
                let (certain, possible) =
                    self.gaps.entry(text("reason").as_deref().unwrap_or("unknown"));
                *(if is_certain { certain } else { possible }) += 1;
            }
            Kind::TapMalformed => increment(&mut self.malformed, text("category").as_deref()),
            _ => {
                if let Some(step) = reported_step(kind) {
                    let id = event.field("surface_id").filter(|id| !id.hidden);
                    self.surfaces.step(id.and_then(|id| id.text()).as_deref(), 1 << step);
                }
            }
        }
    }

    /// Returns the steps of the funnel by name, with the number of surfaces that took each.
    #[must_use]
    pub fn funnel(&self) -> [(&'static str, u64); FUNNEL.len()] {
        std::array::from_fn(|at| (FUNNEL[at].name, self.surfaces.count(1 << at)))
    }

    /// Whether [`merge`](Self::merge) gives the same result as counting the events of a
    /// [part](Self::part) one by one.
    #[must_use]
    pub fn can_merge(&self, part: &Self) -> bool {
        let tallies =
            [&part.undeclared, &part.triggers, &part.drift, &part.malformed, &part.calls.outcomes];
        let synced = self.synced_events + part.synced_events;
        // The sum of whole numbers that are exact does not depend on their order.
        let is_exact = synced.fract() == 0.0 && synced < MAX_EXACT_INTEGER;
        tallies.into_iter().chain([&part.sessions.outcomes]).all(Tally::is_complete)
            && part.tools.is_complete()
            && part.gaps.is_complete()
            && is_exact
    }

    /// Returns how many more names and items can be counted separately, for each kind of them.
    #[must_use]
    pub fn room(&self) -> [usize; 11] {
        let [calls, sessions, surfaces] = self.trackers().map(StepTracker::room);
        [
            self.undeclared.room(),
            self.triggers.room(),
            self.drift.room(),
            self.malformed.room(),
            self.calls.outcomes.room(),
            self.sessions.outcomes.room(),
            self.tools.room(),
            self.gaps.room(),
            calls,
            sessions,
            surfaces,
        ]
    }

    /// Returns the most room that a [part](Self::part) takes, for each kind of names and items.
    #[must_use]
    pub fn needed_room(&self) -> [usize; 11] {
        let [calls, sessions, surfaces] = self.trackers().map(StepTracker::recorded);
        [
            self.undeclared.len(),
            self.triggers.len(),
            self.drift.len(),
            self.malformed.len(),
            self.calls.outcomes.len(),
            self.sessions.outcomes.len(),
            self.tools.len(),
            self.gaps.len(),
            calls,
            sessions,
            surfaces,
        ]
    }

    /// Adds the counts and durations of a [part](Self::part).
    pub fn merge(&mut self, other: &Self) {
        self.events += other.events;
        self.span = match (self.span, other.span) {
            (Some(own), Some(other)) => Some((own.0.min(other.0), own.1.max(other.1))),
            (own, other) => own.or(other),
        };
        self.declared.iter_mut().zip(other.declared).for_each(|(own, other)| *own += other);
        let add = |own: &mut u64, other: &u64| *own += other;
        self.undeclared.merge(&other.undeclared, add);
        self.triggers.merge(&other.triggers, add);
        self.drift.merge(&other.drift, add);
        self.malformed.merge(&other.malformed, add);
        self.gaps.merge(&other.gaps, |own, other| *own = (own.0 + other.0, own.1 + other.1));
        self.tools.merge(&other.tools, |own, other| {
            own.started += other.started;
            own.completed += other.completed;
            own.failed += other.failed;
            own.durations.merge(&other.durations);
        });
        for (own, other) in [(&mut self.calls, &other.calls), (&mut self.sessions, &other.sessions)]
        {
            own.outcomes.merge(&other.outcomes, add);
            own.durations.merge(&other.durations);
            own.steps.merge(&other.steps);
        }
        self.tool_calls.merge(&other.tool_calls);
        self.latency.iter_mut().zip(&other.latency).for_each(|(own, other)| own.merge(other));
        self.model.merge(&other.model);
        self.surfaces.merge(&other.surfaces);
        self.syncs.merge(&other.syncs);
        self.synced_events += other.synced_events;
        self.drifted += other.drifted;
    }

    /// Returns the approximate memory use of what can grow large, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes_with(DurationHistogram::bytes)
    }

    /// Returns the approximate memory use of a copy of what can grow large, in bytes.
    #[must_use]
    pub fn copied_bytes(&self) -> usize {
        self.bytes_with(DurationHistogram::copied_bytes)
    }

    fn bytes_with(&self, of: fn(&DurationHistogram) -> usize) -> usize {
        let tools = self.tools.named().map(|(_, tool)| &tool.durations);
        size_of::<Self>()
            + self.trackers().into_iter().map(StepTracker::bytes).sum::<usize>()
            + self.histograms().chain(tools).map(of).sum::<usize>()
    }

    /// Returns the most memory that [`bytes`](Self::bytes) can grow by when a part is merged, if
    /// `events` more events are counted in all.
    #[must_use]
    pub fn max_growth(&self, part: &Self, events: u64) -> usize {
        let none = DurationHistogram::default();
        let tools = part.tools.named().map(|(name, tool)| {
            let own = self.tools.get(name).map_or(&none, |own| &own.durations);
            own.max_growth(&tool.durations, events)
        });
        let durations = self
            .histograms()
            .zip(part.histograms())
            .map(|(own, part)| own.max_growth(part, events));
        let more = usize::try_from(events).unwrap_or(usize::MAX / 2);
        let steps = self.trackers().map(|tracker| tracker.max_bytes_after(more) - tracker.bytes());
        durations.chain(tools).chain(steps).sum()
    }

    /// Returns the durations that do not belong to a tool.
    fn histograms(&self) -> impl Iterator<Item = &DurationHistogram> {
        [&self.calls.durations, &self.sessions.durations, &self.tool_calls]
            .into_iter()
            .chain([&self.model, &self.syncs])
            .chain(&self.latency)
    }

    const fn trackers(&self) -> [&StepTracker; 3] {
        [&self.calls.steps, &self.sessions.steps, &self.surfaces]
    }

    /// Returns the number of events of a kind.
    #[must_use]
    pub const fn count_of(&self, kind: Kind) -> u64 {
        self.declared[kind as usize]
    }

    /// Returns the number of events by type, the most frequent first. `None` stands for all types
    /// that are not counted separately.
    #[must_use]
    pub fn types(&self) -> Vec<(Option<&str>, u64)> {
        let declared = Kind::ALL
            .iter()
            .chain(Kind::OWN)
            .map(|kind| (Some(kind.spec().event_type), self.count_of(*kind)));
        let undeclared = self.undeclared.named().map(|(name, count)| (Some(name), *count));
        let mut types: Vec<_> =
            declared.filter(|(_, count)| *count > 0).chain(undeclared).collect();
        types.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        types.extend(self.undeclared.other().map(|count| (None, *count)));
        types
    }

    /// Returns the durations that were measured, each with its name.
    #[must_use]
    pub fn durations(&self) -> Vec<(&'static str, &DurationHistogram)> {
        let latency = COMPONENTS.iter().map(|component| component.label).zip(&self.latency);
        [("calls", &self.calls.durations), ("observed calls", &self.sessions.durations)]
            .into_iter()
            .chain(latency)
            .chain([
                ("model", &self.model),
                ("tool calls", &self.tool_calls),
                ("pipeline syncs", &self.syncs),
            ])
            .filter(|(_, durations)| durations.count() > 0)
            .collect()
    }

    /// Returns the time from the first event to the last, or to `until` if that is later, in
    /// seconds. `until` is in milliseconds of Unix time.
    #[must_use]
    pub fn seconds(&self, until: Option<i64>) -> f64 {
        let millis = self.span.map_or(0, |(first, last)| until.unwrap_or(last).max(last) - first);
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let seconds = millis as f64 / 1000.0;
        seconds
    }
}

impl CallStats {
    fn end(&mut self, event: &RedactedEvent<'_>, seconds: &str) {
        let reason = event.field("completion_reason").and_then(|field| field.text());
        increment(&mut self.outcomes, reason.as_deref());
        measure(
            &mut self.durations,
            event.field(seconds).and_then(|field| field.number()).map(|seconds| seconds * 1000.0),
        );
        self.steps.step(call_sid(event).as_deref(), ENDED);
    }

    /// Returns the number of calls that have ended.
    #[must_use]
    pub fn ended(&self) -> u64 {
        self.outcomes.sorted(|count| *count).into_iter().map(|(_, count)| *count).sum()
    }

    /// Returns the number of calls that have started and not ended. `None` means that it is not
    /// known: some events do not show their call, or hundreds of thousands of calls
    /// have not ended.
    #[must_use]
    pub fn ongoing(&self) -> Option<u64> {
        self.steps.count_without(STARTED, ENDED)
    }
}

/// Returns the SID of the call that an event is about; `None` if it is not shown.
#[must_use]
pub fn call_sid<'a>(event: &'a RedactedEvent<'_>) -> Option<std::borrow::Cow<'a, str>> {
    let field = event.field("call_sid").filter(|sid| !sid.hidden).and_then(|sid| sid.text());
    field.or_else(|| event.tap().call_sid.as_deref().map(Into::into))
}

pub(super) fn measure(durations: &mut DurationHistogram, millis: Option<f64>) {
    if let Some(millis) = millis {
        durations.add(millis);
    }
}

fn increment(tally: &mut Tally<u64>, name: Option<&str>) {
    *tally.entry(name.unwrap_or("unknown")) += 1;
}

/// Returns when an event took place, or else when it arrived, in milliseconds of Unix time.
#[must_use]
pub fn event_millis(event: &RedactedEvent<'_>) -> Option<i64> {
    let tap = event.tap();
    let parse = |time: &Option<String>| parse_millis(time.as_deref()?);
    // The id of an event with a time is that time, and a number is faster to parse.
    let id = tap.time.as_ref().and(tap.id.as_ref()).and_then(|id| parse_id(id));
    let is_time =
        |id: &i64| PLAUSIBLE_TIMES.contains(id) || Timestamp::from_millisecond(*id).is_ok();
    let id = id.filter(is_time);
    id.or_else(|| parse(&tap.time)).or_else(|| parse(&tap.received_at))
}

/// Parses an id, which usually consists of few digits.
fn parse_id(id: &str) -> Option<i64> {
    let (number, is_short) = id.bytes().fold((0i64, id.len() < 19), |(number, is_short), byte| {
        let digit = byte.wrapping_sub(b'0');
        (number.wrapping_mul(10).wrapping_add(i64::from(digit)), is_short && digit < 10)
    });
    if is_short && !id.is_empty() { Some(number) } else { id.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_numbers() {
        for id in ["0", "1700000000000", "9223372036854775807", "9223372036854775808", "", "-5"]
            .into_iter()
            .chain(["+5", "999999999999999999", "12a", "٣", " 1"])
        {
            assert_eq!(parse_id(id), id.parse().ok(), "{id}");
        }
    }
}
