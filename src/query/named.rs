//! Expressions that have names, such as `@long`: the configuration gives them, and an option or the live screen takes them.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::query::suggest;

/// Whether an expression can be called so.
#[must_use]
pub fn is_filter_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// The expression of a name such as `@long`, and what to call it where `option` is given that. `@json` and the like are formats
/// of jq, and say nothing by themselves.
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
