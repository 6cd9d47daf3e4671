//! The options of destinations other than stdout, and how destinations are opened.
//!
//! To add a destination, implement [`Destination`](crate::delivery::Destination) in a file of
//! `delivery`, declare its options and implement [`DestinationOptions`] for them in a file of this
//! module, and add the options to [`DestinationArgs`] and to [`DestinationArgs::resolve`].

mod forward;
mod headers;
mod options;
mod otlp;
#[cfg(feature = "nats")]
mod publish;
mod record;

use std::sync::Arc;

use clap::{ArgGroup, Args};

use crate::cli::args::{BrokerArgs, PrivacyArgs};
use crate::error::Result;
use crate::output::status::StatusFormat;
use crate::transport::Heartbeat;
use crate::transport::call_lease::CallLeases;
use crate::transport::client::Network;
use forward::ForwardArgs;
use options::DestinationOptions;
pub use options::{DestinationContext, OpenDestination};
pub use otlp::OtlpArgs;
#[cfg(feature = "nats")]
use publish::PublishArgs;
use record::RecordArgs;

/// The options of all destinations.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("remote").multiple(true))]
pub struct DestinationArgs {
    /// A file.
    #[command(flatten)]
    record: RecordArgs,
    /// An HTTP endpoint.
    #[command(flatten)]
    forward: ForwardArgs,
    /// A message broker.
    #[cfg(feature = "nats")]
    #[command(flatten)]
    publish: PublishArgs,
    /// How to reach the broker.
    #[command(flatten)]
    pub broker: BrokerArgs,
}

impl DestinationArgs {
    /// Hides more where events are shared with others.
    ///
    /// # Errors
    ///
    /// Fails if hidden fields would be shared unasked.
    pub fn adapt(&mut self, privacy: &mut PrivacyArgs, status: StatusFormat) -> Result<()> {
        #[cfg(feature = "nats")]
        return self.publish.adapt(privacy, status);
        #[cfg(not(feature = "nats"))]
        {
            let _ = (privacy, status);
            Ok(())
        }
    }

    /// Returns how this tap announces what it has delivered; `None` if no destination needs that.
    pub fn heartbeat(&self) -> Result<Option<Heartbeat>> {
        #[cfg(feature = "nats")]
        return self.publish.heartbeat();
        #[cfg(not(feature = "nats"))]
        return Ok(None);
    }

    /// Opens the leases by which taps agree who observes a call; `None` if no destination needs
    /// them.
    pub async fn leases(&self, network: &Network) -> Result<Option<Arc<CallLeases>>> {
        #[cfg(feature = "nats")]
        return self.publish.leases(&self.broker, network).await;
        #[cfg(not(feature = "nats"))]
        {
            let _ = network;
            Ok(None)
        }
    }

    /// Checks the options and returns the selected destinations in the order in which they receive
    /// events. It does not open or create them.
    pub fn resolve(&self, context: &DestinationContext<'_>) -> Result<Vec<OpenDestination>> {
        let options: &[&dyn DestinationOptions] = &[
            &self.record,
            &self.forward,
            #[cfg(feature = "nats")]
            &self.publish,
        ];
        options.iter().filter_map(|options| options.resolve(context).transpose()).collect()
    }
}
