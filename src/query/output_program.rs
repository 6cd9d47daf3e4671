//! Programs whose outputs are written: those of `--jq` and `--group-by`.

use super::context::EventContext;
use super::native::NativeProgram;
use super::program::{ParsedProgram, Program, ProgramError};
use super::value::{JqValue, OutputStyle, budget};
use crate::error::Result;
use crate::redact::RedactedEvent;

/// A program whose outputs are written.
///
/// It runs on the native evaluator if that supports the program. On an event on which the native
/// evaluator fails, and for any other program, jq's evaluation is authoritative.
pub struct OutputProgram {
    program: Program,
    native: Option<NativeProgram>,
}

impl OutputProgram {
    /// Compiles a parsed program that may use `variables`.
    ///
    /// # Errors
    ///
    /// Returns a usage error if the program uses an undefined filter or variable.
    pub fn compile(parsed: &ParsedProgram<'_>, variables: &[(String, JqValue)]) -> Result<Self> {
        let program = Program::compile(parsed, variables)?;
        Ok(Self { program, native: NativeProgram::compile(&parsed.term, variables) })
    }

    /// Runs the program without the native evaluator.
    #[must_use]
    pub fn without_native(self) -> Self {
        Self { native: None, ..self }
    }

    /// Returns whether the program ends within its budget on an event without fields.
    #[must_use]
    pub fn ends(&self) -> bool {
        self.program.ends()
    }

    /// Returns the JSON of each field that the outputs depend on, `None` for an absent field.
    /// Returns `None` if they may depend on anything else.
    #[must_use]
    pub fn field_values<'s>(
        &self,
        event: &'s RedactedEvent<'_>,
    ) -> Option<impl Iterator<Item = Option<&'s str>>> {
        self.program.output_fields(event)
    }

    /// Runs the program on an event and appends each output and a line feed. All outputs together
    /// take at most about `max_bytes`.
    ///
    /// # Errors
    ///
    /// Returns why there are no further outputs. Those before the error are appended.
    pub fn write_lines(
        &self,
        context: &EventContext<'_>,
        style: OutputStyle,
        max_bytes: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), ProgramError> {
        if self.write_natively(context, style, out) {
            return Ok(());
        }
        let start = out.len();
        self.program.run_on_event(context, |value| {
            if !value.push_output(style, out) {
                return false;
            }
            out.push(b'\n');
            if out.len() - start > max_bytes {
                budget::exhaust();
            }
            true
        })
    }

    /// Runs the program on an event and passes the JSON of each output to `take` until `take`
    /// returns false. Hostile characters are escaped. The buffer saves allocations.
    ///
    /// # Errors
    ///
    /// Returns why there are no further outputs.
    pub fn for_each_json(
        &self,
        context: &EventContext<'_>,
        buffer: &mut Vec<u8>,
        mut take: impl FnMut(&str) -> bool,
    ) -> Result<(), ProgramError> {
        let mut take = |json: &[u8]| str::from_utf8(json).is_ok_and(&mut take);
        buffer.clear();
        if self.write_natively(context, OutputStyle::Json, buffer) {
            // JSON on one line contains no line feed.
            let _ = buffer
                .split_inclusive(|byte| *byte == b'\n')
                .all(|line| take(&line[..line.len() - 1]));
            return Ok(());
        }
        self.program.run_on_event(context, |value| {
            buffer.clear();
            value.push_safe_json(buffer) && take(buffer)
        })
    }

    /// Appends each output and a line feed, if the native evaluator can do that.
    fn write_natively(
        &self,
        context: &EventContext<'_>,
        style: OutputStyle,
        out: &mut Vec<u8>,
    ) -> bool {
        let native = self.native.as_ref();
        native.is_some_and(|native| native.write_lines(context.event, style, out).is_ok())
    }
}
