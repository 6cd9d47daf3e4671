//! Spans as OTLP JSON (OpenTelemetry protocol 1.x, JSON Protobuf encoding): ids are lower-case
//! hexadecimal, 64-bit integers are strings, and enumerations are numbers.

use serde_json::{Map, Value, json};

use super::span::{AttributeValue, CallSpans, SpanAttributes, SpanEvent, TraceSpan};
use crate::text::terminal;

/// `SPAN_KIND_INTERNAL`: the spans are made of events, so none of them is a request that a service
/// received.
const INTERNAL: u8 = 1;

/// `STATUS_CODE_ERROR`.
const ERROR: u8 = 2;

/// The maximum number of spans in one element of `resourceSpans`.
pub const MAX_SPANS: usize = 512;

/// An element of `resourceSpans`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceSpans {
    /// The JSON, on one line and without hostile characters.
    pub json: String,
    /// The number of spans in it.
    pub spans: usize,
}

/// Returns the spans of a call as elements of `resourceSpans`, each with at most [`MAX_SPANS`].
#[must_use]
pub fn resource_spans(call: &CallSpans) -> Vec<ResourceSpans> {
    let resource = SpanAttributes::default()
        .with("service.name", "evtap")
        .with("service.version", env!("CARGO_PKG_VERSION"));
    let resource = attributes(&resource);
    let element = |spans: &[TraceSpan]| {
        let trace = call.trace.to_string();
        let json = json!({
            "resource": {"attributes": resource},
            "scopeSpans": [{
                "scope": {"name": "evtap", "version": env!("CARGO_PKG_VERSION")},
                "spans": spans.iter().map(|each| span(each, &trace)).collect::<Vec<_>>(),
            }],
        });
        let mut text = String::new();
        terminal::push_json(&json.to_string(), &mut text);
        ResourceSpans { json: text, spans: spans.len() }
    };
    call.spans.chunks(MAX_SPANS).map(element).collect()
}

/// Returns the JSON of an `ExportTraceServiceRequest` with these elements.
pub fn request<'a>(elements: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::from("{\"resourceSpans\":[");
    for (at, element) in elements.enumerate() {
        text.push_str(if at > 0 { "," } else { "" });
        text.push_str(element);
    }
    text.push_str("]}");
    text
}

fn span(span: &TraceSpan, trace: &str) -> Value {
    let mut object = Map::new();
    object.insert("traceId".to_owned(), json!(trace));
    object.insert("spanId".to_owned(), json!(span.id.to_string()));
    if let Some(parent) = span.parent {
        object.insert("parentSpanId".to_owned(), json!(parent.to_string()));
    }
    object.insert("name".to_owned(), json!(span.name));
    object.insert("kind".to_owned(), json!(INTERNAL));
    object.insert("startTimeUnixNano".to_owned(), json!(span.start.to_string()));
    object.insert("endTimeUnixNano".to_owned(), json!(span.end.to_string()));
    object.insert("attributes".to_owned(), attributes(&span.attributes));
    if !span.events.is_empty() {
        object.insert("events".to_owned(), span.events.iter().map(event).collect());
    }
    if span.is_error {
        object.insert("status".to_owned(), json!({"code": ERROR}));
    }
    Value::Object(object)
}

fn event(event: &SpanEvent<u64>) -> Value {
    json!({
        "timeUnixNano": event.at.to_string(),
        "name": event.name,
        "attributes": attributes(&event.attributes),
    })
}

fn attributes(attributes: &SpanAttributes) -> Value {
    attributes.0.iter().map(|(key, value)| json!({"key": key, "value": any_value(value)})).collect()
}

fn any_value(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::Text(text) => json!({"stringValue": text}),
        AttributeValue::Bool(value) => json!({"boolValue": value}),
        AttributeValue::Integer(value) => json!({"intValue": value.to_string()}),
        AttributeValue::Number(value) => json!({"doubleValue": value}),
        AttributeValue::List(items) => {
            let values: Vec<_> = items.iter().map(|item| json!({"stringValue": item})).collect();
            json!({"arrayValue": {"values": values}})
        }
    }
}
