//! News of the connection and of the run, on stderr: for people, or one JSON object a line.
//!
//! This is the one door to stderr. It says nothing that came over the wire. While the live screen has the terminal, the
//! door is closed: lines wait for the screen to show them, or for its end.

use std::fmt::Write as _;

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::error::Error;
use crate::model::Origin;
use crate::model::catalog::TapGap;
use crate::model::catalog::value::GapReason;
use crate::model::{Field, Kind};
use crate::redact::RedactedEvent;
pub use crate::text::console::{
    hold_back, json as tell_json, lines, progress, release, report, take_waiting,
};

use crate::transport::{ConnectionEvent, ConnectionState};

/// How news is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum StatusFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
    /// Lines for people, but `tap.connected` and `tap.ended` are lines of the stream.
    Inline,
    /// Not at all.
    None,
}

/// What a run has done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunCounts {
    /// Events shown.
    pub shown: u64,
    /// Events that a filter kept back.
    pub filtered: u64,
    /// Frames that held no event; each is shown as `tap.malformed`.
    pub malformed: u64,
    /// How often an expression has failed on an event.
    pub failed: u64,
    /// Events with something that the model did not expect.
    pub drifted: u64,
    /// Holes in the streams, or what may be one; each is shown as `tap.gap`.
    pub gaps: u64,
    /// What the destinations besides stdout have made of the events.
    pub destinations: Vec<DestinationCounts>,
}

/// What a destination has made of the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DestinationCounts {
    /// What the destination is, such as `endpoint`.
    pub name: &'static str,
    /// What it does to an event, such as `forwarded`; also the name of the count in JSON.
    pub verb: &'static str,
    /// How many events it has taken.
    pub delivered: u64,
    /// How many events it has refused for good.
    pub refused: u64,
}

impl RunCounts {
    /// Counts what an event is, whatever becomes of it.
    pub fn observe(&mut self, shown: &RedactedEvent<'_>) {
        self.malformed += u64::from(shown.kind() == Some(Kind::TapMalformed));
        self.drifted += u64::from(!shown.tap().drift.is_empty());
    }

    /// Adds those of another part of the run.
    pub const fn add(&mut self, other: &Self) {
        self.shown += other.shown;
        self.filtered += other.filtered;
        self.malformed += other.malformed;
        self.failed += other.failed;
        self.drifted += other.drifted;
        self.gaps += other.gaps;
    }
}

/// Tells news of a connection.
pub fn news(format: StatusFormat, news: &ConnectionEvent) {
    let stream = name(&news.origin);
    match format {
        StatusFormat::None => {}
        StatusFormat::Text | StatusFormat::Inline => report(&match &news.state {
            ConnectionState::Connected => format!("connected to {stream}"),
            ConnectionState::Reconnecting { delay, attempt, why } => {
                format!(
                    "lost {stream}: {why}; trying again in {:.1} s (attempt {attempt})",
                    delay.as_secs_f64()
                )
            }
            ConnectionState::Ended { why } => format!("{stream} ended: {why}"),
        }),
        StatusFormat::Json => {
            let mut object = match &news.state {
                ConnectionState::Connected => json!({"status": "connected"}),
                ConnectionState::Reconnecting { delay, attempt, why } => {
                    json!({"status": "reconnecting", "delay_ms": millis(*delay), "attempt": attempt, "reason": why})
                }
                ConnectionState::Ended { why } => json!({"status": "ended", "reason": why}),
            };
            identify(&mut object, &news.origin);
            tell_json(&object);
        }
    }
}

fn name(origin: &Origin) -> String {
    match (&origin.call_sid, &origin.workspace_id) {
        (Some(call), _) => format!("call {call}"),
        (None, Some(workspace)) => format!("workspace {workspace}"),
        (None, None) => "the stream".to_owned(),
    }
}

/// Sums a run up. In text, only where there is something to tell, or somebody who watches.
pub fn summary(format: StatusFormat, counts: &RunCounts, watched: bool) {
    let RunCounts { shown, filtered, malformed, failed, drifted, gaps, ref destinations } = *counts;
    match format {
        StatusFormat::Json => {
            let mut done = json!({"status": "done", "shown": shown, "filtered": filtered, "malformed": malformed, "failed": failed, "drifted": drifted, "gaps": gaps});
            for counts in destinations {
                done[counts.verb] = json!(counts.delivered);
            }
            if !destinations.is_empty() {
                let refused: u64 = destinations.iter().map(|counts| counts.refused).sum();
                done["refused"] = json!(refused);
            }
            tell_json(&done);
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
                let _ = write!(text, ", expressions failed {failed} times");
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
            for DestinationCounts { name, verb, delivered, refused } in destinations {
                let _ = write!(text, ", {delivered} {verb}");
                if *refused > 0 {
                    let _ = write!(text, ", {refused} refused by the {name}");
                }
            }
            report(&text);
        }
        StatusFormat::Text | StatusFormat::Inline | StatusFormat::None => {}
    }
}

/// Tells that the endpoint of `--forward` has not taken an event, and will get it again.
pub fn forwarding_again(format: StatusFormat, why: &str, delay: Duration, attempt: u32) {
    match format {
        StatusFormat::None => {}
        StatusFormat::Text | StatusFormat::Inline => {
            report(&format!(
                "cannot forward now: {why}; trying again in {:.1} s (attempt {attempt})",
                delay.as_secs_f64()
            ));
        }
        StatusFormat::Json => tell_json(
            &json!({"status": "forward", "result": "again", "delay_ms": millis(delay), "attempt": attempt, "reason": why}),
        ),
    }
}

/// Tells that the endpoint of `--forward` refuses an event: the `first`, in text; each, in JSON.
pub fn refused(format: StatusFormat, code: u16, event_type: &str, id: Option<&str>, first: bool) {
    match format {
        StatusFormat::Text | StatusFormat::Inline if first => {
            report(&format!(
                "the endpoint refused a {event_type} ({code}), which is not sent again (told once, and counted)"
            ));
        }
        StatusFormat::Text | StatusFormat::Inline | StatusFormat::None => {}
        StatusFormat::Json => {
            tell_json(
                &json!({"status": "forward", "result": "refused", "code": code, "event_type": event_type, "id": id}),
            );
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Tells of a hole in a stream, which is shown as `tap.gap` too.
pub fn gap(format: StatusFormat, origin: &Origin, gap: &TapGap) {
    let certain = gap.certain.value().is_some_and(|certain| *certain);
    // A recording may hold anything in their place.
    let time =
        |field: &Field<String>| Some(format!("{:.3}", field.value()?.parse::<Timestamp>().ok()?));
    let (from, to) = (time(&gap.from), time(&gap.to));
    let reason = match gap.reason.value() {
        None | Some(GapReason::Other(_)) => "unknown",
        Some(reason) => reason.as_str(),
    };
    match format {
        StatusFormat::None => {}
        StatusFormat::Text | StatusFormat::Inline => {
            let lost = if certain { "events were lost" } else { "events may have been lost" };
            let told = |time: Option<String>| time.unwrap_or_else(|| "an unknown time".to_owned());
            report(&format!(
                "gap in {}: {lost} between {} and {} ({reason})",
                name(origin),
                told(from),
                told(to)
            ));
        }
        StatusFormat::Json => {
            let mut object = json!({"status": "gap", "from": from, "to": to, "certain": certain, "reason": reason});
            identify(&mut object, origin);
            tell_json(&object);
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

/// Tells of something that is no failure, but may become one.
pub fn warning(format: StatusFormat, error: &Error) {
    match format {
        StatusFormat::Json => tell_json(&json!({"status": "warning", "reason": error.to_string()})),
        StatusFormat::Text | StatusFormat::Inline => say_all(error),
        StatusFormat::None => {}
    }
}

/// Tells why a run ends as it does.
pub fn verdict(format: StatusFormat, reason: &str) {
    match format {
        StatusFormat::Json => tell_json(&json!({"status": "verdict", "reason": reason})),
        StatusFormat::Text | StatusFormat::Inline => report(reason),
        StatusFormat::None => {}
    }
}

/// Tells of a failure.
pub fn failed(format: StatusFormat, error: &Error) {
    match format {
        StatusFormat::Json => tell_json(
            &json!({"status": "failed", "exit": error.exit as u8, "reason": error.to_string()}),
        ),
        StatusFormat::Text | StatusFormat::Inline | StatusFormat::None => say_all(error),
    }
}

fn say_all(error: &Error) {
    report(&error.to_string());
    lines(error.detail().unwrap_or_default());
}
