//! Which settings come from the configuration.

use crate::cli::settings;

/// The settings whose value comes from the environment or a configuration file, not from the command
/// line. Where such a setting conflicts with an option, the option takes precedence.
#[derive(Debug, Clone, Default)]
pub struct ConfigDefaults(pub Vec<&'static str>);

impl ConfigDefaults {
    /// Whether the value of this setting is one of them.
    #[must_use]
    pub fn contains(&self, setting: &str) -> bool {
        debug_assert!(settings::find(setting).is_some(), "{setting} is not a setting");
        self.0.contains(&setting)
    }
}
