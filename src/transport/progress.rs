//! The progress of reading recordings, and its text for a terminal.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::text::units::{count, counted};

/// The path that stands for stdin.
pub const STDIN: &str = "-";

/// Counts what has been read of the recordings.
///
/// Bytes are bytes of the files, before decompression.
#[derive(Debug, Default)]
pub struct Progress {
    read: AtomicU64,
    events: AtomicU64,
    /// The size of all files, in bytes; `None` if one of them is not a regular file.
    total: Option<u64>,
}

impl Progress {
    /// Creates the progress of reading `files`, where `-` is stdin.
    #[must_use]
    pub fn new(files: &[PathBuf]) -> Self {
        let size = |file: &PathBuf| {
            let meta = std::fs::metadata(file).ok().filter(|_| file.as_os_str() != STDIN)?;
            meta.is_file().then_some(meta.len())
        };
        Self { total: files.iter().map(size).sum(), ..Self::default() }
    }

    /// Adds bytes that have been read.
    pub fn add_read(&self, bytes: u64) {
        self.read.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Sets the number of events that have been read so far.
    pub fn set_events(&self, events: u64) {
        self.events.store(events, Ordering::Relaxed);
    }

    /// Returns the text of the progress line when `elapsed` has passed since the beginning.
    #[must_use]
    pub fn line(&self, elapsed: Duration) -> String {
        let (read, events) =
            (self.read.load(Ordering::Relaxed), self.events.load(Ordering::Relaxed));
        // The beginning of a file may have been read twice.
        let read = read.min(self.total.unwrap_or(u64::MAX));
        let rate = count(per_second(events, elapsed));
        let counts = format!("{}  {rate}/s", counted(events, "event"));
        match self.total {
            Some(total) if total > 0 => {
                let percent = read.saturating_mul(100) / total;
                let seconds = total.saturating_sub(read).checked_div(per_second(read, elapsed));
                let left = seconds
                    .map(format_time)
                    .map_or_else(String::new, |time| format!("  {time} left"));
                let (read, total) = (format_size(read), format_size(total));
                format!("{read} of {total} ({percent}%)  {counts}{left}")
            }
            _ => format!("{}  {counts}", format_size(read)),
        }
    }
}

fn per_second(count: u64, elapsed: Duration) -> u64 {
    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    count.saturating_mul(1000).checked_div(millis).unwrap_or_default()
}

fn format_size(bytes: u64) -> String {
    let units = [("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let unit = units.into_iter().find(|(_, shift)| bytes >> shift > 0);
    unit.map_or_else(
        || format!("{bytes} B"),
        |(name, shift)| {
            format!("{}.{} {name}", bytes >> shift, ((bytes >> (shift - 10)) & 1023) * 10 / 1024)
        },
    )
}

fn format_time(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, minutes, seconds) => format!("{minutes}:{seconds:02}"),
        (hours, minutes, seconds) => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_shows_bytes_events_rate_and_remaining_time() {
        let progress = Progress { total: Some(3 << 30), ..Progress::default() };
        assert_eq!(progress.line(Duration::ZERO), "0 B of 3.0 GiB (0%)  0 events  0/s");
        progress.add_read(512 << 20);
        progress.set_events(1_234_567);
        let line = progress.line(Duration::from_secs(10));
        assert_eq!(line, "512.0 MiB of 3.0 GiB (16%)  1,234,567 events  123,456/s  0:50 left");
        assert!(progress.line(Duration::from_secs(3600)).ends_with("5:00:00 left"));
        progress.add_read(5 << 29);
        assert!(progress.line(Duration::from_secs(10)).contains("3.0 GiB of 3.0 GiB (100%)"));
        let endless = Progress::default();
        endless.add_read(1536);
        assert_eq!(endless.line(Duration::from_secs(1)), "1.5 KiB  0 events  0/s");
    }

    #[test]
    fn the_total_is_known_only_for_regular_files() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "12345").expect("written");
        let total = |files: &[PathBuf]| Progress::new(files).total;
        assert_eq!(total(&[file.path().to_owned(), file.path().to_owned()]), Some(10));
        for other in ["-", "/dev/null", "/nonexistent"] {
            assert_eq!(total(&[file.path().to_owned(), other.into()]), None, "{other}");
        }
    }
}
