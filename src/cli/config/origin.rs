//! The origin of a setting's value.

use serde_json::{Value, json};

use crate::text::terminal;

/// The origin of a setting's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingOrigin {
    /// The value is from the command line.
    Option,
    /// The value is from the environment variable of this name.
    Variable(String),
    /// The value is from the profile of this name, at this line of the file.
    Profile(String, usize),
    /// The value is from the top level of the file, at this line.
    File(usize),
    /// The value is the default of the option.
    Default,
}

impl SettingOrigin {
    /// Returns the rank of the layer. Rank 0 takes precedence over all others.
    pub(super) const fn rank(&self) -> u8 {
        match self {
            Self::Option => 0,
            Self::Variable(_) => 1,
            Self::Profile(..) => 2,
            Self::File(_) => 3,
            Self::Default => 4,
        }
    }

    /// Returns the origin as a JSON object.
    pub(super) fn json(&self) -> Value {
        match self {
            Self::Option => json!({"from": "option"}),
            Self::Variable(name) => json!({"from": "environment", "variable": name}),
            Self::Profile(name, line) => json!({"from": "profile", "profile": name, "line": line}),
            Self::File(line) => json!({"from": "file", "line": line}),
            Self::Default => json!({"from": "default"}),
        }
    }
}

impl std::fmt::Display for SettingOrigin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Option => f.write_str("option"),
            Self::Variable(name) => write!(f, "environment, {name}"),
            Self::Profile(name, line) => {
                write!(f, "profile {}, line {line}", terminal::visible(name))
            }
            Self::File(line) => write!(f, "file, line {line}"),
            Self::Default => f.write_str("default"),
        }
    }
}
