//! How far a long recording has been read, told in one line of a terminal.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::text::units::count;

/// The name of stdin.
pub const STDIN: &str = "-";

/// How far recordings have been read. Bytes are those of the files, packed or not.
#[derive(Debug, Default)]
pub struct Progress {
    read: AtomicU64,
    events: AtomicU64,
    /// How many bytes there are; `None` where something is read that has no end yet.
    all: Option<u64>,
}

impl Progress {
    /// Of these recordings, `-` being stdin.
    #[must_use]
    pub fn new(files: &[PathBuf]) -> Self {
        let size = |file: &PathBuf| {
            let meta = std::fs::metadata(file).ok().filter(|_| file.as_os_str() != STDIN)?;
            meta.is_file().then_some(meta.len())
        };
        Self { all: files.iter().map(size).sum(), ..Self::default() }
    }

    /// So many bytes more have been read.
    pub fn read(&self, bytes: usize) {
        self.read.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// So many events have come of it so far.
    pub fn set_events(&self, events: u64) {
        self.events.store(events, Ordering::Relaxed);
    }

    /// The line, so long after the beginning.
    #[must_use]
    pub fn line(&self, after: Duration) -> String {
        let (read, events) =
            (self.read.load(Ordering::Relaxed), self.events.load(Ordering::Relaxed));
        let rate = count(per_second(events, after));
        let counted = format!("{} events  {rate}/s", count(events));
        match self.all {
            Some(all) if all > 0 => {
                let percent = read.saturating_mul(100) / all;
                let left = all.saturating_sub(read).checked_div(per_second(read, after)).map(time);
                let left = left.map_or_else(String::new, |left| format!("  {left} left"));
                format!("{} of {} ({percent}%)  {counted}{left}", size(read), size(all))
            }
            _ => format!("{}  {counted}", size(read)),
        }
    }
}

fn per_second(count: u64, after: Duration) -> u64 {
    let millis = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
    count.saturating_mul(1000).checked_div(millis).unwrap_or_default()
}

fn size(bytes: u64) -> String {
    let units = [("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let unit = units.into_iter().find(|(_, shift)| bytes >> shift > 0);
    unit.map_or_else(
        || format!("{bytes} B"),
        |(name, shift)| {
            format!("{}.{} {name}", bytes >> shift, ((bytes >> (shift - 10)) & 1023) * 10 / 1024)
        },
    )
}

fn time(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, minutes, seconds) => format!("{minutes}:{seconds:02}"),
        (hours, minutes, seconds) => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_tells_bytes_events_rate_and_what_is_left() {
        let progress = Progress { all: Some(3 << 30), ..Progress::default() };
        assert_eq!(progress.line(Duration::ZERO), "0 B of 3.0 GiB (0%)  0 events  0/s");
        progress.read(512 << 20);
        progress.set_events(1_234_567);
        let line = progress.line(Duration::from_secs(10));
        assert_eq!(line, "512.0 MiB of 3.0 GiB (16%)  1,234,567 events  123,456/s  0:50 left");
        assert!(progress.line(Duration::from_secs(3600)).ends_with("5:00:00 left"));
        progress.read(5 << 29);
        assert!(progress.line(Duration::from_secs(10)).contains("3.0 GiB of 3.0 GiB (100%)"));
        let endless = Progress::default();
        endless.read(1536);
        assert_eq!(endless.line(Duration::from_secs(1)), "1.5 KiB  0 events  0/s");
    }

    #[test]
    fn all_there_is_is_known_of_files_alone() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "12345").expect("written");
        assert_eq!(Progress::new(&[file.path().to_owned(), file.path().to_owned()]).all, Some(10));
        for other in ["-", "/dev/null", "/nonexistent"] {
            assert_eq!(Progress::new(&[file.path().to_owned(), other.into()]).all, None, "{other}");
        }
    }
}
