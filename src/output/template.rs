//! The format `template`: lines from a Jinja template, such as `{{ event_type }} {{ _tap.time }}`.
//!
//! A template has access to the redacted event only, like a filter.

mod values;

use std::sync::Arc;

use minijinja::{Environment, Value};

use super::encoder::Encoder;
use super::format::FormatArgument;
use super::format::OutputFormat;
use crate::error::{Error, Result};
use crate::query::{EventContext, Failures};
use crate::text::terminal;
use values::EventValues;

/// The format `template=TEXT`.
pub const FORMAT: OutputFormat = OutputFormat {
    name: "template",
    argument: Some(FormatArgument {
        placeholder: "TEXT",
        example: "{{ event_type }} {{ call_sid }} {{ _tap }}",
        parts: |source| Template::new(source)?.parts(),
    }),
    help: "Text from a Jinja template.",
    refuses_fields: None,
    is_coloured: false,
    shows_local_times: false,
    encoder: |options| Ok(Box::new(Template::new(&options.argument)?)),
};

/// Encodes events with a template.
pub struct Template {
    environment: Arc<Environment<'static>>,
    failures: Failures,
    /// The variables, whose memory is reused.
    values: Arc<EventValues>,
}

const NAME: &str = "template";

impl Template {
    /// Compiles a template. Fields that an event does not have render as empty text.
    ///
    /// # Errors
    ///
    /// Fails if the syntax is invalid.
    pub fn new(source: &str) -> Result<Self> {
        let mut environment = Environment::new();
        environment.set_fuel(Some(100_000));
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        environment.add_template_owned(NAME, source.to_owned()).map_err(|error| {
            let line = error.line().map_or_else(String::new, |line| format!(" in line {line}"));
            Error::usage(
                "cannot use the template",
                format!("invalid Jinja syntax{line}"),
                "write it like '{{ event_type }} {{ call_sid }}'",
            )
        })?;
        Ok(Self::compiled(Arc::new(environment), Failures::new()))
    }

    fn compiled(environment: Arc<Environment<'static>>, failures: Failures) -> Self {
        Self { environment, failures, values: Arc::default() }
    }

    /// Returns the variables that the template does not set itself, such as `_tap.time`.
    fn parts(&self) -> Result<Vec<String>> {
        let template = self.environment.get_template(NAME).map_err(|_| {
            Error::usage("cannot use the template", "it was not compiled", "report this as a bug")
        })?;
        let source = template.source();
        if !source.contains("{{") && !source.contains("{%") {
            return Err(Error::usage(
                "cannot use the template",
                "it has no variable, so all lines would be the same",
                "write it like '{{ event_type }} {{ call_sid }}'",
            ));
        }
        let mut names: Vec<_> = template.undeclared_variables(true).into_iter().collect();
        names.retain(|name| {
            let variable = name.split('.').next();
            !self.environment.globals().any(|(global, _)| Some(global) == variable)
        });
        names.sort();
        Ok(names)
    }
}

impl Encoder for Template {
    fn event(&mut self, context: &EventContext<'_>, out: &mut Vec<u8>) -> Result<()> {
        // The memory is reused, unless the engine still refers to the last event.
        if Arc::get_mut(&mut self.values).is_none() {
            self.values = Arc::default();
        }
        if let Some(values) = Arc::get_mut(&mut self.values) {
            values.read(context.event);
        }
        let rendered = self
            .environment
            .get_template(NAME)
            .and_then(|template| template.render(Value::from_dyn_object(Arc::clone(&self.values))));
        if let Ok(text) = rendered {
            out.extend_from_slice(terminal::visible(&text).as_bytes());
            out.push(b'\n');
        } else {
            // The error of the template engine is dropped, because it may quote a value.
            self.failures.record(|| {
                let event_type = context.event.event_type();
                format!(
                    "the template fails on {event_type}; such events produce no line (reported once)"
                )
            });
        }
        Ok(())
    }

    fn fork(&self) -> Option<Box<dyn Encoder>> {
        Some(Box::new(Self::compiled(Arc::clone(&self.environment), self.failures.fork())))
    }

    fn failures(&mut self) -> Option<&mut Failures> {
        Some(&mut self.failures)
    }
}
