//! The tool `stats`.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use rmcp::model::CallToolResult;
use serde_json::{Map, Value};

use super::answer::{PAGE_BYTES, object};
use super::arguments::ToolArguments;
use super::events::add_notes;
use super::request::{Listening, ReadRequest, ToolContext};
use super::scope::{TakeEvents, lock};
use crate::analysis::stats::observer::{StatsConfig, StatsFormat, StatsObserver};
use crate::error::{Error, Exit, Result};
use crate::output::{Observer, OutputError};
use crate::query::EventContext;

/// A writer into memory that its reader shares.
#[derive(Clone, Default)]
struct SharedBuffer(Arc<Mutex<Vec<u8>>>);

impl Write for SharedBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        lock(&self.0).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Counts events.
struct StatsTaker(StatsObserver);

impl TakeEvents for StatsTaker {
    fn take(&mut self, context: &EventContext<'_>) -> Result<bool, OutputError> {
        self.0.event(context).map(|()| true)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.0.finish()
    }
}

/// Counts and measures events.
pub async fn stats(arguments: &ToolArguments, context: &ToolContext) -> Result<CallToolResult> {
    let listening = Listening { seconds: 3, from_now: false };
    let request = ReadRequest::new("stats", arguments, context, listening).await?;
    let buffer = SharedBuffer::default();
    let config = StatsConfig {
        format: StatsFormat::Json,
        every: None,
        group_by: None,
        is_live: false,
        is_terminal: false,
        has_colour: false,
        revealed: Vec::new(),
    };
    let observer = StatsObserver::new(Box::new(buffer.clone()), config);
    let (report, notes) = request.run(context, Box::new(StatsTaker(observer))).await?;
    let stats = serde_json::from_slice(&lock(&buffer.0)).unwrap_or(Value::Null);
    let Value::Object(mut members) = stats else {
        let why = "there are none";
        return Err(Error::new(Exit::Failure, "cannot show the statistics", why, "try again"));
    };
    // The gaps take the place of their counts by reason, which are those of the selected events.
    members.remove("gaps");
    members.remove("groups");
    shorten(&mut members);
    report.evidence.describe(&mut members);
    add_notes(&notes, &mut members);
    Ok(object(members))
}

/// Shortens the longest lists, whose last items count least, until everything fits in a result.
fn shorten(members: &mut Map<String, Value>) {
    let mut left_out = Map::new();
    while size(members) > PAGE_BYTES {
        let lists = members.iter_mut().filter_map(|(name, value)| {
            let list = value.as_array_mut().filter(|list| !list.is_empty())?;
            let bytes = serde_json::to_string(list).map_or(0, |text| text.len());
            Some((bytes, name, list))
        });
        let Some((_, name, list)) = lists.max_by_key(|(bytes, ..)| *bytes) else { break };
        let kept = list.len() / 2;
        let before = left_out.get(name).and_then(Value::as_u64).unwrap_or_default();
        left_out.insert(name.clone(), Value::from(before + (list.len() - kept) as u64));
        list.truncate(kept);
    }
    if !left_out.is_empty() {
        members.insert("not_listed".to_owned(), Value::Object(left_out));
    }
}

fn size(members: &Map<String, Value>) -> usize {
    serde_json::to_string(members).map_or(0, |text| text.len())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn long_lists_are_shortened_and_what_is_left_out_is_counted() {
        let list: Vec<_> =
            (0..2000).map(|number| json!({"tool_name": "x".repeat(90), "n": number})).collect();
        let mut members = Map::new();
        members.insert("events".to_owned(), json!(7));
        members.insert("types".to_owned(), json!([1, 2, 3]));
        members.insert("tools".to_owned(), json!(list));
        shorten(&mut members);
        assert!(size(&members) <= PAGE_BYTES + 100);
        let tools = members["tools"].as_array().expect("a list");
        assert_eq!(tools[0]["n"], 0, "the first ones stay");
        assert_eq!(
            tools.len() as u64 + members["not_listed"]["tools"].as_u64().expect("a count"),
            2000
        );
        assert_eq!(members["types"], json!([1, 2, 3]));
    }
}
