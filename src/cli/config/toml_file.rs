//! A TOML file that the user writes: reads it, and names its lines in errors.
//!
//! Errors never quote a value, because it may be an API key.

use std::ops::Range;
use std::path::{Path, PathBuf};

use toml_edit::Document;

use crate::error::{Error, Result};
use crate::transport::input_file::{self, InputFile, cause};
use crate::transport::private_file::{is_private, permissions};

/// The text of a file and where it came from.
pub struct TomlFile {
    /// The path of the file.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
    /// Whether only its owner can read it.
    pub is_private: bool,
}

impl TomlFile {
    /// Reads a file of at most `limit` bytes. `kind` says what it is, such as `the configuration`.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read, is not UTF-8, or if other users can write it: they could
    /// redirect the API key, or run a command.
    pub fn read(path: &Path, kind: &str, limit: u64) -> Result<Self> {
        let what = || format!("cannot use {kind} {}", path.display());
        let InputFile { bytes, meta } = input_file::read(path, limit).map_err(|error| {
            Error::usage(what(), cause(&error), "check the path and its permissions")
        })?;
        if permissions(&meta) & 0o022 != 0 {
            let why = "other users can write it, and could redirect your API key";
            return Err(Error::usage(what(), why, "remove their permission with `chmod go-w`"));
        }
        let text = String::from_utf8(bytes)
            .map_err(|_| Error::usage(what(), "it is not UTF-8 text", "name a TOML file"))?;
        Ok(Self { path: path.to_owned(), text, is_private: is_private(&meta) })
    }

    /// Parses the text. `advice` says what to do if it is no TOML.
    pub fn document(&self, advice: &str) -> Result<Document<&str>> {
        Document::parse(self.text.as_str())
            .map_err(|error| self.wrong(self.line(error.span()), "", "invalid TOML", advice))
    }

    /// Returns the line number of a position, starting at 1.
    pub fn line(&self, span: Option<Range<usize>>) -> usize {
        let end = span.map_or(0, |span| span.start).min(self.text.len());
        self.text.get(..end).map_or(1, |before| before.matches('\n').count() + 1)
    }

    /// Creates an error about a line. `what` is the name of what is wrong there.
    pub fn wrong(
        &self,
        line: usize,
        what: &str,
        why: impl Into<String>,
        advice: impl Into<String>,
    ) -> Error {
        let subject = if what.is_empty() { String::new() } else { format!(" ({what})") };
        Error::usage(
            format!("cannot use {}, line {line}{subject}", self.path.display()),
            why,
            advice,
        )
    }

    /// Resolves a path relative to the directory of the file. `~/` is the home directory.
    pub fn resolve(&self, path: &str) -> PathBuf {
        let home = path.strip_prefix("~/").and_then(|rest| Some(std::env::home_dir()?.join(rest)));
        home.unwrap_or_else(|| self.path.parent().unwrap_or(Path::new("")).join(path))
    }
}
