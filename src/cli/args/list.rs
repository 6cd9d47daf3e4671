//! The items of options that take a list with commas.

use std::convert::Infallible;

/// Parses an item: people also write a space after the comma.
#[allow(clippy::unnecessary_wraps, reason = "a parser of clap can fail")]
pub fn trimmed(item: &str) -> Result<String, Infallible> {
    Ok(item.trim().to_owned())
}
