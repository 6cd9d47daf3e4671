//! The items of options that take a list with commas.

use std::convert::Infallible;

/// Parses an item: people also write a space after the comma.
pub fn trimmed(item: &str) -> Result<String, Infallible> {
    Ok(item.trim().to_owned())
}
