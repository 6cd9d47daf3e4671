//! Notices when a file changes.
//!
//! The file is looked at once in a while, because notifications miss changes on network file systems
//! and files that are replaced. A file that is being written is left alone until it has stayed the
//! same from one look to the next.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::transport::shutdown::Hangup;

/// The time between two looks at the file.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

/// What distinguishes two versions of a file; `None` if it does not exist or cannot be looked at.
type Version = Option<(Option<SystemTime>, u64, [i64; 3])>;

/// Watches one file.
pub struct FileChanges {
    path: PathBuf,
    /// The version that was read last.
    read: Version,
    /// The version at the last look.
    seen: Version,
    looks: Interval,
    hangup: Hangup,
}

impl FileChanges {
    /// Starts to watch a file, whose current version counts as read.
    pub async fn new(path: PathBuf, hangup: Hangup) -> Self {
        let read = version(&path).await;
        let mut looks = interval(LOOK_INTERVAL);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { path, read, seen: read, looks, hangup }
    }

    /// Waits for another version of the file, which then counts as read, or for SIGHUP.
    ///
    /// A call that is dropped before it returns misses nothing.
    pub async fn changed(&mut self) {
        let Self { path, read, seen, looks, hangup } = self;
        let differs = async {
            loop {
                looks.tick().await;
                let now = version(path).await;
                if now != *read && now == *seen {
                    return now;
                }
                *seen = now;
            }
        };
        let now = tokio::select! {
            now = differs => now,
            () = hangup.received() => version(path).await,
        };
        *read = now;
    }
}

async fn version(path: &Path) -> Version {
    let meta = tokio::fs::metadata(path).await.ok()?;
    Some((meta.modified().ok(), meta.len(), identity(&meta)))
}

/// Returns what also changes when a file is replaced, or when its permissions change.
#[cfg(unix)]
fn identity(meta: &Metadata) -> [i64; 3] {
    use std::os::unix::fs::MetadataExt;
    [meta.ino().cast_signed(), meta.ctime(), meta.ctime_nsec()]
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> [i64; 3] {
    [0; 3]
}
