//! The message broker: a NATS server with JetStream, on which events are published and shared.
//!
//! NATS is described at <https://docs.nats.io>; the limits of a stream, deduplication and the
//! acknowledgement of a publish under "JetStream" there.

mod address;
mod call_bucket;
mod connect;
mod stream;
mod subject;
mod taps;

pub use address::BrokerAddress;
pub use call_bucket::CallBucket;
pub use connect::{Broker, BrokerConfig, PublishFailure};
pub use subject::{DEFAULT_PREFIX, SubjectPrefix, of_tap, subject};
pub use taps::{TapReport, TapReports, read_taps};
