//! The tool `schema`.

use rmcp::model::CallToolResult;
use serde_json::{Map, Value, json};

use super::answer::{ResultPage, listing};
use super::arguments::ToolArguments;
use super::cursor::{CursorScope, PagePosition};
use super::request::ToolContext;
use crate::cli::commands::schema;
use crate::error::Result;
use crate::model::EventSpec;
use crate::redact::Policy;

/// Describes event types, or the fields of those that match.
pub fn describe(arguments: &ToolArguments, context: &ToolContext) -> Result<CallToolResult> {
    let pattern = arguments.text("type")?;
    let specs = schema::select(pattern)?;
    let cursors = CursorScope::new(["schema", pattern.unwrap_or_default()]);
    let start = arguments.text("cursor")?.map(|text| cursors.read(text)).transpose()?;
    let start = start.unwrap_or_default().events;
    let mut page = ResultPage::new(usize::MAX);
    let mut next = None;
    let skipped = usize::try_from(start).unwrap_or(usize::MAX);
    for (number, spec) in specs.iter().enumerate().skip(skipped) {
        let item = match pattern {
            None => summary(spec, &context.policy),
            Some(_) => detail(spec, &context.policy),
        };
        let stand_in = |_| json!({"event_type": spec.event_type, "left_out": "it is too large"});
        if !page.push(item.to_string(), stand_in) {
            let position = PagePosition { events: number as u64, ..PagePosition::default() };
            next = Some(cursors.write(position));
            break;
        }
    }
    let members = Map::from_iter([("next".to_owned(), json!(next))]);
    Ok(listing("events", &page, &members))
}

fn summary(spec: &EventSpec, policy: &Policy) -> Value {
    let hidden = spec.fields.iter().filter(|field| policy.hides(spec, field)).count();
    json!({
        "event_type": spec.event_type,
        "stream": spec.stream.name(),
        "doc": spec.doc,
        "fields": spec.fields.len(),
        "hidden": hidden,
    })
}

/// Describes an event with its fields, and says which of them are shown here.
fn detail(spec: &EventSpec, policy: &Policy) -> Value {
    let mut event = schema::json::events(&[spec])["events"][0].take();
    let fields = event["fields"].as_array_mut().into_iter().flatten();
    for (field, spec_of_field) in fields.zip(spec.fields) {
        field["shown"] = Value::from(!policy.hides(spec, spec_of_field));
    }
    event
}
