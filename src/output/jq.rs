//! The output of `--jq`: one line for each value that a jq program produces from an event.

use std::sync::Arc;

use super::encoder::Encoder;
use crate::error::Error;
use crate::query::program::Program;
use crate::query::value::{JqValue, budget};
use crate::query::{EventContext, Failures};
use crate::text::terminal;

/// The maximum size of the output for one event, in bytes.
const MAX_OUTPUT: usize = 16 << 20;

/// Encodes events with a jq program.
pub struct Jq {
    program: Arc<Program>,
    raw: bool,
    terminal: bool,
    failures: Failures,
}

impl Jq {
    /// Creates an encoder that runs `program` on each event.
    ///
    /// `raw` writes strings without quotes. With `terminal`, control characters in raw strings are
    /// escaped, so that they cannot act on the terminal.
    #[must_use]
    pub fn new(program: Program, raw: bool, terminal: bool) -> Self {
        Self { program: Arc::new(program), raw, terminal, failures: Failures::new() }
    }
}

impl Encoder for Jq {
    fn event(&mut self, context: &EventContext<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        let start = out.len();
        let outcome = self.program.run_on_event(context, |value| {
            match value {
                JqValue::Text(text) if self.raw && self.terminal => {
                    out.extend_from_slice(terminal::visible(&text).as_bytes());
                }
                JqValue::Text(text) if self.raw => out.extend_from_slice(text.as_bytes()),
                value => match value.to_safe_json() {
                    Some(json) => out.extend_from_slice(json.as_bytes()),
                    None => return false,
                },
            }
            out.push(b'\n');
            if out.len() - start > MAX_OUTPUT {
                budget::exhaust();
            }
            true
        });
        if let Err(error) = outcome {
            self.failures.record(|| {
                let event_type = context.event.event_type();
                let reason = error.reason();
                format!(
                    "--jq fails on {event_type}: {reason}; such events produce no further lines \
                     (reported once)"
                )
            });
        }
        Ok(())
    }

    fn fork(&self) -> Option<Box<dyn Encoder>> {
        let (program, failures) = (Arc::clone(&self.program), self.failures.fork());
        Some(Box::new(Self { program, failures, ..*self }))
    }

    fn failures(&mut self) -> Option<&mut Failures> {
        Some(&mut self.failures)
    }
}
