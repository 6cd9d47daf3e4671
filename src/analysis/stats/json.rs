//! Figures for machines. The shape is stable: every member is always there, `null` where there is nothing to tell.

use serde_json::{Value, json};

use super::grouped::GroupedStats;
use super::histogram::DurationHistogram;
use super::tally::Tally;
use super::{CallStats, EventStats};
use crate::analysis::latency::COMPONENTS;
use crate::model::Kind;
use crate::text::terminal;

/// All that was counted, until that moment if it is later than the last event.
#[must_use]
pub fn board(board: &GroupedStats, until: Option<i64>) -> Value {
    let mut object = figures(&board.figures, until);
    object["groups"] = board.groups.as_ref().map_or(Value::Null, |groups| {
        let group = |(name, group): (Option<&str>, &super::grouped::GroupStats)| {
            // Its name is the JSON of a value, unless it was too long.
            let value = name.map(|name| serde_json::from_str(name).unwrap_or_else(|_| json!(name)));
            json!({"group": value, "other": name.is_none(), "count": group.events, "ms": measured(&group.took)})
        };
        groups.sorted(|group| group.events).into_iter().map(group).collect()
    });
    object
}

/// The figures without groups.
#[must_use]
pub fn figures(figures: &EventStats, until: Option<i64>) -> Value {
    let span = figures.span.map(|(first, last)| (first, until.unwrap_or(last).max(last)));
    let seconds = figures.seconds(until);
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let rate = |number: u64| (seconds > 0.0).then(|| number as f64 / seconds);
    let types: Vec<_> = figures
        .types()
        .into_iter()
        .map(|(name, number)| json!({"event_type": name, "count": number, "per_second": rate(number)}))
        .collect();
    let tools: Vec<_> = figures
        .tools
        .sorted(|tool| tool.started.max(tool.completed))
        .into_iter()
        .map(|(name, tool)| {
            json!({
                "tool_name": name, "started": tool.started, "completed": tool.completed, "failed": tool.failed,
                "duration_ms": measured(&tool.took),
            })
        })
        .collect();
    let drift: Vec<_> = figures
        .drift
        .sorted(|count| *count)
        .into_iter()
        .map(|(name, number)| {
            let mut parts = name.unwrap_or_default().splitn(3, ' ').map(Some);
            let [kind, event_type, field] =
                [(); 3].map(|()| parts.next().flatten().filter(|part| !part.is_empty()));
            json!({"kind": kind, "event_type": event_type, "field": field, "count": number})
        })
        .collect();
    let gaps: Vec<_> = figures
        .gaps
        .sorted(|(certain, possible)| certain + possible)
        .into_iter()
        .map(|(reason, (certain, possible))| json!({"reason": reason, "certain": certain, "possible": possible}))
        .collect();
    let latency = COMPONENTS
        .iter()
        .zip(&figures.latency)
        .map(|(component, took)| (component.field.to_owned(), measured(took)));
    let surfaces = figures.funnel().map(|(name, number)| (name.to_owned(), json!(number)));
    json!({
        "events": figures.events,
        "from": span.map(|(first, _)| time(first)),
        "to": span.map(|(_, last)| time(last)),
        "seconds": seconds,
        "per_second": rate(figures.events),
        "types": types,
        "calls": calls(&figures.calls, figures.of(Kind::CallStarted)),
        "observed_calls": calls(&figures.sessions, figures.of(Kind::SessionStart)),
        "escalations": counts("trigger", &figures.triggers),
        "tools": tools,
        "latency_ms": latency.chain([("model".to_owned(), measured(&figures.model))]).collect::<serde_json::Map<_, _>>(),
        "surfaces": surfaces.into_iter().chain([("not_followed".to_owned(), json!(figures.surfaces.lost()))]).collect::<serde_json::Map<_, _>>(),
        "pipelines": {
            "synced": figures.of(Kind::PipelineSyncCompleted),
            "failed": figures.of(Kind::PipelineError),
            "events": figures.synced_events,
            "sync_ms": measured(&figures.syncs),
        },
        "drift": drift,
        "gaps": gaps,
        "malformed": counts("category", &figures.malformed),
    })
}

/// An object on a line of its own, without hostile characters.
#[must_use]
pub fn line(object: &Value) -> String {
    let mut line = String::new();
    terminal::push_json(&object.to_string(), &mut line);
    line + "\n"
}

/// A moment, RFC 3339 in UTC.
#[must_use]
pub fn time(millis: i64) -> String {
    jiff::Timestamp::from_millisecond(millis).map(|time| format!("{time:.3}")).unwrap_or_default()
}

fn calls(calls: &CallStats, started: u64) -> Value {
    let ended = calls.ended();
    json!({
        "started": started, "ended": ended, "still_on": calls.on(),
        "outcomes": counts("completion_reason", &calls.outcomes), "duration_ms": measured(&calls.took),
    })
}

/// `null` as a name stands for all beyond the first so many.
fn counts(what: &str, tally: &Tally<u64>) -> Value {
    tally
        .sorted(|count| *count)
        .into_iter()
        .map(|(name, number)| json!({what: name, "count": number}))
        .collect()
}

fn measured(took: &DurationHistogram) -> Value {
    let [p50, p95, p99] = took.percentiles().map_or([None; 3], |percentiles| percentiles.map(Some));
    let bounds = took.bounds();
    json!({
        "count": took.count(), "min": bounds.map(|(least, _)| least),
        "p50": p50, "p95": p95, "p99": p99, "max": bounds.map(|(_, most)| most),
    })
}
