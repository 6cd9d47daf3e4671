//! The interface that the options of all destinations implement.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tokio::runtime::Handle;

use crate::cli::args::{BrokerArgs, FilterArgs, PrivacyArgs};
use crate::delivery::Destination;
use crate::error::Result;
use crate::output::status::StatusFormat;
use crate::redact::Policy;
use crate::transport::call_lease::CallLeases;
use crate::transport::client::Network;

/// The settings of the run that destinations use.
#[cfg_attr(not(feature = "nats"), expect(dead_code, reason = "only a broker needs all of it"))]
pub struct DestinationContext<'a> {
    /// The network settings, such as the proxy.
    pub network: &'a Network,
    /// The format of status messages.
    pub status: StatusFormat,
    /// The privacy options.
    pub privacy: &'a PrivacyArgs,
    /// The policy of what is hidden.
    pub policy: &'a Policy,
    /// Which events are selected.
    pub filter: &'a FilterArgs,
    /// The leases of calls, if other taps may publish the same ones.
    pub leases: Option<&'a Arc<CallLeases>>,
    /// How to reach the broker.
    pub broker: &'a BrokerArgs,
    /// The address of the stream that the events come from, if they do.
    pub source: Option<&'a str>,
}

/// A destination that is being opened.
pub type OpeningDestination = Pin<Box<dyn Future<Output = Result<Box<dyn Destination>>> + Send>>;

/// Opens a destination. Its blocking calls use the timers and sockets of the given runtime.
pub type OpenDestination = Box<dyn FnOnce(Handle) -> OpeningDestination + Send>;

/// The options of one destination.
pub(super) trait DestinationOptions {
    /// Checks the options. Returns `None` if they do not select the destination.
    fn resolve(&self, context: &DestinationContext<'_>) -> Result<Option<OpenDestination>>;
}
