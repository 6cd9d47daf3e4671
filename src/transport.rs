//! Sources of frames: the workspace stream (SSE), the call observer (WebSocket), recordings and a
//! message broker.
//!
//! A source delivers the bytes of each event as they arrived, together with what the transport
//! knows about them (type, id, time, errors). It reconnects, resumes, and reports gaps.
//! Sources push [`Item`]s into one bounded channel: when the reader of stdout is slow, the channel
//! fills, and the sockets are no longer read. A source interprets only its transport; the meaning
//! of an event is left to [`decode`](crate::model::decode).

pub mod archive;
pub mod auto_observe;
pub mod backoff;
#[cfg(feature = "nats")]
pub mod broker;
pub mod call_lease;
mod capture;
pub mod client;
pub mod connect_error;
mod connection_event;
mod coverage;
pub mod credential;
pub mod framer;
pub mod gap;
pub mod input_file;
mod item;
pub mod key_ring;
mod media_type;
pub mod merge;
pub mod meter;
pub mod observer;
#[cfg(feature = "pipeline")]
pub(crate) mod pool;
pub mod private_file;
pub mod probe;
pub mod progress;
mod queue;
mod raw_frame;
pub mod raw_frames;
pub mod receipt;
pub mod recording;
pub mod recording_merge;
pub mod resume;
#[cfg(test)]
mod scripted;
mod server_clock;
pub mod shutdown;
mod socket;
pub mod source_config;
pub mod sse;
mod stream_context;
pub mod tls;

pub use capture::Capture;
pub use connection_event::{ConnectionEvent, ConnectionState};
pub use coverage::{Coverage, CoverageState, Heartbeat};
pub use item::{Chunk, Item, LineChunk};
pub use queue::{BlockingSender, Closed, QUEUE_CAPACITY, Receiver, Sender, channel};
pub use raw_frame::RawFrame;
#[cfg(feature = "pipeline")]
pub(crate) use raw_frame::as_plain_text;
pub use source_config::{FRAME_LIMIT, SourceConfig};
