//! The comparison of two runs as JSON.

use serde_json::{Value, json};

use super::align::AlignedStep;
use super::compare::{RunChange, RunComparison, RunDifference, step_name};
use super::profile::RunProfile;
use crate::model::Kind;

/// Returns a comparison as one object. `names` are those of the runs.
#[must_use]
pub fn json(comparison: &RunComparison<'_>, names: (&str, &str)) -> Value {
    let (a, b) = comparison.runs;
    let steps = comparison.steps().map(|steps| steps.iter().map(step).collect::<Vec<_>>());
    json!({
        "a": run(names.0, a),
        "b": run(names.1, b),
        "differences": comparison.differences.iter().map(difference).collect::<Vec<_>>(),
        "steps": steps,
    })
}

fn run(name: &str, run: &RunProfile) -> Value {
    json!({
        "name": name,
        "events": run.stats.events,
        "calls_ended": run.stats.calls.ended().max(run.stats.sessions.ended()),
        "gaps": run.stats.count_of(Kind::TapGap),
        "left_out": run.left_out(),
    })
}

fn difference(difference: &RunDifference) -> Value {
    let RunDifference { subject, name, change } = difference;
    let (change, more) = match change {
        RunChange::Appeared(count) => ("appeared", json!({ "count": count })),
        RunChange::Disappeared(count) => ("disappeared", json!({ "count": count })),
        RunChange::Duration { percentile, millis, counts } => (
            if change.slowdown().is_some() { "slower" } else { "faster" },
            json!({
                "percentile": percentile,
                "a_ms": millis.0,
                "b_ms": millis.1,
                "a_count": counts.0,
                "b_count": counts.1,
            }),
        ),
        RunChange::Share { counts, of } => (
            "share",
            json!({
                "a_count": counts.0,
                "a_of": of.0,
                "b_count": counts.1,
                "b_of": of.1,
            }),
        ),
    };
    let mut object = json!({ "change": change, "subject": subject.name(), "name": name });
    if let (Value::Object(object), Value::Object(more)) = (&mut object, more) {
        object.extend(more);
    }
    object
}

fn step(step: &AlignedStep<'_>) -> Value {
    let (side, step) = match step {
        AlignedStep::Both(step) => ("both", step),
        AlignedStep::First(step) => ("a", step),
        AlignedStep::Second(step) => ("b", step),
    };
    let (kind, name, has_failed) = step_name(step);
    json!({ "in": side, "kind": kind, "name": name, "failed": has_failed })
}
