//! What is counted and measured of the events that are shown: for `--stats`, `evtap stats` and the numbers of the live screen.
//!
//! Memory is bounded whatever comes, and for however long: names that came over the wire are told apart up to a number and
//! counted together beyond it, ids are followed up to a number, and percentiles come from histograms. Nothing depends on the
//! order of events, so figures of parts of a stream can be [merged](Figures::merge).

pub mod grouped;
pub mod histogram;
pub mod json;
pub mod observer;
pub mod series;
pub mod step_tracker;
pub mod tally;
pub mod text;

use jiff::Timestamp;

use crate::analysis::latency::COMPONENTS;
use crate::analysis::surface_funnel::{FUNNEL, reported_step};
use crate::model::Kind;
use crate::redact::RedactedEvent;
use histogram::DurationHistogram;
use step_tracker::StepTracker;
use tally::Tally;

/// How many types of events that nobody has declared, fields that drift, and reasons are told apart.
const NAMES: usize = 500;

/// How many tools are.
const TOOLS: usize = 100;

/// How many kinds of events are declared.
const KINDS: usize = Kind::ALL.len() + Kind::OWN.len();

/// Up to where a double knows each whole number.
const WHOLE: f64 = 9_007_199_254_740_992.0;

const STARTED: u8 = 1;
const ENDED: u8 = 2;

/// What is counted and measured.
#[derive(Debug, Clone)]
pub struct EventStats {
    /// Events in all.
    pub events: u64,
    /// The moments of the first and the last of them, in milliseconds of Unix time.
    pub span: Option<(i64, i64)>,
    declared: [u64; KINDS],
    undeclared: Tally<u64>,
    /// Calls, as the workspace tells of them.
    pub calls: CallStats,
    /// Calls, as their observers tell of them.
    pub sessions: CallStats,
    /// Escalations by who asked for a person.
    pub triggers: Tally<u64>,
    /// Tools that the agent called.
    pub tools: Tally<ToolStats>,
    /// How long all of them took.
    pub tool_calls: DurationHistogram,
    /// How long turns took, by component and in the order of [`COMPONENTS`].
    pub latency: [DurationHistogram; COMPONENTS.len()],
    /// How long the model took to choose and to word an answer.
    pub model: DurationHistogram,
    /// Which steps of [`FUNNEL`] surfaces have taken: bit 0 is the first step.
    pub surfaces: StepTracker,
    /// How long pipelines took to catch up with their sources.
    pub syncs: DurationHistogram,
    /// How many events they took in.
    pub synced_events: f64,
    /// What the model did not expect, by `kind event_type field`.
    pub drift: Tally<u64>,
    /// Holes by their reason: how many are certain, and how many may be holes.
    pub gaps: Tally<(u64, u64)>,
    /// What was no event, by category.
    pub malformed: Tally<u64>,
    /// Events with drift.
    pub drifted: u64,
}

/// Calls, as one kind of stream tells of them.
#[derive(Debug, Clone)]
pub struct CallStats {
    /// How many ended, by the reason.
    pub outcomes: Tally<u64>,
    /// How long they took.
    pub took: DurationHistogram,
    followed: StepTracker,
}

/// What became of the calls of one tool.
#[derive(Debug, Clone, Default)]
pub struct ToolStats {
    /// How often it was called.
    pub started: u64,
    /// How often it answered.
    pub completed: u64,
    /// How often it answered that it failed.
    pub failed: u64,
    /// How long it took.
    pub took: DurationHistogram,
}

impl Default for CallStats {
    fn default() -> Self {
        Self {
            outcomes: Tally::new(NAMES),
            took: DurationHistogram::default(),
            followed: StepTracker::default(),
        }
    }
}

impl Default for EventStats {
    fn default() -> Self {
        Self {
            events: 0,
            span: None,
            declared: [0; KINDS],
            undeclared: Tally::new(NAMES),
            calls: CallStats::default(),
            sessions: CallStats::default(),
            triggers: Tally::new(NAMES),
            tools: Tally::new(TOOLS),
            tool_calls: DurationHistogram::default(),
            latency: Default::default(),
            model: DurationHistogram::default(),
            surfaces: StepTracker::default(),
            syncs: DurationHistogram::default(),
            synced_events: 0.0,
            drift: Tally::new(NAMES),
            gaps: Tally::new(NAMES),
            malformed: Tally::new(NAMES),
            drifted: 0,
        }
    }
}

impl EventStats {
    /// Counts an event of that moment, in milliseconds of Unix time.
    pub fn observe(&mut self, shown: &RedactedEvent<'_>, moment: Option<i64>) {
        self.events += 1;
        if let Some(moment) = moment {
            self.span =
                Some(self.span.map_or((moment, moment), |(first, last)| {
                    (first.min(moment), last.max(moment))
                }));
        }
        let drift = &shown.tap().drift;
        if !drift.is_empty() {
            self.drifted += 1;
            for found in drift {
                let field = found.field.as_deref().unwrap_or_default();
                *self.drift.of(
                    format!("{} {} {field}", found.kind.name(), shown.event_type()).trim_end()
                ) += 1;
            }
        }
        let Some(kind) = shown.kind() else {
            *self.undeclared.of(shown.event_type()) += 1;
            return;
        };
        self.declared[kind as usize] += 1;
        let text = |name| shown.field(name).and_then(|field| field.text());
        let number = |name| shown.field(name).and_then(|field| field.number());
        match kind {
            Kind::CallStarted => self.calls.followed.step(text("call_sid").as_deref(), STARTED),
            Kind::CallEnded => self.calls.end(shown, "duration_seconds"),
            Kind::CallEscalated => {
                *self.triggers.of(text("trigger").as_deref().unwrap_or("unknown")) += 1;
            }
            Kind::SessionStart => self.sessions.followed.step(session(shown).as_deref(), STARTED),
            Kind::SessionEnd => self.sessions.end(shown, "duration_s"),
            Kind::ToolCallStarted => {
                self.tools.of(&text("tool_name").unwrap_or_default()).started += 1;
            }
            Kind::ToolCallCompleted => {
                let tool = self.tools.of(&text("tool_name").unwrap_or_default());
                tool.completed += 1;
                tool.failed +=
                    u64::from(shown.field("succeeded").is_some_and(|field| field.json == "false"));
                let millis = number("duration_ms");
                measure(&mut tool.took, millis);
                measure(&mut self.tool_calls, millis);
            }
            Kind::Latency => {
                for (component, took) in COMPONENTS.iter().zip(&mut self.latency) {
                    measure(took, number(component.field));
                }
            }
            Kind::NavTiming => measure(&mut self.model, number("total_ms")),
            Kind::PipelineSyncCompleted => {
                measure(&mut self.syncs, number("duration_ms"));
                self.synced_events +=
                    number("event_count").filter(|count| *count > 0.0).unwrap_or_default();
            }
            Kind::TapGap => {
                let (certain, possible) =
                    self.gaps.of(text("reason").as_deref().unwrap_or("unknown"));
                *(if shown.field("certain").is_some_and(|field| field.json == "true") {
                    certain
                } else {
                    possible
                }) += 1;
            }
            Kind::TapMalformed => {
                *self.malformed.of(text("category").as_deref().unwrap_or("unknown")) += 1;
            }
            _ => {
                if let Some(step) = reported_step(kind) {
                    let id = shown.field("surface_id").filter(|id| !id.hidden);
                    self.surfaces.step(id.and_then(|id| id.text()).as_deref(), 1 << step);
                }
            }
        }
    }

    /// Returns the steps of the funnel by name, with the number of surfaces that took each.
    #[must_use]
    pub fn funnel(&self) -> [(&'static str, u64); FUNNEL.len()] {
        std::array::from_fn(|at| (FUNNEL[at].name, self.surfaces.count(1 << at, 0)))
    }

    /// Whether adding all of another gives what its events, one by one, would.
    #[must_use]
    pub fn has_room(&self, other: &Self) -> bool {
        let synced = self.synced_events + other.synced_events;
        let followed = [(&self.calls, &other.calls), (&self.sessions, &other.sessions)]
            .map(|(own, other)| (&own.followed, &other.followed));
        [(&self.undeclared, &other.undeclared), (&self.triggers, &other.triggers)]
            .into_iter()
            .chain([(&self.drift, &other.drift), (&self.malformed, &other.malformed)])
            .chain([(&self.calls.outcomes, &other.calls.outcomes), (&self.sessions.outcomes, &other.sessions.outcomes)])
            .all(|(own, other)| own.has_room(other))
            && self.tools.has_room(&other.tools)
            && self.gaps.has_room(&other.gaps)
            && followed.into_iter().chain([(&self.surfaces, &other.surfaces)]).all(|(own, other)| own.has_room(other))
            // Whole numbers that doubles know have one sum.
            && synced.fract() == 0.0
            && synced < WHOLE
    }

    /// Adds all of another.
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
            own.took.merge(&other.took);
        });
        for (own, other) in [(&mut self.calls, &other.calls), (&mut self.sessions, &other.sessions)]
        {
            own.outcomes.merge(&other.outcomes, add);
            own.took.merge(&other.took);
            own.followed.merge(&other.followed);
        }
        self.tool_calls.merge(&other.tool_calls);
        self.latency.iter_mut().zip(&other.latency).for_each(|(own, other)| own.merge(other));
        self.model.merge(&other.model);
        self.surfaces.merge(&other.surfaces);
        self.syncs.merge(&other.syncs);
        self.synced_events += other.synced_events;
        self.drifted += other.drifted;
    }

    /// How many events of that kind there were.
    #[must_use]
    pub const fn of(&self, kind: Kind) -> u64 {
        self.declared[kind as usize]
    }

    /// Events by type, the most first; `None` is what all types beyond the first so many have.
    #[must_use]
    pub fn types(&self) -> Vec<(Option<&str>, u64)> {
        let declared = Kind::ALL
            .iter()
            .chain(Kind::OWN)
            .map(|kind| (Some(kind.spec().event_type), self.of(*kind)));
        let undeclared = self.undeclared.named().map(|(name, count)| (Some(name), *count));
        let mut types: Vec<_> =
            declared.filter(|(_, count)| *count > 0).chain(undeclared).collect();
        types.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        types.extend(self.undeclared.other().map(|count| (None, *count)));
        types
    }

    /// What was measured, by its name.
    #[must_use]
    pub fn times(&self) -> Vec<(&'static str, &DurationHistogram)> {
        let latency = COMPONENTS.iter().map(|component| component.label).zip(&self.latency);
        [("calls", &self.calls.took), ("observed calls", &self.sessions.took)]
            .into_iter()
            .chain(latency)
            .chain([
                ("model", &self.model),
                ("tool calls", &self.tool_calls),
                ("pipeline syncs", &self.syncs),
            ])
            .filter(|(_, took)| took.count() > 0)
            .collect()
    }

    /// The time from the first event to the last, or to that moment if it is later, in seconds.
    #[must_use]
    pub fn seconds(&self, until: Option<i64>) -> f64 {
        let millis = self.span.map_or(0, |(first, last)| until.unwrap_or(last).max(last) - first);
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let seconds = millis as f64 / 1000.0;
        seconds
    }
}

impl CallStats {
    fn end(&mut self, shown: &RedactedEvent<'_>, seconds: &str) {
        let reason = shown.field("completion_reason").and_then(|field| field.text());
        *self.outcomes.of(reason.as_deref().unwrap_or("unknown")) += 1;
        measure(
            &mut self.took,
            shown.field(seconds).and_then(|field| field.number()).map(|seconds| seconds * 1000.0),
        );
        self.followed.step(session(shown).as_deref(), ENDED);
    }

    /// Returns how many have ended.
    #[must_use]
    pub fn ended(&self) -> u64 {
        self.outcomes.sorted(|count| *count).into_iter().map(|(_, count)| *count).sum()
    }

    /// How many have begun and not ended.
    #[must_use]
    pub fn on(&self) -> u64 {
        self.followed.count(STARTED, ENDED)
    }
}

/// The call that an event is about.
fn session<'a>(shown: &'a RedactedEvent<'_>) -> Option<std::borrow::Cow<'a, str>> {
    let field = shown.field("call_sid").filter(|sid| !sid.hidden).and_then(|sid| sid.text());
    field.or_else(|| shown.tap().call_sid.as_deref().map(Into::into))
}

fn measure(measured: &mut DurationHistogram, millis: Option<f64>) {
    if let Some(millis) = millis {
        measured.add(millis);
    }
}

/// When an event took place, or arrived, in milliseconds of Unix time.
#[must_use]
pub fn moment(shown: &RedactedEvent<'_>) -> Option<i64> {
    let tap = shown.tap();
    let time =
        |time: &Option<String>| Some(time.as_ref()?.parse::<Timestamp>().ok()?.as_millisecond());
    // The id is the time, and quickly read.
    let id = tap.time.as_ref().and(tap.id.as_ref()).and_then(|id| id.parse().ok());
    id.or_else(|| time(&tap.time)).or_else(|| time(&tap.received_at))
}
