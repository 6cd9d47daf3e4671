//! What a jq program makes of each event: a line for each of its outputs.

use std::sync::Arc;

use jaq_json::Val;

use super::encoder::Encoder;
use crate::error::Error;
use crate::query::program::{Program, ProgramError};
use crate::query::{EventContext, Failures, budget_exceeded, value};
use crate::text::terminal;

/// The most that one event may be made into, in bytes.
const MOST: usize = 64 << 20;

/// Writes the outputs of a program.
pub struct Jq {
    program: Arc<Program>,
    raw: bool,
    terminal: bool,
    failures: Failures,
}

impl Jq {
    /// With `raw`, strings without their quotes. On a terminal, what could do something to it is shown as an escape in those
    /// too.
    #[must_use]
    pub fn new(program: Program, raw: bool, terminal: bool) -> Self {
        Self { program: Arc::new(program), raw, terminal, failures: Failures::new() }
    }
}

impl Encoder for Jq {
    fn event(&mut self, context: &EventContext<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        let start = out.len();
        let outcome = self.program.run(self.program.output_input(context), |value| {
            match &value {
                Val::TStr(text) if self.raw && self.terminal => {
                    out.extend_from_slice(
                        terminal::visible(&String::from_utf8_lossy(text)).as_bytes(),
                    );
                }
                Val::TStr(text) if self.raw => out.extend_from_slice(text),
                value => out.extend_from_slice(value::to_json(value).as_bytes()),
            }
            out.push(b'\n');
            out.len() - start < MOST
        });
        match outcome {
            Ok(()) if out.len() - start < MOST => Ok(()),
            Ok(()) | Err(ProgramError::BudgetExceeded) => Err(budget_exceeded("--jq")),
            Err(ProgramError::Failed(reason)) => {
                self.failures.record(|| {
                    let event_type = context.event.event_type();
                    format!("--jq fails on {event_type}: {reason}; such events give no further line (told once)")
                });
                Ok(())
            }
        }
    }

    fn fork(&self) -> Option<Box<dyn Encoder>> {
        let (program, failures) = (Arc::clone(&self.program), self.failures.fork());
        Some(Box::new(Self { program, failures, ..*self }))
    }

    fn failures(&mut self) -> Option<&mut Failures> {
        Some(&mut self.failures)
    }
}
