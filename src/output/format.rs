//! The description of an output format, and what its encoder can be told about the run.

use jiff::tz::TimeZone;

use super::columns::Columns;
use super::encoder::Encoder;
use crate::error::Error;
use crate::query::GrepFilter;

/// An output format that `-o` takes.
///
/// Each format is declared in the file of its encoder and listed in [`FORMATS`](super::FORMATS).
#[derive(Debug)]
pub struct OutputFormat {
    /// The name on the command line.
    pub name: &'static str,
    /// The argument that follows the name and `=`, if the format takes one.
    pub argument: Option<FormatArgument>,
    /// What completion says about the format.
    pub help: &'static str,
    /// Why `--fields` cannot select columns of this format; `None` if it can.
    pub refuses_fields: Option<&'static str>,
    /// Whether colours are used where they are enabled.
    #[cfg_attr(not(any(test, feature = "internals")), expect(dead_code, reason = "read by tests"))]
    pub is_coloured: bool,
    /// Whether times are shown for people, in the zone of `--tz` and as `--timestamps` says.
    pub shows_local_times: bool,
    /// Creates the encoder.
    pub encoder: fn(EncoderOptions) -> Result<Box<dyn Encoder>, Error>,
}

/// The argument of a format.
#[derive(Debug)]
pub struct FormatArgument {
    /// Its placeholder in help.
    pub placeholder: &'static str,
    /// A valid argument, for tests that run every format.
    pub example: &'static str,
}

/// What an encoder can be told about the run. A format uses what applies to it.
#[derive(Debug)]
pub struct EncoderOptions {
    /// The argument after `NAME=`; empty if the format takes none.
    pub argument: String,
    /// The parts of each event that are shown; `None` for all of it.
    pub columns: Option<Columns>,
    /// Whether lines are cut at the edge of the terminal.
    pub cut: bool,
    /// Which times are shown to people.
    pub times: TimeDisplay,
    /// Whether each line names the workspace.
    pub workspaces: bool,
    /// Marks the text that matches.
    pub grep: Option<GrepFilter>,
}

impl OutputFormat {
    /// Returns the value as help shows it, such as `template=TEXT`.
    #[must_use]
    pub fn usage(&self) -> String {
        match &self.argument {
            Some(argument) => format!("{}={}", self.name, argument.placeholder),
            None => self.name.to_owned(),
        }
    }

    /// Returns the part of the value that completion can offer, such as `template=`.
    #[must_use]
    pub fn completion(&self) -> String {
        if self.argument.is_some() { format!("{}=", self.name) } else { self.name.to_owned() }
    }

    /// Returns a value of `-o` that selects this format.
    #[must_use]
    #[cfg_attr(not(any(test, feature = "internals")), expect(dead_code, reason = "read by tests"))]
    pub fn example(&self) -> String {
        let argument = self.argument.as_ref().map_or("", |argument| argument.example);
        self.completion() + argument
    }
}

/// The times shown.
#[derive(Debug, Clone)]
pub enum TimeDisplay {
    /// The time of day in a zone.
    Day(TimeZone),
    /// The time since the first event.
    Relative,
    /// The seconds since the event before.
    Delta,
    /// None.
    Nothing,
}
