//! evtap taps the events of a healthcare AI platform, hides the protected health information in them, and shows them.
//!
//! # The walk of an event
//!
//! ```text
//! source ──RawFrame──▶ decode ──Event──▶ redact ──Shown──▶ select ──▶ sink
//! sse, observer,       typed model,      the only way      jq, globs,  pretty,
//! replay               total             to what is seen   grep        ndjson, …
//! ```
//!
//! One way, no back edges. A [`source`] gives the bytes of each event as they arrived. [`decode`] finds its members in one
//! strict pass ([`scan`]), holds them against the typed model ([`event`](mod@event)), and always succeeds: what is no event
//! becomes a `tap.malformed` line, what the model did not expect is reported as drift. [`redact`] puts masks in place of
//! what is hidden. It alone can turn an [`Event`](decode::Event) into a [`Shown`](redact::Shown), and everything that
//! prints, counts or records takes a `Shown`, so that a leak is a compile error. [`select`] keeps the events that were
//! asked for: it sees the masks, and is no oracle for what they cover. A [`sink`] writes. A [`judge`] sees all events and
//! says when a run is over early. [`walk`] is that path in code, and [`run`] wires it for each command. What outlives the
//! process, the record and the cursor, comes after the sink: [`delivery`].
//!
//! Bytes stay bytes: a `Shown` is the JSON that arrived with masks in place of spans. Order, digits and spelling of what is
//! shown are those of the platform.
//!
//! # The rest
//!
//! [`cli`] is the command line as typed, [`config`] what it means with the environment and the configuration file, [`error`]
//! what can go wrong and the exit status, `doctor` the examination of what a connection needs, [`tui`] the live screen,
//! [`status`] the news on stderr, [`progress`] how far a long recording has been read, [`pace`] how fast it is
//! replayed, [`shutdown`] the end by signal, [`credential`] the key, [`sanitize`] the
//! guard of the terminal, [`scrub`] what is found in free text, [`audit`] what a recording still holds, [`figures`] what
//! events add up to, [`held`] an event that is kept, [`call`] what events tell of a call, [`timeline`] that from its beginning
//! to its end, [`private_file`] what others must not read, [`confine`] what a crash may not tell, [`schema`] the model
//! told to people and machines, [`complete`] what may come next on a command line, [`generate`] the man pages and the
//! completion scripts, and [`emulator`] a synthetic clinic to try it all on.

// What tests inside and outside of the crate have in common calls it by its name.
#[cfg(test)]
extern crate self as evtap;

pub mod audit;
pub mod call;
pub mod cli;
pub mod complete;
pub mod config;
pub mod confine;
pub mod credential;
pub mod decode;
pub mod delivery;
mod doctor;
pub mod emulator;
pub mod error;
pub mod event;
pub mod figures;
pub mod generate;
pub mod held;
pub mod judge;
pub mod pace;
mod platform;
pub mod private_file;
pub mod progress;
pub mod redact;
pub mod run;
pub mod sanitize;
pub mod scan;
pub mod schema;
pub mod scrub;
pub mod select;
pub mod shutdown;
pub mod sink;
pub mod source;
pub mod status;
pub mod timeline;
pub mod tui;
pub mod walk;
mod wiring;
