//! Statistics as JSON. The shape is stable: every member is always present, and `null` if it has no
//! value.

use serde_json::{Map, Value, json};

use super::event_stats::{CallStats, EventStats};
use super::grouped::GroupedStats;
use super::histogram::DurationHistogram;
use super::tally::Tally;
use crate::analysis::latency::COMPONENTS;
use crate::model::Kind;
use crate::text::terminal;

/// Converts statistics and their groups. They cover the time to the last event, or to `until`
/// (milliseconds of Unix time) if that is later.
#[must_use]
pub fn grouped(stats: &GroupedStats, until: Option<i64>) -> Value {
    let mut object = totals(&stats.totals, until);
    object["groups"] = stats.groups.as_ref().map_or(Value::Null, |groups| {
        let group = |(name, group): (Option<&str>, &super::grouped::GroupStats)| {
            // The name is the JSON of a value, unless the tally has truncated it.
            let value = name.map(|name| serde_json::from_str(name).unwrap_or_else(|_| json!(name)));
            json!({
                "group": value,
                "other": name.is_none(),
                "count": group.events,
                "ms": durations(&group.durations),
            })
        };
        groups.sorted(|group| group.events).into_iter().map(group).collect()
    });
    object
}

/// Converts statistics without groups; see [`grouped`].
#[must_use]
pub fn totals(stats: &EventStats, until: Option<i64>) -> Value {
    let span = stats.span.map(|(first, last)| (first, until.unwrap_or(last).max(last)));
    let seconds = stats.seconds(until);
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let rate = |number: u64| (seconds > 0.0).then(|| number as f64 / seconds);
    let types: Vec<_> = stats
        .types()
        .into_iter()
        .map(|(name, count)| json!({"event_type": name, "count": count, "per_second": rate(count)}))
        .collect();
    let tools: Vec<_> = stats
        .tools
        .sorted(|tool| tool.started.max(tool.completed))
        .into_iter()
        .map(|(name, tool)| {
            json!({
                "tool_name": name,
                "started": tool.started,
                "completed": tool.completed,
                "failed": tool.failed,
                "duration_ms": durations(&tool.durations),
            })
        })
        .collect();
    let drift: Vec<_> = stats
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
    let gaps: Vec<_> = stats
        .gaps
        .sorted(|(certain, possible)| certain + possible)
        .into_iter()
        .map(|(reason, (certain, possible))| {
            json!({"reason": reason, "certain": certain, "possible": possible})
        })
        .collect();
    let latency = COMPONENTS
        .iter()
        .zip(&stats.latency)
        .map(|(component, histogram)| (component.field.to_owned(), durations(histogram)))
        .chain([("model".to_owned(), durations(&stats.model))])
        .collect::<Map<_, _>>();
    let surfaces = stats
        .funnel()
        .map(|(name, count)| (name.to_owned(), json!(count)))
        .into_iter()
        .chain([("not_followed".to_owned(), json!(stats.surfaces.untracked()))])
        .collect::<Map<_, _>>();
    json!({
        "events": stats.events,
        "from": span.map(|(first, _)| time(first)),
        "to": span.map(|(_, last)| time(last)),
        "seconds": seconds,
        "per_second": rate(stats.events),
        "types": types,
        "calls": calls(&stats.calls, stats.count_of(Kind::CallStarted)),
        "observed_calls": calls(&stats.sessions, stats.count_of(Kind::SessionStart)),
        "escalations": counts("trigger", &stats.triggers),
        "tools": tools,
        "latency_ms": latency,
        "surfaces": surfaces,
        "pipelines": {
            "synced": stats.count_of(Kind::PipelineSyncCompleted),
            "failed": stats.count_of(Kind::PipelineError),
            "events": stats.synced_events,
            "sync_ms": durations(&stats.syncs),
        },
        "drift": drift,
        "gaps": gaps,
        "malformed": counts("category", &stats.malformed),
    })
}

/// Writes an object on a line of its own, with hostile characters as escapes.
#[must_use]
pub fn line(object: &Value) -> String {
    let mut line = String::new();
    terminal::push_json(&object.to_string(), &mut line);
    line + "\n"
}

/// Formats milliseconds of Unix time as RFC 3339 in UTC.
#[must_use]
pub fn time(millis: i64) -> String {
    jiff::Timestamp::from_millisecond(millis).map(|time| format!("{time:.3}")).unwrap_or_default()
}

fn calls(calls: &CallStats, started: u64) -> Value {
    let ended = calls.ended();
    json!({
        "started": started,
        "ended": ended,
        "still_on": calls.ongoing(),
        "outcomes": counts("completion_reason", &calls.outcomes),
        "duration_ms": durations(&calls.durations),
    })
}

/// Converts a tally. A name of `null` stands for all names that are not counted separately.
fn counts(key: &str, tally: &Tally<u64>) -> Value {
    tally
        .sorted(|count| *count)
        .into_iter()
        .map(|(name, count)| json!({key: name, "count": count}))
        .collect()
}

fn durations(histogram: &DurationHistogram) -> Value {
    let [p50, p95, p99] =
        histogram.percentiles().map_or([None; 3], |percentiles| percentiles.map(Some));
    let bounds = histogram.bounds();
    json!({
        "count": histogram.count(),
        "min": bounds.map(|(min, _)| min),
        "p50": p50,
        "p95": p95,
        "p99": p99,
        "max": bounds.map(|(_, max)| max),
    })
}
