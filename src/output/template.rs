//! Lines by a template in the language of Jinja: `{{ event_type }} {{ _tap.time }}`.
//!
//! A template sees what a predicate sees: the shown event.

use std::io;

use minijinja::{Environment, Value};

use super::{EventSink, LineBuffer, Out, OutputError};
use crate::error::{Error, Result};
use crate::query::EventContext;
use crate::redact::RedactedEvent;
use crate::text::terminal;

/// Writes what a template makes of each event.
pub struct Template {
    lines: LineBuffer,
    environment: Environment<'static>,
}

const NAME: &str = "template";

impl Template {
    /// Writes to `out` by a template. Names that an event doesn't have give nothing.
    pub fn new(out: Out, source: &str) -> Result<Self> {
        let mut environment = Environment::new();
        environment.set_fuel(Some(100_000));
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        environment.add_template_owned(NAME, source.to_owned()).map_err(|error| {
            let place = error.line().map_or_else(String::new, |line| format!(" in line {line}"));
            Error::usage(
                "cannot use the template",
                format!("it is no template of Jinja's{place}"),
                "write it like '{{ event_type }} {{ call_sid }}'",
            )
        })?;
        Ok(Self { lines: LineBuffer::new(out), environment })
    }
}

fn values(shown: &RedactedEvent<'_>) -> Value {
    let parse = |json: &str| {
        serde_json::from_str::<serde_json::Value>(json)
            .map_or(Value::UNDEFINED, Value::from_serialize)
    };
    let own = [
        ("event_type".to_owned(), Value::from(shown.event_type())),
        ("_tap".to_owned(), parse(&shown.tap_json())),
    ];
    own.into_iter()
        .chain(shown.fields().map(|field| (field.name().into_owned(), parse(field.json))))
        .collect()
}

impl EventSink for Template {
    fn event(&mut self, context: &EventContext<'_>) -> Result<(), OutputError> {
        // The engine's own message may quote a value.
        let failed = |_| {
            Error::usage(
                "cannot use the template",
                format!("it fails on {}", context.event.event_type()),
                "guard what may be absent by `if`",
            )
        };
        let template = self.environment.get_template(NAME).map_err(failed)?;
        let text = template.render(values(context.event)).map_err(failed)?;
        Ok(self.lines.line(|out| out.extend_from_slice(terminal::visible(&text).as_bytes()))?)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.lines.flush()
    }
}
