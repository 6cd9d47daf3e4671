//! The names of the files of a record: a pattern with the time, such as `day-%Y%m%d.ndjson.zst`.

use std::io;
use std::path::{Path, PathBuf};

use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::error::{Error, Exit, Result};
use crate::transport::input_file::cause;

/// The suffix of a compressed file.
const ZST: &str = ".zst";

/// The suffix of the files.
const NDJSON: &str = ".ndjson";

/// The number of digits that number the files of one time.
const DIGITS: usize = 4;

/// The directory and the names of the files of a record.
///
/// A name is the time, a number if files are divided by size, and `.ndjson`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordPattern {
    directory: PathBuf,
    /// The name without its suffixes, with the time as for `strftime`.
    stem: String,
    /// Whether older files are compressed.
    pub is_compressed: bool,
    /// Whether names have a number.
    is_numbered: bool,
}

impl RecordPattern {
    /// Returns whether a path is a pattern.
    #[must_use]
    pub fn is_pattern(path: &Path) -> bool {
        path.file_name().is_some_and(|name| name.as_encoded_bytes().contains(&b'%'))
    }

    /// Parses a pattern.
    ///
    /// # Errors
    ///
    /// Fails if the name has another suffix than `.ndjson` or `.ndjson.zst`, or if names of later
    /// times would not sort after those of earlier ones.
    pub fn parse(path: &Path, is_numbered: bool) -> Result<Self> {
        let what = || format!("cannot record to {}", path.display());
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let (plain, is_compressed) = match name.strip_suffix(ZST) {
            Some(plain) => (plain, true),
            None => (name, false),
        };
        let Some(stem) = plain.strip_suffix(NDJSON) else {
            let why = "the name of a pattern ends with .ndjson or .ndjson.zst";
            return Err(Error::usage(what(), why, "write it like day-%Y%m%d.ndjson"));
        };
        let directory = path.parent().filter(|path| !path.as_os_str().is_empty());
        let directory = directory.unwrap_or(Path::new(".")).to_owned();
        let pattern = Self { directory, stem: stem.to_owned(), is_compressed, is_numbered };
        if pattern.is_sorted() {
            return Ok(pattern);
        }
        let why = "names of later times do not sort after those of earlier ones";
        let advice = "write the largest unit first, and no local names, like %Y%m%dT%H";
        Err(Error::usage(what(), why, advice))
    }

    /// Tries times that are hours to years apart.
    fn is_sorted(&self) -> bool {
        let begin = "2009-12-31T22:00:00Z".parse::<Timestamp>().unwrap_or_default();
        let begin = begin.to_zoned(TimeZone::UTC);
        let steps = [1.hours(), 1.days(), 9.days(), 31.days(), 300.days(), 365.days()];
        let mut times: Vec<_> = steps
            .iter()
            .flat_map(|step| {
                (0..60).filter_map(|n| begin.checked_add(step.checked_mul(n).ok()?).ok())
            })
            .collect();
        times.sort();
        let names: Option<Vec<_>> =
            times.iter().map(|time| self.stem_at(time.timestamp())).collect();
        names.is_some_and(|names| names.is_sorted() && names.first() != names.last())
    }

    fn stem_at(&self, at: Timestamp) -> Option<String> {
        let at = at.to_zoned(TimeZone::UTC);
        strtime::format(&self.stem, &at).ok().filter(|name| !name.contains('/'))
    }

    /// Returns the name of the file of a time, in UTC, with a number if names have one.
    #[must_use]
    pub fn name_at(&self, at: Timestamp, number: Option<u32>) -> String {
        // The pattern was tried when it was parsed.
        let stem = self.stem_at(at).unwrap_or_default();
        match number {
            Some(number) => format!("{stem}.{number:0DIGITS$}{NDJSON}"),
            None => format!("{stem}{NDJSON}"),
        }
    }

    /// Returns the path of a file.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Returns the path of a file when it is compressed.
    #[must_use]
    pub fn compressed_path(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{name}{ZST}"))
    }

    /// Returns the names of the existing plain files, in order.
    pub fn plain_names(&self) -> io::Result<Vec<String>> {
        let mut names = self.names()?;
        names.retain(|name| name.ends_with(NDJSON));
        Ok(names)
    }

    /// Returns the names of all existing files, in order.
    pub fn names(&self) -> io::Result<Vec<String>> {
        let entries = match std::fs::read_dir(&self.directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry?.file_name();
            names.extend(name.into_string().ok().filter(|name| self.is_own(name)));
        }
        names.sort();
        Ok(names)
    }

    /// Returns whether a file belongs to the record.
    fn is_own(&self, name: &str) -> bool {
        let plain = name.strip_suffix(ZST).unwrap_or(name);
        let (stem, number) = split_number(plain);
        number.is_some() == self.is_numbered
            && plain.ends_with(NDJSON)
            && strtime::parse(&self.stem, stem).is_ok()
    }

    /// Creates the error for files that cannot be read, compressed or removed.
    #[must_use]
    pub fn failed(&self, error: &io::Error) -> Error {
        Error::new(
            Exit::Failure,
            format!("cannot tidy up the record in {}", self.directory.display()),
            cause(error),
            "check the directory, and the space there",
        )
    }
}

/// Separates the number from a name, which is all that names of one time differ in. Returns the name
/// without suffix and number.
pub fn split_number(name: &str) -> (&str, Option<u32>) {
    let name = name.strip_suffix(NDJSON).unwrap_or(name);
    let number = name.rsplit_once('.').filter(|(_, number)| {
        number.len() >= DIGITS && number.bytes().all(|digit| digit.is_ascii_digit())
    });
    match number.and_then(|(stem, number)| Some((stem, number.parse().ok()?))) {
        Some((stem, number)) => (stem, Some(number)),
        None => (name, None),
    }
}
