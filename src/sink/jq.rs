//! What a jq program makes of each event: a line for each of its outputs.

use std::io;

use jaq_json::Val;

use super::{Broken, Lines, Out, Sink};
use crate::sanitize;
use crate::select::program::{Program, Stop};
use crate::select::{Subject, endless, value};
use crate::status;

/// Writes the outputs of a program.
pub struct Jq {
    lines: Lines,
    program: Program,
    raw: bool,
    terminal: bool,
    failures: u64,
}

impl Jq {
    /// Writes to `out`; with `raw`, strings without their quotes. On a terminal, what could do something to it is shown as
    /// an escape in those too.
    #[must_use]
    pub const fn new(out: Out, program: Program, raw: bool, terminal: bool) -> Self {
        Self { lines: Lines::new(out), program, raw, terminal, failures: 0 }
    }
}

impl Sink for Jq {
    fn event(&mut self, subject: &Subject<'_>) -> Result<(), Broken> {
        let mut written = Ok(());
        let outcome = self.program.run(subject.value(), |value| {
            written = self.lines.line(|out| match &value {
                Val::TStr(text) if self.raw && self.terminal => {
                    out.extend_from_slice(sanitize::visible(&String::from_utf8_lossy(text)).as_bytes());
                }
                Val::TStr(text) if self.raw => out.extend_from_slice(text),
                value => out.extend_from_slice(value::to_json(value).as_bytes()),
            });
            written.is_ok()
        });
        written?;
        match outcome {
            Ok(()) => Ok(()),
            Err(Stop::Endless) => Err(endless("--jq").into()),
            Err(Stop::Failed(reason)) => {
                self.failures += 1;
                if self.failures == 1 {
                    let event_type = subject.shown.event_type();
                    status::say(&format!("--jq fails on {event_type}: {reason}; such events give no further line (told once)"));
                }
                Ok(())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.lines.flush()
    }

    fn failures(&self) -> u64 {
        self.failures
    }
}
