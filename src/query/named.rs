//! Named filters such as `@long`, which the configuration defines.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::query::suggest;

/// Returns whether a filter can have this name.
#[must_use]
pub fn is_filter_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Looks up a source such as `@long` that was given with `option`.
///
/// Returns a label for messages and the expression, or `None` if the source is not a name. A format
/// of jq, such as `@json`, gives nothing useful by itself, so it is taken as a name too.
///
/// # Errors
///
/// Returns a usage error if the configuration does not define the name.
pub fn resolve_named_filter<'a>(
    names: &'a BTreeMap<String, String>,
    option: &str,
    source: &str,
) -> Result<Option<(String, &'a str)>> {
    let Some(name) = source.trim().strip_prefix('@').filter(|name| is_filter_name(name)) else {
        return Ok(None);
    };
    let label = format!("{option} @{name}");
    if let Some(expression) = names.get(name) {
        return Ok(Some((label, expression)));
    }
    let advice = suggest::advice(name, names.keys().map(String::as_str), "filter");
    Err(Error::usage(format!("cannot use {label}"), "the configuration has no such filter", advice))
}
