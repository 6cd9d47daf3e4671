//! The options of destinations other than stdout, and how destinations are opened.
//!
//! To add a destination, implement [`Destination`](crate::delivery::Destination) in a file of
//! `delivery`, declare its options and implement [`DestinationOptions`] for them in a file of this
//! module, and add the options to [`DestinationArgs`] and to [`DestinationArgs::resolve`].

mod forward;
mod options;
mod record;

use clap::Args;

use crate::error::Result;
use forward::ForwardArgs;
use options::DestinationOptions;
pub use options::{DestinationContext, OpenDestination};
use record::RecordArgs;

/// The options of all destinations.
#[derive(Debug, Args)]
pub struct DestinationArgs {
    /// A file.
    #[command(flatten)]
    record: RecordArgs,
    /// An HTTP endpoint.
    #[command(flatten)]
    forward: ForwardArgs,
}

impl DestinationArgs {
    /// Checks the options and returns the selected destinations in the order in which they receive
    /// events. It does not open or create them.
    pub fn resolve(&self, context: &DestinationContext<'_>) -> Result<Vec<OpenDestination>> {
        let options: [&dyn DestinationOptions; _] = [&self.record, &self.forward];
        options.into_iter().filter_map(|options| options.resolve(context).transpose()).collect()
    }
}
