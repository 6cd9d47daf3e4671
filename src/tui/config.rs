//! What stays the same while the screen is open.

use std::collections::BTreeMap;
use std::sync::Arc;

use jaq_json::Val;
use jiff::tz::TimeZone;

use super::buffer::BufferLimits;
use super::style::Theme;
use crate::pipeline::pacing::Pace;
use crate::redact::Policy;

/// The configuration of the screen, from the command line and the environment.
pub struct ScreenConfig {
    /// The name of the source, such as the workspace.
    pub title: String,
    /// The names that were given to `--reveal`.
    pub revealed: Vec<String>,
    /// What is hidden; filters are checked against it.
    pub policy: Policy,
    /// The variables of `--arg` and `--argjson`.
    pub variables: Vec<(String, Val)>,
    /// The named filters of the configuration.
    pub named: BTreeMap<String, String>,
    /// How many events are kept.
    pub limits: BufferLimits,
    /// Colours.
    pub theme: Theme,
    /// The zone of local times.
    pub zone: TimeZone,
    /// Whether long lines are wrapped at the start.
    pub wrap: bool,
    /// The speed of a replay; `None` for a live source.
    pub pace: Option<Arc<Pace>>,
}
