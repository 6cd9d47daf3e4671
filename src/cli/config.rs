//! Combines options, the environment, the profile, the top level of the file and the defaults.
//!
//! Each of these takes precedence over those after it.

mod appearance;
mod edit;
pub(crate) mod file;
mod layers;
mod origin;
mod parse;
mod report;
mod toml_file;

#[cfg(feature = "internals")]
pub use edit::example;
pub use edit::{init, set_profile};
pub use file::{cache_dir, default_path, profiles};
pub use parse::{ParseError, early_status_format, parse};
pub use report::ResolvedConfig;
pub(crate) use toml_file::TomlFile;
