//! Limits on the older files of a record: their age, size and number.

use std::io;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use super::pattern::RecordPattern;

/// The limits of what is kept. The current file and the one before it are always kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retention {
    /// The maximum time since a file was last written.
    pub age: Option<Duration>,
    /// The maximum size of all files, in bytes.
    pub size: Option<u64>,
    /// The maximum number of files.
    pub count: Option<u64>,
}

impl Retention {
    /// Removes the oldest files before the current one that exceed a limit.
    pub(super) fn remove_before(
        self,
        pattern: &RecordPattern,
        current: &str,
        now: Timestamp,
    ) -> io::Result<()> {
        let now = SystemTime::from(now);
        let (mut count, mut size) = (0, 0);
        // A plain and a compressed file of the same name are one file until the plain one is removed.
        for name in pattern.names()?.iter().rev().filter(|name| name.as_str() <= current) {
            let path = pattern.path(name);
            let meta = std::fs::symlink_metadata(&path)?;
            (count, size) = (count + 1, size + meta.len());
            let age = now.duration_since(meta.modified()?).unwrap_or_default();
            let exceeds = self.age.is_some_and(|most| age > most)
                || self.size.is_some_and(|most| size > most)
                || self.count.is_some_and(|most| count > most);
            if exceeds && count > 2 {
                std::fs::remove_file(&path)?;
            }
        }
        Ok(())
    }
}
