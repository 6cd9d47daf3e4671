//! Where the value of a setting comes from.

use serde_json::{Value, json};

use crate::text::terminal;

/// Where the value of a setting comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingOrigin {
    /// An option.
    Option,
    /// An environment variable.
    Variable(String),
    /// A line of a profile.
    Profile(String, usize),
    /// A line at the top of the file.
    File(usize),
    /// Nobody has set it.
    Default,
}

impl SettingOrigin {
    /// The rank of its layer; the highest is 0.
    pub(super) const fn rank(&self) -> u8 {
        match self {
            Self::Option => 0,
            Self::Variable(_) => 1,
            Self::Profile(..) => 2,
            Self::File(_) => 3,
            Self::Default => 4,
        }
    }

    /// As a JSON object.
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
