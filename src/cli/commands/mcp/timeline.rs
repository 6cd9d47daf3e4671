//! The tool `timeline`.

use std::sync::Mutex;

use jiff::Timestamp;
use rmcp::model::CallToolResult;
use serde_json::{Map, Value, json};

use super::answer::{ResultPage, listing};
use super::arguments::ToolArguments;
use super::cursor::PagePosition;
use super::evidence::Evidence;
use super::request::{Listening, ReadRequest, ToolContext};
use super::scope::TakeEvents;
use crate::analysis::timeline::collect::{self, CollectedEvents, TimelineCollector};
use crate::analysis::timeline::{RawEvent, Timeline, build, json as timeline_json};
use crate::cli::resolve::DEMO;
use crate::emulator::DEMO_CALL;
use crate::error::{Error, Exit, Result};
use crate::model::Kind;
use crate::output::{Observer, OutputError};
use crate::query::EventContext;

/// The maximum number of entries of a result.
const MAX_ENTRIES: usize = 1000;

/// The shortest silence that is an entry, in milliseconds.
const QUIET: i64 = 10_000;

/// Collects the events of a call.
struct TimelineTaker(TimelineCollector);

impl TakeEvents for TimelineTaker {
    fn take(&mut self, context: &EventContext<'_>) -> Result<bool, OutputError> {
        self.0.event(context).map(|()| true)
    }
}

/// Shows a call, or lists the calls.
pub async fn timeline(arguments: &ToolArguments, context: &ToolContext) -> Result<CallToolResult> {
    let listening = Listening { seconds: 3, from_now: false };
    let mut request = ReadRequest::new("timeline", arguments, context, listening).await?;
    // Every page reads the whole source again, and its cursor counts entries.
    let first = std::mem::take(&mut request.scope.start);
    // The collector also accepts the beginning of a SID.
    let call = request.scope.call.take();
    let call = call.map(|call| if call == DEMO { DEMO_CALL.to_owned() } else { call });
    request.observe(call.as_deref());
    let cursors = request.cursors.clone();
    let (collector, collected) = TimelineCollector::new(call.clone());
    let (report, _) = request.run(context, Box::new(TimelineTaker(collector))).await?;
    let mut evidence = report.evidence;
    let (name, head, items) = content(call.as_deref(), &collected, &mut evidence)?;
    let mut page = ResultPage::new(MAX_ENTRIES);
    let mut next = None;
    let skipped = usize::try_from(first.events).unwrap_or(usize::MAX);
    for (number, item) in items.into_iter().enumerate().skip(skipped) {
        if !page.push(item, stand_in) {
            let position = PagePosition { events: number as u64, ..PagePosition::default() };
            next = Some(cursors.write(position));
            evidence.reasons.push("there are further pages".to_owned());
            break;
        }
    }
    let mut members = Map::new();
    members.insert("next".to_owned(), json!(next));
    members.extend(head);
    evidence.describe(&mut members);
    Ok(listing(name, &page, &members))
}

fn stand_in(bytes: usize) -> Value {
    json!({"left_out": format!("the entry has {bytes} bytes, more than a result may have")})
}

/// Returns the name of the items, what is said besides them, and the items.
fn content(
    call: Option<&str>,
    collected: &Mutex<CollectedEvents>,
    evidence: &mut Evidence,
) -> Result<(&'static str, Map<String, Value>, Vec<String>)> {
    let mut collected = collect::lock(collected);
    let (name, head, items) = if call.is_some() {
        let sid =
            collected.wanted_sid("show the timeline of").map_err(|error| unidentified(&error))?;
        let timeline = build::build(&mut collected, &sid, QUIET, Vec::new());
        evidence.keep_gaps_of(&sid, known_span(&timeline));
        if timeline.dropped > 0 {
            evidence.reasons.push("the call has more events than fit into memory".to_owned());
        }
        ("entries", timeline_json::head(&timeline), timeline_json::entries(&timeline).collect())
    } else {
        if collected.calls.missing() > 0 {
            evidence.reasons.push("there are more calls than fit into memory".to_owned());
        }
        let head = timeline_json::list_head(&collected);
        ("calls", head, timeline_json::calls(&collected).collect::<Vec<_>>())
    };
    let mut members = Map::new();
    if let Value::Object(head) = head {
        members.extend(head);
    }
    members.remove("revealed");
    Ok((name, members, items))
}

/// Returns when a call began and ended, as far as events say so.
fn known_span(timeline: &Timeline) -> (Option<Timestamp>, Option<Timestamp>) {
    let is_start = |event: &RawEvent| {
        [Kind::CallStarted, Kind::SessionStart]
            .iter()
            .any(|kind| *event.stored.event_type == *kind.spec().event_type)
    };
    let began = timeline.began.filter(|_| timeline.raw.iter().any(is_start));
    let last = timeline.raw.iter().filter_map(|event| event.at).max();
    (began, last.filter(|_| timeline.call.ended.is_some()))
}

/// Says that a call could not be identified, without the SIDs that came over the wire.
fn unidentified(error: &Error) -> Error {
    let what = "cannot show the timeline";
    let advice = "omit `call` to list the calls";
    match error.exit {
        Exit::Usage => {
            Error::usage(what, "several calls have a SID that starts with `call`", advice)
        }
        _ => Error::new(error.exit, what, "no event of that call was read", advice),
    }
}
