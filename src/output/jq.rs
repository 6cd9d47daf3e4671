//! The output of `--jq`: one line for each value that a jq program produces from an event.

use std::sync::Arc;

use super::encoder::Encoder;
use crate::error::Error;
use crate::query::value::OutputStyle;
use crate::query::{EventContext, Failures, OutputProgram};

/// The maximum size of the output for one event, in bytes.
const MAX_OUTPUT: usize = 16 << 20;

/// Encodes events with a jq program.
pub struct Jq {
    program: Arc<OutputProgram>,
    style: OutputStyle,
    failures: Failures,
}

impl Jq {
    /// Creates an encoder that runs `program` on each event.
    ///
    /// `raw` writes strings without quotes. With `terminal`, control characters in raw strings are
    /// escaped, so that they cannot act on the terminal.
    #[must_use]
    pub fn new(program: OutputProgram, raw: bool, terminal: bool) -> Self {
        let style = match (raw, terminal) {
            (false, _) => OutputStyle::Json,
            (true, false) => OutputStyle::Raw,
            (true, true) => OutputStyle::Visible,
        };
        Self { program: Arc::new(program), style, failures: Failures::new() }
    }
}

impl Encoder for Jq {
    fn event(&mut self, context: &EventContext<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        let outcome = self.program.write_lines(context, self.style, MAX_OUTPUT, out);
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
