//! Values of jq programs, with the meaning that they have in jq 1.8, within the limits of one
//! evaluation.

mod access;
mod arithmetic;
pub mod budget;
mod error;
mod event;
mod jq_text;
mod jq_value;
mod number;
mod order;
mod read;
mod std_value;
mod write;

pub use access::{indices_of_part, position, slice_bounds};
pub use arithmetic::split;
pub use error::{ValueError, ValueResult, exhausted, iterate_error, pair_error, type_error};
pub use event::{event, fields, json, member};
pub use jq_text::JqText;
pub use jq_value::{JqArray, JqObject, JqValue};
pub use number::Number;
pub use read::{ReadError, read};
pub use write::{OutputStyle, escape_hostile, push_escaped, start_of};
