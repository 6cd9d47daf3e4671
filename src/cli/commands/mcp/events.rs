//! The tools `find` and `tail`.

use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use rmcp::model::CallToolResult;
use serde_json::{Map, Value, json};

use super::answer::{ResultPage, for_agents, listing};
use super::arguments::ToolArguments;
use super::cursor::PagePosition;
use super::request::{Listening, ReadRequest, ToolContext, position_to_listen_on};
use super::scope::{TakeEvents, lock};
use crate::error::Result;
use crate::output::OutputError;
use crate::output::ndjson;
use crate::query::EventContext;

/// The default number of events of a result.
const EVENTS: usize = 50;

/// The maximum number of events of a result.
const MAX_EVENTS: usize = 1000;

/// Which events a page keeps.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    /// The first ones.
    First,
    /// The first ones, and it is done as soon as it is full.
    FirstOfStream,
    /// The last ones.
    Last,
}

/// Takes the events of a page.
struct PageTaker {
    page: Arc<Mutex<ResultPage>>,
    keep: Keep,
}

impl TakeEvents for PageTaker {
    fn take(&mut self, context: &EventContext<'_>) -> Result<bool, OutputError> {
        let mut line = Vec::new();
        ndjson::object(context.event, &mut line);
        let line = String::from_utf8_lossy(&line).into_owned();
        let (event_type, time) = (context.event.name(), context.event.tap().time.clone());
        let stand_in = |bytes: usize| {
            json!({
                "event_type": event_type,
                "_tap": {"time": time},
                "left_out": format!("the event has {bytes} bytes, more than a result may have"),
            })
        };
        let mut page = lock(&self.page);
        if self.keep == Keep::Last {
            page.push_last(line, stand_in);
            return Ok(true);
        }
        Ok(page.push(line, stand_in))
    }

    fn is_done(&self) -> bool {
        self.keep == Keep::FirstOfStream && lock(&self.page).is_full()
    }
}

/// Finds events.
pub async fn find(arguments: &ToolArguments, context: &ToolContext) -> Result<CallToolResult> {
    let limit = arguments.number("limit", EVENTS, MAX_EVENTS)?;
    let listening = Listening { seconds: 3, from_now: false };
    let request = ReadRequest::new("find", arguments, context, listening).await?;
    let page = Arc::new(Mutex::new(ResultPage::new(limit)));
    let taker = PageTaker { page: Arc::clone(&page), keep: Keep::First };
    let cursors = request.cursors.clone();
    let (mut report, notes) = request.run(context, Box::new(taker)).await?;
    let is_complete = report.evidence.is_complete();
    let next = report.is_cut.then(|| {
        let is_incomplete = report.position.is_incomplete || !is_complete;
        cursors.write(PagePosition { is_incomplete, ..report.position })
    });
    if next.is_some() {
        report.evidence.reasons.push("there are further pages".to_owned());
    }
    let mut members = Map::new();
    members.insert("next".to_owned(), json!(next));
    report.evidence.describe(&mut members);
    add_notes(&notes, &mut members);
    Ok(listing("events", &lock(&page), &members))
}

/// Listens to a live source, or returns the last events of recordings.
pub async fn tail(arguments: &ToolArguments, context: &ToolContext) -> Result<CallToolResult> {
    let limit = arguments.number("limit", EVENTS, MAX_EVENTS)?;
    let began = Timestamp::now();
    let listening = Listening { seconds: 10, from_now: true };
    let request = ReadRequest::new("tail", arguments, context, listening).await?;
    let page = Arc::new(Mutex::new(ResultPage::new(limit)));
    let keep = if request.is_live() { Keep::FirstOfStream } else { Keep::Last };
    let taker = PageTaker { page: Arc::clone(&page), keep };
    let cursors = request.is_live().then(|| request.cursors.clone());
    let (report, notes) = request.run(context, Box::new(taker)).await?;
    let mut members = Map::new();
    let position = || {
        let position = position_to_listen_on(&report, began);
        // What is missing before is no concern of those who listen from here on.
        PagePosition { is_incomplete: false, ..position }
    };
    let next = cursors.map(|cursors| cursors.write(position()));
    members.insert("next".to_owned(), json!(next));
    report.evidence.describe(&mut members);
    add_notes(&notes, &mut members);
    Ok(listing("events", &lock(&page), &members))
}

/// Adds what may surprise about the query.
pub fn add_notes(notes: &[String], members: &mut Map<String, Value>) {
    if !notes.is_empty() {
        let notes = notes.iter().map(|note| for_agents(note));
        members.insert("notes".to_owned(), notes.collect());
    }
}
