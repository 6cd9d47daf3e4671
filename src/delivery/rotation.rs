//! A record in several files, whose names contain the time.
//!
//! A new file begins when the time in the name changes or the file is large enough, between two
//! batches. The current file and the one before it are plain, because events at their ends may be
//! sent again; older files are compressed, if the pattern asks for it, and removed when they exceed
//! what is kept. The names sort by time, and evtap never writes to an earlier file again.

mod compress;
mod pattern;
mod retention;

use std::thread::JoinHandle;

use jiff::Timestamp;

use super::cursor::DeliveryCounts;
use super::destination::Destination;
use super::key::DeliveryKey;
use super::record::Recorder;
use crate::error::{Error, Result};
use crate::output::{OutputError, status};
use crate::query::EventContext;
pub use pattern::RecordPattern;
use pattern::split_number;
pub use retention::Retention;

/// How a record is divided into files.
#[derive(Debug, Clone)]
pub struct RotationConfig {
    /// The names of the files.
    pub pattern: RecordPattern,
    /// The size from which a new file begins, in bytes.
    pub max_size: Option<u64>,
    /// The files that stay.
    pub keep: Retention,
    /// The clock.
    pub now: fn() -> Timestamp,
}

/// Appends shown events to the current one of several files.
pub struct RotatingRecorder {
    config: RotationConfig,
    /// The name of the current file.
    name: String,
    current: Recorder,
    /// The thread that compresses and removes older files.
    cleaning: Option<JoinHandle<()>>,
}

impl RotatingRecorder {
    /// Opens the current file, and repairs and compresses what an earlier run has left.
    ///
    /// # Errors
    ///
    /// Fails for the reasons of [`Recorder::open`].
    pub fn open(config: RotationConfig) -> Result<Self, Error> {
        let existing =
            config.pattern.plain_names().map_err(|error| config.pattern.failed(&error))?;
        let last = existing.last().cloned().unwrap_or_default();
        let name = config.first_name(&last);
        let mut current = Recorder::open(&config.pattern.path(&name))?;
        // The events at the end of the file before may be sent again too.
        if let Some(previous) = existing.iter().rev().find(|existing| **existing != name) {
            let previous = Recorder::open(&config.pattern.path(previous))?;
            merge(&mut current.tail, previous.tail);
            current.earlier = current.earlier.or(previous.earlier);
        }
        let mut recorder = Self { config, name, current, cleaning: None };
        recorder.clean();
        Ok(recorder)
    }

    /// Begins a new file if one is due. Must be called between two batches.
    fn rotate(&mut self) -> Result<(), OutputError> {
        let name = self.config.next_name(&self.name, self.current.size());
        if name <= self.name {
            return Ok(());
        }
        self.current.flush()?;
        self.current.finish()?;
        let mut next =
            Recorder::open(&self.config.pattern.path(&name)).map_err(OutputError::Failed)?;
        merge(&mut next.tail, std::mem::take(&mut self.current.tail));
        next.earlier = next.earlier.or(self.current.earlier);
        next.is_interrupted = self.current.is_interrupted;
        self.current = next;
        self.name = name;
        self.clean();
        Ok(())
    }

    /// Compresses and removes older files on a thread of its own, so that events do not wait.
    fn clean(&mut self) {
        if self.cleaning.as_ref().is_some_and(|thread| !thread.is_finished()) {
            // The next rotation cleans up what is left.
            return;
        }
        let RotationConfig { pattern, keep, now, .. } = self.config.clone();
        let now = now();
        let current = self.name.clone();
        let thread = std::thread::Builder::new().name("record-cleaner".to_owned());
        let cleaning = thread.spawn(move || {
            let cleaned = compress::compress_before(&pattern, &current)
                .and_then(|()| keep.remove_before(&pattern, &current, now));
            if let Err(error) = cleaned {
                status::warn(&pattern.failed(&error).to_string());
            }
        });
        self.cleaning = cleaning.ok();
    }
}

impl RotationConfig {
    /// Returns the name of the file to begin with, after files of which `last` is the latest.
    fn first_name(&self, last: &str) -> String {
        let size = std::fs::metadata(self.pattern.path(last)).map_or(0, |meta| meta.len());
        if last.is_empty() {
            return self.pattern.name_at((self.now)(), self.max_size.map(|_| 0));
        }
        let next = self.next_name(last, size);
        if next.as_str() > last { next } else { last.to_owned() }
    }

    /// Returns the name of the file for what comes next, if the current one has this size. It is
    /// the current name or, if the clock was set back, an earlier one, if no new file is due.
    fn next_name(&self, current: &str, size: u64) -> String {
        let now = (self.now)();
        let Some(max_size) = self.max_size else { return self.pattern.name_at(now, None) };
        let first = self.pattern.name_at(now, Some(0));
        let (current_time, current_number) = split_number(current);
        let same_time = split_number(&first).0 == current_time;
        let number = current_number.filter(|_| same_time).unwrap_or_default();
        self.pattern.name_at(now, Some(number + u32::from(same_time && size >= max_size)))
    }
}

fn merge(into: &mut DeliveryCounts, from: DeliveryCounts) {
    for (key, count) in from {
        *into.entry(key).or_default() += count;
    }
}

impl Destination for RotatingRecorder {
    fn skip_delivered(&mut self, delivered: &[(DeliveryKey, u32)]) {
        self.current.skip_delivered(delivered);
    }

    fn clear_tail(&mut self) {
        self.current.clear_tail();
    }

    fn begin_anew(&mut self) {
        self.current.begin_anew();
    }

    fn event(&mut self, context: &EventContext<'_>) -> Result<(), OutputError> {
        if self.current.is_flushed() {
            self.rotate()?;
        }
        self.current.event(context)
    }

    fn takes_lines(&self) -> bool {
        self.current.takes_lines()
    }

    fn lines(&mut self, lines: &[u8]) -> Result<(), OutputError> {
        if self.current.is_flushed() {
            self.rotate()?;
        }
        self.current.lines(lines)
    }

    fn is_full(&self) -> bool {
        self.current.is_full()
    }

    fn flush(&mut self) -> Result<(), OutputError> {
        self.current.flush()
    }

    fn finish(&mut self) -> Result<(), OutputError> {
        self.current.finish()?;
        if let Some(cleaning) = self.cleaning.take() {
            // Its failures have been reported.
            let _ = cleaning.join();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
