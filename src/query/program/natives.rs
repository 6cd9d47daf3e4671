//! The filters that are written in Rust. Each pays for the work that it does on its input.

mod collections;
mod formats;
mod order;
mod paths;
mod pattern;
mod regex;
mod text;

use super::engine::NativeFilter;
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
