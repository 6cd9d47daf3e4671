//! The configuration: options over environment over profile over the top of the file over defaults.

mod edit;
pub(crate) mod file;
mod layers;
mod origin;
mod parse;
mod report;

#[cfg(feature = "internals")]
pub use edit::example;
pub use edit::{init, set_profile};
pub use file::{default_path, profiles};
pub use parse::{ParseError, parse};
pub use report::ResolvedConfig;
