//! The settings of publishing, and the headers that follow from them.

use std::sync::Arc;
use std::time::Duration;

use async_nats::HeaderMap;

use crate::output::status::StatusFormat;
use crate::transport::backoff::Random;
use crate::transport::broker::SubjectPrefix;
use crate::transport::call_lease::CallLeases;

/// The header with a hash of everything that decides what is shown.
pub(super) const FINGERPRINT: &str = "Evtap-Fingerprint";

/// The settings of a publisher.
pub struct PublishConfig {
    /// The first tokens of subjects.
    pub prefix: SubjectPrefix,
    /// The name of this tap.
    pub tap: String,
    /// The time between two positions of this tap, which each message says.
    pub heartbeat: Duration,
    /// A hash of the policy and the filters. The ids of events do not depend on them, so only taps
    /// with equal fingerprints can stand in for each other.
    pub fingerprint: String,
    /// Whether hidden fields are revealed, which each message says.
    pub is_revealed: bool,
    /// The leases of calls, if other taps may publish the same ones.
    pub leases: Option<Arc<CallLeases>>,
    /// The format of status messages.
    pub status: StatusFormat,
    /// The random numbers for the jitter of delays.
    pub random: Random,
}

impl PublishConfig {
    /// Returns the headers that all messages to a stream have.
    pub(super) fn headers(&self, stream: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("Content-Type", "application/cloudevents+json");
        headers.insert("Nats-Expected-Stream", stream);
        headers.insert("Evtap-Tap", self.tap.as_str());
        headers.insert("Evtap-Heartbeat", self.heartbeat.as_millis().to_string());
        headers.insert("Evtap-Version", env!("CARGO_PKG_VERSION"));
        headers.insert(FINGERPRINT, self.fingerprint.as_str());
        if self.is_revealed {
            headers.insert("Evtap-Revealed", "true");
        }
        headers
    }
}
