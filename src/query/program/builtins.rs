//! The filters that programs can call.
//!
//! They are those of jq, without the ones that reach outside the event: files, the environment,
//! other inputs, the clock, output and the end of the process.

use std::collections::HashSet;

use jaq_core::load::parse::Def;

use super::assignment;
use super::desugar::desugar_def;
use super::engine::{JqEngine, NativeFilter, step_filter};
use super::natives;
use super::parse::parse_definitions;

/// The filters and variables of jq that evtap does not provide, because they reach outside the
/// event.
pub(super) const UNAVAILABLE: &[&str] = &[
    "env",
    "$ENV",
    "$__prog_args",
    "input",
    "inputs",
    "debug",
    "stderr",
    "halt",
    "halt_error",
    "input_filename",
    "input_line_number",
    "get_search_list",
    "import",
    "include",
    "modulemeta",
    "debug_empty",
    "stderr_empty",
    "now",
    "localtime",
    "mktime",
    "strflocaltime",
];

/// Filters of jaq that would work on values without paying for it, or use such filters. evtap has
/// its own ones, or jq has none of that name.
const UNLIMITED: &[&str] = &[
    "matches",
    "split_matches",
    "split_",
    "scan_",
    "capture_of_match",
    "escape_html",
    "unescape_html",
    "encode_uri",
    "decode_uri",
    "encode_base64",
    "decode_base64",
    "@htmld",
];

/// Returns the definitions that are written in jq.
pub(super) fn definitions() -> impl Iterator<Item = Def<&'static str>> {
    let own = parse_definitions(include_str!("prelude.jq")).unwrap_or_default();
    let natives: HashSet<_> =
        natives::filters().map(|(name, arguments, _)| (name, arguments.len())).collect();
    jaq_core::defs()
        .chain(jaq_std::defs())
        .filter(move |def| {
            !UNAVAILABLE.contains(&def.name)
                && !UNLIMITED.contains(&def.name)
                && !natives.contains(&(def.name, def.args.len()))
        })
        .chain(own.into_iter().map(desugar_def))
}

/// Returns the native filters: evtap's own, and of jaq those that do not work on values of any size.
pub(super) fn native_filters() -> impl Iterator<Item = NativeFilter> {
    let base: HashSet<_> = jaq_std::base_funs::<JqEngine>().map(|(name, ..)| name).collect();
    natives::filters()
        .chain(assignment::funs())
        .chain(std::iter::once(step_filter()))
        .chain(jaq_core::funs())
        .chain(jaq_std::funs().filter(move |(name, ..)| {
            !base.contains(name) && !UNLIMITED.contains(name) && !UNAVAILABLE.contains(name)
        }))
}

/// Returns the names of all filters of jq that a program can call, for suggestions.
pub(super) fn names() -> HashSet<String> {
    let defs = definitions().map(|def| def.name);
    let funs = native_filters().map(|(name, ..)| name);
    let is_public = |name: &&str| !name.starts_with("evtap_");
    defs.chain(funs).filter(is_public).map(str::to_owned).collect()
}
