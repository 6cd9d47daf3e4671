//! The lifecycle of a tap: which streams it reads, and what of them it has delivered.
//!
//! A tap that shares its events with others also tells them that it is connected, alive and when it
//! ends. Otherwise nobody could tell a stream without events from a tap that is gone. Each of these
//! events is delivered after the events of which it speaks.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::model::catalog::value::EndReason;
use crate::model::{Frame, FrameFormat, Origin};
use crate::transport::{ConnectionEvent, ConnectionState, Coverage, CoverageState, RawFrame};

/// The resolution of times.
const MILLISECOND: Duration = Duration::from_millis(1);

/// Follows the streams of a run and creates the lifecycle events of the tap.
pub struct Lifecycle {
    tap: String,
    /// The streams that were connected and have not ended.
    streams: HashMap<Arc<Origin>, StreamProgress>,
}

/// The part of a stream that has passed the pipeline.
#[derive(Debug, Clone, Copy, Default)]
struct StreamProgress {
    /// The time before which everything has, except for gaps.
    until: Option<Timestamp>,
    /// The platform's id of the last event.
    last_id: Option<i64>,
    /// How often the destination had lost what it had when the tap was last announced.
    restarts: u64,
}

impl StreamProgress {
    fn position(&self) -> Option<String> {
        self.until.map(text)
    }
}

impl Lifecycle {
    /// Creates the lifecycle of the tap with this name.
    #[must_use]
    pub fn new(tap: &str) -> Self {
        Self { tap: tap.to_owned(), streams: HashMap::new() }
    }

    /// Notes an event that was processed.
    pub fn advance(&mut self, frame: &Frame<'_>) {
        let Some(progress) = self.streams.get_mut(frame.origin) else { return };
        let reached = match frame.format {
            FrameFormat::Sse => {
                let id = frame.id.and_then(|id| id.parse().ok());
                progress.last_id = id.or(progress.last_id);
                id.and_then(|id| Timestamp::from_millisecond(id).ok())
            }
            FrameFormat::Observer => frame.received_at,
            FrameFormat::Record | FrameFormat::Own => None,
        };
        progress.until = progress.until.max(reached);
    }

    /// Returns the events that report the coverage of a stream. `continues` says that an earlier run
    /// has delivered everything before, since it last reported a position. `restarts` is how often the
    /// destination has lost what it had: if it has since the last time, it is complete only after
    /// what was delivered until now.
    pub fn coverage(
        &mut self,
        coverage: &Coverage,
        continues: bool,
        restarts: u64,
        now: Timestamp,
    ) -> Vec<RawFrame> {
        let new = || StreamProgress { restarts, ..StreamProgress::default() };
        let continues = matches!(coverage.state, CoverageState::Resumed(_))
            && (continues || self.streams.contains_key(&coverage.origin));
        let progress = self.streams.entry(Arc::clone(&coverage.origin)).or_insert_with(new);
        let is_lost = std::mem::replace(&mut progress.restarts, restarts) != restarts;
        // Events of the same millisecond may have been delivered before.
        let after = progress.until.and_then(|until| until.checked_add(MILLISECOND).ok());
        let after = after.filter(|_| is_lost);
        let from = match coverage.state {
            CoverageState::From(from) => Some(from.max(after)),
            CoverageState::Resumed(from) => Some(Some(from).max(after)),
            CoverageState::Until(_) => is_lost.then_some(after),
        };
        let connected = from.map(|from| {
            json!({
                "event_type": "tap.connected",
                "tap": self.tap,
                "from": from.map(text),
                "continues": continues && !is_lost,
            })
        });
        let position = match coverage.state {
            CoverageState::From(_) | CoverageState::Resumed(_) => None,
            CoverageState::Until(until) => {
                progress.until = progress.until.max(until);
                Some(json!({
                    "event_type": "tap.position",
                    "tap": self.tap,
                    "position": progress.position(),
                    "last_id": progress.last_id,
                }))
            }
        };
        let lines = connected.iter().chain(&position);
        lines.map(|line| RawFrame::own(&coverage.origin, line, now)).collect()
    }

    /// Returns the event that reports the end of a stream, if it has ended.
    pub fn connection(&mut self, event: &ConnectionEvent, now: Timestamp) -> Option<RawFrame> {
        let ConnectionState::Ended { reason, .. } = &event.state else { return None };
        let progress = self.streams.remove(&event.origin)?;
        Some(RawFrame::own(&event.origin, &self.ended(progress, reason), now))
    }

    /// Returns the events that report the end of all streams.
    pub fn end(&mut self, now: Timestamp) -> Vec<RawFrame> {
        let mut streams: Vec<_> = std::mem::take(&mut self.streams).into_iter().collect();
        streams.sort_by(|(a, _), (b, _)| {
            (&a.workspace_id, &a.call_sid).cmp(&(&b.workspace_id, &b.call_sid))
        });
        let end = |(origin, progress)| {
            RawFrame::own(&origin, &self.ended(progress, &EndReason::RunEnded), now)
        };
        streams.into_iter().map(end).collect()
    }

    fn ended(&self, progress: StreamProgress, reason: &EndReason) -> Value {
        json!({
            "event_type": "tap.ended",
            "tap": self.tap,
            "position": progress.position(),
            "reason": reason,
        })
    }
}

/// Returns a time as RFC 3339 in UTC, in milliseconds.
fn text(time: Timestamp) -> String {
    format!("{time:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Stream;

    fn at(id: i64) -> Timestamp {
        Timestamp::from_millisecond(id).expect("a time")
    }

    fn line(frame: &RawFrame) -> Value {
        serde_json::from_slice(&frame.data).expect("JSON")
    }

    #[test]
    fn a_position_is_that_of_what_was_processed_and_never_goes_back() {
        let origin = Arc::new(Origin {
            stream: Some(Stream::Workspace),
            workspace_id: Some("w".to_owned()),
            call_sid: None,
        });
        let mut lifecycle = Lifecycle::new("east");
        let covers = |state| Coverage { origin: Arc::clone(&origin), state };
        let event = |id| Frame { id: Some(id), ..Frame::new(FrameFormat::Sse, b"", &origin) };
        lifecycle.advance(&event("1700000000000"));
        let connected = lifecycle.coverage(&covers(CoverageState::From(None)), false, 0, at(0));
        let expected = json!({
            "event_type": "tap.connected",
            "tap": "east",
            "from": null,
            "continues": false,
        });
        assert_eq!(connected.iter().map(line).collect::<Vec<_>>(), [expected]);
        let position = |lifecycle: &mut Lifecycle, until| {
            let events = lifecycle.coverage(&covers(CoverageState::Until(until)), false, 0, at(0));
            let [event] = &events[..] else { panic!("{} events", events.len()) };
            let line = line(event);
            (line["position"].clone(), line["last_id"].clone())
        };
        assert_eq!(position(&mut lifecycle, None), (Value::Null, Value::Null));
        lifecycle.advance(&event("1700000001000"));
        lifecycle.advance(&event("opaque"));
        let first = (json!("2023-11-14T22:13:21.000Z"), json!(1_700_000_001_000_i64));
        assert_eq!(position(&mut lifecycle, None), first);
        assert_eq!(position(&mut lifecycle, Some(at(1_700_000_000_500))), first);
        let later = position(&mut lifecycle, Some(at(1_700_000_002_500)));
        assert_eq!(later.0, "2023-11-14T22:13:22.500Z");
        let ended = lifecycle.end(at(0));
        let expected = json!({
            "event_type": "tap.ended",
            "tap": "east",
            "position": "2023-11-14T22:13:22.500Z",
            "reason": "run_ended",
        });
        assert_eq!(ended.iter().map(line).collect::<Vec<_>>(), [expected]);
        assert!(lifecycle.end(at(0)).is_empty());
    }

    #[test]
    fn a_stream_continues_where_it_resumes_unless_its_destination_has_lost_everything() {
        let origin = Arc::new(Origin::default());
        let (begun, resumed) = (CoverageState::From(Some(at(1))), CoverageState::Resumed(at(1)));
        let coverage = |state| Coverage { origin: Arc::clone(&origin), state };
        let continues = |lifecycle: &mut Lifecycle, state, by_cursor, restarts| {
            let events = lifecycle.coverage(&coverage(state), by_cursor, restarts, at(0));
            line(&events[0])["continues"] == true
        };
        let mut lifecycle = Lifecycle::new("east");
        assert!(!continues(&mut lifecycle, resumed, false, 0), "the first connection");
        assert!(continues(&mut lifecycle, resumed, false, 0));
        assert!(!continues(&mut lifecycle, begun, true, 0), "there was no position");
        assert!(!continues(&mut lifecycle, resumed, true, 1));
        assert!(continues(&mut lifecycle, resumed, false, 1));
        let mut next_run = Lifecycle::new("east");
        assert!(continues(&mut next_run, resumed, true, 0));
    }

    #[test]
    fn a_destination_that_has_lost_everything_is_told_anew_from_when_on_it_is_complete() {
        let origin = Arc::new(Origin::default());
        let mut lifecycle = Lifecycle::new("east");
        let mut coverage = |state, restarts| {
            let coverage = Coverage { origin: Arc::clone(&origin), state };
            let events = lifecycle.coverage(&coverage, false, restarts, at(0));
            let fields = ["event_type", "from", "position"];
            let text = |line: Value| fields.map(|name| line[name].as_str().map(str::to_owned));
            events.iter().map(line).map(text).collect::<Vec<_>>()
        };
        let moment = |millis: i64| Some(at(1_700_000_000_000 + millis));
        let time = |seconds: &str| Some(format!("2023-11-14T22:13:{seconds}Z"));
        let connected = |from| [Some("tap.connected".to_owned()), from, None];
        let position = |until| [Some("tap.position".to_owned()), None, until];
        let (from, until) = (CoverageState::From, CoverageState::Until);
        // What was lost before the first connection does not matter.
        assert_eq!(coverage(from(moment(0)), 1), [connected(time("20.000"))]);
        assert_eq!(coverage(until(moment(1000)), 1), [position(time("21.000"))]);
        let both = [connected(time("21.001")), position(time("22.000"))];
        assert_eq!(coverage(until(moment(2000)), 2), both);
        assert_eq!(coverage(until(moment(3000)), 2), [position(time("23.000"))]);
        // A connection resumes before what was delivered, which is not delivered again.
        assert_eq!(coverage(from(moment(2500)), 3), [connected(time("23.001"))]);
        assert_eq!(coverage(from(moment(2500)), 3), [connected(time("22.500"))]);
    }
}
