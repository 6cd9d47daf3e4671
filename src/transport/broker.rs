//! The message broker: a NATS server with JetStream, on which events are published and from
//! which they are read.
//!
//! NATS is described at <https://docs.nats.io>; the limits of a stream, deduplication and the
//! acknowledgement of a publish under "JetStream" there.

mod acknowledgement;
mod address;
mod call_bucket;
mod call_owners;
mod connect;
mod consumer;
mod delivered;
mod last_messages;
mod open_stream;
mod publish;
mod pull;
mod read;
mod read_config;
mod removal;
mod selection;
mod stream;
mod subject;
mod taps;

pub use acknowledgement::UnreadMessages;
pub use address::BrokerAddress;
pub use call_bucket::CallBucket;
pub use call_owners::CallOwner;
pub use connect::BrokerConfig;
pub use publish::{Acknowledgements, Broker, PublishFailure, PublishResult, StoredPlace};
pub use read::run;
pub use read_config::{ReadConfig, ReadStart};
pub use selection::{EventSelection, subjects};
pub use subject::{SubjectPrefix, of_tap, subject};
pub use taps::{TapList, TapReport, TapReports, read_taps};
