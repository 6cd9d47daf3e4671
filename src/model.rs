//! The typed model of the platform's events: what each is called, which stream carries it, and for every field its type,
//! its class of protected health information and where it is known from.
//!
//! The facts are the platform's: its documentation page on SSE events, and 48 dated snapshots of its public contract from
//! 2026-04-24 to 2026-05-05. An event or a field that any of them has is declared here, under every name that it has had.
//!
//! This module imports nothing else of the crate. Each event is declared once, in [`catalog`], by the macro
//! [`event!`](crate::event!).

pub mod catalog;
mod class;
pub mod cloudevent;
pub mod declare;
pub mod decode;
mod field;
mod frame;
pub(crate) mod stand_in;
mod tap;
mod types;
mod wire;

pub use catalog::Kind;
pub use class::{Class, Domain};
pub use declare::{Declared, EventSpec, FieldSpec, Severity, Stream, family};
pub use field::{Field, FreeText, Phi};
pub use frame::{Frame, FrameError, FrameFlags, FrameFormat, Origin};
pub use tap::{Drift, DriftKind, Name, Tap, id_prefix, is_call_sid, is_id, is_name, is_uuid};
pub use types::{MemberSpec, Model, ObjectOrText, Type, Unstated, Uuid};
