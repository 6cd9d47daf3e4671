//! Spans as a collector understands them: decoded by the official definitions of OTLP.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::Value;

/// The spans of some requests.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Spans(pub Vec<Span>);

impl Spans {
    /// Decodes requests, one per line. Fails if a request has a member that the definitions lack.
    pub fn decode(requests: &str) -> Self {
        let mut spans = Vec::new();
        for line in requests.lines() {
            let sent: Value = serde_json::from_str(line).expect("JSON");
            let request: ExportTraceServiceRequest =
                serde_json::from_str(line).expect("a request of OTLP");
            let understood = serde_json::to_value(&request).expect("JSON");
            assert_contains(&understood, &sent, "the request");
            for resource in request.resource_spans {
                let of = resource.resource.expect("a resource");
                assert_eq!(text(&of.attributes, "service.name").as_deref(), Some("evtap"));
                spans.extend(resource.scope_spans.into_iter().flat_map(|scope| scope.spans));
            }
        }
        let spans = Self(spans);
        spans.check();
        spans
    }

    /// Checks what holds for all spans.
    fn check(&self) {
        let ids: BTreeMap<_, _> =
            self.0.iter().map(|span| ((&span.trace_id, &span.span_id), span)).collect();
        assert_eq!(ids.len(), self.0.len(), "span ids are distinct");
        for span in &self.0 {
            assert!(span.trace_id.len() == 16 && span.trace_id != [0; 16], "{span:?}");
            assert!(span.span_id.len() == 8 && span.span_id != [0; 8], "{span:?}");
            assert!(span.start_time_unix_nano <= span.end_time_unix_nano, "{span:?}");
            assert!(span.start_time_unix_nano > 1_700_000_000_000_000_000, "{span:?}");
            let is_root = span.parent_span_id.is_empty();
            assert_eq!(is_root, span.name == "call", "{span:?}");
            assert!(
                is_root || ids.contains_key(&(&span.trace_id, &span.parent_span_id)),
                "{span:?}"
            );
        }
    }

    /// Returns the spans with a name, or whose name begins with it and a space.
    pub fn named(&self, name: &str) -> Vec<&Span> {
        let has_name = |span: &&Span| span.name.split(' ').next() == Some(name);
        self.0.iter().filter(has_name).collect()
    }

    /// Returns the only span with a name.
    pub fn only(&self, name: &str) -> &Span {
        let spans: Vec<_> = self.0.iter().filter(|span| span.name == name).collect();
        assert_eq!(spans.len(), 1, "{name}");
        spans[0]
    }

    /// Returns the span that contains a span.
    pub fn parent(&self, span: &Span) -> &Span {
        let is_parent =
            |other: &&Span| other.trace_id == span.trace_id && other.span_id == span.parent_span_id;
        self.0.iter().find(is_parent).expect("a parent")
    }

    /// Returns the spans of each trace by the SID of its call.
    pub fn by_call(&self) -> BTreeMap<String, Self> {
        let roots = self.named("call").into_iter();
        roots
            .map(|root| {
                let sid = attribute(root, "evtap.call_sid").expect("a SID");
                let of = self.0.iter().filter(|span| span.trace_id == root.trace_id);
                (sid, Self(of.cloned().collect()))
            })
            .collect()
    }

    /// Returns the names of the spans as a tree, with the times in milliseconds since `zero`.
    pub fn outline(&self, zero: i64) -> String {
        let mut out = String::new();
        for root in self.named("call") {
            self.outline_of(root, zero, 0, &mut out);
        }
        out
    }

    fn outline_of(&self, span: &Span, zero: i64, depth: usize, out: &mut String) {
        let attributes = span.attributes.iter().map(shown).collect::<Vec<_>>().join(" ");
        let status = span.status.as_ref().map_or(0, |status| status.code);
        let error = if status == 2 { " ERROR" } else { "" };
        let indent = "  ".repeat(depth);
        let (start, end) =
            (millis(span.start_time_unix_nano, zero), millis(span.end_time_unix_nano, zero));
        let _ = writeln!(out, "{indent}{}{error} {start}..{end}", span.name);
        let _ = writeln!(out, "{indent}    {attributes}");
        for event in &span.events {
            let attributes = event.attributes.iter().map(shown).collect::<Vec<_>>().join(" ");
            let at = millis(event.time_unix_nano, zero);
            let _ = writeln!(out, "{indent}    * {} {at} {attributes}", event.name);
        }
        for child in self
            .0
            .iter()
            .filter(|child| child.trace_id == span.trace_id && child.parent_span_id == span.span_id)
        {
            self.outline_of(child, zero, depth + 1, out);
        }
    }
}

/// Returns the duration of a span, in nanoseconds.
pub fn length(span: &Span) -> u64 {
    span.end_time_unix_nano - span.start_time_unix_nano
}

/// Returns the text of an attribute.
pub fn attribute(span: &Span, key: &str) -> Option<String> {
    text(&span.attributes, key)
}

fn text(attributes: &[KeyValue], key: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == key)?;
    Some(plain(found.value.as_ref()?))
}

fn plain(value: &AnyValue) -> String {
    match value.value.as_ref().expect("a value") {
        Any::StringValue(text) => text.clone(),
        Any::BoolValue(value) => value.to_string(),
        Any::IntValue(value) => value.to_string(),
        Any::DoubleValue(value) => value.to_string(),
        Any::ArrayValue(list) => list.values.iter().map(plain).collect::<Vec<_>>().join(","),
        other => panic!("an unexpected value: {other:?}"),
    }
}

fn shown(attribute: &KeyValue) -> String {
    format!("{}={}", attribute.key, plain(attribute.value.as_ref().expect("a value")))
}

#[expect(clippy::cast_precision_loss, reason = "it is printed with few digits")]
fn millis(nanos: u64, zero: i64) -> String {
    let nanos = i128::from(nanos) - i128::from(zero) * 1_000_000;
    format!("{:.2}", nanos as f64 / 1e6)
}

/// Checks that a value contains another one: all its members, and equal values.
fn assert_contains(all: &Value, part: &Value, path: &str) {
    match (all, part) {
        (Value::Object(all), Value::Object(part)) => {
            for (key, value) in part {
                let path = format!("{path}.{key}");
                assert_contains(all.get(key).unwrap_or_else(|| panic!("{path}")), value, &path);
            }
        }
        (Value::Array(all), Value::Array(part)) => {
            assert_eq!(all.len(), part.len(), "{path}");
            for (at, (all, part)) in all.iter().zip(part).enumerate() {
                assert_contains(all, part, &format!("{path}[{at}]"));
            }
        }
        (all, part) => assert_eq!(all, part, "{path}"),
    }
}
