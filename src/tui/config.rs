//! The configuration of the live screen, which does not change while it is open.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::buffer::BufferLimits;
use super::key_map::KeyMap;
use super::screen::Screen;
use super::style::{Depth, Theme, ThemeName};
use crate::pipeline::pacing::Pace;
use crate::query::value::JqValue;
use crate::redact::Policy;

/// The configuration of the live screen, from the command line and the environment.
pub struct ScreenConfig {
    /// The name of the source, such as the workspace.
    pub title: String,
    /// The names passed to `--reveal`.
    pub revealed: Vec<String>,
    /// The redaction policy, which filters are checked against.
    pub policy: Policy,
    /// The variables set by `--arg` and `--argjson`.
    pub variables: Vec<(String, JqValue)>,
    /// The named filters of the configuration, by name.
    pub named: BTreeMap<String, String>,
    /// The limits of the event buffer.
    pub limits: BufferLimits,
    /// The colours.
    pub theme: Theme,
    /// The keys.
    pub keys: KeyMap,
    /// The theme that the command line or the configuration chose.
    pub configured_theme: ThemeName,
    /// The file that remembers the screen until the next time; `None` remembers nothing.
    pub state_file: Option<PathBuf>,
    /// The time zone of local times.
    pub zone: TimeZone,
    /// The screen that is shown first.
    pub first_screen: Screen,
    /// Whether what newly needs attention is notified at the start.
    pub notifies: bool,
    /// Whether long lines are wrapped at the start.
    pub wrap: bool,
    /// The pace of a replay; `None` for a live source.
    pub pace: Option<Arc<Pace>>,
}

impl Default for ScreenConfig {
    /// Creates a configuration without colours, in UTC.
    fn default() -> Self {
        Self {
            title: String::new(),
            revealed: Vec::new(),
            policy: Policy::default(),
            variables: Vec::new(),
            named: BTreeMap::new(),
            limits: BufferLimits::default(),
            theme: Theme::new(Depth::None, None),
            keys: KeyMap::default(),
            configured_theme: ThemeName::Auto,
            state_file: None,
            zone: TimeZone::UTC,
            first_screen: Screen::Stream,
            notifies: false,
            wrap: false,
            pace: None,
        }
    }
}
