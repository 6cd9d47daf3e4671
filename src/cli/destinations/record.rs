//! The options of `--record`, which appends events to a file or to one file after the other.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use jiff::{Span, SpanRelativeTo, Timestamp};

use super::options::{DestinationContext, DestinationOptions, OpenDestination};
use crate::delivery::{
    Destination, RecordPattern, Recorder, Retention, RotatingRecorder, RotationConfig,
};
use crate::error::{Error, Result};
use crate::text::units::{BINARY_UNITS, parse_size};

/// The options of the record.
#[derive(Debug, Args)]
#[command(next_help_heading = "Delivery")]
pub struct RecordArgs {
    /// Also append the printed events to this file
    ///
    /// The record is NDJSON with mode 0600, redacted exactly as the output. A name with a time, such
    /// as `day-%Y%m%d.ndjson`, begins a new file when the time changes (UTC). With the suffix
    /// `.ndjson.zst`, files are compressed, except for the current one and the one before it.
    #[arg(long = "record", value_name = "FILE")]
    record: Option<PathBuf>,
    /// Begin a new record file at this size too
    ///
    /// A number is added to the names. Example: `100MiB`
    #[arg(long, value_name = "SIZE", requires = "record")]
    record_max: Option<String>,
    /// Keep only so much of a record in several files
    ///
    /// An age (`30d`), a size of all files (`10GiB`), a number of files (`48`), or several of them,
    /// separated by commas. The oldest files are removed; the current one and the one before it are
    /// always kept. Default: everything.
    #[arg(long, value_name = "LIMITS", requires = "record")]
    record_keep: Option<String>,
}

impl RecordArgs {
    /// Returns how the record is divided into files; `None` if it is one file.
    fn rotation(&self, path: &Path) -> Result<Option<RotationConfig>> {
        if !RecordPattern::is_pattern(path) {
            for (option, value) in
                [("--record-max", &self.record_max), ("--record-keep", &self.record_keep)]
            {
                if value.is_some() {
                    let why = "the name of the record has no time, so there is only one file";
                    let advice = "write --record 'day-%Y%m%d.ndjson'";
                    return Err(Error::usage(format!("cannot use {option}"), why, advice)
                        .with_setting(option));
                }
            }
            return Ok(None);
        }
        Ok(Some(RotationConfig {
            pattern: RecordPattern::parse(path, self.record_max.is_some())?,
            max_size: self.record_max.as_deref().map(max_size).transpose()?,
            keep: self.record_keep.as_deref().map_or(Ok(Retention::default()), retention)?,
            now: Timestamp::now,
        }))
    }
}

/// The smallest size of a file, in bytes. Two files hold more events than can be sent again.
const MIN_SIZE: usize = 8 << 20;

fn max_size(text: &str) -> Result<u64> {
    let size = parse_size(text, BINARY_UNITS).filter(|size| *size >= MIN_SIZE);
    size.map(|size| size as u64).ok_or_else(|| {
        let advice = "give a size such as 100MiB";
        Error::invalid_value("--record-max", text, "not a size from 8MiB", advice)
    })
}

fn retention(text: &str) -> Result<Retention> {
    let mut keep = Retention::default();
    for limit in text.split(',').map(str::trim) {
        if let Ok(count @ 1..) = limit.parse::<u64>() {
            keep.count = Some(count);
        } else if let Some(size @ 1..) = parse_size(limit, BINARY_UNITS) {
            keep.size = Some(size as u64);
        } else if let Some(age) = age(limit) {
            keep.age = Some(age);
        } else {
            let advice = "give an age such as 30d, a size such as 10GiB, or a number of files";
            return Err(Error::invalid_value("--record-keep", text, "invalid limit", advice));
        }
    }
    Ok(keep)
}

fn age(text: &str) -> Option<Duration> {
    let span: Span = text.parse().ok()?;
    let age = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    Duration::try_from(age).ok().filter(|age| !age.is_zero())
}

impl DestinationOptions for RecordArgs {
    fn resolve(&self, _: &DestinationContext<'_>) -> Result<Option<OpenDestination>> {
        let Some(path) = self.record.clone() else { return Ok(None) };
        let rotation = self.rotation(&path)?;
        Ok(Some(Box::new(move |_| {
            let recorder = match rotation {
                Some(config) => RotatingRecorder::open(config)
                    .map(|recorder| Box::new(recorder) as Box<dyn Destination>),
                None => {
                    Recorder::open(&path).map(|recorder| Box::new(recorder) as Box<dyn Destination>)
                }
            };
            Box::pin(async move { recorder })
        })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_an_age_a_size_and_a_number() {
        let keep = retention("30d, 10GiB,48").expect("limits");
        let age = Some(Duration::from_secs(30 * 86_400));
        assert_eq!(keep, Retention { age, size: Some(10 << 30), count: Some(48) });
        for wrong in ["", "0", "0KiB", "-1d", "many", "1d,"] {
            assert!(retention(wrong).is_err(), "{wrong}");
        }
    }
}
