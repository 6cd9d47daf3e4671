//! Status messages about connections and the run, on stderr: text for people, or one JSON object
//! per line.
//!
//! All messages on stderr go through this module and `text::console`. They contain no values from
//! the wire. While the live screen owns the terminal, messages are held back until the screen shows
//! them or ends.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::error::Error;
use crate::model::Origin;
use crate::model::catalog::TapGap;
use crate::model::catalog::value::GapReason;
use crate::model::{Field, Kind, Time};
use crate::redact::RedactedEvent;
pub use crate::text::console::{
    finish, hold_back, json_line as report_json, lines, progress, release, report, ring, set_last,
    take_waiting, use_json, warn,
};

use crate::text::units::counted;
use crate::transport::{ConnectionEvent, ConnectionState};

/// The format of status messages: the value of `--status`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum StatusFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
    /// Lines for people, but `tap.connected` and `tap.ended` are events in the stream.
    Inline,
    /// No status messages.
    None,
}

/// The counts of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunCounts {
    /// Events shown.
    pub shown: u64,
    /// Events that a filter left out.
    pub filtered: u64,
    /// Frames without a valid event; each is shown as `tap.malformed`.
    pub malformed: u64,
    /// Those of them that are not `tap.malformed` events of a recording.
    pub without_event: u64,
    /// Failed evaluations of expressions.
    pub failed: u64,
    /// Events that deviate from the model.
    pub drifted: u64,
    /// Certain and possible gaps in the streams; each is shown as `tap.gap`.
    pub gaps: u64,
    /// The counts of the destinations besides stdout.
    pub destinations: Vec<DestinationCounts>,
}

/// The counts of a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DestinationCounts {
    /// The name of the destination, such as `endpoint`.
    pub name: &'static str,
    /// The past participle for a delivered event, such as `forwarded`; also the name of the count
    /// in JSON.
    pub verb: &'static str,
    /// The number of delivered events.
    pub delivered: u64,
    /// The unit of the counts, if it is not events: `span`.
    pub unit: Option<&'static str>,
    /// The number of events that the destination refused permanently.
    pub refused: u64,
    /// The number of those that were dropped, if the destination may drop any.
    pub dropped: Option<u64>,
}

impl DestinationCounts {
    /// Creates the counts of a destination that got nothing yet.
    #[must_use]
    pub const fn new(name: &'static str, verb: &'static str) -> Self {
        Self { name, verb, delivered: 0, unit: None, refused: 0, dropped: None }
    }

    /// Returns whether something was not delivered.
    #[must_use]
    pub fn has_losses(&self) -> bool {
        self.refused > 0 || self.dropped.is_some_and(|dropped| dropped > 0)
    }

    /// Describes the counts for people.
    fn describe(&self, text: &mut String) {
        let Self { name, verb, delivered, unit, refused, dropped } = *self;
        // Writing to a string cannot fail.
        let _ = match unit {
            None => write!(text, ", {delivered} {verb}"),
            Some(unit) => write!(text, ", {} {verb}", counted(delivered, unit)),
        };
        if refused > 0 {
            let _ = write!(text, ", {refused} refused by the {name}");
        }
        if let Some(dropped @ 1..) = dropped {
            let _ = write!(text, ", {dropped} dropped");
        }
    }
}

impl RunCounts {
    /// Counts the properties of an event that do not depend on the filters.
    pub fn observe(&mut self, shown: &RedactedEvent<'_>) {
        self.malformed += u64::from(shown.kind() == Some(Kind::TapMalformed));
        self.without_event += u64::from(!shown.has_content());
        self.drifted += u64::from(!shown.tap().drift.is_empty());
    }

    /// Adds the counts of another part of the run, except those of destinations.
    pub const fn add(&mut self, other: &Self) {
        self.shown += other.shown;
        self.filtered += other.filtered;
        self.malformed += other.malformed;
        self.without_event += other.without_event;
        self.failed += other.failed;
        self.drifted += other.drifted;
        self.gaps += other.gaps;
    }
}

/// Reports a change of a connection.
pub fn connection(format: StatusFormat, event: &ConnectionEvent) {
    let stream = name(&event.origin);
    match format {
        StatusFormat::None => {}
        StatusFormat::Text | StatusFormat::Inline => report(&match &event.state {
            ConnectionState::Connected => format!("connected to {stream}"),
            ConnectionState::Reconnecting { delay, attempt, why } => {
                format!(
                    "lost {stream}: {why}; trying again in {:.1} s (attempt {attempt})",
                    delay.as_secs_f64()
                )
            }
            ConnectionState::NotObserved { why } => format!("{stream} is not observed: {why}"),
            ConnectionState::Ended { why, .. } => format!("{stream} ended: {why}"),
        }),
        StatusFormat::Json => {
            let mut object = match &event.state {
                ConnectionState::Connected => json!({"status": "connected"}),
                ConnectionState::Reconnecting { delay, attempt, why } => {
                    json!({
                        "status": "reconnecting",
                        "delay_ms": millis(*delay),
                        "attempt": attempt,
                        "reason": why,
                    })
                }
                ConnectionState::NotObserved { why } => {
                    json!({"status": "not_observed", "reason": why})
                }
                ConnectionState::Ended { why, .. } => json!({"status": "ended", "reason": why}),
            };
            identify(&mut object, &event.origin);
            report_json(&object);
        }
    }
}

/// Reports where the metrics of the run are.
pub fn metrics(format: StatusFormat, url: &str) {
    match format {
        StatusFormat::None => {}
        StatusFormat::Text | StatusFormat::Inline => report(&format!("serving metrics at {url}")),
        StatusFormat::Json => report_json(&json!({"status": "metrics", "url": url})),
    }
}

fn name(origin: &Origin) -> String {
    match (&origin.call_sid, &origin.workspace_id) {
        (Some(call), _) => format!("call {call}"),
        (None, Some(workspace)) => format!("workspace {workspace}"),
        (None, None) => "the stream".to_owned(),
    }
}

/// The workspaces of a file, by what a version of it changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkspaceCounts {
    /// The workspaces that this process watches.
    pub watched: usize,
    /// The workspaces in the file.
    pub listed: usize,
    /// The workspaces that were added to those that this process watches.
    pub added: usize,
    /// The workspaces that were removed from them.
    pub removed: usize,
}

/// Reports that a version of the workspaces `file` is in force. `shard` is the one of this process.
pub fn workspaces(format: StatusFormat, file: &str, shard: Option<&str>, counts: &WorkspaceCounts) {
    let WorkspaceCounts { watched, listed, added, removed } = *counts;
    match format {
        StatusFormat::None => {}
        StatusFormat::Text | StatusFormat::Inline => {
            let of_shard = shard.map(|shard| format!(" (shard {shard})")).unwrap_or_default();
            let waiting = if watched == 0 { "; waiting for the file to change" } else { "" };
            report(&format!(
                "watching {watched} of {listed} workspaces in {file}{of_shard}: {added} added, \
                 {removed} removed{waiting}"
            ));
        }
        StatusFormat::Json => {
            let mut object = json!({
                "status": "workspaces",
                "watched": watched,
                "listed": listed,
                "added": added,
                "removed": removed,
            });
            if let Some(shard) = shard {
                object["shard"] = json!(shard);
            }
            report_json(&object);
        }
    }
}

/// Reports the summary of a run. As JSON, it is written when the process ends, with the exit status.
/// As text, it is written only if somebody watches or there is a problem or a destination to report.
pub fn summary(format: StatusFormat, counts: &RunCounts, watched: bool) {
    let RunCounts { shown, filtered, malformed, failed, drifted, gaps, ref destinations, .. } =
        *counts;
    match format {
        StatusFormat::Json => {
            let mut done = json!({
                "status": "done",
                "shown": shown,
                "filtered": filtered,
                "malformed": malformed,
                "failed": failed,
                "drifted": drifted,
                "gaps": gaps,
            });
            for counts in destinations {
                done[counts.verb] = json!(counts.delivered);
            }
            if !destinations.is_empty() {
                let refused: u64 = destinations.iter().map(|counts| counts.refused).sum();
                done["refused"] = json!(refused);
            }
            let dropped = destinations.iter().filter_map(|counts| counts.dropped);
            if let Some(dropped) = dropped.reduce(|one, other| one + other) {
                done["dropped"] = json!(dropped);
            }
            set_last(done);
        }
        StatusFormat::Text | StatusFormat::Inline
            if watched || malformed > 0 || failed > 0 || gaps > 0 || !destinations.is_empty() =>
        {
            let mut text = format!("{shown} {}", if shown == 1 { "event" } else { "events" });
            if filtered > 0 {
                let _ = write!(text, ", {filtered} filtered out");
            }
            if malformed > 0 {
                let _ = write!(text, ", {malformed} malformed (each is a tap.malformed line)");
            }
            if failed > 0 {
                let _ = write!(text, ", expressions failed {}", counted(failed, "time"));
            }
            if drifted > 0 {
                let _ = write!(text, ", {drifted} with drift (see _tap.drift)");
            }
            if gaps > 0 {
                let _ = write!(
                    text,
                    ", {gaps} {} (see the tap.gap lines)",
                    if gaps == 1 { "gap" } else { "gaps" }
                );
            }
            for counts in destinations {
                counts.describe(&mut text);
            }
            report(&text);
        }
        StatusFormat::Text | StatusFormat::Inline | StatusFormat::None => {}
    }
}

/// Reports that a destination did not accept an event, which will be sent again. `verb` is what
/// failed: `forward` or `publish`.
pub fn delivery_retry(format: StatusFormat, verb: &str, why: &str, delay: Duration, attempt: u32) {
    match format {
        StatusFormat::None => {}
        StatusFormat::Text | StatusFormat::Inline => {
            report(&format!(
                "cannot {verb} now: {why}; trying again in {:.1} s (attempt {attempt})",
                delay.as_secs_f64()
            ));
        }
        StatusFormat::Json => report_json(&json!({
            "status": verb,
            "result": "again",
            "delay_ms": millis(delay),
            "attempt": attempt,
            "reason": why,
        })),
    }
}

/// Reports that the endpoint of `--forward` refused an event: as text only the `first` one, as JSON
/// each one.
pub fn refused(format: StatusFormat, code: u16, event_type: &str, id: Option<&str>, first: bool) {
    match format {
        StatusFormat::Text | StatusFormat::Inline if first => {
            report(&format!(
                "the endpoint refused an event of type {event_type} ({code}), which is not sent again (reported \
                 once, and counted)"
            ));
        }
        StatusFormat::Text | StatusFormat::Inline | StatusFormat::None => {}
        StatusFormat::Json => {
            report_json(&json!({
                "status": "forward",
                "result": "refused",
                "code": code,
                "event_type": event_type,
                "id": id,
            }));
        }
    }
}

/// Reports that the broker refused an event.
#[cfg(feature = "nats")]
pub fn publish_refused(format: StatusFormat, why: &str, event_type: &str) {
    match format {
        StatusFormat::Text | StatusFormat::Inline => report(&format!(
            "the broker refused an event of type {event_type}: {why}; it is not sent again"
        )),
        StatusFormat::None => {}
        StatusFormat::Json => report_json(&json!({
            "status": "publish",
            "result": "refused",
            "reason": why,
            "event_type": event_type,
        })),
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Reports a gap in a stream, which is also shown as `tap.gap`.
pub fn gap(format: StatusFormat, origin: &Origin, gap: &TapGap) {
    let certain = gap.certain.value().is_some_and(|certain| *certain);
    let time =
        |field: &Field<Time>| Some(format!("{:.3}", field.value()?.0.parse::<Timestamp>().ok()?));
    let (from, to) = (time(&gap.from), time(&gap.to));
    let reason = match gap.reason.value() {
        None | Some(GapReason::Other(_)) => "unknown",
        Some(reason) => reason.as_str(),
    };
    match format {
        StatusFormat::None => {}
        StatusFormat::Text | StatusFormat::Inline => {
            let lost = if certain { "events were lost" } else { "events may have been lost" };
            let or_unknown =
                |time: Option<String>| time.unwrap_or_else(|| "an unknown time".to_owned());
            report(&format!(
                "gap in {}: {lost} between {} and {} ({reason})",
                name(origin),
                or_unknown(from),
                or_unknown(to)
            ));
        }
        StatusFormat::Json => {
            let mut object = json!({
                "status": "gap",
                "from": from,
                "to": to,
                "certain": certain,
                "reason": reason,
            });
            identify(&mut object, origin);
            report_json(&object);
        }
    }
}

fn identify(object: &mut Value, origin: &Origin) {
    for (key, value) in [("workspace_id", &origin.workspace_id), ("call_sid", &origin.call_sid)] {
        if let Some(value) = value {
            object[key] = json!(value);
        }
    }
}

/// Reports a warning.
pub fn warning(format: StatusFormat, error: &Error) {
    match format {
        StatusFormat::Json => {
            report_json(&with_detail(json!({"status": "warning"}), error));
        }
        StatusFormat::Text | StatusFormat::Inline => report_with_detail(error),
        StatusFormat::None => {}
    }
}

/// Reports what a condition decided: as text only if the run failed because of it.
pub fn verdict(format: StatusFormat, is_met: bool, reason: &str) {
    match format {
        StatusFormat::Json => {
            report_json(&json!({"status": "verdict", "met": is_met, "reason": reason}));
        }
        StatusFormat::Text | StatusFormat::Inline if !is_met => report(reason),
        StatusFormat::Text | StatusFormat::Inline | StatusFormat::None => {}
    }
}

/// Reports a failure, whatever the format.
pub fn failed(format: StatusFormat, error: &Error) {
    match format {
        StatusFormat::Json => {
            let failed = json!({"status": "failed", "exit": error.exit as u8});
            report_json(&with_detail(failed, error));
        }
        StatusFormat::Text | StatusFormat::Inline | StatusFormat::None => report_with_detail(error),
    }
}

fn with_detail(mut object: Value, error: &Error) -> Value {
    object["reason"] = json!(error.to_string());
    if let Some(detail) = error.detail() {
        object["detail"] = json!(detail);
    }
    object
}

fn report_with_detail(error: &Error) {
    report(&error.to_string());
    lines(error.detail().unwrap_or_default());
}
