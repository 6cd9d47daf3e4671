//! The description of an output format, and the options that its encoder is created with.

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
    /// The description that shell completion shows.
    pub help: &'static str,
    /// Why `--fields` cannot select columns of this format; `None` if it can.
    pub refuses_fields: Option<&'static str>,
    /// Whether colours are used where they are enabled.
    #[cfg_attr(not(any(test, feature = "internals")), expect(dead_code, reason = "read by tests"))]
    pub is_coloured: bool,
    /// Whether times are formatted for people, as set by `--tz` and `--timestamps`.
    pub shows_local_times: bool,
    /// Creates the encoder.
    pub encoder: fn(EncoderOptions) -> Result<Box<dyn Encoder>, Error>,
}

/// The argument of a format.
#[derive(Debug)]
pub struct FormatArgument {
    /// The placeholder in help.
    pub placeholder: &'static str,
    /// A valid argument, for tests that run every format.
    pub example: &'static str,
    /// Returns the parts of events that an argument names, such as `_tap.time`.
    pub parts: fn(&str) -> Result<Vec<String>, Error>,
}

/// The options that an encoder is created with. A format uses those that apply to it.
#[derive(Debug)]
pub struct EncoderOptions {
    /// The argument after `NAME=`; empty if the format takes none.
    pub argument: String,
    /// The parts of each event that are shown; `None` for the whole event.
    pub columns: Option<Columns>,
    /// Whether lines are truncated to the width of the terminal.
    pub cut: bool,
    /// How times are shown.
    pub times: TimeDisplay,
    /// Whether each line names the workspace.
    pub workspaces: bool,
    /// The filter whose matches are highlighted.
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

/// How the time of an event is shown.
#[derive(Debug, Clone)]
pub enum TimeDisplay {
    /// The time of day in a time zone.
    Day(TimeZone),
    /// The time since the first event.
    Relative,
    /// The seconds since the previous event.
    Delta,
    /// No time.
    Nothing,
}
