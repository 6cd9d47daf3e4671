//! The filters that programs can call.
//!
//! They are those of jq, without the ones that reach outside the event: files, the environment,
//! other inputs, the clock, output and the end of the process.

use std::collections::HashSet;

use jaq_core::load::parse::Def;
use jaq_core::native::Fun;

use super::assignment;
use super::desugar::desugar_def;
use super::engine::{JqEngine, step_filter};
use super::parse::parse_definitions;
use crate::query::patterns;

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

/// Returns the definitions that are written in jq.
pub(super) fn definitions() -> impl Iterator<Item = Def<&'static str>> {
    let own = parse_definitions(include_str!("prelude.jq")).unwrap_or_default();
    jaq_core::defs()
        .chain(jaq_std::defs())
        .chain(jaq_json::defs())
        .filter(|def| !UNAVAILABLE.contains(&def.name))
        .chain(own.into_iter().map(desugar_def))
}

/// Returns the native filters: jaq's, except for those that [`patterns`] replaces, and evtap's own.
pub(super) fn native_filters() -> impl Iterator<Item = Fun<JqEngine>> {
    let is_left_out = |name| UNAVAILABLE.contains(&name) || patterns::NAMES.contains(&name);
    jaq_core::funs()
        .chain(jaq_std::funs())
        .chain(jaq_json::funs())
        .filter(move |fun: &Fun<JqEngine>| !is_left_out(fun.0))
        .chain(patterns::funs())
        .chain(assignment::funs())
        .chain(std::iter::once(step_filter()))
}

/// Returns the names of all filters of jq that a program can call, for suggestions.
pub(super) fn names() -> HashSet<String> {
    let defs = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs()).map(|def| def.name);
    let funs = jaq_core::funs::<JqEngine>()
        .chain(jaq_std::funs())
        .chain(jaq_json::funs())
        .map(|fun| fun.0);
    defs.chain(funs).filter(|name| !UNAVAILABLE.contains(name)).map(str::to_owned).collect()
}
