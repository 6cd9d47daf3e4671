//! The typed model of the platform's events, for evtap and for other programs.
//!
//! [`Event`] reads the JSON of one event and is matched like any enum. Fields that may hold
//! protected health information (PHI) print as `[redacted]`, unless a program asks for the value
//! with [`Phi::expose`]:
//!
//! ```
//! use evtap::model::Event;
//!
//! let event = Event::from_slice(br#"{"event_type":"call.started","call_sid":"CA1","caller_id":"+13035550161","direction":"inbound","service_id":"6f1f2d3c-0000-4000-8000-000000000001"}"#)?;
//! match &event {
//!     Event::CallStarted(call) => {
//!         println!("{:?}", call.caller_id); // prints the mask
//! #       assert_eq!(format!("{:?}", call.caller_id), "[redacted]");
//!     }
//!     Event::Unknown(other) => println!("{}", other.event_type()),
//!     _ => {}
//! }
//! # Ok::<(), evtap::model::EventError>(())
//! ```
//!
//! Serialising an event gives its JSON as `evtap` prints it by default; [`Exposed`] serialises the
//! real values. What the model does not expect is never an error: unknown events and fields are
//! kept, are treated like PHI, and are listed by [`Event::drift`].
//!
//! Each event type is declared once, in [`catalog`], by the macro [`event!`](crate::event!): its
//! fields with their JSON type, their class of PHI, and their source. [`Kind`] and its
//! [`EventSpec`] describe the declarations to programs. The sources are the platform's
//! documentation page on SSE events and 48 dated snapshots of its public contract from 2026-04-24
//! to 2026-05-05. An event or a field that appears in any of them is declared under every name that
//! it has had.

pub mod catalog;
mod class;
pub mod cloudevent;
pub(crate) mod conformance;
pub mod declare;
pub mod decode;
mod event;
mod field;
mod frame;
pub(crate) mod name;
mod nested;
pub(crate) mod stand_in;
mod tap;
mod time_range;
mod types;
mod wire;

pub use catalog::Kind;
pub use class::{Class, Domain};
pub use declare::{Declared, EventSpec, FieldSpec, Severity, Stream, family};
pub use event::{Event, EventError, Exposed, Typed, UnknownEvent, UnknownField};
pub use field::{Field, FreeText, Phi};
pub use frame::{Frame, FrameError, FrameFlags, FrameFormat, Origin};
pub use name::is_name;
#[doc(hidden)]
pub use name::shown_name;
pub(crate) use tap::is_time;
pub use tap::{Drift, DriftKind, Name, Tap, id_prefix, is_call_sid, is_id, is_opaque_id, is_uuid};
#[cfg(feature = "pipeline")]
pub(crate) use tap::{parse_millis, parse_time, push_millis};
pub use time_range::TimeRange;
pub(crate) use types::is_choice;
pub use types::{MemberSpec, Model, ObjectOrText, Time, Type, Unstated, Uuid};
