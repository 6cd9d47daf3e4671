//! The options of `--record`, which appends events to a file.

use std::path::PathBuf;

use clap::Args;

use super::options::{DestinationContext, DestinationOptions, OpenDestination};
use crate::delivery::{Destination, Recorder};
use crate::error::Result;

/// The options of the record.
#[derive(Debug, Args)]
#[command(next_help_heading = "Delivery")]
pub struct RecordArgs {
    /// Also append the printed events to this file
    ///
    /// The record is NDJSON with mode 0600, redacted exactly as the output.
    #[arg(long = "record", value_name = "FILE")]
    record: Option<PathBuf>,
}

impl DestinationOptions for RecordArgs {
    fn resolve(&self, _: &DestinationContext<'_>) -> Result<Option<OpenDestination>> {
        Ok(self.record.clone().map(|path| -> OpenDestination {
            Box::new(move |_| {
                let recorder = Recorder::open(&path);
                Box::pin(async { Ok(Box::new(recorder?) as Box<dyn Destination>) })
            })
        }))
    }
}
