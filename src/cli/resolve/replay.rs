//! Resolves the speed of a replay and the number of its threads.

use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;

use super::value;
use crate::error::Result;
use crate::pipeline::pacing::Pace;
use crate::transport::recording;

/// Returns the pace of a replay. `speed` is a multiple of real time; `None` means no limit.
pub fn pace(speed: Option<f64>, files: &[PathBuf]) -> Result<Arc<Pace>> {
    let speed = speed.map_or(Ok(f64::INFINITY), value::speed)?;
    Ok(Arc::new(Pace::new(recording::sizes(files), speed)))
}

/// Returns the number of threads that read a recording, by default one per available processor.
#[must_use]
pub fn threads(asked: Option<u16>) -> usize {
    asked.map_or_else(|| std::thread::available_parallelism().map_or(1, NonZero::get), usize::from)
}
