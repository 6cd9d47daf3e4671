//! The filters that are written in Rust. Each pays for the work that it does on its input.

mod collections;
mod formats;
mod order;
mod paths;
mod pattern;
mod regex;
mod text;

use super::engine::NativeFilter;
use crate::query::value::{JqValue, ValueResult};
pub(super) use paths::{RECURSE, delete_paths, get_path, keys_of, update_path};
pub use pattern::{is_valid_pattern, search_pattern};

/// Returns evtap's own filters, which take precedence over those of jaq.
pub(super) fn filters() -> impl Iterator<Item = NativeFilter> {
    text::filters()
        .chain(formats::filters())
        .chain(collections::filters())
        .chain(order::filters())
        .chain(paths::filters())
        .chain(regex::filters())
}

/// A filter that gives one value and takes no arguments.
pub type UnaryFilter = fn(&JqValue) -> ValueResult;

/// Returns the filter of a name, if it works on one value of moderate size and is cheap.
#[must_use]
pub fn unary_filter(name: &str) -> Option<UnaryFilter> {
    Some(match name {
        "type" => collections::type_of,
        "length" => collections::length,
        "add" => collections::add,
        "floor" => collections::floor,
        "ceil" => collections::ceil,
        "round" => collections::round,
        "abs" => collections::abs,
        "keys" => order::keys,
        "tojson" | "@json" => text::to_json,
        "tonumber" => text::to_number,
        "ascii_upcase" => text::to_upper_case,
        "@text" => formats::to_text,
        "@csv" => formats::to_csv,
        "@tsv" => formats::to_tsv,
        _ => return None,
    })
}
