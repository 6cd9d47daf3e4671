//! A table of a rules file, whose mistakes are reported with their line.

use std::time::Duration;

use toml_edit::{Item, TableLike};

use crate::cli::config::TomlFile;
use crate::error::{Error, Result};
use crate::query::suggest;
use crate::text::units::{DurationError, parse_positive_duration};

/// A table of a rules file.
pub(super) struct RuleTable<'a> {
    file: &'a TomlFile,
    /// The name of the rule; empty for the top level.
    name: &'a str,
    /// The line of its head.
    line: usize,
    table: &'a dyn TableLike,
}

impl<'a> RuleTable<'a> {
    pub fn new(file: &'a TomlFile, name: &'a str, line: usize, table: &'a dyn TableLike) -> Self {
        Self { file, name, line, table }
    }

    /// Returns the names of the settings in the table.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.table.iter().map(|(name, _)| name)
    }

    /// Returns whether the table has a setting.
    pub fn has(&self, setting: &str) -> bool {
        self.table.get(setting).is_some()
    }

    /// Returns the name of a setting for messages.
    fn label(&self, setting: &str) -> String {
        if self.name.is_empty() { setting.to_owned() } else { format!("{}.{setting}", self.name) }
    }

    fn line_of(&self, setting: &str) -> usize {
        let span = self.table.key(setting).and_then(toml_edit::Key::span);
        self.file.line(span.or_else(|| self.table.get(setting).and_then(Item::span)))
    }

    /// Returns the place of a setting, as the option of an expression: the file, the line and the
    /// name.
    pub fn place(&self, setting: &str) -> String {
        let (path, line) = (self.file.path.display(), self.line_of(setting));
        format!("{path}, line {line} ({})", self.label(setting))
    }

    /// Creates an error about a setting.
    pub fn wrong(&self, setting: &str, why: impl Into<String>, advice: impl Into<String>) -> Error {
        self.file.wrong(self.line_of(setting), &self.label(setting), why, advice)
    }

    /// Creates an error about the whole table.
    pub fn incomplete(&self, why: &str, advice: &str) -> Error {
        self.file.wrong(self.line, self.name, why, advice)
    }

    /// Returns the name of the rule.
    pub const fn name(&self) -> &'a str {
        self.name
    }

    /// Returns a text that is equal for tables with the same settings.
    pub fn fingerprint(&self) -> String {
        let mut settings: Vec<_> = self
            .table
            .iter()
            .map(|(name, item)| format!("{name}={}", item.to_string().trim()))
            .collect();
        settings.sort();
        settings.join("\n")
    }

    /// Checks that all settings are among `known`.
    pub fn only(&self, known: &[&str]) -> Result<()> {
        let Some(unknown) = self.names().find(|name| !known.contains(name)) else { return Ok(()) };
        let advice = suggest::nearest(unknown, known.iter().copied()).map_or_else(
            || format!("give {}", known.join(", ")),
            |meant| format!("did you mean {meant}?"),
        );
        Err(self.wrong(unknown, "no such setting here", advice))
    }

    /// Returns a text.
    pub fn text(&self, setting: &str) -> Result<Option<&'a str>> {
        let Some(item) = self.table.get(setting) else { return Ok(None) };
        let text = item.as_str();
        text.map(Some).ok_or_else(|| self.wrong(setting, "not a string", "write it in quotes"))
    }

    /// Returns a duration longer than zero.
    pub fn duration(&self, setting: &str) -> Result<Option<Duration>> {
        let Some(text) = self.text(setting)? else { return Ok(None) };
        let duration = parse_positive_duration(text);
        duration
            .map(Some)
            .map_err(|error| self.wrong(setting, error.to_string(), DurationError::ADVICE))
    }

    /// Returns a whole number from 1 to `most`.
    pub fn count(&self, setting: &str, most: usize) -> Result<Option<usize>> {
        let Some(item) = self.table.get(setting) else { return Ok(None) };
        let number = item.as_integer().and_then(|number| usize::try_from(number).ok());
        number.filter(|number| (1..=most).contains(number)).map(Some).ok_or_else(|| {
            self.wrong(setting, format!("not a number from 1 to {most}"), "write it without quotes")
        })
    }

    /// Returns a number.
    pub fn number(&self, setting: &str) -> Result<Option<f64>> {
        let Some(item) = self.table.get(setting) else { return Ok(None) };
        #[expect(clippy::cast_precision_loss, reason = "nobody needs a limit of 16 digits")]
        let number = item.as_float().or_else(|| item.as_integer().map(|number| number as f64));
        number
            .filter(|number| number.is_finite())
            .map(Some)
            .ok_or_else(|| self.wrong(setting, "not a number", "write it without quotes"))
    }
}
