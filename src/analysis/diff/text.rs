//! The comparison of two runs as text for people.

use std::fmt::Write;

use super::align::AlignedStep;
use super::compare::{RunChange, RunComparison, RunDifference, ratio, step_name};
use super::profile::RunProfile;
use crate::analysis::stats::text::span;
use crate::model::Kind;
use crate::text::terminal::visible;
use crate::text::units::counted;

/// The width of the names in a table.
const NAME_WIDTH: usize = 34;

/// Writes a comparison. `names` are those of the runs.
#[must_use]
pub fn text(comparison: &RunComparison<'_>, names: (&str, &str)) -> String {
    let mut text = String::new();
    let (a, b) = comparison.runs;
    for (side, name, run) in [("A", names.0, a), ("B", names.1, b)] {
        let _ = writeln!(text, "{side}  {}  {}", visible(name), summary(run));
    }
    let is = |wanted: fn(&RunChange) -> bool| {
        let differences = comparison.differences.iter().filter(|it| wanted(&it.change));
        differences.collect::<Vec<_>>()
    };
    for (title, differences) in [
        ("Slower in B", is(|change| change.slowdown().is_some())),
        (
            "Faster in B",
            is(|change| {
                matches!(change, RunChange::Duration { .. }) && change.slowdown().is_none()
            }),
        ),
        ("Only in A", is(|change| matches!(change, RunChange::Disappeared(_)))),
        ("Only in B", is(|change| matches!(change, RunChange::Appeared(_)))),
        ("Another share in B", is(|change| matches!(change, RunChange::Share { .. }))),
    ] {
        if !differences.is_empty() {
            let _ = writeln!(text, "\n{title}");
            for difference in differences {
                line(&mut text, difference);
            }
        }
    }
    if comparison.differences.is_empty() {
        text.push_str("\nNo difference\n");
    }
    let steps = comparison.steps().unwrap_or_default();
    if steps.iter().any(|step| !matches!(step, AlignedStep::Both(_))) {
        text.push_str("\nSteps: - only in A, + only in B\n");
        for step in steps {
            let (mark, step) = match step {
                AlignedStep::Both(step) => (' ', step),
                AlignedStep::First(step) => ('-', step),
                AlignedStep::Second(step) => ('+', step),
            };
            let (kind, name, has_failed) = step_name(step);
            let failed = if has_failed { " failed" } else { "" };
            let _ = writeln!(text, "{mark} {kind:5} {}{failed}", visible(name));
        }
    }
    for (side, run) in [("A", a), ("B", b)] {
        let gaps = run.stats.count_of(Kind::TapGap);
        if gaps > 0 {
            let gaps = counted(gaps, "gap");
            let _ = writeln!(text, "\n{side} has {gaps}: what is only in the other may be missing");
        }
        if run.left_out() > 0 {
            let left_out = counted(run.left_out(), "measurement");
            let _ = writeln!(text, "\n{side} lacks {left_out}, left out to limit memory");
        }
    }
    text
}

/// Formats a relative change, such as 0.5 for half as long again.
pub(super) fn percent(change: f64) -> String {
    let percent = change * 100.0;
    if percent < 1e6 { format!("{percent:+.0} %") } else { "from 0".to_owned() }
}

/// Returns how much is in a run.
pub(super) fn summary(run: &RunProfile) -> String {
    let ended = run.stats.calls.ended().max(run.stats.sessions.ended());
    format!("{}, {} ended", counted(run.stats.events, "event"), counted(ended, "call"))
}

fn line(text: &mut String, difference: &RunDifference) {
    let RunDifference { subject, name, change } = difference;
    let name = visible(name);
    let _ = write!(text, "  {:10} {name:NAME_WIDTH$} ", subject.name());
    let _ = match change {
        RunChange::Appeared(count) | RunChange::Disappeared(count) => writeln!(text, "{count} ×"),
        RunChange::Duration { percentile, millis: (before, after), counts } => {
            let percent = percent(after / before.max(f64::MIN_POSITIVE) - 1.0);
            let (before, after) = (span(*before), span(*after));
            writeln!(
                text,
                "p{percentile} {before} → {after}  {percent}  of {} and {}",
                counts.0, counts.1
            )
        }
        RunChange::Share { counts, of } => {
            writeln!(
                text,
                "{:.1} % → {:.1} %  {} of {}, {} of {}",
                ratio(counts.0, of.0) * 100.0,
                ratio(counts.1, of.1) * 100.0,
                counts.0,
                of.0,
                counts.1,
                of.1
            )
        }
    };
}
