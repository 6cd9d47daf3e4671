//! Times and lengths of time in milliseconds.

use std::time::Duration;

/// A time in milliseconds of Unix time, or a length of time.
pub type Millis = i64;

/// Returns a length of time in milliseconds.
#[must_use]
pub fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}
