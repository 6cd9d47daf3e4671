//! Resolves arguments into what a session runs: stages, sources, the screen and destinations.
//!
//! Arguments come from the command line or from the configuration. The functions of this module
//! check them. An invalid argument is an error that names the option and says what to do.

mod alert;
mod color;
mod connection;
mod diff;
mod distil;
mod expression;
mod filter;
mod output;
mod privacy;
mod replay;
mod rules;
mod screen;
mod stages;
mod stats;
mod steps;
mod timeline;
pub(super) mod value;

pub use alert::{alert_stages, heartbeat, notifier};
pub use color::apply_color;
pub use connection::{
    DEMO, Workspaces, api_key, call, calls, is_demo, key_source, merge, network, source_config,
    wait, warn_if_exposed, workspace, workspaces,
};
pub use diff::diff;
pub use distil::distil;
#[cfg(feature = "mcp")]
pub use privacy::agent_policy;
pub use privacy::allowed_fields;
pub use replay::{pace, threads};
pub use screen::screen;
pub use stages::{expectations, stages};
pub use stats::stats;
pub use timeline::{TimelinePlan, timeline};
#[cfg(feature = "mcp")]
pub use value::moment;
pub use value::{rate, refuse_range, since, speed, time_range};
