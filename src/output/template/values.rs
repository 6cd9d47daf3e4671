//! The variables of a template. A part of an event becomes a value when a template uses it.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use minijinja::Value;
use minijinja::value::{Enumerator, Object, Serde};

use crate::json::string::unquote;
use crate::output::columns::tap_text;
use crate::redact::RedactedEvent;

/// The members of `_tap` that are texts.
const TAP_TEXTS: [&str; 6] = ["id", "time", "received_at", "stream", "workspace_id", "call_sid"];

/// The parts of one event.
#[derive(Default)]
pub(super) struct EventValues {
    /// The names and the JSON of all parts.
    text: String,
    /// The parts in the order of `ndjson`, but with `_tap` before the fields. Of duplicates, the
    /// last counts.
    parts: Vec<Part>,
    /// The members of `_tap` that are texts, in the order of [`TAP_TEXTS`].
    tap_texts: [Option<Range<usize>>; TAP_TEXTS.len()],
}

struct Part {
    name: Range<usize>,
    content: PartContent,
    value: OnceLock<Value>,
}

enum PartContent {
    Text(Range<usize>),
    Json(Range<usize>),
    /// `_tap`, as JSON.
    Tap(Range<usize>),
}

impl EventValues {
    /// Replaces the parts by those of another event.
    pub(super) fn read(&mut self, shown: &RedactedEvent<'_>) {
        self.text.clear();
        self.parts.clear();
        let event_type = self.push(shown.event_type());
        self.push_part("event_type", PartContent::Text(event_type));
        let tap = self.push(&shown.tap_json());
        self.push_part("_tap", PartContent::Tap(tap));
        self.tap_texts =
            TAP_TEXTS.map(|name| tap_text(shown.tap(), name).map(|text| self.push(text)));
        for field in shown.fields() {
            let json = self.push(field.json);
            self.push_part(&field.name(), PartContent::Json(json));
        }
    }

    fn push(&mut self, text: &str) -> Range<usize> {
        let start = self.text.len();
        self.text.push_str(text);
        start..self.text.len()
    }

    fn push_part(&mut self, name: &str, content: PartContent) {
        let name = self.push(name);
        self.parts.push(Part { name, content, value: OnceLock::new() });
    }

    fn tap_json(&self) -> &str {
        let tap = self.parts.iter().find_map(|part| match &part.content {
            PartContent::Tap(json) => Some(json.clone()),
            _ => None,
        });
        &self.text[tap.unwrap_or_default()]
    }
}

impl fmt::Debug for EventValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EventValues")
    }
}

impl Object for EventValues {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let has_name = |part: &&Part| self.text[part.name.clone()] == *key;
        let part = self.parts.iter().rev().find(has_name)?;
        Some(match &part.content {
            PartContent::Text(text) => Value::from(&self.text[text.clone()]),
            PartContent::Json(json) => {
                part.value.get_or_init(|| value(&self.text[json.clone()])).clone()
            }
            // The value refers to the event, so the event cannot keep it.
            PartContent::Tap(_) => {
                Value::from_object(TapValues { event: Arc::clone(self), all: OnceLock::new() })
            }
        })
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let names = self.parts.iter().map(|part| Value::from(&self.text[part.name.clone()]));
        Enumerator::Values(names.collect())
    }
}

/// The object `_tap`.
struct TapValues {
    event: Arc<EventValues>,
    /// The whole object, if a template uses more than its texts.
    all: OnceLock<Value>,
}

impl TapValues {
    fn all(&self) -> &Value {
        self.all.get_or_init(|| value(self.event.tap_json()))
    }
}

impl fmt::Debug for TapValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.all().fmt(f)
    }
}

impl Object for TapValues {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        if let Some(at) = TAP_TEXTS.iter().position(|name| *name == key) {
            let text = self.event.tap_texts[at].clone()?;
            return Some(Value::from(&self.event.text[text]));
        }
        self.all().get_attr(key).ok().filter(|value| !value.is_undefined())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.all().try_iter().into_iter().flatten().collect())
    }
}

/// Returns a JSON value as a value of the template engine.
fn value(json: &str) -> Value {
    match unquote(json) {
        Some(text) => Value::from(text),
        None => serde_json::from_str::<serde_json::Value>(json)
            .map_or(Value::UNDEFINED, |value| Value::from(Serde(value))),
    }
}
